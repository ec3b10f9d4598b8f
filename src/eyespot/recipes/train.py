"""`train`: from a folder of pictures to a model, a report and everything that proves them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot import machine
from eyespot.building.backbone import choose_precision
from eyespot.data.boxes.reading import find_boxes
from eyespot.data.data_set import DataSet
from eyespot.data.several_labels import find_labels
from eyespot.distributed.world import World, broadcast, joined, world
from eyespot.errors import OptionError, Stopped
from eyespot.files import from_home
from eyespot.names import as_folder_name
from eyespot.progress import Progress, silent
from eyespot.regimes.fitting import NO_MODEL_YET
from eyespot.reporting.classification import Classification
from eyespot.reporting.result import TrainResult
from eyespot.runs.clock import Clock, Journal
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions, train_options
from eyespot.runs.resume import Again, replayed, require_same_data, resumed
from eyespot.runs.storage import open_store

if TYPE_CHECKING:
    from eyespot.detecting.detection import Detection
    from eyespot.detecting.result import DetectorResult
    from eyespot.multilabel.result import MultilabelResult
    from eyespot.multilabel.task import Multilabel

    AnyResult = TrainResult | DetectorResult | MultilabelResult


def train(
    data: str | Path | DataSet | None = None,
    *,
    resume: str | Path | None = None,
    replay: str | Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> AnyResult:
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


def task_of(
    data: str | Path | DataSet, options: TrainOptions, *, ranks: World, progress: Progress
) -> Classification | Detection | Multilabel:
    """What is to be done with the data, which are read: they decide it.

    With boxes in the folder it is a detector; where a list says several labels of a picture, a model of these.
    """
    labels = None if isinstance(data, DataSet) else find_labels(from_home(data), options.read_as)
    if labels is not None:
        from eyespot.multilabel.task import Multilabel

        return Multilabel.of(labels, str(data), options, ranks=ranks, progress=progress)
    if not isinstance(data, DataSet) and find_boxes(from_home(data)):
        from eyespot.detecting.detection import Detection  # with torch

        return Detection.of(data, options, ranks=ranks, progress=progress)
    return Classification.of(data, options, ranks=ranks, progress=progress)


def _on_every_rank(result: AnyResult | None, ranks: World) -> AnyResult:
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
) -> AnyResult | None:
    """The result on the writer; None on other ranks, which are done when the network is trained."""
    journal = Journal(folder, data=data.name if isinstance(data, DataSet) else str(data), options=options)
    clock = _clock(options, again, journal=journal, ranks=ranks, started=started)
    if again is None or again.folder is None:
        clock.write_down()  # a run that is killed from here on can be resumed
    task = task_of(data, options, ranks=ranks, progress=progress)
    journal.fingerprint = task.fingerprint
    if again:
        require_same_data(again, task.data_name, task.fingerprint)
    folder.name_after(as_folder_name(task.data_name))
    folder.tidy()
    clock.write_down()
    notes: list[str] = []
    cache_folder = machine.cache_folder()
    try:
        with open_store(cache_folder, notes) as store:
            precision = choose_precision(options.precision)
            job = Job(options, folder, store, cache_folder, precision, progress, clock, ranks)
            finish = task.train(job)
        if finish is None:
            return None
        result = finish(notes, lambda: journal.entries(clock))
        folder.forget_checkpoints()
        job.progress("writing the report", 1, 1)
        return result
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


def _stopped(folder: RunFolder) -> BaseException:
    """What to raise after Ctrl-C: in words, where something of use is on disk."""
    if folder.has_model:
        return Stopped(f"stopped: the model in {folder.path} is complete and usable; its report is not finished")
    if folder.has_checkpoints:
        return Stopped(f"{NO_MODEL_YET}; eyespot train --resume {folder.path} goes on from the last checkpoint")
    return KeyboardInterrupt()
