"""Text in pictures that Pillow draws: names of any script, shortened, or their number where no font here has them."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from eyespot.names import printable
from eyespot.palette import GROUND

SMALLEST_TEXT = 10
LONGEST_NAME = 24
CAPTION_TEXT, CAPTION_LINE, CAPTION_MARGIN = 14, 19, 6
"""Of letters, lines and the space around them, in pixels."""
NARROWEST_CAPTION = 320
SYSTEM_FONTS = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc"),  # Linux
    *("arial.ttf", "msyh.ttc", "YuGothM.ttc", "malgun.ttf"),  # Windows; Chinese, Japanese, Korean
    "Arial Unicode.ttf",  # macOS
)
"""Asked in this order for names that Pillow's own font (ASCII) cannot draw."""


def shorten(name: str, limit: int = LONGEST_NAME) -> str:
    """`name` on one line, at most `limit` characters: the middle goes, because names often differ at the end."""
    name = unicodedata.normalize("NFC", printable(" ".join(name.split())))
    if len(name) <= limit:
        return name
    tail = (limit - 1) // 2
    return f"{name[: limit - 1 - tail].rstrip()}…{name[len(name) - tail :].lstrip()}"


def lettered(text: str, size: int, color: tuple[int, int, int]) -> Image.Image:
    """The text on white, cut to its width; all texts of a size have the same height."""
    font = font_for(text, size) or own_font(size)
    image = Image.new("RGB", (max(1, round(font.getlength(text)) + 2), round(size * 1.35)), "white")
    ImageDraw.Draw(image).text((1, image.height // 2), text, color, font, anchor="lm")
    return image


def captioned(pixels: NDArray[np.uint8], caption: Sequence[str]) -> bytes:
    """The picture (H, W, 3) as a PNG, unchanged at its top left, with the caption below and as its "Description".

    caption: parts, each of which begins a line where it would not fit into the one before it. A picture that is too
        narrow to read them gets ground at its right.
    """
    words = " | ".join(caption)
    font = font_for(words, CAPTION_TEXT) or own_font(CAPTION_TEXT)
    height, width = pixels.shape[:2]
    widest = max(font.getlength(word) for word in words.split())
    width = max(width, NARROWEST_CAPTION, ceil(widest) + 2 * CAPTION_MARGIN)
    lines = _lines(caption, font, width - 2 * CAPTION_MARGIN)
    whole = Image.new("RGB", (width, height + len(lines) * CAPTION_LINE + 2 * CAPTION_MARGIN), GROUND)
    whole.paste(Image.fromarray(pixels))
    for number, line in enumerate(lines):
        middle = height + CAPTION_MARGIN + (number + 0.5) * CAPTION_LINE
        ImageDraw.Draw(whole).text((CAPTION_MARGIN, middle), line, "white", font, anchor="lm")
    described, file = PngInfo(), io.BytesIO()
    described.add_text("Description", words)
    whole.save(file, "PNG", pnginfo=described)
    return file.getvalue()


def _lines(caption: Sequence[str], font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines = [""]
    for part in caption:
        joined = f"{lines[-1]} | {part}" if lines[-1] else part
        if font.getlength(joined) <= width:
            lines[-1] = joined
            continue
        lines += [""] if lines[-1] else []
        for word in part.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and font.getlength(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return lines


def drawable(name: str, index: int) -> str:
    """The name of the class of that index, shortened; `#3` for one that no font here can draw."""
    short = shorten(name)
    return short if short and font_for(short, SMALLEST_TEXT) else f"#{index + 1}"


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont | None:
    """The first font that has every character of the text."""
    own = own_font(size)
    if _has_all(own, text):
        return own
    for name in SYSTEM_FONTS:
        font = _system_font(name, size)
        if font is not None and _has_all(font, text):
            return font
    return None


@cache
def own_font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow: ASCII only, the same everywhere."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "this Pillow was built without FreeType"
    return font


def _has_all(font: ImageFont.FreeTypeFont, text: str) -> bool:
    missing = bytes(font.getmask("\uffff"))  # a code point that no font has
    return all(c.isspace() or bytes(font.getmask(c)) != missing for c in set(text))


@cache
def _system_font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None
