"""Whether the learning curve is right about twice the pictures: it is asked on half of them, and told by all.

    python benchmarks/trust_curve.py DATA

DATA is the clothing data set. In each of ten repetitions a third of all pictures is tested on; of the others one half
gives the curve, and the gain is that of a head on both halves over a head on one. Settings were chosen on seeds 100
and up; these are 0 to 9.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import measuring
import numpy as np
from measuring import Bar, at_least, at_most
from trust_labels import accuracy, samples_of

from eyespot.heads.fit import fit_head
from eyespot.heads.head import HeadOptions, Samples
from eyespot.heads.learning_curve import expect_with_more, tenths_of

REPETITIONS = 10
L2 = 0.0043
"""That is chosen with all of these pictures."""
NEAR = 2.0
"""Points by which a predicted gain may miss the measured one."""
NEAR_BAR = at_least(9, "of 10", f"the predicted gain of twice the pictures is within {NEAR:g} points of the measured")
BIAS_BAR = at_most(0.5, "points", "on average it is right")
HELD_BAR = at_least(9, "of 10", "the band holds the measured gain")
TRAIN_BAR = at_most(0.5, "s", "the curve of the clothing's training pictures, with one part of each size")
AUDIT_BAR = at_most(6, "s", "the same of all clothing, with five")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="the clothing data set")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    for _, bar, value in rows(options.data):
        if bar:
            print(bar.verdict(value), flush=True)


def rows(data: Path) -> Iterator[tuple[str, Bar | None, float]]:
    """What is measured, its bar if it has one, and the figure."""
    everything = samples_of(data, "train", "val", "test")
    told = np.array([_repetition(everything, seed) for seed in range(REPETITIONS)])  # (repetitions, 4)
    measured, predicted, low, high = told.T
    yield "gain measured, mean", None, float(measured.mean())
    yield "gain predicted, mean", None, float(predicted.mean())
    yield "gain within 2 points", NEAR_BAR, _tenths(np.abs(predicted - measured) <= NEAR)
    yield "bias", BIAS_BAR, abs(float((predicted - measured).mean()))
    yield "band holds", HELD_BAR, _tenths((low <= measured) & (measured <= high))
    train = samples_of(data, "train")
    for name, samples, turns, bar in (("train", train, 1, TRAIN_BAR), ("all", everything, 5, AUDIT_BAR)):
        yield f"seconds of the curve, {name}", bar, _seconds(samples, turns)


def _repetition(everything: Samples, seed: int) -> tuple[float, float, float, float]:
    """The gain, as measured and as predicted, and the ends of its band, all in points."""
    order = np.random.default_rng(seed).permutation(len(everything))
    test, both = np.split(order, [len(order) // 3])
    half = both[: len(both) // 2]
    options = HeadOptions(seed=seed)
    before, after = (fit_head(everything.take(rows), options) for rows in (half, both))
    gain = accuracy(after, everything.take(test)) - accuracy(before, everything.take(test))
    samples = everything.take(half)
    more = expect_with_more(samples, options, l2=before.chosen.l2, tenth=tenths_of(samples.labels, seed=seed))
    assert more is not None, "the clothing data set has enough pictures"
    points = (100 * gain, 100 * more.gain, 100 * more.low, 100 * more.high)
    print("measured {:+.2f} points, predicted {:+.2f} ({:.2f} to {:.2f})".format(*points), flush=True)
    return points


def _tenths(held: np.ndarray) -> float:
    return 10 * float(held.mean())


def _seconds(samples: Samples, turns: int) -> float:
    """The median of three."""
    tenth = tenths_of(samples.labels, seed=0)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        expect_with_more(samples, HeadOptions(), l2=L2, tenth=tenth, turns=turns)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
