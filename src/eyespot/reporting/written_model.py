"""A measured model in its run's folder: a bundle that was asked, and answered well, before it took its place."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.bundle.files import FOLDER, Bundle, place_bundle, read_bundle, sha256, write_bundle, write_manifest
from eyespot.bundle.manifest import Agreement, DataSummary, KnownPictures, Manifest
from eyespot.bundle.run import ClassAnswer, Classifier
from eyespot.data.pictures import decoder_version
from eyespot.engine.attach import attach_head
from eyespot.engine.compiled import compiled_folder, know
from eyespot.engine.run import engine_version
from eyespot.errors import BundleError
from eyespot.evaluate.calibration import probabilities
from eyespot.evaluate.likeness import likeness
from eyespot.features.decode import decode_pictures
from eyespot.files import writing
from eyespot.names import printable
from eyespot.regimes.answers import Answers
from eyespot.regimes.fitted import Fitted, stopped_note
from eyespot.regimes.ladder import Keep
from eyespot.reporting.measure import Measurements, measure
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions
from eyespot.version import VERSION

CLOSE = {"fp32": 1e-4, "bf16": 3e-2}
"""Largest difference of a probability, and of a likeness: the same sums in another order, in the run's precision."""


def write_model(fitted: Fitted, measured: Measurements, job: Job) -> Manifest:
    """The bundle's manifest, with the bundle on disk in place of one before it."""
    graph = attach_head(
        fitted.trunk.graph,
        fitted.head.layers,
        temperature=fitted.temperature.value,
        output=fitted.head.output,
        means=fitted.means.values,
    )
    job.progress("checking the written model", 0, 1)
    folder = job.folder.path
    assert folder is not None
    manifest = manifest_of(fitted, measured, graph, name=folder.name, options=job.options)
    return write_verified(folder / FOLDER, manifest, graph, fitted, measured)


def write_verified(folder: Path, manifest: Manifest, graph: bytes, fitted: Fitted, measured: Measurements) -> Manifest:
    """The manifest of the bundle, which is in `folder` once it has been read back and asked.

    It says how far its answers lie from those that were measured. Whatever goes wrong leaves what was there. Raises
    what `require_same_answers` does, and OptionError where it cannot be written.
    """
    draft = folder.with_name(f".{folder.name}.{os.urandom(6).hex()}")
    try:
        with writing(f"the model in {folder}"):
            bundle = write_bundle(draft, manifest, graph)
            agreement = require_same_answers(bundle, fitted, measured)
            manifest = manifest.model_copy(update={"agreement": agreement})
            write_manifest(draft, manifest)
            place_bundle(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def require_same_answers(bundle: Bundle, fitted: Fitted, measured: Measurements) -> Agreement | None:
    """How far the probabilities of the bundle on disk lie from the trained model's own.

    None if no picture can be read any more. Raises BundleError if they, or likenesses, differ by more than rounding.
    """
    own = measured.own
    cache_folder = compiled_folder(machine.cache_folder())
    know(cache_folder, bundle.graph)
    classifier = Classifier(read_bundle(bundle.folder), cache_folder=cache_folder)
    if own is None:
        return None
    work = [(each.picture, each.content) for each in own.pictures]
    images = list(decode_pictures(work, fitted.trunk.preprocess, {}, ahead=len(work)))
    expected = _expected(own, fitted)
    differences = [0.0]
    for number, found in classifier.stream(images, many=False):  # so the graph for `predict` is compiled already
        away = (math.inf, math.inf) if isinstance(found, str) else _apart(found, expected[number])
        differences.append(away[0])
        for difference, what in zip(away, ("probability", "likeness"), strict=True):
            if not difference <= CLOSE[fitted.trunk.precision]:  # nor may it be no number at all
                raise BundleError(
                    f"the written model answers otherwise than the trained one, so none was kept: "
                    f"{own.pictures[number].picture.name} differs by {difference:.4f} in {what}; please report it"
                )
    return Agreement(n=len(images), largest_difference=max(differences)) if images else None


def _expected(own: Answers, fitted: Fitted) -> list[ClassAnswer]:
    """What the trained model says itself."""
    assert own.features is not None
    alike = likeness(own.features, fitted.means.values).first.tolist()
    return list(map(ClassAnswer, probabilities(own.middle, temperature=fitted.temperature.value), alike))


def _apart(found: ClassAnswer, expected: ClassAnswer) -> tuple[float, float]:
    """How far two answers lie apart: in probability, and in likeness."""
    if found.likeness is None or expected.likeness is None:
        return math.inf, math.inf
    away = float(np.abs(found.probabilities - expected.probabilities).max())
    return away, abs(found.likeness - expected.likeness)


def keeping(job: Job, *, briefly: bool = False) -> Keep:
    """What writes a model to disk while the ladder is climbed: measured only on the validation pictures.

    briefly: not compared with itself in full precision: the next model will be.
    """

    def keep(fitted: Fitted) -> None:
        if not job.world.is_writer:
            return
        held_out = tuple(part for part in fitted.held_out if part == "val")
        measured = measure(replace(fitted, held_out=held_out), store=job.store, progress=job.progress, briefly=briefly)
        write_model(fitted, measured, job)
        if stopped_note("measuring") in measured.notes:
            raise KeyboardInterrupt

    return keep


def manifest_of(fitted: Fitted, measured: Measurements, graph: bytes, *, name: str, options: TrainOptions) -> Manifest:
    """What a bundle says of this model. name: the run's."""
    prepared, scores = measured.prepared, measured.scores
    return Manifest(
        name=printable(name),
        created=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        network=fitted.trunk.network,
        regime=fitted.regime,
        classes=prepared.data_set.classes,
        preprocess=fitted.trunk.preprocess,
        precision=measured.precision,
        temperature=fitted.temperature.value,
        unknown=measured.refusals.unknown,
        sets=measured.refusals.sets,
        calibration=scores.calibration,
        validation=scores.validation,
        test=scores.test,
        small_test=scores.small_test,
        out_of_fold=scores.out_of_fold,
        data=DataSummary(
            name=printable(prepared.data_set.name),
            fingerprint=prepared.fingerprint,
            trained_on=fitted.trained_on,
            used=len(prepared.hashed),
            set_aside=len(prepared.set_aside),
            exclusion=prepared.judged.exclusion,
        ),
        seed=options.seed,
        graph_sha256=sha256(graph),
        versions={
            "eyespot": VERSION,
            "numpy": np.__version__,
            "engine": engine_version(),
            "decoder": decoder_version(),
        },
        pictures=KnownPictures.of(
            (each.content, each.picture.part or "train") for each in fitted.parts_of(prepared.hashed)
        ),
    )
