"""A measured model in its run's folder: a bundle that was asked, and answered well, before it took its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from eyespot.bundle.files import FOLDER, sha256
from eyespot.bundle.manifest import DataSummary, KnownPictures, Manifest
from eyespot.data.pictures import decoder_version
from eyespot.engine.attach import attach_head
from eyespot.engine.run import engine_version
from eyespot.names import printable
from eyespot.regimes.fitted import Fitted, stopped_note
from eyespot.regimes.ladder import Keep
from eyespot.regimes.prepare import Prepared
from eyespot.reporting.measure import Measurements, measure
from eyespot.reporting.split import parts_of
from eyespot.reporting.verify import write_verified
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions
from eyespot.version import VERSION


def write_model(fitted: Fitted, measured: Measurements, job: Job) -> Manifest:
    """The bundle's manifest, with the bundle on disk in place of one before it."""
    graph = attach_head(
        fitted.trunk.graph, fitted.head.layers, temperature=fitted.temperature.value, output=fitted.head.output
    )
    job.progress("checking the written model", 0, 1)
    folder = job.folder.path
    assert folder is not None
    manifest = manifest_of(fitted, measured, graph, name=folder.name, options=job.options)
    return write_verified(folder / FOLDER, manifest, graph, fitted, measured).manifest


def keeping(job: Job) -> Keep:
    """What writes a model to disk while the ladder is climbed: measured only on the validation pictures."""

    def keep(fitted: Fitted) -> None:
        if not job.world.is_writer:
            return
        held_out = tuple(part for part in fitted.held_out if part == "val")
        measured = measure(replace(fitted, held_out=held_out), store=job.store, progress=job.progress)
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
        calibration=scores.calibration,
        validation=scores.validation,
        test=scores.test,
        small_test=scores.small_test,
        out_of_fold=scores.out_of_fold,
        data=_data_summary(fitted, prepared),
        seed=options.seed,
        graph_sha256=sha256(graph),
        versions={
            "eyespot": VERSION,
            "numpy": np.__version__,
            "engine": engine_version(),
            "decoder": decoder_version(),
        },
        pictures=KnownPictures.of(
            (each.content, each.picture.part or "train") for each in parts_of(fitted, prepared.hashed)
        ),
    )


def _data_summary(fitted: Fitted, prepared: Prepared) -> DataSummary:
    return DataSummary(
        name=printable(prepared.data_set.name),
        fingerprint=prepared.fingerprint,
        trained_on=fitted.trained_on,
        used=len(prepared.hashed),
        set_aside=len(prepared.set_aside),
    )
