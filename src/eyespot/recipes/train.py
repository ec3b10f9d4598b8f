"""`train`: from a folder of pictures to a model, a report and everything that proves them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from eyespot import machine
from eyespot.bundle.files import FOLDER, sha256
from eyespot.bundle.manifest import DataSummary, KnownPictures, Manifest
from eyespot.data.data_set import DataSet
from eyespot.data.pictures import decoder_version
from eyespot.engine.attach import attach_head
from eyespot.engine.run import engine_version
from eyespot.errors import OptionError, Stopped
from eyespot.names import printable
from eyespot.recipes.again import Again, replayed, require_same_data, resumed
from eyespot.recipes.backbone import choose_precision
from eyespot.recipes.choice import Choice, choose
from eyespot.recipes.clock import Clock
from eyespot.recipes.fitting import NO_MODEL_YET, fit
from eyespot.recipes.job import Job
from eyespot.recipes.measure import Measurements, measure
from eyespot.recipes.options import TrainOptions, train_options
from eyespot.recipes.outputs import write_outputs
from eyespot.recipes.prepare import Prepared, prepare, with_levels
from eyespot.recipes.progress import Progress, silent
from eyespot.recipes.regime import Fitted, despite_ctrl_c, stopped_note
from eyespot.recipes.results import PictureCount, TrainResult
from eyespot.recipes.run_folder import RunFolder, parts_of
from eyespot.recipes.storage import open_store
from eyespot.recipes.verify import write_verified
from eyespot.training.distributed import World, broadcast, joined, world
from eyespot.version import VERSION


def train(
    data: str | Path | DataSet | None = None,
    *,
    resume: str | Path | None = None,
    replay: str | Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> TrainResult:
    """What was trained on `data` and how good it is; a run folder with bundle and report is on disk.

    data: a folder or a file (docs/data.md has all kinds), or "digits" for the embedded sample. None where `resume` or
        `replay` says it.
    resume: the folder of a run that was killed: it goes on from its last checkpoint, and ends with the same bits as if
        it had not been. It takes no other options.
    replay: the folder of a run that was given a time: what its clock decided is done again. Of the options it takes
        `name` and `out` alone.
    progress: told how far the work is.
    options: those of TrainOptions.
    Raises EyespotError in one sentence for everything a person can mend; Stopped on Ctrl-C without a model.
    """
    started = time.perf_counter()
    again = _again(resume, replay, options)
    chosen = again.options if again else train_options(**options)
    data = again.data if again and data is None else data
    if data is None:
        raise OptionError("train needs the pictures: give their folder, or a run to resume or replay")
    ranks = world()
    folder = RunFolder(chosen, there=again.folder if again else None, world=ranks)
    try:
        with joined(ranks, device=_device_of(chosen, ranks)), folder.held():
            again = _again(resume, replay, options)  # with what was written before the folder was ours
            result = _train(data, chosen, again, folder, ranks, progress if ranks.is_writer else silent, started)
            return _on_every_rank(result, ranks)
    except KeyboardInterrupt:
        raise Stopped(NO_MODEL_YET) from None


def _on_every_rank(result: TrainResult | None, ranks: World) -> TrainResult:
    """The writer's result."""
    said = broadcast(result.model_dump(mode="json") if result else None, ranks)
    return result or TrainResult.model_validate(said)


def _again(resume: str | Path | None, replay: str | Path | None, options: Mapping[str, Any]) -> Again | None:
    if resume is not None and replay is not None:
        raise OptionError("resume and replay cannot be given together: leave one of them out")
    if resume is not None:
        return resumed(resume, options)
    if replay is not None:
        return replayed(replay, options)
    return None


def _device_of(options: TrainOptions, ranks: World) -> Any:
    """The kind of device; only several processes need to know it before they begin."""
    if ranks.size == 1:
        return "cpu"
    from eyespot.training.devices import choose as choose_device

    return choose_device(options.device, local_rank=ranks.local_rank).where.type


def _train(
    data: str | Path | DataSet,
    options: TrainOptions,
    again: Again | None,
    folder: RunFolder,
    ranks: World,
    progress: Progress,
    started: float,
) -> TrainResult | None:
    """The result on the writer; None on other ranks, which are done when the network is trained."""
    clock = Clock(
        options.time,
        started=started,
        spent=again.spent if again else 0.0,
        decisions=again.decisions if again else None,
        replays=again.replays if again else None,
        world=ranks,
    )
    prepared: Prepared | None = None
    named = data.name if isinstance(data, DataSet) else str(data)
    folder.args = lambda: _args(named, options, prepared, clock)
    if again is None or again.folder is None:
        folder.write_args()  # a run that is killed from here on can be resumed
    prepared = with_levels(prepare(data, seed=options.seed, progress=progress, how=options.read_as), ranks)
    name, classes = prepared.data_set.name, len(prepared.data_set.classes)
    if again:
        require_same_data(again, prepared)
    if options.output == "sigmoid" and classes != 2:
        raise OptionError(f"the option output 'sigmoid' needs two classes; {name} has {classes}")
    choice = choose(prepared, options)
    folder.name_after(_folder_name(name))
    folder.tidy()
    folder.write_args()
    clock.on_decision = folder.write_args
    notes: list[str] = []
    cache_folder = machine.cache_folder()
    try:
        with open_store(cache_folder, notes) as store:
            precision = choose_precision(options.precision)
            job = Job(options, folder, store, cache_folder, precision, progress, clock, ranks)
            fitted = fit(prepared, choice, job, keep=_keeping(job))
            if not ranks.is_writer:
                return None
            measured = measure(fitted, store=store, progress=progress)
        return _written(_Run(choice, job, notes), fitted, measured)
    except KeyboardInterrupt:
        raise _stopped(folder) from None


@dataclass(frozen=True)
class _Run:
    """What the files of a run say beside what was fitted and measured."""

    choice: Choice
    job: Job
    notes: list[str]


def _written(run: _Run, fitted: Fitted, measured: Measurements) -> TrainResult:
    """The result, with everything on disk."""
    job = run.job
    (folder, manifest), stopped = despite_ctrl_c(lambda: _write_model(fitted, measured, job))
    if stopped:
        raise KeyboardInterrupt
    job.progress("writing the report", 0, 1)
    result = _result(folder, run, fitted, measured, seconds=job.clock.spent)
    write_outputs(folder, result, fitted, measured, manifest=manifest, args=job.folder.args())
    job.folder.forget_checkpoints()
    job.progress("writing the report", 1, 1)
    return result


def _stopped(folder: RunFolder) -> BaseException:
    """What to raise after Ctrl-C: in words, where something of use is on disk."""
    if folder.has_model:
        return Stopped(f"stopped: the model in {folder.path} is complete and usable; its report is not finished")
    if folder.has_checkpoints:
        return Stopped(f"{NO_MODEL_YET}; eyespot train --resume {folder.path} goes on from the last checkpoint")
    return KeyboardInterrupt()


def _args(data: str, options: TrainOptions, prepared: Prepared | None, clock: Clock) -> dict[str, Any]:
    """What `args.json` says: enough to go on with the run, and to do it again.

    prepared: None before the pictures are read.
    """
    return {
        "command": "train",
        "version": VERSION,
        "data": printable(data),
        **options.model_dump(mode="json"),
        "given": sorted(options.model_fields_set),
        "fingerprint": prepared.fingerprint if prepared else None,
        "decisions": clock.decisions,
        "replays": clock.replays,
        "spent_seconds": round(clock.spent, 2),
    }


def _write_model(fitted: Fitted, measured: Measurements, job: Job) -> tuple[Path, Manifest]:
    """The run folder, with a bundle that was asked and answered well in place of one before it, and its manifest."""
    graph = attach_head(
        fitted.trunk.graph, fitted.head.layers, temperature=fitted.temperature, output=fitted.head.output
    )
    job.progress("checking the written model", 0, 1)
    assert job.folder.path is not None
    folder = job.folder.path
    manifest = _manifest(folder.name, fitted, measured, graph, job.options)
    return folder, write_verified(folder / FOLDER, manifest, graph, fitted, measured).manifest


def _keeping(job: Job) -> Callable[[Fitted], None]:
    """What writes a model to disk while the ladder is climbed: measured on the validation pictures alone."""

    def keep(fitted: Fitted) -> None:
        if not job.world.is_writer:
            return
        held_out = tuple(part for part in fitted.held_out if part == "val")
        measured = measure(replace(fitted, held_out=held_out), store=job.store, progress=job.progress)
        _write_model(fitted, measured, job)
        if stopped_note("measuring") in measured.notes:
            raise KeyboardInterrupt

    return keep


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
            "eyespot": VERSION,
            "numpy": np.__version__,
            "engine": engine_version(),
            "decoder": decoder_version(),
        },
        pictures=KnownPictures.of(
            (each.content, each.picture.part or "train") for each in parts_of(fitted, prepared.hashed)
        ),
    )


def _reason(run: _Run, fitted: Fitted) -> str:
    """Why this regime: where several were tried, they decided."""
    if fitted.instead:
        return f"{run.choice.reason}, but {fitted.instead}"
    if run.choice.climbs:
        return f"the best on the validation pictures within {run.job.options.time:.0f} s"
    if fitted.regime != run.choice.regime:
        return f"{run.choice.regime} was stopped before it had learned anything"
    return run.choice.reason


def _result(folder: Path, run: _Run, fitted: Fitted, measured: Measurements, *, seconds: float) -> TrainResult:
    prepared = measured.prepared
    validation = measured.validation.overall if measured.validation else measured.out_of_fold
    return TrainResult(
        run=printable(str(folder)),
        bundle=printable(str(folder / FOLDER)),
        report=printable(str(folder / "report.html")),
        network=fitted.trunk.network.name,
        regime=fitted.regime,
        regime_reason=_reason(run, fitted),
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
        notes=tuple(dict.fromkeys([*prepared.notes, *fitted.notes, *measured.notes, *run.notes])),
        ladder=fitted.ladder,
        seconds=round(seconds, 2),
    )
