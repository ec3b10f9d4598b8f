"""`train`: from a folder of pictures to a model, a report and everything that proves them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from eyespot import asked, machine
from eyespot.building.backbone import choose_precision
from eyespot.building.own import handed_in
from eyespot.data.addresses import address_of
from eyespot.data.boxes.reading import find_boxes
from eyespot.data.data_set import DataSet
from eyespot.data.handed_sets import IN_HAND, Data, in_hand
from eyespot.data.several_labels import find_labels
from eyespot.data.sources import open_data_set
from eyespot.distributed.cluster import cluster_at
from eyespot.distributed.world import World, broadcast, joined, world
from eyespot.errors import OptionError, Stopped
from eyespot.events import Event, Events
from eyespot.features.compute import import_engine
from eyespot.files import from_home
from eyespot.names import as_folder_name
from eyespot.progress import Progress, shows_progress, silent
from eyespot.regimes.choice import weights_to_get
from eyespot.regimes.featured import NO_MODEL_YET
from eyespot.reporting.classification import Classification
from eyespot.reporting.result import TrainResult
from eyespot.runs.clock import Clock, Journal
from eyespot.runs.folder import RunFolder
from eyespot.runs.headline import headline
from eyespot.runs.job import Job
from eyespot.runs.keywords import TrainKeywords
from eyespot.runs.options import TrainOptions, train_options
from eyespot.runs.resume import Again, replayed, require_same_data, resumed
from eyespot.runs.storage import open_store

if TYPE_CHECKING:
    from eyespot.detecting.detection import Detection
    from eyespot.detecting.result import DetectorResult
    from eyespot.multilabel.result import MultilabelResult
    from eyespot.multilabel.task import Multilabel

    AnyResult = TrainResult | DetectorResult | MultilabelResult


@shows_progress
def train(
    data: Data | None = None,
    *,
    resume: str | Path | None = None,
    replay: str | Path | None = None,
    download: bool = False,
    cluster: str | None = None,
    progress: Progress = silent,
    **options: Unpack[TrainKeywords],
) -> TrainResult | Any:
    """What was trained on `data` and how good it is; a run folder with bundle and report is on disk.

    data: a folder, a file (docs/data.md), "digits", or pictures in hand (docs/python.md); None where a run says it.
    resume: the folder of a run that was killed: it goes on to the same bits. It takes no options.
    replay: the folder of a run that was given a time: what its clock decided is done again. It takes `name` and `out`.
    download: fetch the published weights of `model` where they are not here. Without it nothing is ever fetched.
    cluster: the Ray cluster that computes what is frozen: auto, or its head's address. progress: told how far it is.
    options: those of TrainOptions. Where boxes lie beside the pictures, a DetectorResult comes out.
    Raises EyespotError in one sentence for everything a person can mend; Stopped on Ctrl-C without a model.

    >>> result = eyespot.train("digits")
    >>> result.validation.accuracy > 0.9, result.model.classes[:3]
    (True, ('0', '1', '2'))
    """
    started = asked.began()
    given, own = handed_in(options, again=bool(resume or replay))
    again = _again(resume, replay, given)
    chosen = (again.options if again else train_options(**given)).with_network(own)
    pictures, ranks = in_hand(_required(data, again), chosen.read_as), _world(cluster)
    told = progress if ranks.is_writer else silent
    started += _download(chosen, pictures, progress=told) if download else 0.0  # which is no time of the run
    folder = RunFolder(chosen, there=again.folder if again else None, world=ranks)
    try:
        with joined(ranks, device=_device_of(chosen, ranks)), folder.held():
            again = _again(resume, replay, given)  # with what was written before the folder was ours
            result = _train(pictures, chosen, again=again, folder=folder, ranks=ranks, progress=told, started=started)
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


def _world(cluster: str | None) -> World:
    """The processes that train, and the cluster. Raises OptionError where both are several."""
    ranks = world()
    if cluster is not None and ranks.size > 1:
        raise OptionError("the option cluster is for one process, and torchrun has started several: leave one out")
    return replace(ranks, cluster=cluster_at(cluster, first=import_engine))


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


def _download(options: TrainOptions, data: str | Path | DataSet, *, progress: Progress) -> float:
    """Fetches the weights that the training begins with, unless the data are not there; the seconds it took."""
    began = time.perf_counter()
    if not isinstance(data, DataSet) and not address_of(data) and not from_home(data).exists():
        open_data_set(data, options.read_as)
    from eyespot.zoo.weights_download import get_weights  # with all that reaches a network

    get_weights(*weights_to_get(options), progress=progress)
    return time.perf_counter() - began


def _required(data: Data | None, again: Again | None) -> Data:
    """The data that were given, or those of the earlier run. Raises OptionError where there are none."""
    if data is not None:
        return data
    if again is None:
        raise OptionError("train needs the pictures: give their folder, or a run to resume or replay")
    if again.data == IN_HAND:
        raise OptionError("that run was trained on pictures that a program handed in: hand them in again, as data")
    return again.data


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
    journal = Journal(folder, data=IN_HAND if isinstance(data, DataSet) else str(data), options=options)
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
    events = Events(folder.path, notes)
    cache_folder = machine.cache_folder()
    try:
        with open_store(cache_folder, notes) as store:
            precision, told = choose_precision(options.precision), events.following(progress)
            job = Job(options, folder, store, cache_folder, precision, told, clock, ranks, events)
            finish = task.train(job)
        if finish is None:
            return None
        result = finish(notes, lambda: journal.entries(clock))
        folder.forget_checkpoints()
        job.progress("writing the report", 1, 1)
        events.tell(_done(result))
        return result
    except KeyboardInterrupt:
        events.tell(Event("stopped"))
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


def _done(result: AnyResult) -> Event:
    found = headline(result.model_dump(mode="json"))
    is_accuracy = found is not None and found.measure == "accuracy"
    return Event(
        "done",
        regime=getattr(result, "regime", "detector"),
        accuracy=found.value if found and is_accuracy else None,
        average_precision=found.value if found and not is_accuracy else None,
    )


def _stopped(folder: RunFolder) -> BaseException:
    """What to raise after Ctrl-C: in words, where something of use is on disk."""
    if folder.has_model:
        return Stopped(f"stopped: the model in {folder.path} is complete and usable; its report is not finished")
    if folder.has_checkpoints:
        return Stopped(f"{NO_MODEL_YET}; eyespot train --resume {folder.path} goes on from the last checkpoint")
    return KeyboardInterrupt()
