"""Does a 1x1 convolution lose information, and what does it save? Inside a trained network, and before a 5x5."""

from __future__ import annotations

import math

from torch import nn

from eyespot.blocks import chain
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, Both, Lab, Share, Verdict
from eyespot.labs.figures import Gains, untold
from eyespot.labs.inside import kept, narrow_places
from eyespot.zoo.inception_parts import unit

CHANNELS, QUARTER, WORTH, PICTURES = 32, 8, 0.02, 32
LAB = Lab(
    chapter="one-by-one",
    question=Both("Does a 1x1 convolution lose information? What does it save?", "1x1 卷积会丢失信息吗？能省多少？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("it does, and accuracy falls", "会，准确率也会下降"),
        Both("a quarter of the channels is enough", "四分之一的通道就够了"),
        Both("even a single channel is enough", "一个通道也够了"),
    ),
    rule=Both(
        "It loses what is needed, if the test accuracy of a small network falls where a 1x1 brings 32 channels to a "
        "quarter before the 5x5; it does not, if it falls by less than 0.02.",
        "小网络在 5x5 之前用 1x1 把 32 个通道降到四分之一：如果测试准确率下降，就丢失了需要的信息；不到 0.02 就没有。",
    ),
    grid={"arm": ("network", "5x5", 16, QUARTER, 4, 2, 1)},
    measures={
        "kept": Share("share of the variance that the best narrowing keeps", "最好的压缩所保留的方差比例"),
        "least": Share("the same, where it keeps least", "保留最少的一层的比例"),
        "around": Both("1 if a shortcut goes around that layer", "那一层是否有捷径绕过（1 有，0 没有）"),
        "accuracy": ACCURACY,
        "multiply_adds": Both("multiply-adds, millions", "乘加次数（百万）"),
    },
    names={
        "arm": Both("1x1 to so many channels", "1x1 之后的通道数"),
        "network": Both("in the trained network", "训练好的网络中"),
    },
    seconds=30,
    takes_model=True,
)


def trial(bench: Bench, *, arm: int | str) -> dict[str, float]:
    if arm == "network":
        return {**narrow_places(bench, pictures=len(bench.steps(PICTURES))), "accuracy": math.nan}
    narrowed = {} if arm == "5x5" else {"narrow": unit(CHANNELS, int(arm), 1)}
    stem, wide = unit(bench.channels, CHANNELS, 3), unit(int(arm) if narrowed else CHANNELS, CHANNELS, 5)
    head = chain(flat=nn.Flatten(), fc=nn.Linear(CHANNELS * (bench.side // 2) ** 2, bench.classes))
    net = chain(stem=stem, **narrowed, wide=wide, pool=nn.MaxPool2d(2), head=head)
    bench.fit(net, steps=150)
    share = kept(bench, net, ["narrow.conv"], bench.test.x)[0] if narrowed else 1.0
    cost = bench.multiply_adds(net) / 1e6
    return {"kept": share, "least": share, "around": 0.0, "accuracy": bench.accuracy(net), "multiply_adds": cost}


def verdict(gain: Gains) -> Verdict:
    falls, one = (gain("accuracy", arm, over="5x5") for arm in (QUARTER, 1))
    said = Both(
        "With 8 of 32 channels accuracy changes by {c}, with one by {d}; 8 cost {e} instead of {f} million "
        "multiply-adds; narrow places of the trained network can keep {a} of the variance, the worst {b}.",
        "32 个通道降到 8 个，准确率变化 {c}，降到一个变化 {d}；降到 8 个时乘加从 {f} 降到 {e} 百万；"
        "训练好的网络中变窄的地方能保留方差的 {a}，最差的一处 {b}。",
    )
    numbers = {"a": gain("kept", "network"), "b": gain("least", "network"), "c": falls, "d": one}
    said = said.filled(**numbers, e=gain("multiply_adds", QUARTER), f=gain("multiply_adds", "5x5"))
    if falls.minus(-WORTH).up:
        return Verdict("not so", said, guess=3 if one.minus(-WORTH).up else 2)
    return Verdict("so", said, guess=1) if falls.down else untold(falls, worth=WORTH)
