"""A network as a picture: volumes that shrink and deepen, shortcuts as arcs, branches side by side. SVG by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from itertools import groupby
from math import sqrt

from eyespot.arithmetic.table import INPUT, Chain, Layer, Node, Opened, Sum, flat
from eyespot.arithmetic.volumes import (
    FAINT,
    FONT,
    GAP,
    INK,
    KINDS,
    LEADING,
    LETTER,
    LINE,
    Arc,
    Box,
    Fork,
    Repeat,
    Row,
    Scale,
    Volume,
    text,
    way,
)

PAGE = 1200
"""Width of the page; longer networks go on in a further line."""
NARROWEST = 600
MARGIN = 24
HEADER = 26
"""Above each line, for the names of the stages."""
TALLEST, DEEPEST = 120, 84
"""Of the largest volume, in pixels of the page."""
MANY = 40
"""With more convolutions than these, blocks that come several times are drawn once."""
_NOT_DRAWN = ("flatten", "padding", "image")

_STYLE = f"""
text {{ font: {FONT}px system-ui, -apple-system, "Segoe UI", sans-serif; fill: {INK}; text-anchor: middle }}
.shape {{ fill: {FAINT}; font-size: 10px }}
.stage {{ fill: {FAINT}; font-weight: 600; text-anchor: start }}
.title {{ font-size: 16px; font-weight: 600; text-anchor: start }}
.times {{ font-weight: 600; text-anchor: end }}
.legend {{ text-anchor: start; fill: {FAINT} }}
polygon {{ stroke: {INK}; stroke-width: .6; stroke-linejoin: round }}
.top-light {{ fill: #fff; fill-opacity: .45 }}
.side-light {{ fill: #000; fill-opacity: .12 }}
.way {{ stroke: {LINE}; stroke-width: 1.2; fill: none }}
.bracket {{ stroke: {LINE}; stroke-width: 1; fill: none }}
.shortcut {{ stroke: #c2413a; stroke-width: 1.6; fill: none }}
.dot {{ fill: #c2413a }}
.sum {{ fill: #fff; stroke: #c2413a; stroke-width: 1.6 }}
.plus {{ stroke: #c2413a; stroke-width: 1.6 }}
.pill {{ fill: #fff; stroke: #c2413a; stroke-width: 1 }}
.repeat {{ fill: none; stroke: {FAINT}; stroke-dasharray: 4 3 }}
"""


def drawing(network: Chain, *, title: str) -> str:
    """A network as the text of an SVG file, with its own light ground.

    network: as `trace` gives it.
    title: stands on top.
    """
    return _page(_lines(_units(network)), title)


def _units(network: Chain) -> list[tuple[str, Box]]:
    """What may stand on a line of its own, each with the name of its stage."""
    shapes = [_volume_shape(layer.output) for layer in flat(network)]
    scale = Scale(
        pixels=TALLEST / sqrt(max(max(shape[1:]) for shape in shapes)),
        channels=min(4.0, DEEPEST / sqrt(max(layer.output[0] for layer in flat(network) if _is_drawn(layer)))),
    )
    folds = sum(layer.kernel is not None and layer.parameters > 0 for layer in flat(network)) > MANY
    units = []
    for part in network.parts:
        name = part.name if isinstance(part, Chain) else ""
        units += [(name, box) for box in _boxes(part, scale, folds=folds)]
    return units


def _boxes(node: Node, scale: Scale, *, folds: bool) -> list[Box]:
    if isinstance(node, Layer):
        return [_volume(node, scale)] if _is_drawn(node) else []
    if isinstance(node, Chain):
        return _together([box for part in node.parts for box in _part(part, scale, folds=folds)], folds=folds)
    if isinstance(node, Sum):
        shortcut = [] if node.shortcut is None else _boxes(node.shortcut, scale, folds=folds)
        label = ", ".join(box.words[0] for box in shortcut if isinstance(box, Volume))
        return [Arc(Row(tuple(_boxes(node.body, scale, folds=folds))), label)]
    if isinstance(node, Opened):
        return [_volume(node.layer, scale)]
    rows = [Row(tuple(_boxes(branch, scale, folds=folds))) for branch in node.branches]
    branches = tuple((rows.count(row), row) for row in dict.fromkeys(rows))
    return [Fork(branches, _volume(node.layer, scale))]


def _part(node: Node, scale: Scale, *, folds: bool) -> list[Box]:
    """A chain of several boxes inside a chain stays together, so that it can be seen to repeat."""
    boxes = _boxes(node, scale, folds=folds)
    return [Row(tuple(boxes))] if folds and isinstance(node, Chain) and len(boxes) > 2 else boxes


def _together(boxes: list[Box], *, folds: bool) -> list[Box]:
    """Equal convolutions that follow one another as one, and, in deep networks, equal blocks drawn once."""
    grouped: list[Box] = []
    for box, group in groupby(boxes, key=_alone):
        alike = list(group)
        if isinstance(box, Volume) and box.kind == "conv":
            grouped.append(replace(box, count=sum(each.count for each in alike if isinstance(each, Volume))))
        elif folds and len(alike) > 1 and not isinstance(box, Volume):
            grouped.append(Repeat(box, len(alike)))
        else:
            grouped += alike
    return grouped


def _alone(box: Box) -> Box:
    return replace(box, count=1) if isinstance(box, Volume) else box


def _is_drawn(layer: Layer) -> bool:
    if layer.name == INPUT:
        return True
    return _kind(layer) != "other" or (layer.input != layer.output and layer.kind not in _NOT_DRAWN)


def _kind(layer: Layer) -> str:
    if layer.name == INPUT:
        return "image"
    if layer.kind.endswith("pool"):
        return "pool"
    if layer.kind in ("conv", "depthwise conv"):
        return "conv"
    if layer.kind == "concatenation" or layer.kind.startswith("elementwise"):
        return "joined"
    return {"fully connected": "dense"}.get(layer.kind, "other")


def _volume(layer: Layer, scale: Scale) -> Volume:
    shape = _volume_shape(layer.output)
    size = f"{shape[1]}×{shape[2]}×{shape[0]}" if len(layer.output) == 3 else "×".join(map(str, layer.output))
    return Volume(_kind(layer), shape, (_words(layer), size), scale)


def _words(layer: Layer) -> str:
    kind = {"depthwise conv": "depthwise", "average pool": "avg pool", "concatenation": "concat"}
    words = kind.get(layer.kind, layer.kind)
    if layer.kernel is not None:
        words += f" {layer.kernel[0]}×{layer.kernel[1]}"
    if (
        layer.stride is not None
        and layer.kernel != layer.output
        and max(layer.stride) > 1
        and max(layer.output[1:]) > 1
    ):
        words += f" /{layer.stride[0]}"
    return words


def _volume_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else (shape[-1], 1, 1)


def _lines(units: list[tuple[str, Box]]) -> list[list[tuple[str, Box]]]:
    """The units in lines of the page's width; a stage that fits on a line is not torn apart for it."""
    lines: list[list[tuple[str, Box]]] = [[]]
    room = PAGE - 2 * MARGIN
    left = float(room)
    for _, group in groupby(units, key=lambda unit: unit[0]):
        stage = list(group)
        whole = sum(box.width + GAP for _, box in stage)
        if lines[-1] and left < whole <= room:
            lines.append([])
            left = room
        for unit in stage:
            needed = unit[1].width + GAP
            if lines[-1] and needed > left:
                lines.append([])
                left = room
            lines[-1].append(unit)
            left -= needed
    return lines


def _page(lines: list[list[tuple[str, Box]]], title: str) -> str:
    parts = [text(MARGIN, MARGIN + 12, title, "title")]
    top = MARGIN + 30.0
    width = 0.0
    for number, units in enumerate(lines):
        row = Row(tuple(box for _, box in units))
        axis = top + HEADER + row.above
        width = max(width, row.width)
        if number > 0:
            parts.append(way(MARGIN - 14, axis, MARGIN, axis))
        if number < len(lines) - 1:
            parts.append(way(MARGIN + row.width, axis, MARGIN + row.width + 14, axis))
        parts += _brackets(units, top + HEADER - 10)
        parts += row.svg(MARGIN, axis)
        top = axis + row.below + 16
    parts += _legend(lines, top + 14)
    across = max(width + 2 * MARGIN, NARROWEST)
    height = top + 14 + LEADING + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {height:.0f}" width="{across:.0f}" '
        f'height="{height:.0f}" role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" rx="10" fill="#fdfdfc"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _brackets(units: list[tuple[str, Box]], y: float) -> Iterator[str]:
    """The name of each stage over what belongs to it."""
    x = float(MARGIN)
    for name, group in groupby(units, key=lambda unit: unit[0]):
        width = sum(box.width + GAP for _, box in group) - GAP
        if name:
            yield f'<path class="bracket" d="M{x:.1f},{y + 6:.1f} v-5 h{width:.1f} v5"/>'
            yield text(x, y - 4, name, "stage")
        x += width + GAP


def _legend(lines: list[list[tuple[str, Box]]], y: float) -> Iterator[str]:
    x = float(MARGIN)
    drawn = {found.kind for units in lines for _, box in units for found in _volumes(box)}
    for kind, (colour, words) in KINDS.items():
        if kind in drawn:
            yield f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="11" height="11" rx="2" fill="{colour}"/>'
            yield text(x + 17, y, words, "legend")
            x += 34 + LETTER * len(words)
    yield text(MARGIN, y + LEADING + 6, "height×width×channels; /2: stride 2; lengths are square roots", "legend")


def _volumes(box: Box) -> Iterator[Volume]:
    if isinstance(box, Volume):
        yield box
    elif isinstance(box, Row):
        for inner in box.boxes:
            yield from _volumes(inner)
    elif isinstance(box, Arc):
        yield from _volumes(box.body)
    elif isinstance(box, Fork):
        yield box.joined
        for _, row in box.branches:
            yield from _volumes(row)
    elif isinstance(box, Repeat):
        yield from _volumes(box.box)
