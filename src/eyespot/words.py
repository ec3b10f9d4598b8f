"""Numbers with their nouns, and lists of names, as a sentence has them."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """`1 picture`, `2 pictures`: the noun's plural ends in s."""
    return f"{count} {noun}{'s' * (count != 1)}"


def some(names: Sequence[str], *, most: int = 5) -> str:
    """`a`, `a, b and c`, or of more names than `most` the first ones and a count: `a, b, c, d, e and 195 more`."""
    shown = list(names) if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
