"""The look that all pages share: its colours stand in one file, and can be told apart by the rule of WCAG 2.2."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from eyespot.reporting.page import rendered
from eyespot.serve.app import page_files

SOURCE = Path(str(files("eyespot")))
LOOK = (SOURCE / "look" / "look.css").read_text("utf-8")
SHEETS = [*SOURCE.glob("*/page/*.css"), *SOURCE.glob("exporting/web/*.css"), *SOURCE.glob("*/*.css.jinja")]
LIGHT, DARK, PRINT = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6}|\d+%)", block))
    for block in re.findall(r":root \{(.*?)\}", LOOK, re.S)
)
TEXT = (
    *(("ink", ground) for ground in ("paper", "card", "track", "accent-soft", "wrong-soft")),
    *(("soft", ground) for ground in ("paper", "card", "track")),
    *(("accent", ground) for ground in ("paper", "card")),
    *(("on-accent", "accent"), ("wrong", "card"), ("wrong", "wrong-soft"), ("train", "card"), ("model", "card")),
)
OF_ELEMENTS = ("share", "at", "low", "high", "ratio", "color")
"""What scripts say of single elements."""
SHAPES = (("edge", "card"), ("edge", "paper"), ("bar", "card"))


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    digits = color[1:] if len(color) == 7 else "".join(2 * each for each in color[1:])
    levels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in levels]
    return sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_light_dark_and_print_have_the_same_tokens():
    assert LIGHT.keys() == DARK.keys() == PRINT.keys()


@pytest.mark.parametrize("tokens", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (SHAPES, 3)], ids=["text", "shapes"])
def test_what_is_to_be_read_can_be_told_from_its_ground(tokens, pairs, least):
    poor = {pair: round(contrast(*(tokens[each] for each in pair)), 2) for pair in pairs}
    assert {pair: found for pair, found in poor.items() if found < least} == {}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_no_other_style_sheet_has_a_colour_of_its_own(sheet):
    text = sheet.read_text("utf-8")
    assert re.findall(r"[:,( ](#[0-9a-fA-F]{3,8}|rgba?\(|hsla?\()[^{]*;", text) == []
    own = {*re.findall(r"[ {]--([\w-]+):", text), *OF_ELEMENTS}
    assert {*re.findall(r"var\(--([\w-]+)", text)} <= LIGHT.keys() | own


def test_the_served_page_the_studio_and_a_report_begin_with_it():
    assert page_files()["look.css"] == ("text/css; charset=utf-8", LOOK.encode())
    for page in ("serve", "studio"):
        html = (SOURCE / page / "page" / "index.html").read_text("utf-8")
        assert re.findall(r'rel="stylesheet" href="page/([\w.]+)"', html)[0] == "look.css"
    assert rendered("reporting/style.css.jinja").startswith(LOOK.strip()[:200])
