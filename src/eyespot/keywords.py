"""Options that a verb takes as keywords beside those that it names: known by name, and handed on as a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

from eyespot.errors import OptionError
from eyespot.words import nearest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*")


def as_record(kind: type[R], given: Mapping[str, Any], *, verb: Callable[..., Any]) -> R:
    """The options as a record of that kind. Raises OptionError for one that the verb does not have.

    verb: the function that was called; the options that it names itself may be the ones that were meant.
    """
    own = [name for name, each in signature(verb).parameters.items() if each.kind is each.KEYWORD_ONLY]
    known = [each.name for each in fields(kind)]
    require_known(given, known, verb=verb.__name__, also=own)
    return kind(**given)


def require_known(given: Collection[str], known: Collection[str], *, verb: str, also: Collection[str] = ()) -> None:
    """Raises OptionError for a name that is not known. also: names of the verb's other options."""
    for name in given:
        if name not in known:
            raise OptionError(f"{verb} has no option {name!r}: {nearest(name, [*also, *known])}")


def seconds_of(text: str) -> float:
    """The seconds of a time such as 90, 90s, 5m or 1h. Raises ValueError for any other text."""
    match = _TIME.fullmatch(text.lower())
    if not match:
        raise ValueError(text)
    return float(match[1]) * _SECONDS[match[2]]
