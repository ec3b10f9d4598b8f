"""A trained detector in its run's folder: its graph was asked, and what it answered was measured, before it is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from eyespot import machine
from eyespot.answering.box_evaluation import Judged, judge
from eyespot.answering.detector import Detector
from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.bundle.files import FOLDER, DetectorBundle, place_bundle, read_any_bundle, sha256, write_detector
from eyespot.bundle.manifest import DataSummary, KnownPictures
from eyespot.data.boxes.records import BoxedPicture
from eyespot.data.pictures import decoder_version
from eyespot.detecting.doubts import Doubts
from eyespot.detecting.fit import FittedDetector
from eyespot.engine.compiled import compiled_folder, know
from eyespot.engine.run import engine_version
from eyespot.evaluate.box_matches import Matches, matches
from eyespot.evaluate.box_records import DetectionScores
from eyespot.evaluate.box_thresholds import best_threshold
from eyespot.files import writing
from eyespot.names import printable
from eyespot.records import Part
from eyespot.runs.job import Job
from eyespot.version import VERSION

THRESHOLD = 0.25
"""Where no validation picture has a box to choose it by."""
IOU = 0.6
"""Of two boxes of a class that overlap by more one is left out: things that stand together overlap by less."""
MOST = 100
"""Boxes of a picture; the number that COCO measures."""
Grouping = Callable[[Sequence[BoxedPicture]], np.ndarray | None]
"""Numbers of pictures, (N,), that those of one series share; None where each stands by itself."""


@dataclass(frozen=True)
class Written:
    """A detector on disk, and what it answered."""

    manifest: DetectorManifest
    judged: dict[Part, Judged]
    """On the parts that it was not trained on."""

    @cached_property
    def doubts(self) -> Doubts:
        """The labels that it speaks against."""
        return Doubts.of(self.manifest, self.judged.values())

    def measured(self) -> Measured | None:
        """Of the test part, or else the validation part; None where neither has a box to be found."""
        manifest = self.manifest
        part: Part = "test" if manifest.test else "val"
        scores = manifest.test or manifest.validation
        if scores is None:
            return None
        of = self.judged[part]
        matched = matches(of.truths, of.founds, classes=len(manifest.classes), most=manifest.most)
        return Measured(part, scores, of, matched)


@dataclass(frozen=True, eq=False)
class Measured:
    """What a detector was measured on, and what came out."""

    part: Part
    scores: DetectionScores
    judged: Judged
    matched: Matches


def write_model(fitted: FittedDetector, job: Job) -> Written:
    """The detector's bundle, in its place once its graph on disk was read back, asked and measured.

    The validation pictures choose the threshold, then the test pictures are looked at for the first time.
    """
    folder = job.folder.path
    assert folder is not None
    target = folder / FOLDER
    draft = target.with_name(f".{FOLDER}.{os.urandom(6).hex()}")
    manifest = _manifest(fitted, job, name=folder.name)
    try:
        with writing(f"the model in {target}"):
            write_detector(draft, manifest, fitted.graph)
            bundle = read_any_bundle(draft)
            assert isinstance(bundle, DetectorBundle)
            know(compiled_folder(machine.cache_folder()), bundle.graph)
            judged = _judged(Detector(bundle), fitted, job)
            manifest = _with_scores(manifest, judged, fitted.prepared.group)
            write_detector(draft, manifest, fitted.graph)
            place_bundle(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Written(manifest, judged)


def _judged(detector: Detector, fitted: FittedDetector, job: Job) -> dict[Part, Judged]:
    parts: tuple[Part, ...] = ("val", "test")
    return {
        part: judge(detector, fitted.prepared.part(part), doing=f"measuring on {part}", progress=job.progress)
        for part in parts
        if fitted.prepared.part(part)
    }


def _with_scores(manifest: DetectorManifest, judged: dict[Part, Judged], group: Grouping) -> DetectorManifest:
    threshold = manifest.threshold
    if "val" in judged:
        of = judged["val"]
        found = matches(of.truths, of.founds, classes=len(manifest.classes), most=manifest.most)
        threshold = best_threshold(found) or threshold

    def scores(part: Part) -> DetectionScores | None:
        if part not in judged:
            return None
        of = judged[part]
        return of.scores(manifest.classes, threshold=threshold, most=manifest.most, series=group(of.pictures))

    return manifest.model_copy(update={"threshold": threshold, "validation": scores("val"), "test": scores("test")})


def _manifest(fitted: FittedDetector, job: Job, *, name: str) -> DetectorManifest:
    """Without what is not measured yet."""
    prepared = fitted.prepared
    return DetectorManifest(
        name=printable(name),
        created=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        network=fitted.network,
        strides=fitted.places.strides,
        classes=prepared.classes,
        preprocess=fitted.preprocess,
        precision=job.precision,
        threshold=THRESHOLD,
        iou=IOU,
        most=MOST,
        validation=None,
        test=None,
        data=DataSummary(
            name=printable(prepared.name),
            fingerprint=prepared.fingerprint,
            trained_on=len(prepared.part("train")),
            used=prepared.used,
            set_aside=len(prepared.set_aside),
        ),
        seed=job.options.seed,
        graph_sha256=sha256(fitted.graph),
        versions={
            "eyespot": VERSION,
            "numpy": np.__version__,
            "engine": engine_version(),
            "decoder": decoder_version(),
        },
        pictures=KnownPictures.of(
            (each.content, part) for part in ("train", "val", "test") for each in prepared.part(part)
        ),
    )
