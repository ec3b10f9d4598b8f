"""`benchmark --models`: which network suits these pictures best, by a head on each of them, frozen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from eyespot import machine
from eyespot.building.backbone import Backbone, choose_backbone, choose_precision
from eyespot.building.named import trainable_network
from eyespot.building.surgery import seconds_per_view
from eyespot.data.boxes.reading import find_boxes
from eyespot.data.several_labels import find_labels
from eyespot.data.store import Store
from eyespot.distributed.world import World
from eyespot.engine.attach import attach_head
from eyespot.errors import MissingExtra, OptionError, WeightsError
from eyespot.evaluate.paired import SIGNIFICANCE, Comparison, holm
from eyespot.files import from_home
from eyespot.progress import Progress
from eyespot.records import Difference, Metric, Record, SetAside
from eyespot.regimes.answers import Answers, weighed
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.frozen import fit_frozen
from eyespot.regimes.prepare import Prepared, prepare, with_levels
from eyespot.regimes.series import default_signer, with_named, with_series
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions, train_options
from eyespot.runs.storage import open_store
from eyespot.words import some


class BackboneResult(Record):
    """One network as a frozen backbone."""

    model: str
    accuracy: Metric
    """In cross-validation on the pictures to train on; those to test on are left alone."""
    seconds: float
    """That features and head took; features that were kept from before take none."""
    milliseconds: float
    """For one picture, decoded and answered, by a few."""
    bytes: int
    """Of the file that answers."""
    behind: Difference | None
    """Its accuracy less that of the best, on the same pictures; None for the best."""
    p: float | None
    """How likely chance makes two equal networks differ so much, all pairs asked at once; None for the best."""

    @property
    def is_behind(self) -> bool:
        """Whether it is worse than the best by more than chance."""
        return self.p is not None and self.p < SIGNIFICANCE


class MissingBackbone(Record):
    """A network that could not be tried here, and why."""

    model: str
    reason: str


class BackbonesResult(Record):
    """Networks on the same pictures, the most accurate first."""

    data: str
    pictures: int
    """That every network was asked about."""
    classes: int
    models: tuple[BackboneResult, ...]
    missing: tuple[MissingBackbone, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def sentence(self) -> str:
        """Which network to take."""
        best, *others = self.models
        alike = [each for each in others if not each.is_behind]
        if not others:
            return f"{best.model} is the only one that was tried"
        if not alike:
            return f"{best.model} is the best by more than chance"
        small = min((best, *alike), key=lambda each: each.milliseconds)
        said = f"chance may explain what {some([best.model, *(each.model for each in alike)])} differ by"
        return f"{said}; the fastest of them is {small.model}"


def backbones(data: str | Path, *, models: Sequence[str], progress: Progress) -> BackbonesResult:
    """What a frozen head on each network comes to. See `eyespot.benchmark`."""
    started = time.perf_counter()
    options = [train_options(model=each, regime="frozen") for each in dict.fromkeys(models)]
    if not options:
        raise OptionError("the option models names no network: give some, such as efficientnet_lite0,resnet18")
    _require_classes(data)
    there, missing = _there(options)
    prepared = with_named(
        with_levels(prepare(data, seed=options[0].seed, progress=progress), World()), options[0].group
    )
    notes: list[str] = []
    with open_store(machine.cache_folder(), notes) as store:
        jobs = [_job(each, store, progress) for each, _ in there]
        prepared = with_series(prepared, default_signer(jobs[0], levels=prepared.levels), jobs[0])
        tried = [_try(prepared, *each, job) for each, job in zip(there, jobs, strict=True)]
    tried.sort(key=lambda each: -each.accuracy.accuracy)
    return BackbonesResult(
        data=prepared.data_set.name,
        pictures=len(tried[0].answers.pictures),
        classes=len(prepared.data_set.classes),
        models=tuple(_results(tried)),
        missing=tuple(missing),
        set_aside=tuple(tried[0].fitted.prepared.set_aside),
        notes=tuple(dict.fromkeys([*notes, *(note for each in tried for note in each.fitted.notes)])),
        seconds=round(time.perf_counter() - started, 2),
    )


@dataclass(frozen=True)
class _Tried:
    """A network with a head on these pictures."""

    model: str
    fitted: Fitted
    answers: Answers
    seconds: float
    milliseconds: float

    @property
    def accuracy(self) -> Metric:
        return self.answers.metric(self.fitted.prepared.series)

    @property
    def bytes(self) -> int:
        head, means = self.fitted.head, self.fitted.means.values
        return len(attach_head(self.fitted.trunk.graph, head.layers, output=head.output, means=means))


def _require_classes(data: str | Path) -> None:
    """Raises OptionError where the pictures have boxes or several labels."""
    labels = find_labels(from_home(data), train_options().read_as)
    if labels is not None or find_boxes(from_home(data)):
        raise OptionError(f"the option models is for pictures with one class each, and {data} has others: leave it out")


def _there(options: Sequence[TrainOptions]) -> tuple[list[tuple[TrainOptions, Backbone]], list[MissingBackbone]]:
    """The networks whose weights are on this computer, and those that are not.

    Raises OptionError for an unknown name, and what is missing where all are.
    """
    found: list[tuple[TrainOptions, Backbone]] = []
    missing: list[MissingBackbone] = []
    first: WeightsError | MissingExtra | None = None
    for each in options:
        try:
            found.append((each, choose_backbone(trainable_network(each.model), None, size=each.imgsz)))
        except (WeightsError, MissingExtra) as error:
            missing.append(MissingBackbone(model=each.model, reason=str(error)))
            first = first or error
    if first is not None and not found:
        raise first
    return found, missing


def _try(prepared: Prepared, options: TrainOptions, backbone: Backbone, job: Job) -> _Tried:
    began = time.perf_counter()
    trunk = replace(backbone, levels=prepared.levels).trunk(job.cache_folder, job.precision, job.progress)
    fitted = fit_frozen(prepared, trunk, job, small_test=False)
    seconds = time.perf_counter() - began
    answers = fitted.answers_on_train
    assert answers is not None
    each = seconds_per_view(trunk, prepared.part("train"))
    return _Tried(options.model, fitted, answers, round(seconds, 2), round(1000 * each, 2))


def _results(tried: Sequence[_Tried]) -> Iterator[BackboneResult]:
    """tried: the best first. Each of the others beside it; all pairs are asked at once, since any could be the best."""
    series = tried[0].fitted.prepared.series
    pairs = list(combinations(range(len(tried)), 2))
    found = [weighed(tried[better].answers, tried[worse].answers, series).comparison for better, worse in pairs]
    together = dict(zip(pairs, zip(found, holm([each.p for each in found]), strict=True), strict=True))
    for number, each in enumerate(tried):
        behind: tuple[Comparison, float] | None = together.get((0, number))
        yield BackboneResult(
            model=each.model,
            accuracy=each.accuracy,
            seconds=each.seconds,
            milliseconds=each.milliseconds,
            bytes=each.bytes,
            behind=behind and behind[0].gain,
            p=behind and behind[1],
        )


def _job(options: TrainOptions, store: Store | None, progress: Progress) -> Job:
    precision = choose_precision(options.precision)
    return Job(options, RunFolder(options), store, machine.cache_folder(), precision, progress, Clock())
