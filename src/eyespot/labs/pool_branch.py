"""Why does Inception narrow its pool branch to 32 channels? Six blocks in a row, with and without, counted."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from eyespot.arithmetic.table import flat, total
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Branches, chain
from eyespot.labs.bench import Bench
from eyespot.labs.definition import Both, Lab, Verdict
from eyespot.labs.figures import Gains
from eyespot.zoo.inception_parts import projected, row, unit

CHANNELS, SIDE, BLOCKS = 192, 28, (1, 2, 3, 4, 5, 6)
LAB = Lab(
    chapter="inception",
    question=Both("Why is the pool branch narrowed to 32 channels?", "池化分支为什么要降到 32 个通道？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("or every block would be wider and dearer than the one before", "否则一个块比一个块更宽、更贵"),
        Both("pooling needs weights, too, to learn something", "池化也需要权重，才能学到东西"),
        Both("it only saves a little in one block", "只是在一个块里省一点计算"),
    ),
    rule=Both(
        "Because blocks would grow, if without it every one of six blocks in a row gives more channels and takes more "
        "multiply-adds than the one before, and with it they stay as they are from the second on.",
        "六个块排成一行，如果不降时每个块都比前一个通道更多、乘加更多，而降到 32 之后从第二个块起不再变化，"
        "那么就是为了不让块变大。",
    ),
    grid={"block": BLOCKS, "arm": ("all channels", "32 channels")},
    measures={
        "channels": Both("channels after the block", "块之后的通道数"),
        "multiply_adds": Both("multiply-adds of the block, millions", "块的乘加次数（百万）"),
    },
    names={
        "block": Both("block", "块"),
        "all channels": Both("pool branch as it is", "池化分支不降"),
        "32 channels": Both("pool branch narrowed to 32", "池化分支降到 32"),
    },
    seconds=2,
    exact=True,
)


def trial(bench: Bench, *, block: int, arm: str) -> dict[str, float]:
    given = CHANNELS
    for _ in range(block):
        traced = trace(chain(block=_block(given, narrowed=arm == "32 channels")), (given, SIDE, SIDE))
        given = list(flat(traced))[-1].output[0]
    return {"channels": given, "multiply_adds": total(traced).multiply_adds / 1e6}


def _block(channels: int, *, narrowed: bool) -> Branches:
    """The first Inception block of GoogLeNet: arXiv:1409.4842, table 1, 3a."""
    pool = nn.MaxPool2d(3, stride=1, padding=1)
    return Branches(
        b1=unit(channels, 64, 1),
        b3=row(channels, (96, 1), (128, 3)),
        b5=row(channels, (16, 1), (32, 5)),
        pool=projected(pool, channels, 32) if narrowed else pool,
    )


def verdict(gain: Gains) -> Verdict:
    wide, narrow = ([[gain(name, arm, block=at) for name in LAB.measures] for at in BLOCKS] for arm in LAB.grid["arm"])
    grow = all(one.mean < other.mean for pair in pairwise(wide) for one, other in zip(*pair, strict=True))
    if grow and all(each == narrow[1] for each in narrow[1:]):
        said = Both(
            "Or blocks would grow: as it is, six give {a} channels, and one costs from {c} to {d} million "
            "multiply-adds; narrowed to 32, block 6 gives {e} channels for {f} million.",
            "否则块会越来越大：不降时六个块之后有 {a} 个通道，每块的乘加从 {c} 增至 {d} 百万；"
            "降到 32 时，第六块给出 {e} 个通道，乘加 {f} 百万。",
        )
        numbers = {"a": wide[-1][0], "c": wide[0][1], "d": wide[-1][1], "e": narrow[-1][0], "f": narrow[-1][1]}
        return Verdict("so", said.filled(**numbers), guess=1)
    return Verdict("not so", Both("Blocks do not grow.", "块不会变大。"), guess=3)
