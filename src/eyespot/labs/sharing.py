"""Do shared weights and sparse connections reduce overfitting? The same units, connected in three ways."""

from __future__ import annotations

from torch import nn

from eyespot.blocks import chain, conv
from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, Both, Lab, OfTests, Verdict
from eyespot.labs.figures import Gains, Interval, untold

FEW, WORTH = (10, 30), 0.01
LAB = Lab(
    chapter="why-convolutions",
    question=Both("Do shared weights and sparse connections reduce overfitting?", "参数共享和稀疏连接能减少过拟合吗？"),
    claim=Both("few parameters, so less overfitting", "参数共享和稀疏连接减少参数，从而避免过拟合"),
    guesses=(
        Both("both do", "两者都能"),
        Both("only sharing does", "只有参数共享能"),
        Both("only sparse connections do", "只有稀疏连接能"),
        Both("neither does", "两者都不能"),
    ),
    rule=Both(
        "Each does if with it training accuracy lies less far above test accuracy, at 10 and at 30 pictures per class; "
        f"it does not if at either the distance grows or changes by less than {WORTH}. It is so if both do.",
        "如果每类 10 张和 30 张时，训练与测试准确率之差都变小，那么它能减少过拟合；"
        f"如果有一处变大或变化不到 {WORTH}，则不能。两者都能，才算是这样。",
    ),
    grid={"pictures": (3, *FEW, 100), "arm": ("shared", "own", "dense")},
    measures={"gap": OfTests("training minus test accuracy", "训练准确率减测试准确率"), "accuracy": ACCURACY},
    names={
        **{"arm": Both("connections", "连接方式"), "dense": Both("dense", "全连接"), "shared": Both("shared", "共享")},
        "own": Both("own weights at each place", "每个位置各有权重"),
    },
    seconds=25,
    needs=30,
)


def network(bench: Bench, arm: str) -> nn.Module:
    """Units 8 x 8 x 8, then 4 x 4 x 16, then classes; for images of 8 or 16 pixels."""
    first, second = conv(bench.channels, 8, 3, stride=bench.side // 8, bias=True), conv(8, 16, 3, stride=2, bias=True)
    layers: dict[str, tuple[nn.Module, nn.Module]] = {
        "shared": (first, second),
        "own": (towers.OwnWeights(first, bench.train.x[0].shape), towers.OwnWeights(second, (8, 8, 8))),
        "dense": (chain(flat=nn.Flatten(), fc=nn.Linear(bench.values, 512)), nn.Linear(512, 256)),
    }
    head = chain(act=nn.ReLU(), flat=nn.Flatten(), fc=nn.Linear(256, bench.classes))
    return chain(layer1=layers[arm][0], act=nn.ReLU(), layer2=layers[arm][1], head=head)


def trial(bench: Bench, *, pictures: int, arm: str) -> dict[str, float]:
    bench = bench.few(pictures)
    net = bench.fit(network(bench, arm), steps=300)
    accuracy = bench.accuracy(net)
    return {"gap": bench.accuracy(net, bench.train) - accuracy, "accuracy": accuracy}


def verdict(gain: Gains) -> Verdict:
    sharing = [gain("gap", "shared", over="own", pictures=count) for count in FEW]
    sparse = [gain("gap", "own", over="dense", pictures=count) for count in FEW]
    said = Both(
        "Shared weights change the distance between training and test accuracy by {a} at 10 pictures per class and by "
        "{b} at 30, sparse connections by {c} and {d}.",
        "参数共享使训练与测试准确率之差在每类 10 张时变化 {a}，30 张时变化 {b}；稀疏连接则变化 {c} 和 {d}。",
    ).filled(a=sharing[0], b=sharing[1], c=sparse[0], d=sparse[1])
    does = less(sharing), less(sparse)
    if does == (True, True):
        return Verdict("so", said, guess=1)
    if False in does:
        return Verdict("not so", said, guess=2 if does[0] else 3 if does[1] else 4 if None not in does else 0)
    return untold(*(each for each in (*sharing, *sparse) if not each.down), worth=WORTH)


def less(changes: list[Interval]) -> bool | None:
    """Whether a way to connect reduces the gap; None where that cannot be told."""
    if all(each.down for each in changes):
        return True
    return False if any(each.up or each.within(WORTH) for each in changes) else None
