"""When a model that names classes says "none of these", and which classes it names together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Literal, NoReturn

from eyespot.bundle.manifest import Manifest
from eyespot.bundle.run import ClassAnswer
from eyespot.errors import OptionError
from eyespot.evaluate.promises import HELD, REFUSED, USUAL, class_set, fewest, least_of
from eyespot.words import some


@dataclass(frozen=True)
class RuleOptions:
    """What a person may say about refusals and sets."""

    refuse: float | None = None
    """The share of pictures of known classes that may be refused; 0 refuses none. None for 5 %, where that can be
    promised."""
    threshold: float | Literal["auto"] = "auto"
    """The probability below which an answer is refused; it is refused by its likeness, too, only where `refuse` says
    so. auto: by its likeness alone."""
    set: float | None = None
    """The share of sets that hold the true class; None for no sets."""


@dataclass(frozen=True)
class Rules:
    """The scores below which one model refuses, and from which on a class is in a set; None for no such rule."""

    least_likeness: float | None = None
    least_probability: float | None = None
    least_in_set: float | None = None

    def is_known(self, answer: ClassAnswer) -> bool | None:
        """Whether the picture may show one of the classes; None where there is no such rule."""
        if answer.likeness is None or self.least_likeness is None:
            return None
        return answer.likeness >= self.least_likeness

    def is_sure(self, answer: ClassAnswer) -> bool | None:
        """Whether one class is likely enough; None where there is no such rule."""
        return None if self.least_probability is None else bool(answer.probabilities.max() >= self.least_probability)

    def accepts(self, answer: ClassAnswer) -> bool | None:
        """Whether both are so, as far as there are rules; None where there is none."""
        judged = [each for each in (self.is_known(answer), self.is_sure(answer)) if each is not None]
        return all(judged) if judged else None

    def set_of(self, answer: ClassAnswer) -> list[int] | None:
        """The classes (numbers) that are named together; None where there is no such rule."""
        return None if self.least_in_set is None else class_set(answer.probabilities, self.least_in_set)


AS_PROMISED = RuleOptions()
"""Those of a person who said nothing."""


def rules_of(manifest: Manifest, options: RuleOptions = AS_PROMISED, *, model: str | Path = "this run") -> Rules:
    """The model's rules. Raises OptionError for what cannot be, or cannot be promised of this one.

    model: where it is, for errors.
    """
    return Rules(
        least_likeness=_least_likeness(manifest, options, model),
        least_probability=_least_probability(options.threshold),
        least_in_set=_least_in_set(manifest, options.set, model),
    )


def _least_likeness(manifest: Manifest, options: RuleOptions, model: str | Path) -> float | None:
    share, unknown = options.refuse, manifest.unknown
    if share is None:
        return unknown.least(USUAL) if unknown and options.threshold == "auto" else None
    if share == 0:
        return None
    _require_one_of(REFUSED, share, "refuse", or_else=", and 0 for never")
    least = unknown.least(share) if unknown else None
    return least if least is not None else _cannot(manifest, "refuse", share, needed=fewest(share), model=model)


def _least_probability(threshold: float | Literal["auto"]) -> float | None:
    if threshold == "auto":
        return None
    if not 0 <= threshold <= 1:
        raise OptionError(f"the option threshold cannot be {threshold}: give auto, or a number from 0 to 1")
    return threshold


def _least_in_set(manifest: Manifest, share: float | None, model: str | Path) -> float | None:
    if share is None:
        return None
    _require_one_of(HELD, share, "set")
    least = least_of(manifest.sets, share)
    return least if least is not None else _cannot(manifest, "set", share, needed=fewest(1 - share), model=model)


def _require_one_of(shares: Sequence[float], share: float, option: str, *, or_else: str = "") -> None:
    if not any(isclose(share, each) for each in shares):
        there_are = some([f"{each:g}" for each in shares])
        raise OptionError(f"the option {option} cannot be {share}: there are {there_are}{or_else}")


def _cannot(manifest: Manifest, option: str, share: float, *, needed: int, model: str | Path) -> NoReturn:
    if manifest.unknown is None:
        why = "it was made by an earlier eyespot, which did not look for that: train it again, or leave the option out"
    else:
        why = (
            f"that takes {needed} pictures that it was not fitted on, and there were {manifest.unknown.n}: choose "
            "another share, or leave the option out"
        )
    raise OptionError(f"the option {option} cannot be {share:g} for the model in {model}: {why}")
