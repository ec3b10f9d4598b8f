"""More pictures: whether the learning curve is right about twice as many. Half of them are asked, and all of them tell.

In each of ten repetitions a third of all clothes is tested on; of the others one half gives the curve, and the gain is
that of a head on both halves over a head on one. Settings were chosen on seeds 100 to 109; these are 0 to 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from measuring import Bar, at_least, at_most, seconds_of
from trust_labels import accuracy, samples_of

from eyespot.data.store import Store
from eyespot.heads.fit import fit_head
from eyespot.heads.head import HeadOptions, Samples
from eyespot.heads.learning_curve import expect_with_more

REPETITIONS = 10
NEAR = 2.0
"""Points by which a predicted gain may miss the measured one."""
NEAR_BAR = at_least(9, "of 10", f"the predicted gain of twice the pictures is within {NEAR:g} points of the measured")
BIAS_BAR = at_most(0.5, "points", "on average it is right")
HELD_BAR = at_least(9, "of 10", "the band holds the measured gain")
TRAIN_BAR = at_most(0.5, "s", "the curve of the clothing's training pictures, with one part of each size")
AUDIT_BAR = at_most(6, "s", "the same of all clothing, with five")


def learning_curve(data: Path, store: Store) -> Iterator[tuple[Bar, float]]:
    """What half of the clothes say of all, and how long the curve takes."""
    everything = samples_of(data, store, "train", "val", "test")
    told = np.array([_repetition(everything, seed) for seed in range(REPETITIONS)])  # (repetitions, 4)
    measured, predicted, low, high = told.T
    print(f"on average: measured {measured.mean():+.2f} points, predicted {predicted.mean():+.2f}", flush=True)
    yield NEAR_BAR, 10 * float((np.abs(predicted - measured) <= NEAR).mean())
    yield BIAS_BAR, abs(float((predicted - measured).mean()))
    yield HELD_BAR, 10 * float(((low <= measured) & (measured <= high)).mean())
    yield TRAIN_BAR, _seconds(samples_of(data, store, "train"), turns=1)
    yield AUDIT_BAR, _seconds(everything, turns=5)


def _repetition(everything: Samples, seed: int) -> tuple[float, float, float, float]:
    """The gain, as measured and as predicted, and the ends of its band, all in points."""
    order = np.random.default_rng(seed).permutation(len(everything))
    test, both = np.split(order, [len(order) // 3])
    half = both[: len(both) // 2]
    options = HeadOptions(seed=seed)
    before, after = (fit_head(everything.take(rows), options) for rows in (half, both))
    gain = accuracy(after, everything.take(test)) - accuracy(before, everything.take(test))
    more = expect_with_more(everything.take(half), options, l2=before.chosen.l2)
    assert more is not None, "the clothing data set has enough pictures"
    points = (100 * gain, 100 * more.gain, 100 * more.low, 100 * more.high)
    print("measured {:+.2f} points, predicted {:+.2f} ({:.2f} to {:.2f})".format(*points), flush=True)
    return points


def _seconds(samples: Samples, *, turns: int) -> float:
    """The median of three, after a head on all pictures, whose L2 and rotation are there anyway."""
    options = HeadOptions()
    fitted = fit_head(samples, options)

    def expect() -> None:
        expect_with_more(samples, options, l2=fitted.chosen.l2, rotated=fitted.rotated, turns=turns)

    return median(seconds_of(expect) for _ in range(3))
