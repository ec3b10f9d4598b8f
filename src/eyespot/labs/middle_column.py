"""Why is the middle column of the edge kernel 0? Other middles on brighter pictures, and nine weights left free."""

from __future__ import annotations

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d, unfold

from eyespot.labs.bench import Bench
from eyespot.labs.definition import Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

BRIGHTER, LITTLE = 0.3, 0.1
OTHERS = (0.25, 0.5, 1, 2)
LAB = Lab(
    chapter="edges",
    question=Both("Why is the middle column of the edge kernel 0?", "边缘检测的卷积核，中间一列为什么是 0？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("a habit: another number would do as well", "只是习惯：换成别的数也一样"),
        Both("so that brightness does not count", "为了让亮度不影响结果"),
        Both("to save a third of the multiplications", "为了省掉三分之一的乘法"),
    ),
    rule=Both(
        "For brightness, if pictures that are 0.3 brighter move the answer least with 0 in the middle, and nine free "
        "weights that learn which side is brighter end with a middle below 0.1 of their outer columns.",
        "如果图片亮 0.3 时中间为 0 的核变化最小，九个自由权重学会判断哪边更亮后中间不到两侧的 0.1，就是为了亮度。",
    ),
    grid={"arm": (0, *OTHERS, "learned")},
    measures={
        "moved": Both("how many deviations of the answer 0.3 brighter moves it", "亮 0.3 时输出移动几个标准差"),
        "middle": Both("size of the middle column, the outer ones are 1", "中间一列的大小（两侧为 1）"),
    },
    names={"arm": Both("middle column", "中间一列"), "learned": Both("learned", "学出来的")},
    seconds=4,
)


def trial(bench: Bench, *, arm: float | str) -> dict[str, float]:
    kernel = _learned(bench) if isinstance(arm, str) else torch.tensor([[1.0, arm, -1.0]] * 3, dtype=torch.float64)
    x = bench.gray(bench.test.x)
    answers, brighter = (conv2d(image, kernel[None, None]) for image in (x, x + BRIGHTER))
    moved = float((brighter - answers).mean().abs() / answers.std().clamp_min(1e-9))
    middle, outer = (float(columns.abs().mean()) for columns in (kernel[:, 1], kernel[:, ::2]))
    return {"moved": round(moved, 9), "middle": middle / outer if outer else 1.0}


def _learned(bench: Bench) -> torch.Tensor:
    """Nine weights (3, 3) after learning on windows of any brightness which of their sides is brighter."""
    windows = unfold(bench.gray(bench.train.x), 3).transpose(1, 2).reshape(-1, 9)  # (windows, 9)
    left = (windows[:, ::3] - windows[:, 2::3]).sum(1)
    kept, is_left = windows[left != 0], (left[left != 0] > 0).double()
    weights = torch.zeros(9, dtype=torch.float64, requires_grad=True)
    adam, random = torch.optim.Adam([weights], lr=0.1), bench.random(3)
    for _ in bench.steps(1000) if len(kept) else ():
        bench.tick()
        some = torch.randint(len(kept), (1024,), generator=random)
        change = torch.rand(1024, 1, generator=random, dtype=torch.float64) - 0.5
        loss = binary_cross_entropy_with_logits((kept[some] + change) @ weights, is_left[some])
        (weights.grad,) = torch.autograd.grad(loss, weights)
        adam.step()
    return weights.detach().reshape(3, 3)


def verdict(gain: Gains) -> Verdict:
    more, middle = [gain("moved", other, over=0) for other in OTHERS], gain("middle", "learned")
    numbers = {"a": gain("moved", 0), "b": gain("moved", 1), "c": middle}
    if all(each.up for each in more) and middle.minus(LITTLE).down:
        said = Both(
            "So that brightness does not count: 0.3 brighter moves the answer by {a} deviations with 0, by {b} with 1, "
            "and free weights learn a middle of {c} of the outer columns.",
            "为了让亮度不影响结果：图片亮 0.3，中间为 0 时输出移动 {a} 个标准差，为 1 时移动 {b} 个；"
            "自由权重学到的中间一列是两侧的 {c}。",
        )
        return Verdict("so", said.filled(**numbers), guess=2)
    if any(each.down for each in more) or middle.minus(LITTLE).up:
        said = Both("It moves by {a} with 0, by {b} with 1; learned: {c}.", "0 时移动 {a}，1 时 {b}；学到的是 {c}。")
        return Verdict("not so", said.filled(**numbers))
    return untold(*more, middle.minus(LITTLE))
