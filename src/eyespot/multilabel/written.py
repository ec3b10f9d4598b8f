"""A model of several labels in its run's folder: measured, written, read back and asked before it takes its place."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from eyespot import machine
from eyespot.bundle.files import (
    FOLDER,
    MultilabelBundle,
    place_bundle,
    read_any_bundle,
    sha256,
    write_manifest,
    write_multilabel,
)
from eyespot.bundle.manifest import Agreement, DataSummary, KnownPictures
from eyespot.bundle.multilabel_manifest import MultilabelManifest
from eyespot.bundle.run import Classifier
from eyespot.data.pictures import decoder_version
from eyespot.engine.attach import attach_head
from eyespot.engine.compiled import compiled_folder, know
from eyespot.engine.run import engine_version
from eyespot.errors import BundleError
from eyespot.evaluate.multilabel import multilabel_scores
from eyespot.evaluate.multilabel_records import MultilabelScores
from eyespot.features.decode import decode_pictures
from eyespot.files import writing
from eyespot.multilabel.fit import FittedLabels, Told
from eyespot.multilabel.prepare import PreparedLabels
from eyespot.names import printable
from eyespot.records import Part, Precision
from eyespot.runs.job import Job
from eyespot.version import VERSION

CHECKED = 8
"""Pictures that the written model is asked, one at a time, as most pictures will be."""
CLOSE = {"fp32": 1e-4, "bf16": 3e-2}
"""Largest difference of a probability: the same sums in another order, in the run's precision."""
THRESHOLDS_FROM = "answers to the training pictures by heads that had not seen them (cross-validation)"


@dataclass(frozen=True, eq=False)
class Measured:
    """What a trained model said before it was written."""

    told: dict[Part, Told]
    """Of the parts that it was not trained on; as train, what was said out of fold."""
    own: Told | None
    """Of a few pictures, by the model itself: by them the written one is checked. None if none can be read."""
    prepared: PreparedLabels
    """Without the pictures that turned out to be unreadable."""
    views_computed: int


@dataclass(frozen=True, eq=False)
class Written:
    """A model on disk, and what it answered."""

    manifest: MultilabelManifest
    prepared: PreparedLabels
    """Without the pictures that turned out to be unreadable."""
    told: dict[Part, Told]
    """What it says of the parts that it was not trained on; as train, what was said out of fold."""
    said: dict[Part, np.ndarray]
    """Which labels it gives those, (N, K)."""
    views_computed: int

    @property
    def part(self) -> Part:
        """The part by which the model is to be judged."""
        scores = self.manifest
        return "train" if scores.out_of_fold else "test" if scores.test else "val" if scores.validation else "train"

    @property
    def scores(self) -> MultilabelScores | None:
        """Those of that part."""
        return self.manifest.out_of_fold or self.manifest.test or self.manifest.validation


def write_model(fitted: FittedLabels, measured: Measured, job: Job) -> Written:
    """The bundle, in its place once its graph on disk was read back and gave the same answers."""
    folder = job.folder.path
    assert folder is not None
    told = measured.told
    said = {part: each.chances >= fitted.thresholds for part, each in told.items()} | {"train": fitted.said}
    graph = attach_head(fitted.trunk.graph, [fitted.layer], output="labels")
    scores = {part: _scores(fitted, each, said[part]) for part, each in told.items()}
    manifest = _manifest(replace(fitted, prepared=measured.prepared), job, graph, scores, name=folder.name)
    target = folder / FOLDER
    draft = target.with_name(f".{FOLDER}.{os.urandom(6).hex()}")
    job.progress("checking the written model", 0, 1)
    try:
        with writing(f"the model in {target}"):
            write_multilabel(draft, manifest, graph)
            bundle = read_any_bundle(draft)
            assert isinstance(bundle, MultilabelBundle)
            manifest = manifest.model_copy(update={"agreement": _require_same_answers(bundle, fitted, measured.own)})
            write_manifest(draft, manifest)
            place_bundle(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Written(manifest, measured.prepared, told, said, fitted.views_computed + measured.views_computed)


def measure(fitted: FittedLabels, job: Job) -> Measured:
    """What the model says of the pictures that were held out, looked at here for the first time."""
    prepared, computed = fitted.prepared, 0
    trained = {each.content for each in fitted.out_of_fold.pictures}
    told: dict[Part, Told] = {}
    held_out: tuple[Part, ...] = ("val", "test")
    for part in held_out:
        pictures = [each for each in prepared.part(part) if each.content not in trained]
        if pictures:
            known = replace(fitted, prepared=prepared)
            found, prepared, views = known.tell(pictures, job, doing=f"measuring on {part}")
            computed += views
            if found is not None:
                told[part] = found
    few = [*told.values(), fitted.out_of_fold][0].pictures[:CHECKED]
    own, _, views = replace(fitted, prepared=prepared).tell(few, job, doing="measuring")
    return Measured({**told, "train": fitted.out_of_fold}, own, prepared, computed + views)


def _scores(fitted: FittedLabels, told: Told, said: np.ndarray) -> MultilabelScores:
    return multilabel_scores(
        told.truths,
        told.chances,
        fitted.prepared.classes,
        thresholds=fitted.thresholds,
        said=said,
        series=fitted.prepared.group(told.pictures),
    )


def _require_same_answers(bundle: MultilabelBundle, fitted: FittedLabels, own: Told | None) -> Agreement | None:
    """How far the bundle's probabilities lie from the trained model's own; None if no picture can be read any more.

    Raises BundleError if by more than rounding.
    """
    if own is None:
        return None
    cache_folder = compiled_folder(machine.cache_folder())
    know(cache_folder, bundle.graph)
    classifier = Classifier(bundle, cache_folder=cache_folder)
    work = [(each.picture, each.content) for each in own.pictures]
    largest, count = 0.0, 0
    for number, found in classifier.stream(
        decode_pictures(work, fitted.trunk.preprocess, {}, ahead=CHECKED), many=False
    ):
        away = math.inf if isinstance(found, str) else float(np.abs(found.probabilities - own.chances[number]).max())
        largest, count = max(largest, away), count + 1
        if not away <= CLOSE[fitted.trunk.precision]:
            raise BundleError(
                "the written model answers otherwise than the trained one, so none was kept: "
                f"{own.pictures[number].picture.name} differs by {away:.4f} in probability; please report it"
            )
    return Agreement(n=count, largest_difference=largest) if count else None


def _manifest(
    fitted: FittedLabels, job: Job, graph: bytes, scores: dict[Part, MultilabelScores], *, name: str
) -> MultilabelManifest:
    prepared = fitted.prepared
    return MultilabelManifest(
        name=printable(name),
        created=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        network=fitted.trunk.network,
        classes=prepared.classes,
        preprocess=fitted.trunk.preprocess,
        precision=Precision(name=fitted.trunk.precision, agreement=None, largest_difference=None, n=0),
        thresholds=tuple(fitted.thresholds.tolist()),
        thresholds_from=THRESHOLDS_FROM,
        validation=scores.get("val"),
        test=scores.get("test"),
        out_of_fold=scores["train"] if fitted.small_test or len(scores) == 1 else None,
        data=DataSummary(
            name=printable(prepared.data_set.name),
            fingerprint=prepared.fingerprint,
            trained_on=len(fitted.out_of_fold.pictures),
            used=len(prepared.hashed),
            set_aside=len(prepared.set_aside),
        ),
        seed=job.options.seed,
        graph_sha256=sha256(graph),
        versions={
            "eyespot": VERSION,
            "numpy": np.__version__,
            "engine": engine_version(),
            "decoder": decoder_version(),
        },
        pictures=KnownPictures.of(fitted.parts_of()),
    )
