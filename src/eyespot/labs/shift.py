"""Is a convolutional network robust to shifts? Test pictures moved by 0 to 4 pixels, as no training picture was."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import nn

from eyespot.labs import towers
from eyespot.labs.bench import Bench, Images
from eyespot.labs.definition import ACCURACY, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

MARGIN, WORTH = 4, 0.05
ARMS = {
    "dense": Both("dense", "全连接"),
    "conv": Both("convolutions", "卷积"),
    "pool": Both("with max pooling", "卷积 + 最大池化"),
    "global": Both("with max pooling, then a global maximum", "卷积 + 最大池化 + 全局最大值"),
}
LAB = Lab(
    chapter="why-convolutions",
    question=Both("Is a convolutional network robust to shifts, a dense one not?", "CNN 不怕平移，全连接才怕吗？"),
    claim=Both("convolution is robust to translation, dense is not", "卷积对平移是稳健的，全连接不是"),
    guesses=(
        Both("yes, convolution alone is", "是，有卷积就够了"),
        Both("yes, but it needs pooling", "是，但还需要池化"),
        Both("no, not while the last layer sees places", "不是，最后一层还看得到位置"),
    ),
    rule=Both(
        f"Robust is what loses less than {WORTH} of test accuracy by a shift of 1 pixel, and what loses more is not. "
        "Yes: the network with pooling is, the dense one is not. No: the one with pooling is not, or both are.",
        f"平移 1 个像素时准确率下降不到 {WORTH} 算稳健。如果带池化的网络稳健而全连接不稳健，那么是这样；"
        "如果带池化的不稳健，或者两者都稳健，则不是。",
    ),
    grid={"shift": tuple(range(MARGIN + 1)), "arm": tuple(ARMS)},
    measures={"accuracy": ACCURACY},
    names={"shift": Both("shift, pixels", "平移像素数"), "arm": Both("network", "网络"), **ARMS},
    seconds=20,
)


def framed(images: Images) -> Images:
    """The images on a ground of their border's median color. Its opposite edges are joined: a shift loses nothing."""
    x = images.x
    border = torch.cat([x[:, :, 0], x[:, :, -1], x[..., 0], x[..., -1]], 2).median(2).values[..., None, None]
    return replace(images, x=nn.functional.pad(x - border, (MARGIN,) * 4) + border)  # (N, C, H + 8, W + 8)


def trained(bench: Bench, arm: str) -> nn.Module:
    if arm == "dense":
        return bench.fit(towers.dense(bench.values, bench.classes, depth=1), steps=200)
    shrink = nn.Identity if arm == "conv" else towers.POOL
    end = partial(nn.AdaptiveMaxPool2d, 1) if arm == "global" else nn.Identity
    net = towers.convolutional(bench.train.x[0].shape, bench.classes, shrink=shrink, end=end, edges="circular")
    return bench.fit(net, steps=200)


def trial(bench: Bench, *, shift: int, arm: str) -> dict[str, float]:
    ground = replace(bench, train=framed(bench.train), test=framed(bench.test))
    net = bench.once(arm, lambda: trained(ground, arm))
    ways = ((0, shift), (0, -shift), (shift, 0), (-shift, 0))
    moved = [replace(ground.test, x=ground.test.x.roll(way, (2, 3))) for way in ways]
    return {"accuracy": sum(bench.accuracy(net, each) for each in moved) / len(moved)}


def verdict(gain: Gains) -> Verdict:
    lost = [gain.change("accuracy", {"arm": arm, "shift": 0}, over={"arm": arm, "shift": 1}) for arm in ARMS]
    dense, conv, pool = (each.minus(WORTH) for each in lost[:3])
    said = Both(
        "A shift by 1 pixel costs dense {a} of accuracy, convolutions {b}, with pooling {c}, and a global maximum {d}.",
        "平移 1 个像素，全连接的准确率下降 {a}，卷积下降 {b}，加池化下降 {c}，再取全局最大值下降 {d}。",
    ).filled(**dict(zip("abcd", lost, strict=True)))
    if pool.up or (pool.down and dense.down):
        return Verdict("not so", said, guess=3 if pool.up and (lost[2].mean > lost[3].high) else 0)
    if pool.down and dense.up:
        return Verdict("so", said, guess=1 if conv.down else 2 if conv.up else 0)
    return untold(*(each for each in (pool, dense) if not (each.up or each.down)))
