"""From a list of pictures with labels to what can be trained on: hashed, in parts, no series torn apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eyespot import machine
from eyespot.building.backbone import DEFAULT
from eyespot.building.named import trainable_network
from eyespot.bundle.files import require_manifest_fits
from eyespot.data.changes import NONE
from eyespot.data.copies import Hashed, data_fingerprint, hash_pictures, mirror_matters
from eyespot.data.groups import Series
from eyespot.data.ranges import find_levels
from eyespot.data.several_labels import LabelList, at_most, open_labels
from eyespot.errors import DataError, OptionError
from eyespot.progress import Progress
from eyespot.records import Part
from eyespot.regimes.judging import judge_pictures
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.series import with_named
from eyespot.runs.options import TrainOptions
from eyespot.words import counted, some
from eyespot.zoo.weights import of_network

USED = {"model", "weights", "imgsz", "mirror", "group", "seed", "precision", "name", "out"}
USED |= {"image_column", "label_column", "split_column", "regime"}
"""Options of `train` that a model of several labels has a use for."""
REGIMES = ("auto", "frozen")
FEWEST = 10
"""Pictures to train on."""


@dataclass(frozen=True)
class PreparedLabels(Prepared):
    """The same where a picture may have several labels, or none."""

    @property
    def classes(self) -> tuple[str, ...]:
        return self.data_set.classes

    @property
    def most_labels(self) -> int:
        """Of one picture."""
        return at_most([each.picture for each in self.hashed])

    def truths(self, hashed: Sequence[Hashed]) -> np.ndarray:
        """Which picture has which label, (N, K), bool."""
        index = {name: number for number, name in enumerate(self.classes)}
        truths = np.zeros((len(hashed), len(index)), bool)
        for row, each in enumerate(hashed):
            truths[row, [index[label] for label in each.picture.labels or ()]] = True
        return truths

    def with_series(self, series: Series, *, seed: int) -> PreparedLabels:
        """The same, split so that no series is torn apart; parts that the list gives stay."""
        part_of = {each.content: each.picture.part for each in self.judged.split(seed=seed, group_of=series.of)}
        hashed = [replace(each, picture=replace(each.picture, part=part_of[each.content])) for each in self.hashed]
        return replace(self, hashed=hashed, series=series.only({each.content for each in hashed}), all_series=series)

    def on_lacking(self) -> Iterator[str]:
        """Sentences on labels that pictures to train on have, and that a part which is measured on lacks."""
        parts: tuple[Part, ...] = ("train", "val", "test")
        has = {part: self.truths(self.part(part)).max(axis=0) for part in parts if self.part(part)}
        for part in ("val", "test"):
            if part in has:
                lacking = [repr(self.classes[k]) for k in np.flatnonzero(has["train"] & ~has[part])]
                if lacking:
                    yield f"{part} has no picture with {some(lacking)}, so nothing is measured of it there"


def prepare_labels(found: LabelList, data: str, options: TrainOptions, progress: Progress) -> PreparedLabels:
    """The data set, ready for training. data: as it was given.

    Raises DataError where there is nothing to learn, OptionError for options that nothing would follow from.
    """
    require_used_for_labels(options, data)
    data_set = open_labels(found)
    files, unread = hash_pictures(
        data_set.pictures,
        threads=machine.cores(),
        progress=lambda done: progress("reading", done, len(data_set.pictures)),
    )
    judged = judge_pictures(files, data_set.classes, NONE)
    hashed = judged.split(seed=options.seed)
    held_out = sum(each.picture.part != "train" for each in hashed) * len(data_set.classes)
    require_manifest_fits(data_set.name, data_set.classes, pictures=len(hashed), held_out=held_out // 100)
    prepared = PreparedLabels(
        data_set=data_set,
        hashed=hashed,
        judged=judged,
        files=files,
        was_split=any(each.picture.part for each in judged.kept),
        mirror_matters=mirror_matters(data_set.classes),
        set_aside=[*data_set.set_aside, *unread, *judged.set_aside],
        notes=[*data_set.notes, *judged.notes],
        fingerprint=data_fingerprint(data_set, judged.kept),
    )
    require_labels(prepared, prepared.part("train"))
    levels, on_levels = find_levels(prepared.part("train"))
    named = with_named(replace(prepared, levels=levels, notes=[*prepared.notes, *on_levels]), options.group)
    assert isinstance(named, PreparedLabels)
    return named


def require_labels(prepared: PreparedLabels, train: Sequence[Hashed]) -> None:
    """Raises DataError where these pictures to train on are too few, or no label tells two of them apart."""
    name = prepared.data_set.name
    if len(train) < FEWEST:
        gone = "".join(f"; {each.picture} {each.reason}" for each in prepared.set_aside[:1])
        raise DataError(f"{name} has {counted(len(train), 'picture')} to train on: at least {FEWEST} are needed{gone}")
    truths = prepared.truths(train)
    if (truths == truths[0]).all():
        same = f"the labels {train[0].picture.label!r}" if truths[0].any() else "no label"
        raise DataError(f"every picture of {name} to train on has {same}: there is nothing to tell apart")


def notes_on_few(prepared: PreparedLabels, train: Sequence[Hashed]) -> Iterator[str]:
    """Sentences on labels of which nothing can be learned from these pictures."""
    counts = prepared.truths(train).sum(axis=0).tolist()
    for few, what in ((0, "no picture to train on has"), (1, "only one picture to train on has")):
        names = [repr(name) for name, count in zip(prepared.classes, counts, strict=True) if count == few]
        if names:
            of = "it, and it is" if len(names) == 1 else "these, and they are"
            yield f"{what} {some(names)}: nothing can be learned of {of} never answered; add pictures"


def require_used_for_labels(options: TrainOptions, data: str) -> None:
    """Raises OptionError for options that were given and that nothing would follow from."""
    why = f"{data} gives pictures several labels, so a head for each is trained on a frozen network"
    unused = sorted(options.model_fields_set - USED)
    if unused:
        raise OptionError(
            f"{why}, which has no use for the option {unused[0]}: leave it out (it takes "
            f"{some(sorted(USED), most=len(USED))})"
        )
    if options.regime not in REGIMES:
        raise OptionError(f"{why}: the option regime cannot be {options.regime!r}; leave it out")
    network_of(options)


def network_of(options: TrainOptions) -> str:
    """The network's name in the catalogue. Raises OptionError where there is none, or none with weights."""
    if options.model == "auto":
        return DEFAULT.network
    name = trainable_network(options.model)
    if options.weights is None and not of_network(name):
        raise OptionError(
            f"the option model cannot be {options.model!r} here: a head for each label stands on published weights, "
            "and it has none (`eyespot networks` lists which have some)"
        )
    return name
