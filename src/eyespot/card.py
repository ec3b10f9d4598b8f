"""What a notebook shows of a result: a small table in HTML that loads nothing, on the page's own ground and in its
color, so that it is readable in light and in dark. Every text is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

_RULE = "1px solid rgba(128,128,128,.35)"
_CELL = f"padding:4px 10px;text-align:left;vertical-align:middle;border-top:{_RULE}"
_LETTERS = 16
"""Of a text that stays on one line."""
_BAR = "display:inline-block;height:.7em;border-radius:2px;background:#3b82c4"
BAR_PX = 120


class Html(str):
    """Text that is HTML already."""


def card(title: str, rows: Iterable[tuple[object, ...]], *, below: str = "") -> str:
    """A table: a title, rows of cells, and a sentence below. Cells are texts, or `Html` as it is."""
    lines = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    said = f'<div style="margin-top:4px;opacity:.75">{escape(below)}</div>' if below else ""
    return (
        f'<div style="max-width:60em"><div style="font-weight:600;margin-bottom:4px">{escape(title)}</div>'
        f'<table style="border-collapse:collapse;background:none">{lines}</table>{said}</div>'
    )


def bar(share: float) -> Html:
    """A bar as long as a share from 0 to 1, and the share."""
    return Html(
        f'<span style="display:inline-block;width:{BAR_PX}px"><span style="{_BAR};width:{share * BAR_PX:.0f}px"></span>'
        f"</span> {share:.3f}"
    )


def jpeg(data: bytes, *, name: str) -> Html:
    """A picture, inside the page. name: what is read where it cannot be seen."""
    source = base64.b64encode(data).decode("ascii")
    return Html(f'<img alt="{escape(name)}" src="data:image/jpeg;base64,{source}" style="max-width:none">')


def link(path: str, words: str) -> Html:
    return Html(f'<a style="color:inherit;text-decoration:underline" href="{escape(path)}">{escape(words)}</a>')


def _cell(cell: object) -> str:
    breaks = "white-space:nowrap" if len(str(cell)) <= _LETTERS else "overflow-wrap:anywhere"
    return f'<td style="{_CELL};{breaks}">{cell if isinstance(cell, Html) else escape(str(cell))}</td>'
