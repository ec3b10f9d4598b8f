"""Which picture went where, as a person finds it in `split.csv`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from eyespot.data.copies import Hashed
from eyespot.regimes.fitted import Fitted
from eyespot.runs.tables import write_csv


def parts_of(fitted: Fitted, pictures: Iterable[Hashed]) -> list[Hashed]:
    """The pictures with the part each had for this model: in train is what it was fitted on, and nothing else."""
    fitted_on = fitted.answers_on_train.pictures if fitted.answers_on_train else fitted.prepared.part("train")
    contents = {each.content for each in fitted_on}
    assert len(contents) == fitted.trained_on
    return [
        each
        if each.picture.part == "train" or each.content not in contents
        else replace(each, picture=replace(each.picture, part="train"))
        for each in pictures
    ]


def write_split(path: Path, hashed: Iterable[Hashed]) -> None:
    """Which picture went where: `split.csv`."""
    rows = ((each.picture.name, each.picture.label, each.picture.part, each.content) for each in hashed)
    write_csv(path, ("picture", "class", "part", "content_hash"), rows)
