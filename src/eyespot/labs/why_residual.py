"""Why do residual networks work? What a gradient is worth in deep networks before any training, with and without."""

from __future__ import annotations

import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from eyespot.labs import towers
from eyespot.labs.bench import Bench
from eyespot.labs.definition import Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold
from eyespot.labs.gradients import log10, mean, slopes

NETWORKS, PICTURES, WORTH = 5, 64, 0.1
NEAR, DECAYED = 0.1, 0.01  # how far a near picture is, in deviations; the share of weights that weight decay leaves
LAB = Lab(
    chapter="residual",
    question=Both("Why do residual networks work?", "残差网络为什么有效？"),
    claim=Both("a block easily learns the identity, so depth does no harm", "残差块容易学到恒等函数，所以加深无害"),
    guesses=(
        Both("gradients keep their size, and that is all", "梯度保持大小，仅此而已"),
        Both("gradients keep their size, and their meaning, too", "梯度既保持大小，也保持意义"),
        Both("only because a block without weights is the identity", "只因为没有权重的残差块就是恒等函数"),
    ),
    rule=Both(
        "By the size, if with PyTorch's first weights the gradient of the first of 40 layers is larger with shortcuts; "
        "by the meaning, too, if with He's, which keep the size, gradients of near pictures agree more at 80 layers.",
        "用 PyTorch 的初始权重，如果 40 层网络第一层的梯度在有捷径时更大，那么靠的是大小；用能保持大小的 He 初始权重，"
        "如果 80 层时相近图片的梯度也更一致，那么还靠意义。",
    ),
    grid={"weights": ("PyTorch", "He"), "depth": (10, 40, 80), "arm": ("plain", "shortcuts")},
    measures={
        "agreement": Both("agreement of gradients of near pictures", "相近图片梯度的一致程度"),
        "gradient": Both("gradient of the first layer over the last, log10", "第一层与最后一层梯度之比的 log10"),
        "alike": Both("cosine between pictures at the end", "最后一层不同图片的余弦相似度"),
        "changed": Both("what a block changes whose weights have decayed", "权重衰减之后一个块所做的改变"),
    },
    names={"weights": Both("first weights", "初始权重"), **towers.ARMS},
    seconds=7,
)


def trial(bench: Bench, *, weights: str, depth: int, arm: str) -> dict[str, float]:
    return mean([_of_one(bench, weights, depth, arm) for _ in range(NETWORKS)])


def _of_one(bench: Bench, weights: str, depth: int, arm: str) -> dict[str, float]:
    net = towers.dense(bench.values, bench.classes, depth=depth, shortcuts=arm == "shortcuts").double()
    if weights == "He":
        towers.he(net)
    x, y = bench.test.x[:PICTURES].double(), bench.test.y[:PICTURES]
    near = x + NEAR * torch.randn(x.shape, generator=bench.random(3), dtype=x.dtype)
    agreement = cosine_similarity(slopes(net, x, y), slopes(net, near, y)).mean()
    ends = [next(net[at].parameters()) for at in (1, depth)]
    first, last = (each.norm() for each in torch.autograd.grad(cross_entropy(net(x), y), ends))
    with torch.no_grad():
        seen, before, middle = net[:-1](x), net[: 1 + depth // 2](x), net[1 + depth // 2]
        alike = cosine_similarity(seen[:, None], seen[None], dim=2)[~torch.eye(len(y), dtype=torch.bool)].mean()
        for weight in middle.parameters():
            weight.mul_(DECAYED)
        changed = (middle(before) - before).norm() / before.norm()
    found = {"agreement": agreement, "gradient": log10(first / last), "alike": alike, "changed": changed}
    return {name: float(value) for name, value in found.items()}


def verdict(gain: Gains) -> Verdict:
    size = gain("gradient", "shortcuts", over="plain", weights="PyTorch", depth=40)
    meaning = gain("agreement", "shortcuts", over="plain", weights="He", depth=80)
    said = Both(
        "With shortcuts, the gradient of the first of 40 layers over that of the last is larger by {a} in log10; where "
        "first weights keep the size, gradients of near pictures at 80 layers agree by {b} more.",
        "有捷径时，40 层网络第一层与最后一层梯度之比的 log10 大 {a}；初始权重能保持大小时，"
        "80 层网络中相近图片的梯度一致程度高 {b}。",
    ).filled(a=size, b=meaning)
    if size.up and meaning.up:
        return Verdict("so", said, guess=2)
    other = Both("The first of these is {a}, the second {b}.", "前者是 {a}，后者是 {b}。").filled(a=size, b=meaning)
    if size.up and (meaning.down or meaning.within(WORTH)):
        return Verdict("so", other, guess=1)
    return Verdict("not so", other) if size.down or size.within(WORTH) else untold(size, meaning, worth=WORTH)
