"""The pictures that a run was made on, found again: where its `args.json` says, known by their content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from eyespot import machine
from eyespot.bundle.manifest import Manifest
from eyespot.data.addresses import address_of
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.copies import Hashed, hash_pictures, without_copies
from eyespot.data.handed import is_path
from eyespot.data.handed_sets import Data, name_of, path_of
from eyespot.data.joined import open_joined
from eyespot.data.several_labels import find_labels, open_labels
from eyespot.data.written_lists import read_list
from eyespot.errors import DataError, OptionError
from eyespot.files import from_home
from eyespot.records import Part
from eyespot.runs.folder import ARGS, SPLIT
from eyespot.runs.resume import Origin, origin_of

if TYPE_CHECKING:
    from eyespot.bundle.detector_manifest import DetectorManifest
    from eyespot.bundle.multilabel_manifest import MultilabelManifest


@dataclass(frozen=True)
class RunPictures:
    """The pictures of one part of a run, which are still what they were."""

    part: Part
    hashed: list[Hashed]
    missing: int
    """Pictures of the part that are not there any more, or changed."""
    passed: tuple[tuple[Part, int], ...] = ()
    """The parts that would have come before it, and how many pictures each had: none of them was found."""


def pictures_of_run(
    run: str | Path, manifest: Manifest | MultilabelManifest, *, data: Data | None, parts: Sequence[Part]
) -> RunPictures:
    """The pictures of the first of these parts of which some are found.

    run: its folder, whose `args.json` says where its data are; data: where they are instead, or None.
    Raises OptionError where nothing says where they are, DataError where none of them is there.
    """
    of_part, data = _found(run, manifest, data=data)
    passed: list[tuple[Part, int]] = []
    for part in parts:
        expected = manifest.pictures.count(part)
        if of_part[part]:
            return RunPictures(part, of_part[part], expected - len(of_part[part]), tuple(passed))
        if expected:
            passed.append((part, expected))
    raise _none_there(run, data)


def every_part_of_run(
    run: str | Path,
    manifest: Manifest | MultilabelManifest,
    *,
    threads: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[RunPictures]:
    """The pictures of each part of which some are found, where the run's `args.json` says they are.

    threads: that read them. progress: told how many pictures were looked at, and of how many.
    Raises OptionError where nothing says where they are, DataError where none of them is there.
    """
    of_part, data = _found(run, manifest, data=None, threads=threads, progress=progress)
    parts: tuple[Part, ...] = ("train", "val", "test")
    found = [
        RunPictures(part, of_part[part], manifest.pictures.count(part) - len(of_part[part]))
        for part in parts
        if of_part[part]
    ]
    if not found:
        raise _none_there(run, data)
    return found


def _found(
    run: str | Path,
    manifest: Manifest | MultilabelManifest,
    *,
    data: Data | None,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[dict[Part | None, list[Hashed]], Data]:
    """What is there of the run's pictures, by part, and where that was looked for."""
    origin = _origin(run, data)
    several = manifest.task == "multilabel"
    labels = find_labels(from_home(path_of(origin.data)), origin.how, expected=True) if several else None
    data_set = open_labels(labels) if labels else open_joined(origin.data, origin.how, more=origin.more)
    count = len(data_set.pictures)
    hashed, _ = hash_pictures(
        data_set.pictures, threads=threads or machine.cores(), progress=lambda done: progress(done, count)
    )
    hashed, _ = without_copies(_as_decided(hashed, Path(run)) if manifest.data.exclusion else hashed)
    return _by_part(hashed, manifest), origin.data


def _none_there(run: str | Path, data: Data) -> DataError:
    return DataError(f"none of the pictures that {run} was made on is in {name_of(data)}")


def boxed_pictures_of_run(run: str | Path, manifest: DetectorManifest, *, data: str | Path | None) -> list[RunPictures]:
    """The pictures that a detector was not trained on, by part; those that it was where none of them is found.

    Arguments and errors as of `pictures_of_run`.
    """
    where = path_of(_origin(run, data).data)
    found = read_boxes(from_home(where)).pictures
    of_part = _by_part([Hashed(each.picture, each.content) for each in found], manifest)
    held_out: tuple[Part, ...] = ("val", "test")
    for parts in (held_out, ("train",)):
        named: list[RunPictures] = [
            RunPictures(part, of_part[part], manifest.pictures.count(part) - len(of_part[part]))
            for part in parts
            if of_part[part]
        ]
        if named:
            return named
    raise DataError(f"none of the pictures that {run} was made on is in {where}")


def _origin(run: str | Path, data: Data | None) -> Origin:
    """Where a run's pictures are: its own data now in `data`, if that is given, read as they were; what came to them is
    where it was, or in `data`, too. Where nothing says how they were read, as they are found."""
    if data is None:
        return origin_of(run)
    if not (from_home(run) / ARGS).is_file():
        return Origin(data)
    if not is_path(data):
        return Origin(data)
    origin = origin_of(run)
    return replace(origin, data=data, more=tuple(filter(_is_there, origin.more)))


def _is_there(data: Path) -> bool:
    return bool(address_of(data)) or from_home(data).exists()


def _as_decided(hashed: Sequence[Hashed], run: Path) -> list[Hashed]:
    """The pictures with the classes that they had in the run, where a list said others than their folders do."""
    if not (run / SPLIT).is_file():
        return list(hashed)
    entries = read_list(run / SPLIT, needed=("content_hash", "class"), what="what a run writes of its pictures")
    class_of = {entry["content_hash"]: entry["class"] for entry in entries}
    return [
        replace(each, picture=replace(each.picture, label=class_of.get(each.content, each.picture.label)))
        for each in hashed
    ]


def origin_of_first(runs: Sequence[str | Path]) -> Origin:
    """What the first of these models that is a run's folder was trained on.

    Raises OptionError where none is one: bundles and exported files do not know where their pictures are.
    """
    for run in runs:
        if (from_home(run) / ARGS).is_file():
            return origin_of(run)
    neither = " nor ".join(map(str, runs))
    raise OptionError(f"neither {neither} is a run folder, which would say where its pictures are: give DATA")


def _by_part(
    hashed: Sequence[Hashed], manifest: Manifest | DetectorManifest | MultilabelManifest
) -> dict[Part | None, list[Hashed]]:
    """The pictures of each part of the run."""
    of_part: dict[Part | None, list[Hashed]] = defaultdict(list)
    for each, part in zip(hashed, manifest.pictures.parts([each.content for each in hashed]), strict=True):
        of_part[part].append(each)
    return of_part


def draw_of_each_class(hashed: Sequence[Hashed], *, most: int, seed: int) -> list[Hashed]:
    """The same share of each class, at least one picture, at most `most` in all; of file names nothing depends.

    Where there are more classes than that, one picture each of some of them.
    """
    of_class: dict[str, list[Hashed]] = defaultdict(list)
    for each in sorted(hashed, key=lambda each: each.content):
        of_class[str(each.picture.label)].append(each)
    room, random = max(0, most - len(of_class)), Random(seed)
    labels = sorted(of_class) if room else sorted(random.sample(sorted(of_class), min(most, len(of_class))))
    drawn = []
    for label in labels:
        members = of_class[label]
        drawn += random.sample(members, min(len(members), 1 + room * len(members) // len(hashed)))
    return drawn
