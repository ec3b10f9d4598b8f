"""An exported model in int8: made, and judged on a person's own pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from eyespot import machine
from eyespot.bundle.files import Bundle
from eyespot.data.audit import Hashed
from eyespot.engine.gate import PROBABILITIES
from eyespot.engine.whole import WholeEngine
from eyespot.exporting.files import in_openvino_format
from eyespot.exporting.int8 import MOST_PICTURES, quantized
from eyespot.features.decode import decode_pictures
from eyespot.recipes.progress import Progress
from eyespot.recipes.results import Int8Check

LARGEST_DROP = 0.005
"""Of the accuracy, for int8 to be kept."""
TIMED = 60
"""Pictures that both models are timed on, in turn, one at a time."""
LARGEST_CHANCE = 0.05
"""That it was the faster one so often by luck."""


def in_int8(
    bundle: Bundle,
    files: tuple[bytes, bytes],
    *,
    trained_on: Sequence[Hashed],
    judged_on: Sequence[Hashed],
    expected: Mapping[int, np.ndarray],
    progress: Progress,
) -> tuple[tuple[bytes, bytes], Int8Check]:
    """The model in int8, as OpenVINO's two files, and whether it is worth having.

    files: the model in fp32.
    trained_on: pictures, on which the ranges of its values are seen.
    judged_on: labelled pictures, on which it is measured; expected: the answers in fp32, by their number.
    """
    seen = _decoded(bundle, trained_on[:MOST_PICTURES])
    made = in_openvino_format(quantized(*files, list(seen.values())), bundle)
    pictures = {number: each for number, each in _decoded(bundle, judged_on).items() if number in expected}
    before, after = (WholeEngine(xml, weights=weights) for xml, weights in (files, made))
    found: dict[int, np.ndarray] = {}
    for number, outputs in after.stream(pictures.items()):
        found[number] = outputs[PROBABILITIES][0]
        progress("asking int8", len(found), len(pictures))
    labels = {number: bundle.manifest.classes.index(str(judged_on[number].picture.label)) for number in pictures}
    seconds = _seconds_in_turn(before, after, list(pictures.values())[:TIMED])
    return made, judged(
        *(sum(int(rows[number].argmax()) == label for number, label in labels.items()) for rows in (expected, found)),
        pictures=len(labels),
        seconds=seconds,
    )


def judged(right_before: int, right: int, *, pictures: int, seconds: Sequence[tuple[float, float]]) -> Int8Check:
    """Whether int8 is kept: hardly less accurate, and faster beyond luck.

    right_before, right: pictures answered rightly in fp32 and in int8.
    seconds: what each of some pictures took in fp32 and in int8.
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
    )


def _verdict(*, is_accurate: bool, is_faster: bool) -> str:
    if is_accurate and is_faster:
        return "kept: hardly less accurate, and faster"
    drop = f"accuracy falls by more than {100 * LARGEST_DROP:g} points"
    faults = [*([] if is_accurate else [drop]), *([] if is_faster else ["it is not measurably faster here"])]
    return f"not kept, fp32 is better: {' and '.join(faults)}"


def _decoded(bundle: Bundle, pictures: Sequence[Hashed]) -> dict[int, np.ndarray]:
    """The pictures that can be read, decoded, by their number."""
    work = [(each.picture, each.content) for each in pictures]
    decoded = decode_pictures(work, bundle.manifest.preprocess, threads=machine.cores(), ahead=16, resized=False)
    return {number: image for number, image in enumerate(decoded) if not isinstance(image, str)}


def _seconds_in_turn(one: WholeEngine, other: WholeEngine, pictures: Sequence[np.ndarray]) -> list[tuple[float, float]]:
    """What each picture takes in one engine and in the other, after each has seen it once."""
    seconds = []
    for number, picture in enumerate(pictures):
        pair = []
        for engine in (one, other):
            list(engine.stream([(number, picture)]))
            started = time.perf_counter()
            list(engine.stream([(number, picture)]))
            pair.append(time.perf_counter() - started)
        seconds.append((pair[0], pair[1]))
    return seconds
