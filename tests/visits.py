"""What a person does on the page of a served model: drops pictures, draws, looks at the answers."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

from PIL import Image

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
LEAST_CONTRAST = 4.5
"""Of text on its ground: WCAG 2.2, 1.4.3."""
THREE = ((0.3, 0.22), (0.42, 0.12), (0.6, 0.13), (0.68, 0.25), (0.62, 0.38), (0.48, 0.45), (0.64, 0.52), (0.72, 0.66))
THREE += ((0.66, 0.82), (0.5, 0.9), (0.34, 0.86), (0.27, 0.76))
"""The line of a 3, as fractions of the area to draw in."""
ZERO = tuple((0.5 + 0.22 * math.sin(turn / 2), 0.5 - 0.34 * math.cos(turn / 2)) for turn in range(13))


def drop(page: Any, *files: tuple[str, bytes]) -> None:
    """Let go of files over the page, as a person does with a mouse."""
    named = [[name, base64.b64encode(data).decode()] for name, data in files]
    page.evaluate(
        """files => {
            const dataTransfer = new DataTransfer();
            for (const [name, text] of files)
                dataTransfer.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        named,
    )


def draw(page: Any, line: Any) -> None:
    """A line on the paper, with the mouse."""
    page.locator("#paper").scroll_into_view_if_needed()
    box = page.locator("#paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def plain(color: tuple[int, ...] = (180, 60, 40), size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A picture file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, **{"format": "PNG", **options})
    return file.getvalue()


def answered(page: Any, count: int) -> Any:
    """The cards, when that many are there and all are answered."""
    page.wait_for_function(
        """count => {
            const cards = [...document.querySelectorAll("#answer-list > li")];
            return cards.length == count && !cards.some(card => card.ariaBusy);
        }""",
        arg=count,
    )
    return page.locator("#answer-list > li")


def texts(page: Any) -> list[tuple[str, str, str]]:
    """Everything that can be read on the page: the text, its color, and that of what is under it."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(each => each.checkVisibility() && !each.disabled &&
            [...each.childNodes].some(node => node.nodeType == 3 && node.data.trim())).map(each => {
            let under = each;
            while (getComputedStyle(under).backgroundColor == "rgba(0, 0, 0, 0)") under = under.parentElement;
            return [each.textContent, getComputedStyle(each).color, getComputedStyle(under).backgroundColor];
        })"""
    )


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2.2 between two colours."""
    low, high = sorted(luminance(color) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    """WCAG's relative luminance of `rgb(r, g, b)`."""
    levels = [float(level) / 255 for level in color.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
