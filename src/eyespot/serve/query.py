"""The options in a request's address, such as `threshold=0.5&max_boxes=20`, each checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from eyespot.errors import RequestError

_MOST_FIELDS = 8
_SHOWN = 40
"""Letters of what was sent that an error repeats."""
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(e-?\d+)?", re.ASCII | re.IGNORECASE)
_LONGEST_NUMBER = 32


def fields(query: bytes) -> list[tuple[str, str]]:
    """The names and values of a query. Raises RequestError if it cannot be read."""
    if not query:
        return []
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RequestError(400, "the query cannot be read: ask as in /predict?topk=3") from None


def require_known(name: str, names: Iterable[str]) -> None:
    """Raises RequestError unless `name` is one of `names`."""
    if name not in names:
        raise RequestError(400, f"there is no parameter {name[:_SHOWN]!r}: there are {', '.join(names)}")


def whole(name: str, text: str, *, low: int, high: int) -> int:
    """The whole number that a parameter is. Raises RequestError unless it is one from `low` to `high`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise RequestError(400, f"the parameter {name} must be a number from {low} to {high}, not {text[:_SHOWN]!r}")
    return int(text)


def share(name: str, text: str) -> float:
    """The number that a parameter is. Raises RequestError unless it is one from 0 to 1."""
    is_number = len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None
    if not (is_number and 0 <= float(text) <= 1):
        raise RequestError(400, f"the parameter {name} must be a number from 0 to 1, not {text[:_SHOWN]!r}")
    return float(text)
