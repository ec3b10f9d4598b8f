"""Why pool, if a convolution can shrink, too? Seven ways to make maps smaller, in the same small network."""

from __future__ import annotations

from torch import nn

from eyespot.blocks import chain, conv
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

WORTH = 0.03  # accuracy
LAB = Lab(
    chapter="pooling",
    question=Both(
        "Why pool, if a convolution can shrink, too? Max or average?",
        "卷积也能缩小尺寸，为什么还要池化？最大还是平均？",
    ),
    claim=Both("max pooling is used much more than average pooling", "最大池化比平均池化常用得多"),
    guesses=(
        Both("max is better than average, and no better than a stride", "最大优于平均，但不优于步长为 2 的卷积"),
        Both("max is better than both", "最大池化优于两者"),
        Both("how maps shrink makes no difference", "怎么缩小都一样"),
    ),
    rule=Both(
        "It is so if max pooling answers better than average pooling; it is not if it answers worse, or if the "
        "difference lies within 0.03. Whether it answers better than a convolution of stride 2 is said beside.",
        "如果最大池化的准确率高于平均池化，那么是这样；如果更低，或者差异在 0.03 之内，则不是。"
        "同时说明它是否优于步长为 2 的卷积。",
    ),
    grid={"arm": ("max", "average", "stride 2", "2x2 convolution", "drop pixels", "never", "4x4 at once")},
    measures={"accuracy": ACCURACY, "multiply_adds": Both("multiply-adds", "乘加次数")},
    names={
        **{"max": Both("max 2x2", "最大池化 2x2"), "average": Both("average 2x2", "平均池化 2x2")},
        "stride 2": Both("stride 2", "步长 2"),
        "2x2 convolution": Both("convolution 2x2, stride 2", "2x2 卷积，步长 2"),
        "drop pixels": Both("every second pixel", "隔一个像素取一个"),
        "never": Both("never shrink", "从不缩小"),
        "4x4 at once": Both("max 4x4 at once", "一次最大池化 4x4"),
    },
    seconds=15,
)


def trial(bench: Bench, *, arm: str) -> dict[str, float]:
    net = chain(
        stage1=shrinking(bench.channels, 16, arm if arm != "4x4 at once" else "never"),
        stage2=shrinking(16, 32, arm),
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(32, bench.classes)),
    )
    bench.fit(net, steps=250)
    return {"accuracy": bench.accuracy(net), "multiply_adds": bench.multiply_adds(net)}


def shrinking(before: int, width: int, arm: str) -> nn.Sequential:
    """A convolution, and what makes its maps smaller."""
    shrinks = {
        "max": nn.MaxPool2d(2),
        "average": nn.AvgPool2d(2),
        "2x2 convolution": conv(width, width, 2, stride=2, padding=0, bias=True),
        "drop pixels": nn.MaxPool2d(1, 2),
        "4x4 at once": nn.MaxPool2d(4),
    }
    layer = conv(before, width, 3, stride=2 if arm == "stride 2" else 1, bias=True)
    return chain(conv=layer, act=nn.ReLU(), shrink=shrinks.get(arm, nn.Identity()))


def verdict(gain: Gains) -> Verdict:
    kind, need = gain("accuracy", "max", over="average"), gain("accuracy", "max", over="stride 2")
    dear = gain("multiply_adds", "max").mean / gain("multiply_adds", "stride 2").mean
    said = Both(
        "Against average pooling, max pooling changes the accuracy by {a}; against a stride of 2 by {b}, for {c} times "
        "its multiply-adds.",
        "与平均池化相比，最大池化使准确率变化 {a}；与步长为 2 的卷积相比变化 {b}，乘加次数是后者的 {c} 倍。",
    ).filled(a=kind, b=need, c=dear)
    if kind.up:
        return Verdict("so", said, guess=2 if need.up else 1 if need.down or need.within(WORTH) else 0)
    if kind.down or kind.within(WORTH):
        return Verdict("not so", said, guess=3 if kind.within(WORTH) and need.within(WORTH) else 0)
    return untold(kind, worth=WORTH)
