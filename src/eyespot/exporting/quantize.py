"""An exported model in 8-bit whole numbers: made by NNCF's post-training quantisation, which sees the ranges of values
on pictures, and judged on a person's own."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from statistics import median
from typing import Any, cast

import numpy as np

from eyespot.bundle.files import Bundle
from eyespot.bundle.run import ClassAnswer
from eyespot.data.copies import Hashed
from eyespot.engine.run import WholeEngine, openvino_core
from eyespot.errors import DataError, MissingExtra
from eyespot.evaluate.promises import HELD, REFUSED, Unknown, promises
from eyespot.exporting.agreement import Answering, ExportCheck, Tagged, agreement
from eyespot.exporting.files import in_openvino_format
from eyespot.features.decode import MOST_WHOLE, decode_pictures
from eyespot.progress import Progress
from eyespot.records import Fraction, Part, Record
from eyespot.runs.pictures import RunPictures, draw_of_each_class

LARGEST_DROP = 0.005
"""Of the accuracy, for int8 to be kept."""
TIMED = 60
"""Pictures that both models are timed on, in turn, one at a time."""
LARGEST_CHANCE = 0.05
"""Largest probability that luck made it the faster one that often."""
MOST_PICTURES = 300
"""That the ranges are seen on: NNCF's own default."""
_EXACT = r"(resize|classifier\.likeness)\..*"
"""Nodes that stay in fp32: the resize, and the small products that likeness is made of."""


class Int8Check(Record):
    """Whether the model in int8 is worth having."""

    pictures: int
    """That accuracy was measured on: those whose class the model knows."""
    accuracy_fp32: Fraction
    accuracy: Fraction
    """In int8."""
    speedup: float
    """How many times as fast, one picture at a time: the median over pictures."""
    faster: int
    """Of the pictures that were timed in both, those that int8 was faster on."""
    timed: int
    kept: bool
    verdict: str
    """Kept or not, and why, in words."""
    answers: ExportCheck
    """How they compare with the run's."""


def in_int8(
    bundle: Bundle,
    files: tuple[bytes, bytes],
    *,
    trained_on: Sequence[Hashed],
    judged_on: RunPictures,
    expected: dict[int, ClassAnswer],
    read_back: Callable[[tuple[bytes, ...]], Answering],
    progress: Progress,
) -> tuple[tuple[bytes, bytes], Int8Check]:
    """The model in int8, as OpenVINO's two files, and whether it is worth having.

    Its features are other ones, so what it refuses, and its sets, are decided anew by the pictures that judge it.

    files: the model in fp32.
    trained_on: pictures, on some of which the ranges of its values are seen.
    judged_on: pictures, on which it is measured; expected: the answers in fp32, by their number.
    read_back: makes two files answer, as whoever reads them will.
    Raises DataError if the model knows the class of no picture to judge, or none that it was trained on can be read.
    """
    labels = _labels(bundle, judged_on.hashed, expected)
    drawn = draw_of_each_class(trained_on, most=MOST_PICTURES, seed=bundle.manifest.seed)
    model = quantized(*files, _seen(bundle, drawn))
    made = in_openvino_format(model, bundle)
    found: dict[int, ClassAnswer] = {}
    answers = agreement(
        _kept_in(found, read_back(made)),
        expected,
        runtime="int8",
        pictures=judged_on.hashed,
        preprocess=bundle.manifest.preprocess,
        progress=progress,
    )
    timed = _one_by_one(bundle, [judged_on.hashed[number] for number in labels][:TIMED])
    right = [_right(said, labels) for said in (expected, found)]
    check = judged(*right, pictures=len(labels), seconds=_seconds_in_turn(files, made, timed), answers=answers)
    return in_openvino_format(model, promising_anew(bundle, found, labels, part=judged_on.part)), check


def _right(said: Mapping[int, ClassAnswer], labels: Mapping[int, int]) -> int:
    """How many of the answers are true."""
    answered = ((said[number], label) for number, label in labels.items() if number in said)
    return sum(int(answer.probabilities.argmax()) == label for answer, label in answered)


def promising_anew(
    bundle: Bundle, found: Mapping[int, ClassAnswer], labels: Mapping[int, int], *, part: Part
) -> Bundle:
    """The bundle with promises that hold in int8; none where these are the pictures that it was trained on.

    found: the answers in int8, labels: the true classes, by the pictures' numbers. part: theirs in the run.
    """
    if bundle.manifest.unknown is None:
        return bundle
    numbers = [number for number in labels if number in found] if part != "train" else []
    alike = [found[number].likeness for number in numbers]
    scores = [each for each in alike if each is not None]
    truths = [found[number].probabilities[labels[number]] for number in numbers]
    unknown = Unknown(
        refusing=promises(scores, REFUSED, below=True),
        fitted_on=f"answers in int8 to pictures of part {part}" if scores else "nothing: all were trained on",
        n=len(scores),
    )
    changed = {"unknown": unknown, "sets": promises(truths, HELD, below=False)}
    return replace(bundle, manifest=bundle.manifest.model_copy(update=changed))


def judged(
    right_before: int, right: int, *, pictures: int, seconds: Sequence[tuple[float, float]], answers: ExportCheck
) -> Int8Check:
    """Whether int8 is kept: hardly less accurate, and faster beyond luck.

    right_before, right: pictures answered rightly in fp32 and in int8.
    seconds: what each of some pictures took in fp32 and in int8.
    answers: how they compare; that decides nothing.
    """
    wins = sum(after < before for before, after in seconds)
    luck = sum(math.comb(len(seconds), each) for each in range(wins, len(seconds) + 1)) / 2 ** len(seconds)
    accuracies = right_before / pictures, right / pictures
    is_accurate = right_before - right <= LARGEST_DROP * pictures
    is_faster = luck < LARGEST_CHANCE
    return Int8Check(
        pictures=pictures,
        accuracy_fp32=accuracies[0],
        accuracy=accuracies[1],
        speedup=median(before / after for before, after in seconds),
        faster=wins,
        timed=len(seconds),
        kept=is_accurate and is_faster,
        verdict=_verdict(is_accurate=is_accurate, is_faster=is_faster),
        answers=answers,
    )


def quantized(xml: bytes, weights: bytes, pictures: Iterable[np.ndarray]) -> Any:
    """The OpenVINO model with convolutions and dense layers in int8; resize and likeness stay as exact as they were.

    xml, weights: its two files.
    pictures: decoded, uint8 (H, W, C), at least one; the first `MOST_PICTURES` are seen. Gone through several times.
    Raises MissingExtra if NNCF is not installed.
    """
    nncf = _nncf()
    nncf.set_log_level(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):  # it would print its own progress among our results
        return nncf.quantize(
            openvino_core().read_model(xml, weights),
            nncf.Dataset(pictures),
            subset_size=MOST_PICTURES,
            ignored_scope=nncf.IgnoredScope(patterns=[_EXACT]),
        )


def _verdict(*, is_accurate: bool, is_faster: bool) -> str:
    if is_accurate and is_faster:
        return "kept: hardly less accurate, and faster"
    drop = f"accuracy falls by more than {100 * LARGEST_DROP:g} points"
    faults = [*([] if is_accurate else [drop]), *([] if is_faster else ["it is not measurably faster here"])]
    return f"not kept, fp32 is better: {' and '.join(faults)}"


def _labels(bundle: Bundle, pictures: Sequence[Hashed], expected: Mapping[int, ClassAnswer]) -> dict[int, int]:
    """The class of each picture that has an answer, by its number; those whose class is unknown are left out."""
    index_of = {name: index for index, name in enumerate(bundle.manifest.classes)}
    named = {number: str(pictures[number].picture.label) for number in expected}
    labels = {number: index_of[name] for number, name in named.items() if name in index_of}
    if not labels:
        raise DataError(
            f"int8 cannot be judged: no picture is of a class that the model knows ({', '.join(list(index_of)[:5])}): "
            "name the class folders as they were in training, or leave out --int8"
        )
    return labels


class _Whole:
    """Pictures as they are, decoded anew each time that they are gone through: all of them may not fit in memory."""

    def __init__(self, bundle: Bundle, pictures: Sequence[Hashed]) -> None:
        self._work = [(each.picture, each.content) for each in pictures]
        self._preprocess = bundle.manifest.preprocess

    def __iter__(self) -> Iterator[np.ndarray]:
        with closing(decode_pictures(self._work, self._preprocess, {}, ahead=MOST_WHOLE, resized=False)) as decoded:
            yield from (image for _, image in decoded)


def _seen(bundle: Bundle, pictures: Sequence[Hashed]) -> _Whole:
    """What the ranges are seen on, at least one picture."""
    seen = _Whole(bundle, pictures)
    if next(iter(seen), None) is None:
        raise DataError("int8 cannot be made: none of the pictures that the model was trained on can be read")
    return seen


def _kept_in(found: dict[int, ClassAnswer], answering: Answering) -> Answering:
    """The same, and its answers are kept in `found`."""

    def kept(pictures: Tagged) -> Iterator[tuple[int, ClassAnswer | str]]:
        for number, answer in answering(pictures):
            if not isinstance(answer, str):
                found[number] = answer
            yield number, answer

    return kept


def _one_by_one(bundle: Bundle, pictures: Sequence[Hashed]) -> Iterator[np.ndarray]:
    """The pictures as they are, each decoded when it is asked for: nothing else is at work while one is timed."""
    for each in pictures:
        work = [(each.picture, each.content)]
        for _, image in decode_pictures(work, bundle.manifest.preprocess, {}, ahead=1, threads=1, resized=False):
            yield image


def _seconds_in_turn(
    one: tuple[bytes, bytes], other: tuple[bytes, bytes], pictures: Iterable[np.ndarray]
) -> list[tuple[float, float]]:
    """What each picture takes in one model and in the other, after each has seen it once."""
    engines = [WholeEngine(xml, weights=weights) for xml, weights in (one, other)]
    seconds = []
    for number, picture in enumerate(pictures):
        pair = []
        for engine in engines:
            list(engine.stream([(number, picture)]))
            started = time.perf_counter()
            list(engine.stream([(number, picture)]))
            pair.append(time.perf_counter() - started)
        seconds.append((pair[0], pair[1]))
    return seconds


def _nncf() -> Any:
    """NNCF without its telemetry module, which would otherwise send what was done to its maker."""
    telemetry = "openvino_telemetry"
    if "nncf" in sys.modules:
        return importlib.import_module("nncf")
    modules = cast("dict[str, object]", sys.modules)
    before = modules.get(telemetry)
    modules[telemetry] = None
    try:
        nncf = importlib.import_module("nncf")
    except ImportError as error:
        raise MissingExtra("quantising to int8", extra="int8") from error
    finally:
        del modules[telemetry]
        if before is not None:
            modules[telemetry] = before
    return nncf
