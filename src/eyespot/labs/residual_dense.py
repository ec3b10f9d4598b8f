"""Do shortcuts help only in convolutional networks? Fully connected ones, with and without, at four depths."""

from __future__ import annotations

from torch.optim import SGD

from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, LOSS, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

DEEP, PLAIN = (20, 40), ("plain", "best of 3 rates")
LAB = Lab(
    chapter="residual",
    question=Both("Do shortcuts help only in convolutional networks?", "残差网络主要用于 CNN 吗？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("only there", "只在 CNN 里有用"),
        Both("a deep dense network gains, too", "很深的全连接网络也受益"),
        Both("any depth gains", "任何深度都受益"),
    ),
    rule=Both(
        "It is not so if with shortcuts the training loss of 20 and of 40 dense layers is lower, also than that of the "
        "best of three rates; it is so if it is higher. They help at any depth if they do at 4 layers, too.",
        "如果加上捷径后，20 层和 40 层全连接网络的训练损失都更低，与三个学习率中最好的相比也更低，那么不是这样；"
        "如果都更高，那么是这样。如果 4 层也更低，则任何深度都有用。",
    ),
    grid={"depth": (4, 10, *DEEP), "arm": (*PLAIN, "shortcuts")},
    measures={"loss": LOSS, "accuracy": ACCURACY},
    names={**towers.ARMS, "best of 3 rates": Both("plain, best of 3 rates", "无捷径，三个学习率中最好的")},
)


def trial(bench: Bench, *, depth: int, arm: str) -> dict[str, float]:
    tried = []
    for rate in (0.03, 0.1, 0.01) if arm == "best of 3 rates" else (0.03,):
        net = towers.he(towers.dense(bench.values, bench.classes, depth=depth, shortcuts=arm == "shortcuts"))
        bench.fit(net, steps=400, rate=rate, optimiser=SGD, momentum=0.9)
        tried.append({"loss": bench.log_loss(net), "accuracy": bench.accuracy(net)})
    return min(tried, key=lambda each: each["loss"])


def verdict(gain: Gains) -> Verdict:
    deep, best = ([gain("loss", "shortcuts", over=arm, depth=depth) for depth in DEEP] for arm in PLAIN)
    shallow = gain("loss", "shortcuts", over="plain", depth=4)
    said = Both(
        "In fully connected networks shortcuts change the log10 of the training loss of 20 layers by {a}, of 40 by "
        "{b}, of 4 by {c}; against the best of three rates, of 20 by {d} and of 40 by {e}.",
        "在全连接网络里，捷径使 20 层训练损失的 log10 变化 {a}，40 层变化 {b}，4 层变化 {c}；"
        "与三个学习率中最好的相比，20 层变化 {d}，40 层变化 {e}。",
    ).filled(a=deep[0], b=deep[1], c=shallow, d=best[0], e=best[1])
    if all(each.down for each in (*deep, *best)):
        return Verdict("not so", said, guess=3 if shallow.down else 2)
    return Verdict("so", said, guess=1) if all(each.up for each in (*deep, *best)) else untold(*deep, *best)
