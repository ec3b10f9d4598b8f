"""Do plain networks become worse with depth, and residual ones not? Towers of 8, 20 and 32 layers."""

from __future__ import annotations

from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, LOSS, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

SHALLOW, DEEP = 8, 32
WORTH = 0.1  # of the log10
LAB = Lab(
    chapter="residual",
    question=Both(
        "Do plain networks become worse with depth, and residual ones not?", "普通网络越深越差，而残差网络不会吗？"
    ),
    claim=Both(
        "with more layers the training error of a plain network rises again; that of a residual one keeps falling",
        "层数增加时，普通网络的训练误差先降后升；残差网络的训练误差不断下降",
    ),
    guesses=(
        Both("yes: only the plain one becomes worse", "是：只有普通网络变差"),
        Both("both become worse", "两种都变差"),
        Both("neither does, with good first weights", "有了好的初始权重，两种都不变差"),
    ),
    rule=Both(
        "It is so if the log10 of the training loss of 32 plain layers is higher than of 8, and that of 32 residual "
        f"layers is lower or within {WORTH}; not if both are higher, or the plain one is lower or within {WORTH}.",
        f"如果 32 层普通网络训练损失的 log10 高于 8 层，而 32 层残差网络的更低或相差不到 {WORTH}，那么是这样；"
        f"如果两者都更高，或者普通网络的更低或相差不到 {WORTH}，则不是。",
    ),
    grid={"depth": (SHALLOW, 20, DEEP), "arm": ("plain", "shortcuts")},
    measures={"loss": LOSS, "accuracy": ACCURACY},
    names=towers.ARMS,
)


def trial(bench: Bench, *, depth: int, arm: str) -> dict[str, float]:
    net = towers.he(towers.tower(bench.channels, bench.classes, depth=depth, shortcuts=arm == "shortcuts"))
    bench.fit(net, steps=250)
    return {"loss": bench.log_loss(net), "accuracy": bench.accuracy(net)}


def verdict(gain: Gains) -> Verdict:
    plain, residual = (
        gain.change("loss", {"depth": DEEP, "arm": arm}, over={"depth": SHALLOW, "arm": arm})
        for arm in ("plain", "shortcuts")
    )
    said = Both(
        "From 8 to 32 layers the log10 of the training loss changes by {a} without shortcuts, with them by {b}; the "
        "test accuracy of 32 layers is {c} without and {d} with them.",
        "从 8 层到 32 层，训练损失的 log10 变化 {a}（无捷径）和 {b}（有捷径）；"
        "32 层的测试准确率为 {c}（无捷径）和 {d}（有捷径）。",
    ).filled(
        a=plain,
        b=residual,
        c=gain("accuracy", "plain", depth=DEEP),
        d=gain("accuracy", "shortcuts", depth=DEEP),
    )
    if plain.up and (residual.down or residual.within(WORTH)):
        return Verdict("so", said, guess=1)
    if plain.up:
        return Verdict("not so", said, guess=2) if residual.up else untold(residual, worth=WORTH)
    return Verdict("not so", said, guess=3) if plain.down or plain.within(WORTH) else untold(plain, worth=WORTH)
