"""Why do the branches of Inception keep width and height? Three ways to pad and step, and what can be concatenated."""

from __future__ import annotations

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.arithmetic.table import flat
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Branches, chain
from eyespot.errors import NetworkError
from eyespot.labs.bench import Bench
from eyespot.labs.definition import Both, Lab, Share, Verdict
from eyespot.labs.figures import Gains
from eyespot.zoo.inception_parts import unit

INPUT, KERNELS = (16, 28, 28), (1, 3, 5)
LAB = Lab(
    chapter="inception",
    question=Both("Why must Inception's branches keep width and height?", "Inception 为什么要保持宽和高不变？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("so that they can be concatenated: all must have one size", "为了能够拼接：各分支的大小必须一样"),
        Both("so that no pixel of the input is lost", "为了不丢失输入的任何像素"),
        Both("they need not: a smaller map is filled up with zeros", "不必：较小的特征图会用零补齐"),
    ),
    rule=Both(
        "To be concatenated, if branches of one size can be, and branches of different sizes cannot. Branches that are "
        "all halved show whether it has to be the size of the input.",
        "如果大小一样的分支可以拼接，大小不同的不可以，那么就是为了拼接。全部减半的分支说明是否必须与输入一样大。",
    ),
    grid={"arm": ("same", "valid", "one halved", "all halved")},
    measures={
        "joined": Share("can be concatenated: 1 yes, 0 no", "能否拼接：1 能，0 不能"),
        "aligned": Share("share of places where all look at the same pixel", "各分支看着同一像素的位置的比例"),
    },
    names={
        **{"same": Both("same padding", "same 填充"), "valid": Both("no padding", "不填充")},
        "one halved": Both("same padding, stride 2 in the 3x3", "same 填充，3x3 的步长为 2"),
        "all halved": Both("same padding, stride 2 in all", "same 填充，步长都为 2"),
    },
    seconds=2,
    exact=True,
)


def trial(bench: Bench, *, arm: str) -> dict[str, float]:
    lines = []
    for kernel in KERNELS:
        last = list(flat(trace(_branch(kernel, arm), INPUT)))[-1]
        (centre, _), (jump, _) = last.centre or (0, 0), last.jump or (0, 0)
        lines.append([centre + jump * place for place in range(last.output[1])])  # pixels of the input
    agreeing = sum(len(set(centres)) == 1 for centres in zip(*lines, strict=False))  # along one side
    return {"joined": float(not _why_refused(arm)), "aligned": (agreeing / max(map(len, lines))) ** 2}


def _branch(kernel: int, arm: str) -> nn.Sequential:
    halved = arm == "all halved" or (arm == "one halved" and kernel == 3)
    return unit(INPUT[0], 8, kernel, stride=2 if halved else 1, padding=0 if arm == "valid" else kernel // 2)


def _why_refused(arm: str) -> str:
    try:
        named = {f"{kernel}x{kernel}": _branch(kernel, arm) for kernel in KERNELS}
        check_shapes(chain(inception=Branches(**named)), INPUT)
    except NetworkError as error:
        return str(error)
    return ""


def verdict(gain: Gains) -> Verdict:
    same, valid, one_halved, all_halved = (gain("joined", arm).mean for arm in LAB.grid["arm"])
    if same == 0 or valid + one_halved > 0:
        return Verdict("not so", Both("Others can be concatenated, too.", "大小不同的也能拼接。"), guess=3)
    said = Both(
        "To be concatenated: a branch of another size is refused ({error}), and all halved {can} again.",
        "为了能够拼接：大小不同的分支会报错（{error}），而全部减半{can}拼接。",
    )
    can = Both("fit", "又可以") if all_halved else Both("do not fit", "也不能")
    return Verdict("so", said.filled(error=_why_refused("one halved").rstrip("."), can=can), guess=1)
