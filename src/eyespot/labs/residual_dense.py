"""Do shortcuts help only in convolutional networks? Fully connected ones, with and without, at four depths."""

from __future__ import annotations

from torch.optim import SGD

from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, LOSS, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

DEEP = (20, 40)
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
        "They help elsewhere, too, if with shortcuts the training loss of 20 and of 40 fully connected layers is "
        "lower; at any depth, if it is at 4 layers, too.",
        "如果加上捷径后，20 层和 40 层全连接网络的训练损失都更低，那么别处也有用；如果 4 层也更低，则任何深度都有用。",
    ),
    grid={"depth": (4, 10, *DEEP), "arm": ("plain", "best of 3 rates", "shortcuts")},
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
    deep = [gain("loss", "shortcuts", over="plain", depth=depth) for depth in DEEP]
    shallow = gain("loss", "shortcuts", over="plain", depth=4)
    if all(each.down for each in deep):
        said = Both(
            "With shortcuts the log10 of the training loss of 20 fully connected layers changes by {a}, of 40 by {b}, "
            "of 4 by {c}.",
            "加上捷径后，20 层全连接网络训练损失的 log10 变化 {a}，40 层变化 {b}；4 层变化 {c}。",
        )
        return Verdict("not so", said.filled(a=deep[0], b=deep[1], c=shallow), guess=3 if shallow.down else 2)
    if any(each.up for each in deep):
        return Verdict("so", Both("Without convolutions they do harm.", "没有卷积时它们反而有害。"), guess=1)
    return untold(*deep)
