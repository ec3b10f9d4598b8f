"""Do several pools after one convolution add anything? Two in a row against one larger, on maps of the pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from eyespot.labs.bench import Bench
from eyespot.labs.definition import Both, Lab, Share, Verdict
from eyespot.labs.figures import Gains

ROUNDING = 1e-9
"""Values closer than that are equal: they lie between -3 and 3 and are computed in float64."""
VERTICAL = torch.tensor([[1.0, 0.0, -1.0]] * 3, dtype=torch.float64)
WINDOWS = {"apart": ((2, 2), (4, 4)), "overlapping": ((3, 2), (7, 4))}
"""Window and stride of each of the two pools, and of the one that covers the same pixels."""
LAB = Lab(
    chapter="pooling",
    question=Both("Do several pools after one convolution add anything?", "一个卷积层后面接多个池化层，有用吗？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("yes: each one finds something new", "有用：每一个都得到新的东西"),
        Both("no: any two are one larger pool", "没用：任何两个都等于一个更大的池化"),
        Both(
            "no with max; averages are one only if no windows overlap",
            "最大池化没用；平均池化只在窗口不重叠时等于一个更大的",
        ),
    ),
    rule=Both(
        "They do, if two max pools give any value that one larger max pool does not. The windows are 2x2 with "
        "stride 2, apart, or 3x3 with stride 2, overlapping.",
        "如果两个最大池化给出的值中，有一个与一个更大的最大池化不同，那么就有用。"
        "窗口为 2x2、步长 2（不重叠），或 3x3、步长 2（重叠）。",
    ),
    grid={"windows": tuple(WINDOWS), "arm": ("max, max", "average, average", "ReLU, max", "ReLU, average")},
    measures={
        "equal": Share("share of values that are equal", "相等的值所占的比例"),
        "most": Both("largest difference", "最大的差"),
    },
    names={
        "windows": Both("windows", "窗口"),
        "apart": Both("apart", "不重叠"),
        "overlapping": Both("overlapping", "重叠"),
        "max, max": Both("two max pools, one larger", "两个最大池化与一个更大的"),
        "average, average": Both("two average pools, one larger", "两个平均池化与一个更大的"),
        "ReLU, max": Both("ReLU before or after max", "ReLU 在最大池化之前或之后"),
        "ReLU, average": Both("ReLU before or after average", "ReLU 在平均池化之前或之后"),
    },
    seconds=2,
    exact=True,
)


def trial(bench: Bench, *, windows: str, arm: str) -> dict[str, float]:
    maps = nn.functional.conv2d(bench.gray(torch.from_numpy(bench.pictures.x)), VERTICAL[None, None], padding=1)
    first, kind = arm.split(", ")
    made: Callable[[int, int], nn.Module] = nn.MaxPool2d if kind == "max" else nn.AvgPool2d
    small, large = (made(window, stride) for window, stride in WINDOWS[windows])
    one, other = (small(maps.relu()), small(maps).relu()) if first == "ReLU" else (small(small(maps)), large(maps))
    difference: Tensor = (one - other).abs()
    return {"equal": float((difference <= ROUNDING).double().mean()), "most": float(difference.max())}


def verdict(gain: Gains) -> Verdict:
    if any(gain("most", "max, max", windows=windows).mean > 0 for windows in WINDOWS):
        return Verdict("so", Both("Two max pools are not one larger.", "两个最大池化不等于一个更大的。"), guess=1)
    said = Both(
        "Two max pools are one larger one, bit for bit; two averages agree with one larger in {a} % of values where "
        "windows do not overlap, in {b} % where they do; ReLU before or after max gives {c} % the same.",
        "两个最大池化等于一个更大的，每一位都相同；两个平均池化与一个更大的相比，窗口不重叠时 {a} % 的值相等，"
        "重叠时 {b} %；ReLU 在最大池化之前或之后，{c} % 相等。",
    )
    asked = (("average, average", "apart"), ("average, average", "overlapping"), ("ReLU, max", "overlapping"))
    a, b, c = (gain("equal", arm, windows=windows).mean for arm, windows in asked)
    said = said.filled(a=100 * a, b=100 * b, c=100 * c)
    return Verdict("not so", said, guess=3 if b < 1 else 2)
