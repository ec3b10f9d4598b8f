"""Names of any script in columns of a terminal, where a letter takes two places, one, or none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from eyespot.names import printable

WIDEST = 40
"""Places of a name in a column; of a longer one the middle goes, because names often differ at the end."""


def in_column(names: Sequence[str], *, widest: int = WIDEST) -> list[str]:
    """The names, all as wide as the widest of them, and none wider than that many places."""
    from rich.cells import cell_len

    cut = [_cut(printable(name), widest) for name in names]
    width = max(map(cell_len, cut), default=0)
    return [name + " " * (width - cell_len(name)) for name in cut]


def _cut(name: str, widest: int) -> str:
    from rich.cells import cell_len

    if cell_len(name) <= widest:
        return name
    tail = (widest - 1) // 2
    return f"{_begin(name, widest - 1 - tail)}…{_begin(name[::-1], tail)[::-1]}"


def _begin(name: str, places: int) -> str:
    """As much of the beginning as has room."""
    from rich.cells import cell_len

    widths = accumulate(cell_len(letter) for letter in name)
    return name[: sum(width <= places for width in widths)]
