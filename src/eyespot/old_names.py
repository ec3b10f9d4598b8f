"""Options under the names that they had before: still taken, on the command line and in Python, but shown nowhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from eyespot.errors import OptionError

Names = Mapping[str, str]
"""The name of today for each old one."""
TRAIN: Names = {"size": "imgsz", "optimiser": "optimizer"}
POOL: Names = {"size": "window"}
PIXEL_COVERAGE: Names = {"size": "imgsz"}

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def renamed(given: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """The options under the names of today. Raises OptionError for one that was given under both."""
    for old, new in names.items():
        if old in given and new in given:
            raise OptionError(f"{new} and {old} are the same option: leave out {old}")
    return {names.get(name, name): value for name, value in given.items()}


def accepts(names: Names) -> Callable[[Callable[_Given, _Result]], Callable[_Given, _Result]]:
    """A decorator: the function takes its keyword arguments under the old names, too."""

    def accepting(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> _Result:
            return function(*args, **renamed(options, names))

        return call

    return accepting


def on_command_line(names: Names) -> dict[str, Any]:
    """The `context_settings` of a click command that takes its options under the old names, too."""
    return {"token_normalize_func": lambda name: names.get(name, name)}
