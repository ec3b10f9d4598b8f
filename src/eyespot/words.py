"""Numbers with their nouns, as a sentence has them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 picture`, `2 pictures`: the noun's plural ends in s."""
    return f"{count} {noun}{'s' * (count != 1)}"


def from_to(low: float, high: float) -> str:
    """Two numbers as the ends of a range: `2,731 to 3,412`."""
    return f"{short(low)} to {short(high)}"


def short(number: float) -> str:
    """With all digits before the point, or four."""
    whole = float(number).is_integer() or abs(number) >= 1000
    return f"{number:,.0f}" if whole and abs(number) < 1e12 else f"{number:.4g}"
