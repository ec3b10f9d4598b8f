"""What a lab is made of: its question in two languages, what it compares, what it measures, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Cell = Mapping[str, object]
"""One setting of an experiment: a value for each axis of its grid."""
Answer = Literal["so", "not so", "cannot be told"]
FOLDS = 5
"""Of the pictures a fifth tests, in five seeds each another fifth."""
CHAPTERS = (
    *("edges", "padding", "pooling", "why-convolutions", "networks", "residual", "one-by-one", "inception"),
    *("transfer", "augmentation", "reproducing"),
)
"""Of the course, in its order: the order of the list of labs, too."""


@dataclass(frozen=True)
class Both:
    """A text in English and in Chinese. Names in braces are places for numbers, see `filled`."""

    en: str
    zh: str

    def to(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def filled(self, **values: object) -> Both:
        """The text with values in its places. What has a `to`, as intervals have, is said in each language."""
        en, zh = ({name: _said(value, language) for name, value in values.items()} for language in LANGUAGES)
        return Both(self.en.format(**en), self.zh.format(**zh))


class Share(Both):
    """The name of a measure that lies between 0 and 1, and so do its intervals."""


class OfTests(Both):
    """The name of a measure that counts test pictures, as the difference of two accuracies does."""


class Accuracy(Share, OfTests):
    """The name of a measure that is a share of the test pictures."""


ACCURACY = Accuracy("test accuracy", "测试准确率")
LOSS = Both("training loss, log10", "训练损失的 log10")


def _said(value: object, language: Language) -> object:
    to = getattr(value, "to", None)
    return to(language) if callable(to) else f"{value:.3g}" if isinstance(value, float) else value


@dataclass(frozen=True)
class Verdict:
    """What an experiment says of its question."""

    answer: Answer
    said: Both
    guess: int = 0
    """Which of the lab's guesses was right, from 1; 0 where that cannot be told."""


@dataclass(frozen=True)
class Lab:
    """An experiment as its file states it. Beside it stand `trial`, a cell's numbers, and `verdict`, the rule."""

    chapter: str
    """Of CHAPTERS."""
    question: Both
    claim: Both
    """What the course says of it."""
    guesses: Sequence[Both]
    rule: Both
    """What has to come out for which verdict, written before any data are seen."""
    grid: Mapping[str, Sequence[object]]
    """The values of each axis. The axis `arm` holds what is compared; its arms are paired by seed."""
    measures: Mapping[str, Both]
    """What a trial returns, by name; the first is plotted."""
    names: Mapping[str, Both] = field(default_factory=dict)
    """Of axes and of their values, where a person reads them."""
    seconds: int = 55
    """About how long it takes on the digits with five seeds, on two cores; `benchmarks/labs.py` measures it."""
    needs: int = 0
    """Training pictures of a class that the rule speaks of: with fewer, nothing can be told."""
    exact: bool = False
    """Whether no chance is in it: then one round says everything."""
    takes_model: bool = False
    """Whether it looks into a network that the option `model` names."""
    side: int = 0
    """Of the images, pixels; 0: 8 for pictures as small as the digits, else 16."""
