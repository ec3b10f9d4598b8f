"""Does padding let all pixels count alike? Paths from a pixel to the output of some 3x3 layers, counted."""

from __future__ import annotations

import numpy as np

from eyespot.labs.bench import Bench
from eyespot.labs.definition import Both, Lab, Verdict
from eyespot.labs.figures import Gains

SIDE = 32
"""Pixels of the image: so many that its centre is far from every border."""
LAYERS = (1, 2, 3, 4, 5, 6)
LAB = Lab(
    chapter="padding",
    question=Both("With padding, are all pixels used equally?", "有了填充，每个像素的使用次数就一样吗？"),
    claim=Both("left open by the course", "课程没有回答"),
    guesses=(
        Both("yes: that is what padding is for", "一样：填充就是为了这个"),
        Both("no, but deeper layers even it out", "不一样，但层数多了会变得均匀"),
        Both("no, and less so with every layer", "不一样，而且每多一层差得更多"),
    ),
    rule=Both(
        "They are, if at some depth a corner has as many paths to the output as the centre. A path goes from a pixel "
        "through one weight in each layer; the layers are 3x3, the image 32x32.",
        "如果在某个深度，角上像素到输出的路径与中心的一样多，那么就一样。一条路径从一个像素出发，每层经过一个权重；"
        "每层是 3x3，图片是 32x32。",
    ),
    grid={"layers": LAYERS, "arm": ("padding 1", "no padding")},
    measures={
        "corner": Both("paths of a corner for each path of the centre", "角上像素的路径数（中心为 1）"),
        "edge": Both("paths of the middle of an edge for each of the centre", "边的中点的路径数（中心为 1）"),
    },
    names={
        "layers": Both("layers", "层数"),
        "padding 1": Both("padding 1", "填充 1"),
        "no padding": Both("no padding", "不填充"),
    },
    seconds=2,
    exact=True,
)


def trial(bench: Bench, *, layers: int, arm: str) -> dict[str, float]:
    is_padded = arm == "padding 1"
    line = np.ones(SIDE if is_padded else SIDE - 2 * layers, dtype=np.int64)  # a path ends at each value of the output
    for _ in range(layers):  # backwards: the paths of a value are those of the three it goes into
        line = np.convolve(line, np.ones(3, dtype=np.int64), "same" if is_padded else "full")
    paths = np.outer(line, line)  # (SIDE, SIDE): rows and columns are chosen freely
    centre = int(paths[SIDE // 2, SIDE // 2])
    return {"corner": int(paths[0, 0]) / centre, "edge": int(paths[0, SIDE // 2]) / centre}


def verdict(gain: Gains) -> Verdict:
    padded = [gain("corner", "padding 1", layers=layers) for layers in LAYERS]
    if any(each.mean >= 1 for each in padded):
        return Verdict("so", Both("A corner has as many paths as the centre.", "角和中心的路径一样多。"), guess=1)
    said = Both(
        "For each path of the centre a corner has {a} through one layer, {b} through three, {c} through six, "
        "and without padding {d} through one.",
        "中心每有一条路径，角上像素经过一层有 {a} 条，三层 {b} 条，六层 {c} 条；不填充时，一层有 {d} 条。",
    )
    numbers = {"a": padded[0], "b": padded[2], "c": padded[-1], "d": gain("corner", "no padding", layers=1)}
    return Verdict("not so", said.filled(**numbers), guess=3 if padded[-1].mean < padded[0].mean else 2)
