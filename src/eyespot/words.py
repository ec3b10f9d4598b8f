"""Numbers with their nouns, as a sentence has them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 picture`, `2 pictures`: the noun's plural ends in s."""
    return f"{count} {noun}{'s' * (count != 1)}"
