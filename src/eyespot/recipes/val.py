"""`val`: how a model does on labelled pictures, every number with its interval."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.data.audit import Hashed, hash_pictures, without_copies
from eyespot.data.sources import DataSet, Picture, open_data_set
from eyespot.data.split import split as split_pictures
from eyespot.engine.run import BATCH
from eyespot.errors import DataError, OptionError
from eyespot.evaluate.calibration import calibration
from eyespot.evaluate.metrics import part_metrics
from eyespot.features.decode import decode_pictures
from eyespot.names import printable
from eyespot.recipes.model import Model, load
from eyespot.recipes.progress import Progress, silent
from eyespot.recipes.results import ValResult
from eyespot.records import SetAside

PARTS = ("test", "val", "train")
SMALLEST_PROBABILITY = 1e-12


def val(run: str | Path, data: str | Path, *, split: str = "auto", progress: Progress = silent) -> ValResult:
    """Accuracy with its interval of the model in `run`, on the labelled pictures of `data`. See Model.evaluate."""
    return evaluate_with(load(run), data, split=split, progress=progress)


def evaluate_with(model: Model, data: str | Path, *, split: str, progress: Progress) -> ValResult:
    """The same with a model that is loaded already."""
    started = time.perf_counter()
    if split not in ("auto", "all", *PARTS):
        raise OptionError(f"the option split cannot be {split!r}: there are auto, all, train, val and test")
    data_set = open_data_set(data)
    known, foreign = _of_known_classes(data_set, model)
    hashed, unread = hash_pictures(known, threads=machine.cores())
    hashed, copies = without_copies(hashed)
    part, hashed = _choose(hashed, split, model, data)
    labels, probabilities, hashed, unreadable = _answer(model, hashed, progress)
    if not hashed:
        raise DataError(f"{data} has no readable picture of this model's classes in part {part!r}")
    metrics = part_metrics(labels, probabilities, model.classes)
    logits = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    return ValResult(
        model=printable(str(model.bundle.folder)),
        data=printable(str(data)),
        part=part,
        **metrics.overall.model_dump(),
        per_class=metrics.per_class,
        classes=model.classes,
        confusion=metrics.confusion,
        calibration=calibration(logits, labels, 1.0, "nothing: the model's own temperature is in its answers"),
        set_aside=(*data_set.set_aside, *foreign, *unread, *copies, *unreadable),
        notes=tuple(_notes(model, data_set, hashed)),
        seconds=round(time.perf_counter() - started, 2),
    )


def _of_known_classes(data_set: DataSet, model: Model) -> tuple[list[Picture], list[SetAside]]:
    known = [picture for picture in data_set.pictures if picture.label in model.classes]
    if not known:
        raise DataError(
            f"none of the classes of {data_set.name} ({_some(data_set.classes)}) is one of the model's "
            f"({_some(model.classes)}): name the folders as the model names its classes"
        )
    foreign = [
        SetAside(picture=picture.name, reason=f"its class {picture.label!r} is not one that the model knows")
        for picture in data_set.pictures
        if picture.label not in model.classes
    ]
    return known, foreign


def _choose(hashed: list[Hashed], wanted: str, model: Model, data: str | Path) -> tuple[str, list[Hashed]]:
    """The part that is read and its pictures. A folder without parts is split as it was in training."""
    if {each.picture.part for each in hashed} == {None}:
        if wanted in ("auto", "all"):
            return "all", hashed
        hashed = split_pictures(hashed, seed=model.manifest.seed)
    if wanted == "all":
        return "all", hashed
    for part in PARTS if wanted == "auto" else (wanted,):
        chosen = [each for each in hashed if each.picture.part == part]
        if chosen:
            return part, chosen
    raise DataError(f"{data} has no part {wanted!r}: choose another with --split, or all")


def _answer(
    model: Model, hashed: Sequence[Hashed], progress: Progress
) -> tuple[np.ndarray, np.ndarray, list[Hashed], list[SetAside]]:
    """Labels (N,), probabilities (N, classes), the pictures they belong to, and those that cannot be read."""
    pictures = [(each.picture, each.content) for each in hashed]
    images = decode_pictures(pictures, model.manifest.preprocess, threads=machine.cores(), ahead=4 * BATCH)
    reasons: dict[int, str] = {}

    def readable() -> Iterator[tuple[int, np.ndarray]]:
        for number, image in enumerate(images):
            if isinstance(image, str):
                reasons[number] = image
            else:
                yield number, image

    answers: dict[int, np.ndarray] = {}
    for number, row in model.classifier.stream(readable(), many=True):
        answers[number] = row
        progress("measuring", len(answers) + len(reasons), len(hashed))
    kept = [each for number, each in enumerate(hashed) if number in answers]
    labels = np.array([model.classes.index(str(each.picture.label)) for each in kept], dtype=np.int64)
    rows = np.array([answers[number] for number in sorted(answers)], dtype=np.float64)
    unreadable = [SetAside(picture=hashed[number].picture.name, reason=reason) for number, reason in reasons.items()]
    return labels, rows, kept, unreadable


def _notes(model: Model, data_set: DataSet, hashed: Sequence[Hashed]) -> list[str]:
    notes = list(data_set.notes)
    trained = _training_parts(model)
    parts = _parts(model.bundle.folder.parent / "split.csv")
    seen = sum(parts.get(each.content) in trained for each in hashed)
    if seen:
        notes.append(f"{seen} of these {len(hashed)} pictures were trained on: on new pictures expect a lower accuracy")
    return notes


def _training_parts(model: Model) -> tuple[str, ...]:
    """The parts that the model was trained on: all of them where too few pictures were held out to measure on."""
    return PARTS if model.manifest.data.trained_on == model.manifest.data.used else ("train",)


def _parts(split_file: Path) -> dict[str, str]:
    """The part of each picture by its content hash, where the bundle still lies in its run folder."""
    try:
        with split_file.open(encoding="utf-8", newline="") as file:
            return {row["content_hash"]: row["part"] for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error):
        return {}  # a copied bundle has no split beside it; nothing can be said then


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
