"""`train`: from a folder of pictures to a model, a report and everything that proves them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import eyespot
from eyespot import machine
from eyespot.bundle.files import FOLDER, sha256
from eyespot.bundle.manifest import DataSummary, KnownPictures, Manifest
from eyespot.data.audit import Hashed
from eyespot.data.data_set import DataSet
from eyespot.data.pictures import decoder_version, is_small_and_gray
from eyespot.data.store import Store
from eyespot.engine.attach import attach_head
from eyespot.engine.run import engine_version
from eyespot.errors import OptionError, Stopped
from eyespot.names import printable
from eyespot.recipes.backbone import choose_precision, frozen_trunk
from eyespot.recipes.frozen import fit_frozen
from eyespot.recipes.measure import Measurements, measure
from eyespot.recipes.options import TrainOptions, require_used, train_options
from eyespot.recipes.outputs import write_outputs
from eyespot.recipes.partial import fit_partial
from eyespot.recipes.prepare import Prepared, prepare
from eyespot.recipes.progress import Progress, silent
from eyespot.recipes.regime import SMALLEST_TEST, Fitted, despite_ctrl_c
from eyespot.recipes.results import PictureCount, TrainResult
from eyespot.recipes.run_folder import check_name_is_free, new_run_folder, parts_of
from eyespot.recipes.scratch import fit_scratch
from eyespot.recipes.storage import open_store
from eyespot.recipes.verify import write_verified

SMALL_SIDE = 64
"""Grey pictures of at most so many pixels a side are learned from scratch."""
NO_MODEL_YET = "stopped: there is no model yet"
FEATURES_KEPT = "; the features computed so far are kept, so the next run goes on from there"


def train(data: str | Path | DataSet, *, progress: Progress = silent, **options: Any) -> TrainResult:
    """What was trained on `data` and how good it is; a run folder with bundle and report is on disk.

    data: a folder or a file (docs/data.md has all kinds), or "digits" for the embedded sample.
    progress: told how far the work is.
    options: those of TrainOptions.
    Raises EyespotError in one sentence for everything a person can mend; Stopped on Ctrl-C without a model.
    """
    started = time.perf_counter()
    chosen = train_options(**options)
    check_name_is_free(chosen)
    try:
        return _train(data, chosen, progress, started)
    except KeyboardInterrupt:
        raise Stopped(NO_MODEL_YET) from None


def _train(data: str | Path | DataSet, options: TrainOptions, progress: Progress, started: float) -> TrainResult:
    prepared = prepare(data, seed=options.seed, progress=progress)
    name, classes = prepared.data_set.name, len(prepared.data_set.classes)
    if options.output == "sigmoid" and classes != 2:
        raise OptionError(f"the option output 'sigmoid' needs two classes; {name} has {classes}")
    cache_folder = machine.cache_folder()
    notes: list[str] = []
    with open_store(cache_folder, notes) as store:
        fitted = _fit(prepared, options, store, cache_folder, progress)
        measured = measure(fitted, store=store, progress=progress)
    folder: Path | None = None
    try:
        (folder, manifest), stopped = despite_ctrl_c(lambda: _write_model(fitted, measured, options, progress))
        if stopped:
            raise KeyboardInterrupt
        progress("writing the report", 0, 1)
        result = _result(folder, fitted, measured, notes, seconds=time.perf_counter() - started)
        write_outputs(folder, result, fitted, measured, options, manifest=manifest, data=data)
        progress("writing the report", 1, 1)
    except KeyboardInterrupt:
        if folder is None:
            raise
        raise Stopped(f"stopped: the model in {folder} is complete and usable; its report is not finished") from None
    return result


def _write_model(
    fitted: Fitted, measured: Measurements, options: TrainOptions, progress: Progress
) -> tuple[Path, Manifest]:
    """The new run folder, with a bundle that was asked and answered well, and its manifest; or else neither."""
    graph = attach_head(
        fitted.trunk.graph, fitted.head.layers, temperature=fitted.temperature, output=fitted.head.output
    )
    progress("checking the written model", 0, 1)
    with new_run_folder(options, data_name=_folder_name(fitted.prepared.data_set.name)) as folder:
        manifest = _manifest(folder.name, fitted, measured, graph, options)
        return folder, write_verified(folder / FOLDER, manifest, graph, fitted, measured).manifest


def _fit(
    prepared: Prepared, options: TrainOptions, store: Store | None, cache_folder: Path, progress: Progress
) -> Fitted:
    small_test = _is_small_test(len(prepared.part("test")), len(prepared.part("val")))
    precision = choose_precision(options.precision)
    gray = _is_small_and_gray(prepared.part("train"))
    if options.model == "lenet5" or (options.model == "auto" and gray):
        require_used(options, "lenet5")
        return fit_scratch(
            prepared,
            options,
            gray=gray,
            small_test=small_test,
            precision=precision,
            cache_folder=cache_folder,
            progress=progress,
        )
    require_used(options, "efficientnet_lite0")
    trunk = frozen_trunk(cache_folder=cache_folder, precision=precision, progress=progress)
    try:
        frozen = fit_frozen(
            prepared,
            trunk,
            options,
            small_test=small_test and not options.is_partial,  # a tail is never trained on what is held out
            store=store,
            progress=progress,
        )
    except KeyboardInterrupt:
        raise Stopped(NO_MODEL_YET + (FEATURES_KEPT if store else "")) from None
    if not options.is_partial:
        return frozen
    frozen = replace(frozen, small_test=small_test)
    return fit_partial(frozen, options, store=store, cache_folder=cache_folder, progress=progress)


def _is_small_and_gray(pictures: Sequence[Hashed]) -> bool:
    """True where every picture that can be read is grey and small."""
    found = False
    for each in pictures:
        try:
            verdict = is_small_and_gray(each.picture.read(), most_side=SMALL_SIDE)
        except OSError:
            continue  # it is set aside when it is to be decoded
        if verdict is False:
            return False
        found = found or verdict is True
    return found


def _is_small_test(test: int, validation: int) -> bool:
    """True where too few pictures are held out; a folder without test but with enough val needs no substitute."""
    return test < SMALLEST_TEST and not (test == 0 and validation >= SMALLEST_TEST)


def _folder_name(data_name: str) -> str:
    """A data set's name as a folder's on any system."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", data_name).strip(" .") or "run"


def _manifest(name: str, fitted: Fitted, measured: Measurements, graph: bytes, options: TrainOptions) -> Manifest:
    prepared = measured.prepared
    return Manifest(
        name=printable(name),
        created=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        network=fitted.trunk.network,
        regime=fitted.regime,
        classes=prepared.data_set.classes,
        preprocess=fitted.trunk.preprocess,
        precision=measured.precision,
        temperature=fitted.temperature,
        calibration=measured.calibration,
        validation=measured.validation,
        test=measured.test,
        small_test=measured.small_test,
        out_of_fold=measured.out_of_fold,
        data=DataSummary(
            name=printable(prepared.data_set.name),
            fingerprint=prepared.fingerprint,
            trained_on=fitted.trained_on,
            used=len(prepared.hashed),
            set_aside=len(prepared.set_aside),
        ),
        seed=options.seed,
        graph_sha256=sha256(graph),
        versions={
            "eyespot": eyespot.__version__,
            "numpy": np.__version__,
            "engine": engine_version(),
            "decoder": decoder_version(),
        },
        pictures=KnownPictures.of(
            (each.content, each.picture.part or "train") for each in parts_of(fitted, prepared.hashed)
        ),
    )


def _result(folder: Path, fitted: Fitted, measured: Measurements, notes: list[str], *, seconds: float) -> TrainResult:
    prepared = measured.prepared
    validation = measured.validation.overall if measured.validation else measured.out_of_fold
    return TrainResult(
        run=printable(str(folder)),
        bundle=printable(str(folder / FOLDER)),
        report=printable(str(folder / "report.html")),
        network=fitted.trunk.network.name,
        regime=fitted.regime,
        classes=prepared.data_set.classes,
        pictures=PictureCount(used=len(prepared.hashed), set_aside=len(prepared.set_aside)),
        set_aside=tuple(prepared.set_aside),
        validation=validation,
        test=measured.test.overall if measured.test else None,
        small_test=measured.small_test.overall if measured.small_test else None,
        out_of_fold=measured.out_of_fold,
        out_of_fold_reason=measured.out_of_fold_reason,
        mirror=fitted.mirror,
        l2=fitted.l2,
        temperature=fitted.temperature,
        precision=measured.precision,
        views_computed=fitted.views_computed + measured.views_computed,
        notes=tuple(dict.fromkeys([*prepared.notes, *fitted.notes, *measured.notes, *notes])),
        seconds=round(seconds, 2),
    )
