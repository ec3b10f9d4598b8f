"""Does zero padding make false edges? The vertical kernel at the border of pictures, with four kinds of padding."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from eyespot.labs.bench import Bench
from eyespot.labs.definition import Both, Lab, Verdict
from eyespot.labs.figures import Gains, untold

VERTICAL = torch.tensor([[1.0, 0.0, -1.0]] * 3, dtype=torch.float64)
FLAT = torch.full((1, 1, 6, 6), 10.0, dtype=torch.float64)
LAB = Lab(
    chapter="padding",
    question=Both("Does zero padding make false edges?", "补零会不会产生假边缘？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("no: zeros add nothing to a sum", "不会：零对求和没有影响"),
        Both("yes, stronger than these pictures' own edges", "会，比这些图片自己的边缘还强"),
        Both("yes, but on these pictures they hardly show", "会，但在这些图片上几乎看不出来"),
    ),
    rule=Both(
        "On these pictures it does, if with zeros the kernel answers more on the outermost columns than inside, on "
        "average; it does not, if it answers less there. On a flat gray of 10 every answer but 0 is a false edge.",
        "在这些图片上，如果补零后最外两列的平均响应比内部大，那么会产生假边缘；如果更小，则不会。"
        "在处处为 10 的灰图上，凡不为 0 的响应都是假边缘。",
    ),
    grid={"arm": ("zeros", "reflect", "replicate", "circular")},
    measures={
        "beside": Both("mean answer of the outermost columns, the inside is 1", "最外两列的平均响应（内部为 1）"),
        "flat": Both("largest answer on a flat gray of 10", "在处处为 10 的灰图上的最大响应"),
        "level": Both("mean level at the border, white is 1", "边界的平均灰度（白为 1）"),
    },
    names={
        "zeros": Both("zeros", "补零"),
        "reflect": Both("reflect", "镜像填充"),
        "replicate": Both("replicate", "复制边缘"),
        "circular": Both("circular", "循环填充"),
    },
    seconds=2,
)


def trial(bench: Bench, *, arm: str) -> dict[str, float]:
    x = bench.gray(bench.test.x)
    sizes = _answers(x, arm).abs()
    inside = sizes[..., 1:-1].mean().clamp_min(1e-9)
    return {
        "beside": float(sizes[..., [0, -1]].mean() / inside),
        "flat": float(_answers(FLAT, arm).abs().max()),
        "level": float(x[..., [0, -1]].mean()),
    }


def _answers(x: Tensor, padding: str) -> Tensor:
    """(N, 1, H, W), as large as the images."""
    return conv2d(pad(x, (1, 1, 1, 1), "constant" if padding == "zeros" else padding), VERTICAL[None, None])


def verdict(gain: Gains) -> Verdict:
    beside = gain("beside", "zeros")
    numbers = {"a": beside, "b": gain("beside", "replicate"), "c": gain("flat", "zeros"), "d": gain("level", "zeros")}
    if beside.minus(1).up:
        said = Both(
            "The outermost columns answer {a} times as much as the inside, {b} times if the edge is repeated "
            "instead, and on a flat 10 zeros answer up to {c}.",
            "最外两列的平均响应与内部之比是 {a}，复制边缘则是 {b}；在处处为 10 的灰图上，补零的响应最大到 {c}。",
        )
        return Verdict("so", said.filled(**numbers), guess=2)
    if beside.minus(1).down:
        said = Both(
            "On these pictures, whose border has the level {d} (black 0, white 1), the outermost columns answer {a} "
            "times as much as the inside, but on a flat 10 zeros answer up to {c}.",
            "在这些图片上，边界的灰度是 {d}（黑 0，白 1），最外两列与内部的平均响应之比是 {a}；"
            "但在处处为 10 的灰图上，补零的响应最大到 {c}。",
        )
        return Verdict("not so", said.filled(**numbers), guess=3)
    return untold(beside.minus(1))
