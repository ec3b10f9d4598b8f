"""What the report shows as pictures: for each label, the surest answers that its list speaks against."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.pictures import read_small
from eyespot.errors import UnreadablePicture
from eyespot.multilabel.written import Written
from eyespot.records import Levels

MOST_LABELS = 12
"""Labels that are shown, those with the most wrong answers, so that the report stays below a few megabytes."""
MOST = 4
"""Pictures of a kind of mistake, of a label."""
SIDE, QUALITY = 200, 80


@dataclass(frozen=True)
class Cut:
    """A picture that somebody should look at."""

    picture: str
    words: str
    image: bytes
    """A JPEG."""


@dataclass(frozen=True)
class Mistakes:
    """What was wrong of one label."""

    label: str
    wrong: int
    """Pictures, in all."""
    given: tuple[Cut, ...]
    """That were given the label and have it not by the list, the surest first."""
    missed: tuple[Cut, ...]
    """That have it and were not given it, the least probable first."""


def mistakes(written: Written) -> Iterator[Mistakes]:
    """Of the labels with the most mistakes, on the part that the model is judged by."""
    told, said = written.told[written.part], written.said[written.part]
    levels = written.manifest.preprocess.levels
    wrong = said != told.truths
    counts = wrong.sum(axis=0)
    for k in np.argsort(-counts, kind="stable")[:MOST_LABELS].tolist():
        if not counts[k]:
            return
        chances = told.chances[:, k]
        given, missed = (np.flatnonzero(wrong[:, k] & (said[:, k] == value)) for value in (True, False))
        yield Mistakes(
            label=written.manifest.classes[k],
            wrong=int(counts[k]),
            given=tuple(_cuts(told.pictures, given[np.argsort(-chances[given], kind="stable")], chances, levels)),
            missed=tuple(_cuts(told.pictures, missed[np.argsort(chances[missed], kind="stable")], chances, levels)),
        )


def _cuts(pictures: list[Hashed], rows: np.ndarray, chances: np.ndarray, levels: Levels | None) -> Iterator[Cut]:
    for row in rows[:MOST].tolist():
        picture = pictures[row].picture
        try:
            small = read_small(picture.read(), SIDE, levels)
        except (OSError, UnreadablePicture):
            continue
        file = io.BytesIO()
        small.convert("RGB").save(file, "JPEG", quality=QUALITY)
        labels = ", ".join(picture.labels or ()) or "no label"
        yield Cut(picture.name, f"{chances[row]:.2f}; by the list: {labels}", file.getvalue())
