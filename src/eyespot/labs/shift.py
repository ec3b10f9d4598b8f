"""Is a convolutional network robust to shifts? Test pictures moved by 0 to 4 pixels, which no training picture was.

Each picture lies on a ground of its border's color, MARGIN pixels wide on every side, whose opposite edges are joined:
a shift loses nothing of it, and no edge tells a place.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from eyespot.blocks import chain
from eyespot.labs import towers
from eyespot.labs.bench import Bench, Images
from eyespot.labs.definition import Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

MARGIN, WORTH = 4, 0.05
LAB = Lab(
    chapter="why-convolutions",
    question=Both("Is a convolutional network robust to shifts?", "CNN 对平移不敏感吗？"),
    claim=Both("convolution is robust to translation, dense is not", "卷积对平移稳健，全连接则不然"),
    guesses=(
        Both("yes, convolution alone is", "是，卷积本身就够了"),
        Both("yes, but it needs pooling", "是，但需要池化"),
        Both("no, as long as the last layer sees places", "不是，只要最后一层还看得到位置"),
    ),
    rule=Both(
        f"A network is robust if a shift by 1 pixel costs it less than {WORTH} of test accuracy, and is not if it costs "
        "more. Yes, if the one with pooling is and the dense one is not; no, if the one with pooling is not.",
        f"平移 1 个像素时，测试准确率下降小于 {WORTH} 为稳健，大于则不稳健。带池化的稳健而全连接不稳健：是；带池化的不稳健：不是。",
    ),
    grid={"shift": tuple(range(MARGIN + 1)), "arm": ("dense", "conv", "conv + max pool", "conv + global max")},
    measures={
        "accuracy": Both("test accuracy", "测试准确率"),
        "lost": Both("accuracy that the shift costs", "平移损失的准确率"),
    },
    names={
        "shift": Both("shift, pixels", "平移像素数"),
        "dense": Both("dense", "全连接"),
        "conv": Both("convolutions", "卷积"),
        "conv + max pool": Both("with max pooling", "卷积 + 最大池化"),
        "conv + global max": Both("with max pooling, then a global maximum", "卷积 + 最大池化 + 全局最大值"),
    },
)


def framed(images: Images) -> Images:
    """Images on a ground of the median color of their border."""
    x = images.x
    border = torch.cat([x[:, :, 0], x[:, :, -1], x[..., 0], x[..., -1]], 2).median(2).values[..., None, None]  # (N, C, 1, 1)
    return Images(nn.functional.pad(x - border, (MARGIN,) * 4) + border, images.y)


def network(bench: Bench, arm: str) -> nn.Module:
    if arm == "dense":
        return towers.dense(bench.values, bench.classes, depth=1)
    pool = nn.Identity() if arm == "conv" else nn.MaxPool2d(2)
    stages = [
        chain(conv=nn.Conv2d(taken, made, 3, padding=1, padding_mode="circular"), act=nn.ReLU(), pool=pool)
        for taken, made in ((bench.channels, 16), (16, 32))
    ]
    end = nn.AdaptiveMaxPool2d(1) if arm == "conv + global max" else nn.Identity()
    return chain(stage1=stages[0], stage2=stages[1], head=chain(end=end, flat=nn.Flatten(), fc=nn.LazyLinear(bench.classes)))


def trial(bench: Bench, *, shift: int, arm: str) -> dict[str, float]:
    bench = replace(bench, train=framed(bench.train), test=framed(bench.test))
    net = network(bench, arm)
    bench.logits(net, bench.test.x[:1])  # so that the last layer learns how many values it takes
    bench.fit(net, steps=200)
    ways = ((0, shift), (0, -shift), (shift, 0), (-shift, 0))
    moved = [Images(bench.test.x.roll(way, (2, 3)), bench.test.y) for way in ways]
    accuracy = sum(bench.accuracy(net, images) for images in moved) / len(moved)
    return {"accuracy": accuracy, "lost": bench.accuracy(net) - accuracy}


def verdict(gain: Gains) -> Verdict:
    dense, conv, pool, whole = (gain("lost", arm, shift=1).beyond(WORTH) for arm in LAB.grid["arm"])
    values = {"a": gain("lost", "dense", shift=1), "b": gain("lost", "conv", shift=1)}
    values |= {"c": gain("lost", "conv + max pool", shift=1), "d": gain("lost", "conv + global max", shift=1)}
    told = Both(
        "a shift by 1 pixel costs the dense network {a} of accuracy, convolutions {b}, with pooling {c}, "
        "with a global maximum at the end {d}.",
        "平移 1 个像素，全连接的准确率下降 {a}，卷积下降 {b}，加池化下降 {c}，最后取全局最大值下降 {d}。",
    ).filled(**values)
    if pool.up:
        return Verdict("not so", Both(f"No: {told.en}", f"不是：{told.zh}"), guess=3)
    if pool.down and dense.up:
        return Verdict("so", Both(f"Yes: {told.en}", f"是：{told.zh}"), guess=1 if conv.down else 2 if conv.up else 0)
    return untold(pool, dense)
