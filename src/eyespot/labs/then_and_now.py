"""Is the modern LeNet-5 better than that of 1998? Both, and two forms with one of the two changes each."""

from __future__ import annotations

from torch import nn

from eyespot.blocks import ScaledTanh, chain, conv
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, LOSS, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

WORTH = 0.01
THEN, NOW = "tanh, average", "ReLU, max"
ARMS = {
    THEN: Both("1998: tanh, average", "1998：tanh + 平均池化"),
    f"{THEN}, best of 3 rates": Both("1998, best of 3 rates", "1998，三个学习率中最好的"),
    "tanh, max": Both("tanh, max", "tanh + 最大池化"),
    "ReLU, average": Both("ReLU, average", "ReLU + 平均池化"),
    NOW: Both("modern: ReLU, max", "现代：ReLU + 最大池化"),
}
LAB = Lab(
    chapter="networks",
    question=Both("Is the modern LeNet-5 better than that of 1998?", "现代的 LeNet-5 比 1998 年的更好吗？"),
    claim=Both("today one takes ReLU and max pooling instead", "当时用 tanh 和平均池化，现在改用 ReLU 和最大池化"),
    guesses=(
        Both("yes, by its ReLU", "是，靠的是 ReLU"),
        Both("yes, by its max pooling", "是，靠的是最大池化"),
        Both("no: the old one learns as well", "不是，旧的学得一样好"),
    ),
    rule=Both(
        "It is if after as many steps its test accuracy is higher than that of 1998, with the same rate and with the "
        f"best of three; it is not if with either it is lower or less than {WORTH} away.",
        f"步数相同，如果比同一学习率的和三个中最好的 1998 年形式都更准，就是；有一处更差或相差不到 {WORTH}，就不是。",
    ),
    grid={"arm": tuple(ARMS)},
    measures={"accuracy": ACCURACY, "loss": LOSS},
    names={"arm": Both("form", "形式"), **ARMS},
    seconds=45,
)


def lenet(channels: int, classes: int, arm: str) -> nn.Module:
    """From images, enlarged to the paper's 32 pixels, to logits. Other than there, all maps of C3 see all of S2."""
    act = ScaledTanh if "tanh" in arm else nn.ReLU
    c1, c3 = conv(channels, 6, 5, padding=0, bias=True), conv(6, 16, 5, padding=0, bias=True)
    c5, f6, fc = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, classes)
    s2, s4 = (average(maps, act()) if "average" in arm else nn.MaxPool2d(2) for maps in (6, 16))
    stages = {"stage1": chain(c1=c1, act=act(), s2=s2), "stage2": chain(c3=c3, act=act(), s4=s4)}
    head = chain(flat=nn.Flatten(), c5=c5, act1=act(), f6=f6, act2=act(), fc=fc)
    return chain(larger=nn.Upsample(size=(32, 32), mode="bilinear"), **stages, head=head)


def average(maps: int, act: nn.Module) -> nn.Module:
    """Halves width and height as in 1998: the mean of 2x2, times a number of each map, plus another."""
    scale = conv(maps, maps, 1, groups=maps, bias=True)
    nn.init.ones_(scale.weight)  # at first the mean itself: below 0, it would end in a ReLU that is 0 everywhere
    return chain(mean=nn.AvgPool2d(2), scale=scale, act=act)


def trial(bench: Bench, *, arm: str) -> dict[str, float]:
    tried = []
    for rate in (3e-3, 1e-2, 1e-3) if "rates" in arm else (3e-3,):
        net = bench.fit(lenet(bench.channels, bench.classes, arm), steps=200, rate=rate)
        tried.append({"accuracy": bench.accuracy(net), "loss": bench.log_loss(net)})
    return min(tried, key=lambda each: each["loss"])


def verdict(gain: Gains) -> Verdict:
    pairs = [gain("accuracy", NOW, over=arm) for arm in list(ARMS)[:2]]
    relu, pool = (gain("accuracy", NOW, over=arm) for arm in ("tanh, max", "ReLU, average"))
    said = Both(
        "The modern form changes the test accuracy by {a}, against the best of three rates by {b}; ReLU changes it by "
        "{c}, max pooling by {d}.",
        "现代形式使测试准确率变化 {a}，与三个学习率中最好的相比变化 {b}；其中 ReLU 使之变化 {c}，最大池化 {d}。",
    ).filled(a=pairs[0], b=pairs[1], c=relu, d=pool)
    if all(each.up for each in pairs):
        return Verdict("so", said, guess={(True, False): 1, (False, True): 2}.get((relu.up, pool.up), 0))
    if any(each.down or each.within(WORTH) for each in pairs):
        return Verdict("not so", said, guess=3)
    return untold(*(each for each in pairs if not each.up), worth=WORTH)
