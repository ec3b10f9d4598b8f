"""`benchmark`: images a second by engine, number format and batch on this machine, against its matrix-product peak."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from pydantic import Field

from eyespot import machine
from eyespot.building.contenders import Batches, Contender, Tested, contenders, tested
from eyespot.data.data_set import Picture
from eyespot.data.sources import list_pictures
from eyespot.engine.initializers import multiply_adds
from eyespot.engine.peak import LEAST_SECONDS, peak_gflops
from eyespot.engine.run import BATCH, Engine, available_precisions, in_batches
from eyespot.errors import DataError, OptionError
from eyespot.features.decode import decode_pictures
from eyespot.names import printable
from eyespot.progress import Progress, shows_progress, silent
from eyespot.recipes.backbones import backbones
from eyespot.records import PrecisionName, Record

MOST_SECONDS = 20.0
"""Where a run would take longer, one is enough, and larger batches are not tried."""
MOST_PICTURES = 128
"""Of a folder: enough for half a second of the fastest networks."""


class Rate(Record):
    """How many a second: the median of all runs, and their range."""

    median: float = Field(gt=0)
    low: float
    high: float


class Speed(Record):
    """One engine with one number format, given `batch` images at a time."""

    engine: str
    precision: PrecisionName
    batch: int = Field(ge=1)
    images_per_second: Rate
    milliseconds: float
    """From one batch to the next, the engine being kept busy; for a batch of 1, the time of a lone image."""
    gflops: float
    """1e9 operations a second; a multiply-add counts as two."""
    share_of_peak: float
    """Of the machine's matrix products in that number format."""


class DecodingSpeed(Record):
    """Reading pictures from files, and the fastest number format of the first engine on them."""

    pictures: int
    """Different ones; they are read again in every run."""
    decoding: Rate
    """Pictures a second, decoded, resized and cut on all cores, without an engine."""
    whole: Rate
    """Pictures a second from files to answers, decoding and engine at the same time."""


class BenchmarkResult(Record):
    """How fast a network answers on this machine."""

    network: str
    weights: str
    image_hwc: tuple[int, int, int]
    """Height, width and channels of the images, which are made at random."""
    multiply_adds: int
    """Of one image."""
    machine: str
    peak_gflops: dict[PrecisionName, float]
    """The matrix-product peak, by number format."""
    runs: int
    speeds: tuple[Speed, ...]
    decoding: DecodingSpeed | None
    """None if no pictures were given."""
    notes: tuple[str, ...]
    seconds: float


@shows_progress
def benchmark(
    network: str | Path,
    *,
    models: Sequence[str] = (),
    pictures: str | Path | None = None,
    batches: Sequence[int] = (1, 4, 16, 64),
    runs: int = 5,
    seconds: float = 2.0,
    progress: Progress = silent,
) -> BenchmarkResult | Any:
    """Images a second of a run, or of a network of the catalogue with random weights, on images made at random.

    With `models` it is another question, which network suits pictures best: `network` is then the folder of pictures,
    and a BackbonesResult comes out, for which a head is trained on each network whose weights are on this computer.

    network: a run folder, a bundle, or a name that `networks` lists.
    models: names of networks that `train` takes.
    pictures: a folder or file; given, decoding is measured, too, and both together.
    batches: images that an engine is given at a time. runs: of each line, for median and range.
    seconds: that the runs of a line take together, about; a run has at least one batch for each core.
    Raises OptionError, NetworkError, BundleError, DataError, MissingExtra.
    """
    if models:
        if pictures is not None:
            raise OptionError("the option pictures is for the speed of one network, and models is given: leave it out")
        return backbones(network, models=models, progress=progress)
    if runs < 1 or not batches or min(batches) < 1:
        raise OptionError("the options runs and batches must be at least 1")
    if not 0 < seconds < float("inf"):
        raise OptionError(f"the option seconds must be above 0, not {seconds}")
    return _speeds(network, pictures, _Plan(tuple(sorted(batches)), runs, seconds), progress)


@dataclass(frozen=True)
class _Plan:
    """How much is measured."""

    batches: tuple[int, ...]
    """From the smallest on."""
    runs: int
    seconds: float


def _speeds(network: str | Path, pictures: str | Path | None, plan: _Plan, progress: Progress) -> BenchmarkResult:
    started = time.perf_counter()
    found = [] if pictures is None else list(list_pictures([pictures])[0][:MOST_PICTURES])
    given = tested(network)
    work = multiply_adds(given.graph)
    measured = _measured(given, found, plan, progress, where=printable(str(pictures)))
    return BenchmarkResult(
        network=given.name,
        weights=given.weights,
        image_hwc=given.image_hwc,
        multiply_adds=work,
        machine=machine.describe(),
        peak_gflops=measured.peak,
        runs=plan.runs,
        speeds=tuple(_speed(line, work, measured.peak[line.rival.precision]) for line in measured.lines),
        decoding=measured.decoding,
        notes=measured.notes,
        seconds=round(time.perf_counter() - started, 2),
    )


@dataclass(frozen=True)
class _Line:
    """What was measured of one engine with one batch."""

    rival: Contender
    batch: int
    rate: Rate


@dataclass(frozen=True)
class _Measured:
    """All that was measured of a network."""

    lines: list[_Line]
    decoding: DecodingSpeed | None
    peak: dict[PrecisionName, float]
    """The machine's, 1e9 operations a second."""
    notes: tuple[str, ...]


def _measured(given: Tested, found: Sequence[Picture], plan: _Plan, progress: Progress, *, where: str) -> _Measured:
    """Every engine, and decoding where there are pictures. where: these are, for errors."""
    precisions = available_precisions()
    rivals, notes = contenders(given, precisions)
    steps = 1 + len(rivals) + bool(found)
    progress("measuring", 0, steps)
    before = _peak(precisions, plan.seconds)
    lines: list[_Line] = []
    for number, rival in enumerate(rivals, start=1):
        progress("measuring", number, steps)
        lines += _lines(rival, given, plan)
    decoding = _decoding(given, found, precisions[0], plan.runs, where) if found else None
    after = _peak(precisions, plan.seconds)
    progress("measuring", steps, steps)
    return _Measured(lines, decoding, {each: max(before[each], after[each]) for each in precisions}, tuple(notes))


def _peak(precisions: Sequence[PrecisionName], seconds: float) -> dict[PrecisionName, float]:
    """The machine's, 1e9 operations a second; asked before and after all else, because something may slow it down."""
    return {each: peak_gflops(each, seconds=min(seconds, LEAST_SECONDS) / 2) for each in precisions}


def _lines(rival: Contender, given: Tested, plan: _Plan) -> Iterator[_Line]:
    for batch in plan.batches:
        images = np.random.default_rng(batch).integers(0, 256, (batch, *given.image_hwc), dtype=np.uint8)
        each = _seconds_of_a_batch(rival.batches(images), plan.runs, plan.seconds)
        yield _Line(rival, batch, _rate([batch / second for second in each]))
        if machine.cores() * median(each) > MOST_SECONDS:
            return


def _speed(line: _Line, work: int, peak: float) -> Speed:
    """The same with what follows from it. work: multiply-adds of one image. peak: 1e9 operations a second."""
    gflops = line.rate.median * 2 * work / 1e9
    return Speed(
        engine=line.rival.engine,
        precision=line.rival.precision,
        batch=line.batch,
        images_per_second=line.rate,
        milliseconds=1000 * line.batch / line.rate.median,
        gflops=gflops,
        share_of_peak=gflops / peak,
    )


def _seconds_of_a_batch(answer: Batches, runs: int, seconds: float) -> list[float]:
    """What a batch takes in every run."""
    fewest = machine.cores()
    first = _seconds(lambda: answer(fewest)) / fewest
    if fewest * first > MOST_SECONDS:
        return [first]
    once = _seconds(lambda: answer(fewest)) / fewest  # without what is only done at first
    count = max(fewest, round(seconds / runs / once))
    return [_seconds(lambda: answer(count)) / count for _ in range(runs)]


def _decoding(
    given: Tested, pictures: Sequence[Picture], precision: PrecisionName, runs: int, where: str
) -> DecodingSpeed:
    """Decoding by itself, and from files to answers. Raises DataError if nothing can be read."""
    engine = Engine(given.graph, image_hwc=given.image_hwc, precision=precision)
    read = sum(1 for _ in _images(given, pictures))  # from the disk at first, from memory then
    if not read:
        raise DataError(f"no picture in {where} can be read")

    def whole() -> None:
        for _ in engine.stream(in_batches(((None, image) for image in _images(given, pictures)), engine.batch)):
            pass

    whole()
    decoding = [read / _seconds(lambda: list(_images(given, pictures))) for _ in range(runs)]
    both = [read / _seconds(whole) for _ in range(runs)]
    return DecodingSpeed(pictures=read, decoding=_rate(decoding), whole=_rate(both))


def _images(given: Tested, pictures: Sequence[Picture]) -> Iterator[np.ndarray]:
    """Every picture that can be decoded, as an image."""
    work = [(picture, None) for picture in pictures]
    with closing(decode_pictures(work, given.preprocess, {}, ahead=4 * BATCH)) as decoded:
        yield from (image for _, image in decoded)


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _rate(values: Sequence[float]) -> Rate:
    return Rate(median=median(values), low=min(values), high=max(values))
