"""Is it enough that the first weights are random? A network of 8 fully connected layers from six kinds of them."""

from __future__ import annotations

import torch
from torch import nn

from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, LOSS, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

DEPTH, CONSTANT, WORTH = 8, 0.1, 0.05
DEVIATION = {"N(0, 0.01)": 0.01, "N(0, 1)": 1.0}
SAME = ("zero", "constant")
LAB = Lab(
    chapter="networks",
    question=Both("Is it enough that the first weights are random?", "权重只要随机初始化就够了吗？"),
    claim=Both("random initialisation is enough", "随机初始化就够了"),
    guesses=(
        Both("any random numbers will do", "随便什么随机数都行"),
        Both("random is needed, and their size decides", "必须随机，而且大小很关键"),
        Both("zeros will do: the gradient tells the units apart", "全零也行，梯度会让各个单元变得不同"),
    ),
    rule=Both(
        f"It is enough if the test accuracy from N(0, 0.01) and from N(0, 1) is less than {WORTH} away from that from "
        "He's weights; it is not if it is lower from either.",
        f"如果 N(0, 0.01) 和 N(0, 1) 的测试准确率与 He 相差都不到 {WORTH}，就够了；有一个更低，就不够。",
    ),
    grid={"arm": (*SAME, *DEVIATION, "PyTorch", "He")},
    measures={
        "accuracy": ACCURACY,
        "loss": LOSS,
        "units": Both("different units of the 64 in the last layer", "最后一层 64 个单元中互不相同的个数"),
    },
    names={
        "arm": Both("first weights", "初始权重"),
        "zero": Both("all 0", "全零"),
        "constant": Both(f"all {CONSTANT}", f"全为 {CONSTANT}"),
        "PyTorch": Both("PyTorch's own", "PyTorch 默认"),
        "He": Both("He's: variance 2 / inputs", "He：方差 2 / 输入数"),
    },
    seconds=12,
)


def trial(bench: Bench, *, arm: str) -> dict[str, float]:
    net = towers.dense(bench.values, bench.classes, depth=DEPTH - 2)  # with the first and the last layer, 8
    if arm == "He":
        towers.he(net)
    for layer in net.modules():
        if isinstance(layer, nn.Linear) and arm in (*SAME, *DEVIATION):
            nn.init.normal_(layer.weight, CONSTANT * (arm == "constant"), DEVIATION.get(arm, 0.0))
            nn.init.zeros_(layer.bias)
    bench.fit(net, steps=400, rate=1e-3)
    last = net.get_submodule(f"layer{DEPTH - 2}.fc").get_parameter("weight")
    units = len(torch.unique(last.detach().double().mul(1e4).round(), dim=0))
    return {"accuracy": bench.accuracy(net), "loss": bench.log_loss(net), "units": units}


def verdict(gain: Gains) -> Verdict:
    small, large = (gain("accuracy", "He", over=arm) for arm in DEVIATION)
    same = [gain("accuracy", "He", over=arm) for arm in SAME]
    if small.up or large.up:
        said = Both(
            "He's weights bring the test accuracy {a} above that from N(0, 0.01), {b} above that from N(0, 1), "
            "{c} above that from zeros and {d} above that from equal weights.",
            "He 初始化的测试准确率比 N(0, 0.01) 高 {a}，比 N(0, 1) 高 {b}；比全零高 {c}，比全部相同高 {d}。",
        )
        needed = all(each.up for each in same)
        return Verdict("not so", said.filled(a=small, b=large, c=same[0], d=same[1]), guess=2 if needed else 0)
    if small.within(WORTH) and large.within(WORTH):
        said = Both("He's weights gain {a} and {b}, too little.", "He 初始化只高 {a} 和 {b}，可以忽略。")
        zeros = any(each.within(WORTH) for each in same)
        return Verdict("so", said.filled(a=small, b=large), guess=3 if zeros else 1)
    return untold(small, large, worth=WORTH)
