"""`train`: from a folder of pictures to a model, a report and everything that proves them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eyespot import machine
from eyespot.building.backbone import choose_precision
from eyespot.data.data_set import DataSet
from eyespot.distributed.world import World, broadcast, joined, world
from eyespot.errors import OptionError, Stopped
from eyespot.progress import Progress, silent
from eyespot.regimes.choice import Choice, choose
from eyespot.regimes.fitted import Fitted, despite_ctrl_c
from eyespot.regimes.fitting import NO_MODEL_YET, fit
from eyespot.regimes.prepare import prepare, with_levels
from eyespot.reporting.measure import Measurements, measure
from eyespot.reporting.outputs import write_outputs
from eyespot.reporting.result import TrainResult, result_of
from eyespot.reporting.written_model import keeping, write_model
from eyespot.runs.clock import Clock, Journal
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions, train_options
from eyespot.runs.resume import Again, replayed, require_same_data, resumed
from eyespot.runs.storage import open_store


def train(
    data: str | Path | DataSet | None = None,
    *,
    resume: str | Path | None = None,
    replay: str | Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> TrainResult:
    """What was trained on `data` and how good it is; a run folder with bundle and report is on disk.

    data: a folder or a file (docs/data.md has all kinds), or "digits" for the embedded sample. None if `resume` or
        `replay` says it.
    resume: the folder of a run that was killed: it goes on from its last checkpoint, and ends with the same bits as if
        it had not been. It takes no other options.
    replay: the folder of a run that was given a time: what its clock decided is done again. Of the options it takes
        only `name` and `out`.
    progress: told how far the work is.
    options: those of TrainOptions.
    Raises EyespotError in one sentence for everything a person can mend; Stopped on Ctrl-C without a model.

    >>> result = eyespot.train("digits")
    >>> result.validation.accuracy > 0.9
    True
    """
    started = time.perf_counter()
    again = _again(resume, replay, options)
    chosen = again.options if again else train_options(**options)
    data = again.data if again and data is None else data
    if data is None:
        raise OptionError("train needs the pictures: give their folder, or a run to resume or replay")
    ranks = world()
    told = progress if ranks.is_writer else silent
    folder = RunFolder(chosen, there=again.folder if again else None, world=ranks)
    try:
        with joined(ranks, device=_device_of(chosen, ranks)), folder.held():
            again = _again(resume, replay, options)  # with what was written before the folder was ours
            result = _train(data, chosen, again=again, folder=folder, ranks=ranks, progress=told, started=started)
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
    *,
    again: Again | None,
    folder: RunFolder,
    ranks: World,
    progress: Progress,
    started: float,
) -> TrainResult | None:
    """The result on the writer; None on other ranks, which are done when the network is trained."""
    journal = Journal(folder, data=data.name if isinstance(data, DataSet) else str(data), options=options)
    clock = _clock(options, again, journal=journal, ranks=ranks, started=started)
    if again is None or again.folder is None:
        clock.write_down()  # a run that is killed from here on can be resumed
    prepared = with_levels(prepare(data, seed=options.seed, progress=progress, how=options.read_as), ranks)
    journal.fingerprint = prepared.fingerprint
    if again:
        require_same_data(again, prepared.data_set.name, prepared.fingerprint)
    choice = choose(prepared, options)
    folder.name_after(_folder_name(prepared.data_set.name))
    folder.tidy()
    clock.write_down()
    notes: list[str] = []
    cache_folder = machine.cache_folder()
    try:
        with open_store(cache_folder, notes) as store:
            precision = choose_precision(options.precision)
            job = Job(options, folder, store, cache_folder, precision, progress, clock, ranks)
            fitted = fit(prepared, choice, job, keep=keeping(job))
            if not ranks.is_writer:
                return None
            measured = measure(fitted, store=store, progress=progress)
        return _written(fitted, measured, choice=choice, job=job, journal=journal, notes=notes)
    except KeyboardInterrupt:
        raise _stopped(folder) from None


def _clock(options: TrainOptions, again: Again | None, *, journal: Journal, ranks: World, started: float) -> Clock:
    """started: what `time.perf_counter` said when the run began."""
    return Clock(
        options.time,
        started=started,
        spent=again.spent if again else 0.0,
        decisions=again.decisions if again else None,
        replays=again.replays if again else None,
        journal=journal,
        world=ranks,
    )


def _written(
    fitted: Fitted, measured: Measurements, *, choice: Choice, job: Job, journal: Journal, notes: list[str]
) -> TrainResult:
    """The result, with everything on disk."""
    manifest, stopped = despite_ctrl_c(lambda: write_model(fitted, measured, job))
    if stopped:
        raise KeyboardInterrupt
    job.progress("writing the report", 0, 1)
    result = result_of(fitted, measured, choice=choice, job=job, notes=notes)
    folder = job.folder.path
    assert folder is not None
    write_outputs(folder, result, fitted, measured, manifest=manifest, args=journal.entries(job.clock))
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


def _folder_name(data_name: str) -> str:
    """A data set's name as a folder's on any system."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", data_name).strip(" .") or "run"
