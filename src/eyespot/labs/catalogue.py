"""Which labs there are: every file of this folder that states one. A new lab is a file, and nothing else."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from eyespot import labs
from eyespot.building.create import require_torch
from eyespot.errors import OptionError
from eyespot.labs.definition import CHAPTERS, Lab, Verdict
from eyespot.words import nearest

STATES_A_LAB = "\nLAB = "


@dataclass(frozen=True)
class Found:
    """A lab with its name and its file."""

    name: str
    lab: Lab
    trial: Callable[..., dict[str, float]]
    verdict: Callable[..., Verdict]
    path: Path

    @property
    def source(self) -> str:
        return self.path.read_text("utf-8")


@cache
def names() -> tuple[str, ...]:
    """Of all labs, alphabetically; nothing of them is imported."""
    found = []
    for module in pkgutil.iter_modules(labs.__path__):
        if states_a_lab(Path(module.module_finder.path) / f"{module.name}.py"):  # type: ignore[union-attr]
            found.append(module.name.replace("_", "-"))
    return tuple(found)


def states_a_lab(path: Path) -> bool:
    """Whether this file is an experiment."""
    return STATES_A_LAB in path.read_text("utf-8")


def find(name: str) -> Found:
    """The lab of that name. Raises OptionError with the nearest one, MissingExtra without torch."""
    if name not in names():
        raise OptionError(f"there is no lab {name!r}: {nearest(name, names())}")
    require_torch("a lab")
    module = import_module(f"{labs.__name__}.{name.replace('-', '_')}")
    return Found(name, module.LAB, module.trial, module.verdict, Path(str(inspect.getsourcefile(module))))


def every() -> list[Found]:
    """All labs, in the order of the course."""
    return sorted(map(find, names()), key=lambda each: (CHAPTERS.index(each.lab.chapter), each.name))
