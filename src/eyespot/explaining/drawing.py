"""The answer to one picture, drawn: what the network saw, where the answer came from, whether that holds, and the most
similar pictures that it was trained on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from eyespot.data.pictures import read_small
from eyespot.errors import UnreadablePicture
from eyespot.evaluate.lettering import drawable, font_for, lettered
from eyespot.explaining.deletion import SHARES, Deletion
from eyespot.explaining.heat import HeatMap, Method, overlay, scale
from eyespot.explaining.similar import Near
from eyespot.palette import INK, PALE, TEAL, Color
from eyespot.records import Window

PANEL = 464
"""Side of the two large pictures, pixels."""
MARGIN = 32
WIDTH = 2 * PANEL + 3 * MARGIN
THUMBNAIL = 116
CURVE_HW, CURVE_LEFT = (160, 420), 100
MOST_HIDDEN = max(SHARES)
FAINT = (96, 104, 112)
STRONGEST, RANDOM = (214, 110, 8), TEAL
TICKS = (1e-6, 1e-4, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999, 0.999999)
"""Probabilities that the curve's scale names."""
TITLE, TEXT, SMALL = 30, 17, 14
MOST_SMALL_SIDE = 128
"""Pictures of at most this many pixels a side are enlarged to squares, so that it shows how few they are."""


@dataclass(frozen=True)
class Explained:
    """All that is drawn."""

    picture: Image.Image
    """The whole, upright."""
    image: NDArray[np.uint8]
    """What the network saw, (H, W, C)."""
    window: Window
    """Where that lies in the picture."""
    heat: HeatMap
    deletion: Deletion
    classes: Sequence[str]
    """All that the network knows."""
    similar: Sequence[Near] = ()
    """Pictures that it was trained on."""
    outlined: Sequence[tuple[tuple[float, float, float, float], Color]] = ()
    """What is framed in the heat map: left, top, right and bottom as shares of its sides, and the color."""
    captions: tuple[str, str] | None = None
    """Of the whole picture, and of the heat map; None for those of an answer to all of it."""


def draw(explained: Explained) -> bytes:
    """The picture as PNG, `WIDTH` pixels wide."""
    heat = explained.heat
    name = drawable(heat.class_, heat.class_index)
    rows = [
        lettered(f"{name}  {heat.probability:.3f}", TITLE, INK),
        _in_a_row([_whole(explained), _seen(explained)], gap=MARGIN),
        _curve(explained.deletion),
        _lines(_on_deletion(explained.deletion, heat.method), SMALL, FAINT),
        *([_row_of(explained.similar, explained.classes)] if explained.similar else []),
        _lines(heat.sentence.replace(repr(heat.class_), repr(name)), TEXT, INK),
    ]
    file = io.BytesIO()
    ImageOps.expand(_on_top(*rows, gap=18), MARGIN, "white").save(file, "PNG")
    return file.getvalue()


def _whole(explained: Explained) -> Image.Image:
    """The whole picture with the part outlined that the network saw."""
    picture = as_panel(explained.picture)
    window = explained.window
    left, top = window.left * picture.width, window.top * picture.height
    right, bottom = left + window.width * picture.width - 1, top + window.height * picture.height - 1
    box = (left, top, max(left, right), max(top, bottom))  # of a very long picture it is less than a pixel
    pen = ImageDraw.Draw(picture)
    pen.rectangle(box, outline="white", width=4)  # on dark and on light pictures one of the two shows
    pen.rectangle(box, outline=INK, width=2)
    whole, _ = explained.captions or ("The picture. The network saw what is outlined.", "")
    return _captioned(picture, whole)


def _seen(explained: Explained) -> Image.Image:
    """What the network saw, under the heat map, with the scale of its colors."""
    image = explained.image
    pixels = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image  # (H, W, 3)
    seen = as_panel(Image.fromarray(pixels)).convert("RGBA")
    seen = Image.alpha_composite(seen, overlay(explained.heat.values, seen.size)).convert("RGB")
    pen = ImageDraw.Draw(seen)
    for (left, top, right, bottom), color in explained.outlined:
        width, height = seen.width - 1, seen.height - 1
        pen.rectangle((left * width, top * height, right * width, bottom * height), outline=color, width=3)
    least = "did not raise it" if explained.heat.method == "class activation map" else "cost nothing to hide"
    most = "raised it most" if explained.heat.method == "class activation map" else "cost most to hide"
    words = [lettered(text, SMALL, FAINT) for text in (f"{least} ", f" {most}")]
    bar = scale((max(1, PANEL - sum(word.width for word in words)), words[0].height - 6))
    legend = _in_a_row([words[0], ImageOps.expand(bar, (0, 3), "white"), words[1]], gap=0)
    _, caption = explained.captions or ("", f"The answer's heat map ({explained.heat.method}).")
    captioned = _captioned(seen, caption)
    return _on_top(captioned, legend)


def as_panel(picture: Image.Image) -> Image.Image:
    """The picture as large as a panel allows, mode RGB; a small one in squares, one for each pixel."""
    factor = PANEL / max(picture.size)
    small = max(picture.size) <= MOST_SMALL_SIDE
    width, height = (max(1, round(side * (int(factor) if small else factor))) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.NEAREST if small else Image.Resampling.BICUBIC)


def _curve(deletion: Deletion) -> Image.Image:
    """What is left of the probability while more and more is hidden, as high as its logit: two lines."""
    sheet = Image.new("RGB", (WIDTH - 2 * MARGIN, CURVE_HW[0] + 34), "white")
    pen = ImageDraw.Draw(sheet)
    steps = deletion.curve
    lines = {
        "the strongest first": ([deletion.untouched, *(step.strongest for step in steps)], STRONGEST),
        "the same shapes elsewhere": ([deletion.untouched, *(step.random for step in steps)], RANDOM),
    }
    all_left = [left for values, _ in lines.values() for left in values]
    low = max((tick for tick in TICKS if tick <= min(all_left)), default=TICKS[0])
    high = min((tick for tick in TICKS if tick >= max(all_left)), default=TICKS[-1])
    for tick in (each for each in TICKS if low <= each <= high):
        x, y = _place(0, tick, low, high)
        pen.line((x, y, x + CURVE_HW[1], y), PALE)
        label = lettered(f"{tick:g}", SMALL, FAINT)
        sheet.paste(label, (round(x) - label.width - 8, round(y) - label.height // 2))
    shares = [0.0, *(step.share for step in steps)]
    for share in shares:
        label = lettered(f"{share:.0%}".replace("%", " %"), SMALL, FAINT)
        sheet.paste(label, (round(_place(share, low, low, high)[0]) - label.width // 2, CURVE_HW[0] + 10))
    legend = CURVE_LEFT + CURVE_HW[1] + 30
    for number, (name, (values, color)) in enumerate(lines.items()):
        points = [_place(share, left, low, high) for share, left in zip(shares, values, strict=True)]
        pen.line(points, color, 3)
        for x, y in points:
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), color)
        line = 30 + 26 * number
        pen.line((legend, line, legend + 24, line), color, 3)
        sheet.paste(lettered(name, TEXT, INK), (legend + 34, line - 12))
    sheet.paste(lettered("of the places are hidden", SMALL, FAINT), (legend, CURVE_HW[0] + 10))
    return sheet


def _place(share: float, left: float, low: float, high: float) -> tuple[float, float]:
    """Where a point of the curve lies, pixels from the left and the top. low, high: the ends of the scale."""
    ends = _logit(low), _logit(high)
    part = (_logit(min(high, max(low, left))) - ends[0]) / (ends[1] - ends[0] or 1)
    return CURVE_LEFT + CURVE_HW[1] * share / MOST_HIDDEN, 12 + (CURVE_HW[0] - 12) * (1 - part)


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _on_deletion(deletion: Deletion, method: Method) -> str:
    left = "what is left of the box" if method == "occlusion of a box" else "the probability"
    return (
        f"The deletion test: {left} while more and more of {deletion.places} places are hidden by one color of the "
        f"picture, the heat map's strongest first, or the same shapes elsewhere, in {deletion.draws} ways. "
        f"{deletion.sentence}"
    )


def _row_of(similar: Sequence[Near], classes: Sequence[str]) -> Image.Image:
    """The most similar training pictures, each with its class and how similar it is."""
    cells = []
    for each in similar:
        picture = _thumbnail(each)
        if max(picture.size) < THUMBNAIL:
            factor = THUMBNAIL // max(picture.size)
            picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
        picture.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC)
        framed = Image.new("RGB", (THUMBNAIL, THUMBNAIL), "white")
        framed.paste(picture, ((THUMBNAIL - picture.width) // 2, (THUMBNAIL - picture.height) // 2))
        name = _cut(drawable(classes[each.class_index], each.class_index), SMALL, THUMBNAIL)
        cells.append(_on_top(framed, lettered(name, SMALL, INK), lettered(f"{each.similarity:.2f}", SMALL, FAINT)))
    columns = (WIDTH - 2 * MARGIN) // (THUMBNAIL + 14)
    lines = [_in_a_row(cells[at : at + columns]) for at in range(0, len(cells), columns)]
    title = "The most similar pictures that it was trained on, by the network's features (1 is the same)"
    return _on_top(lettered(title, TEXT, INK), *lines)


def _thumbnail(near: Near) -> Image.Image:
    """White if it cannot be read."""
    try:
        return read_small(near.jpeg, THUMBNAIL)
    except UnreadablePicture:
        return Image.new("RGB", (THUMBNAIL, THUMBNAIL), "white")


def _cut(text: str, size: int, width: int) -> str:
    font = font_for(text, size)
    while font is not None and len(text) > 1 and font.getlength(text) > width - 2:
        text = f"{text[:-2]}…"
    return text


def _lines(text: str, size: int, color: tuple[int, int, int]) -> Image.Image:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        font = font_for(longer, size)
        if lines and font is not None and font.getlength(longer) <= WIDTH - 2 * MARGIN - 2:
            lines[-1] = longer
        else:
            lines.append(word)
    return _on_top(*(lettered(line, size, color) for line in lines))


def _captioned(picture: Image.Image, caption: str) -> Image.Image:
    panel = Image.new("RGB", (PANEL, PANEL), "white")
    panel.paste(picture, ((PANEL - picture.width) // 2, (PANEL - picture.height) // 2))
    return _on_top(panel, lettered(caption, TEXT, INK))


def _in_a_row(pictures: Sequence[Image.Image], *, gap: int = 14) -> Image.Image:
    whole = Image.new("RGB", (sum(p.width + gap for p in pictures) - gap, max(p.height for p in pictures)), "white")
    left = 0
    for each in pictures:
        whole.paste(each, (left, 0))
        left += each.width + gap
    return whole


def _on_top(*pictures: Image.Image, gap: int = 4) -> Image.Image:
    whole = Image.new("RGB", (max(p.width for p in pictures), sum(p.height + gap for p in pictures) - gap), "white")
    top = 0
    for each in pictures:
        whole.paste(each, (0, top))
        top += each.height + gap
    return whole
