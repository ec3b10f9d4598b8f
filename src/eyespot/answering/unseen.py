"""Pictures that neither of two models was trained on: the only ones that say which of them is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from eyespot.answering.series import Together
from eyespot.bundle.manifest import KnownPictures
from eyespot.data.copies import Hashed
from eyespot.errors import DataError, OptionError
from eyespot.words import counted, some

T = TypeVar("T")
SPLITS = ("auto", "test", "val", "all")


@dataclass(frozen=True)
class Unseen(Generic[T]):
    """The pictures to compare two models on."""

    part: Literal["test", "val", "all"]
    pictures: list[T]
    left_out: int
    """Pictures that one of the models was trained on, or both."""
    notes: tuple[str, ...]


def require_split(split: str) -> None:
    """Raises OptionError for pictures that two models cannot be compared on."""
    if split not in SPLITS:
        raise OptionError(f"the option split cannot be {split!r}: there are {', '.join(SPLITS)}; none is trained on")


def unseen(
    pictures: Sequence[T], contents: Sequence[str], known: tuple[KnownPictures, KnownPictures], *, split: str, data: str
) -> Unseen[T]:
    """Those of the pictures that neither model was trained on.

    contents: the content hash of each. known: the pictures of each model's training.
    split: test for those that are new to each model or were in its test part, val for those that were validation
        pictures of one or both; auto is test where there is one, else val. data: names the pictures.
    Raises DataError where there are none.
    """
    both = list(zip(*(each.parts(contents) for each in known), strict=True))
    of_part = {
        "test": [row for row, parts in enumerate(both) if not {"train", "val"} & {*parts}],
        "val": [row for row, parts in enumerate(both) if "val" in parts and "train" not in parts],
    }
    of_part["all"] = sorted(of_part["test"] + of_part["val"])
    if not of_part["all"]:
        raise DataError(
            f"one of the two models or both were trained on each of the {len(pictures)} pictures of {data}: give other "
            "pictures as DATA"
        )
    part = next(each for each in ("test", "val") if of_part[each]) if split == "auto" else split
    if not of_part[part]:
        there = next(each for each in ("test", "val") if of_part[each])
        raise DataError(f"{data} has no picture that is {part} for the two models: choose --split {there}")
    rows = of_part[part]
    left_out = len(pictures) - len(of_part["all"])
    notes = [*_on_left_out(left_out), *_on_validation([[both[row][at] for row in rows].count("val") for at in (0, 1)])]
    if part == "test" and of_part["val"]:
        notes.append(f"{counted(len(of_part['val']), 'validation picture')} not compared: --split val does that")
    if part == "val" and not of_part["test"]:
        notes.append("no test picture is left that neither model was trained on: better give other pictures as DATA")
    return Unseen(part, [pictures[row] for row in rows], left_out, tuple(notes))  # type: ignore[arg-type]


def note_on_known(
    together: Together,
    pictures: Sequence[Hashed],
    data: Sequence[Hashed],
    known: tuple[KnownPictures, KnownPictures],
) -> list[str]:
    """A note where compared pictures resemble some that a model was trained on.

    together: the series of all the data. pictures: that are compared. known: as of `unseen`.
    """
    contents = [each.content for each in data]
    counts = []
    for each in known:
        trained_on = (content for content, part in zip(contents, each.parts(contents), strict=True) if part == "train")
        counts.append(together.count_known(pictures, trained_on))
    if not any(counts):
        return []
    return [
        f"of these {len(pictures)} pictures some are in one series with pictures that were trained on, {counts[0]} for "
        f"the first and {counts[1]} for the second: on those a model does better than on new ones"
    ]


def on_weights(first: bytes, second: bytes) -> list[str]:
    """A note where two graphs are one. first, second: as they are written."""
    return ["the two have the same weights: they give the same answers"] if first == second else []


def _on_left_out(count: int) -> list[str]:
    return [f"{counted(count, 'picture')} left out: one of the models was trained on them, or both"] if count else []


def _on_validation(counts: Sequence[int]) -> list[str]:
    """counts: how many of the pictures each model was chosen with."""
    helped = [f"the {name} ({count})" for name, count in zip(("first", "second"), counts, strict=True) if count]
    if not helped:
        return []
    return [
        f"validation pictures helped to choose {some(helped)}: the more was tried with them, the better such a model "
        "looks; test pictures decide nothing"
    ]
