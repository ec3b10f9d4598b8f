"""What the query of `POST /predict` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from eyespot.errors import RequestError
from eyespot.explaining.similar import MOST_SIMILAR

TOPK, MOST_TOPK = 3, 10**6
_MOST_FIELDS = 8


@dataclass(frozen=True)
class Asked:
    """The options of a request."""

    topk: int
    heat_map: bool = False
    similar: int = 0


def asked(query: bytes, *, classes: int) -> Asked:
    """The options in a query such as `topk=3&heat_map=1`. Raises RequestError for any other.

    A topk above the number of classes means all of them: who asks may not know yet that another model is served.
    """
    if not query:
        return Asked(topk=min(TOPK, classes))
    values = {"topk": TOPK, "heat_map": 0, "similar": 0}
    limits = {"topk": (1, MOST_TOPK), "heat_map": (0, 1), "similar": (0, MOST_SIMILAR)}
    for name, text in _fields(query):
        if name not in values:
            raise RequestError(400, f"there is no parameter {name[:40]!r}: there are {', '.join(values)}")
        low, high = limits[name]
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise RequestError(400, f"the parameter {name} must be a number from {low} to {high}, not {text[:40]!r}")
        values[name] = int(text)
    return Asked(topk=min(values["topk"], classes), heat_map=bool(values["heat_map"]), similar=values["similar"])


def _fields(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RequestError(400, "the query cannot be read: ask as in /predict?topk=3") from None
