"""What stands below a drawing and in an answer, in words: padding, the shape of a volume, the sums that give it."""

from __future__ import annotations

from collections.abc import Mapping

BEYOND: Mapping[str, str] = {
    "zeros": "its padding included",
    "reflect": "beyond it lie its mirrored pixels",
    "replicate": "beyond it lies the nearest pixel again",
    "circular": "beyond it lie the pixels of its opposite side",
}
"""What lies outside the input, for each mode of padding."""


def padding_words(padding: tuple[int, int, int, int], mode: str) -> str:
    """`, padding 1`, or `, padding 0 + 1, 1 + 1 (reflect)` where sides differ; empty where there is none."""
    top, bottom, left, right = padding
    if not any(padding):
        return ""
    pixels = f"{top}" if top == bottom == left == right else f"{top} + {bottom}, {left} + {right}"
    return f", padding {pixels}" + ("" if mode == "zeros" else f" ({mode})")


def sums_in_words(formula_hw: tuple[str, str]) -> list[str]:
    """`floor((6 + 2*0 - 3)/1) + 1 = 4 rows and columns`, or two of them where height and width differ."""
    down, across = formula_hw
    one_down, one_across = (formula.endswith("= 1") for formula in formula_hw)
    rows, columns = ("row" if one_down else "rows"), ("column" if one_across else "columns")
    return [f"{down} {rows} and {columns}"] if down == across else [f"{down} {rows}", f"{across} {columns}"]


def volume_in_words(chw: tuple[int, int, int]) -> str:
    """`4 x 4 x 1 (height, width, depth)`."""
    return f"{chw[1]} x {chw[2]} x {chw[0]} (height, width, depth)"


def by(size_hw: tuple[int, ...]) -> str:
    """`3 x 3`."""
    return " x ".join(map(str, size_hw))
