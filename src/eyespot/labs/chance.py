"""Is a network hard to reproduce although nothing of it is unknown? One network, trained again with other chance."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import Accuracy, Both, Lab, Share, Verdict
from eyespot.labs.figures import Gains, untold

WORTH, OTHER = 0.01, 500_000
ARMS = {
    "nothing": Both("nothing", "什么都不变"),
    "weights": Both("first weights", "初始权重"),
    "order": Both("order of the pictures", "图片的顺序"),
    "split": Both("a tenth of the training pictures", "十分之一的训练图片"),
    "all": Both("all three", "三者都变"),
}
LAB = Lab(
    chapter="reproducing",
    question=Both("Is a network hard to reproduce though all of it is known?", "一切都公开的网络，也很难复现吗？"),
    claim=Both("a paper's network is hard to reproduce", "论文里的网络很难复现"),
    guesses=(
        Both("no: the same code and pictures give the same network", "不难：同样的代码和图片得到同样的网络"),
        Both("it can be, but only with the same random numbers", "可以复现，但随机数也必须相同"),
        Both("yes: even with the same chance it comes out otherwise", "很难：随机数相同，结果也不同"),
    ),
    rule=Both(
        f"It is hard if with other chance in all three more than {WORTH} of the test pictures are answered otherwise, "
        "and not if fewer are.",
        f"三种随机性都变时，如果答案不同的测试图片超过 {WORTH}，就很难；如果不到，就不难。",
    ),
    grid={"arm": tuple(ARMS)},
    measures={
        "otherwise": Accuracy("test pictures answered otherwise", "答案不同的测试图片"),
        "apart": Share("test accuracy apart by", "测试准确率之差"),
    },
    names={"arm": Both("what changes", "改变什么"), **ARMS},
    seconds=11,
)


def trained(bench: Bench, *, without: int) -> nn.Module:
    """A network that has not seen a tenth of the training pictures."""
    kept = torch.arange(len(bench.train)) % 10 != without
    bench = replace(bench, train=bench.train.taken(kept.nonzero()[:, 0]))
    return bench.fit(towers.convolutional(bench.train.x[0].shape, bench.classes), steps=200)


def trial(bench: Bench, *, arm: str) -> dict[str, float]:
    first = bench.once("first", lambda: trained(bench, without=0))
    again = replace(bench, seed=bench.seed + OTHER) if arm in ("order", "all") else bench
    torch.manual_seed(bench.seed + OTHER * (arm in ("weights", "all")))
    second = trained(again, without=int(arm in ("split", "all")))
    answers = [bench.logits(net, bench.test.x).argmax(1) for net in (first, second)]
    otherwise = (answers[0] != answers[1]).double().mean()
    return {"otherwise": float(otherwise), "apart": abs(bench.accuracy(first) - bench.accuracy(second))}


def verdict(gain: Gains) -> Verdict:
    same, weights, order, split, other = (gain("otherwise", arm) for arm in ARMS)
    said = Both(
        "With the same chance {s} of the test pictures are answered otherwise, with other chance {o}, and the accuracy "
        "is {a} apart; with other first weights alone {w}, in another order {r}, without another tenth of the training "
        "pictures {t}.",
        "随机性相同时，测试图片中答案不同的占 {s}；全部改变时占 {o}，准确率相差 {a}；"
        "只换初始权重占 {w}，只换顺序占 {r}，只换十分之一的训练图片占 {t}。",
    ).filled(s=same, o=other, a=gain("apart", "all"), w=weights, r=order, t=split)
    if other.minus(WORTH).up:
        return Verdict("so", said, guess=3 if same.mean > 0 else 2)
    return Verdict("not so", said, guess=1) if other.high < WORTH else untold(other.minus(WORTH))
