"""Is training only the softmax enough? How much of a pretrained network to train for how many pictures."""

from __future__ import annotations

import torch
from torch import nn

from eyespot.heads.fit import fit_head
from eyespot.heads.head import HeadOptions, Samples
from eyespot.labs.bench import Bench
from eyespot.labs.definition import ACCURACY, Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold
from eyespot.labs.pretrained import FEATURES, seen, tail

HIDDEN, STEPS, RATE = 256, 60, 5e-4
WORTH, FEW, MANY = 0.03, "10", "all"
LAB = Lab(
    chapter="transfer",
    question=Both(
        "Is training only the softmax enough? How many layers to freeze for how many pictures?",
        "只训练 softmax 层够吗？多少图片该冻结多少层？",
    ),
    claim=Both("few pictures: only the softmax; more: later layers, too", "图片少只训练 softmax；图片多再训练后面的层"),
    guesses=(
        Both("the softmax is always enough", "只训练 softmax 总是够的"),
        Both("it is enough for few pictures; with more, deeper layers pay", "图片少时够；图片多时，多训练几层更好"),
        Both("training more layers is always better", "训练的层越多越好"),
    ),
    rule=Both(
        "The softmax is enough if, with all pictures, training from stage 6 on is worse or within 0.03; it is not if "
        "that is better.",
        "如果用全部图片时，从第 6 阶段开始训练更差或差异在 0.03 之内，那么只训练 softmax 就够；如果更好，则不够。",
    ),
    grid={"per_class": (FEW, "30", MANY), "arm": ("softmax", "hidden layer", "from stage 7", "from stage 6")},
    measures={"accuracy": ACCURACY},
    names={
        **{"all": Both("all", "全部"), "hidden layer": Both("hidden layer, then softmax", "隐藏层 + softmax")},
        **{f"from stage {at}": Both(f"from stage {at} on", f"从第 {at} 阶段开始") for at in (7, 6)},
    },
    seconds=115,
    needs=20,
)


def trial(bench: Bench, *, per_class: str, arm: str) -> dict[str, float]:
    some = bench if per_class == MANY else bench.few(int(per_class))
    sees = some.over(seen(bench, after=FEATURES))
    if arm == "hidden layer":
        net = nn.Sequential(nn.Linear(sees.values, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, bench.classes))
        return {"accuracy": sees.accuracy(sees.fit(net, steps=200, rate=1e-3))}
    if arm == "softmax":
        return {"accuracy": sees.accuracy(_softmax(sees))}
    cut = f"stage{int(arm[-1]) - 1}"
    net, sees = nn.Sequential(tail(cut), _softmax(sees)), some.over(seen(bench, after=cut))
    return {"accuracy": sees.accuracy(sees.fit(net, steps=STEPS, rate=RATE, still=True))}


def _softmax(sees: Bench) -> nn.Module:
    """The exact softmax layer on features, as `train` solves it."""
    samples = Samples(sees.train.x.numpy(), None, sees.train.y.numpy(), sees.classes)
    ((weight, bias),) = fit_head(samples, HeadOptions(mirror="no")).head.layers
    layer = nn.Linear(*weight.shape[::-1])
    layer.weight.data, layer.bias.data = torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
    return layer


def verdict(gain: Gains) -> Verdict:
    few, many = (gain("accuracy", "from stage 6", over="softmax", per_class=each) for each in (FEW, MANY))
    hidden = gain("accuracy", "hidden layer", over="softmax", per_class=MANY)
    said = Both(
        "Against the softmax alone, training from stage 6 on changes the accuracy by {a} with 10 pictures of a class "
        "and by {b} with all; a hidden layer by {c}.",
        "与只训练 softmax 相比，从第 6 阶段开始训练使准确率变化 {a}（每类 10 张图片）和 {b}（全部图片）；"
        "加一个隐藏层变化 {c}。",
    ).filled(a=few, b=many, c=hidden)
    if many.up:
        return Verdict("not so", said, guess=3 if few.up else 2 if few.down or few.within(WORTH) else 0)
    return Verdict("so", said, guess=1) if many.down or many.within(WORTH) else untold(many, worth=WORTH)
