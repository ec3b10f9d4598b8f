"""Numbers with their nouns, lists of names and what was meant, as a sentence has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 picture`, `2 pictures`. plural: where it is not the noun with an s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def megabytes(count: int) -> str:
    """`12.0 MB` of so many bytes: millions of them."""
    return f"{count / 1e6:,.1f} MB"


def some(names: Sequence[str], *, most: int = 5) -> str:
    """`a`, `a, b and c`, or of more names than `most` the first ones and a count: `a, b, c, d, e and 195 more`."""
    shown = list(names) if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def nearest(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """The end of an error on an unknown word: `did you mean 'train'?`, or of none that is close, which there are.

    otherwise: what is said instead where none is close.
    """
    import difflib  # not for the help

    words = list(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise or f"there are {', '.join(words)}"


def from_to(low: float, high: float) -> str:
    """Two numbers as the ends of a range: `2,731 to 3,412`."""
    return f"{short(low)} to {short(high)}"


def short(number: float) -> str:
    """With all digits before the point, or four."""
    whole = float(number).is_integer() or abs(number) >= 1000
    return f"{number:,.0f}" if whole and abs(number) < 1e12 else f"{number:.4g}"


def duration(seconds: float) -> str:
    """A time that nobody needs to know better: `40 s`, `4 min`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
