"""Numbers with their nouns, as a sentence has them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 picture`, `2 pictures`: the noun's plural ends in s."""
    return f"{count} {noun}{'s' * (count != 1)}"


def from_to(low: float, high: float) -> str:
    """Two numbers as the ends of a range: `2,731 to 3,412`."""
    return f"{_short(low)} to {_short(high)}"


def _short(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() and abs(number) < 1e12 else f"{number:.4g}"
