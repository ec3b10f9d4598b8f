"""Heads on growing parts of the pictures, for the learning curve: what each answers to the pictures outside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eyespot.data.split import stratified_folds
from eyespot.evaluate.learning_curve import MorePictures, Tried, are_enough, more_pictures
from eyespot.heads.fit import LOOSE, settled
from eyespot.heads.head import Head, HeadOptions, Samples
from eyespot.heads.problems import Problems
from eyespot.heads.rotation import Rotated

TENTHS = (1, 2, 3, 4, 5, 6, 8)
"""Of the pictures, that are trained on. The others are asked, so nine would ask few."""
TURNS = 5
"""Parts of each size, each beginning at another tenth."""
ENOUGH_ANSWERS = 20_000
"""By heads of one size: with more pictures fewer parts are tried, since each head is asked about more of them."""


def tenths_of(samples: Samples, *, seed: int) -> np.ndarray:
    """The tenth of every picture, 0 to 9, (N,): each class is spread evenly over all, and no group torn apart."""
    return stratified_folds(samples.labels, folds=10, seed=seed, group=samples.group)


def expect_with_more(
    samples: Samples,
    options: HeadOptions,
    *,
    l2: float,
    turns: int | None = None,
    rotated: Rotated | None = None,
) -> MorePictures | None:
    """What twice the pictures would bring; None where these are too few to say, and then nothing is fitted.

    l2: for all heads, that which was chosen with all pictures.
    turns: parts of each size, 1 to 10, which overlap where they are large; None for what the pictures ask for.
    rotated: the samples, where that is known.
    """
    if not are_enough(len(samples), samples.group):
        return None
    turns = turns or min(TURNS, max(1, ENOUGH_ANSWERS // len(samples)))
    tried = try_sizes(
        samples, options, l2=l2, tenth=tenths_of(samples, seed=options.seed), turns=turns, rotated=rotated
    )
    return more_pictures(tried, seed=options.seed, group=samples.group)


def try_sizes(
    samples: Samples,
    options: HeadOptions,
    *,
    l2: float,
    tenth: np.ndarray,
    turns: int,
    rotated: Rotated | None = None,
) -> Tried:
    """The answers of heads that were fitted on 1 to 8 tenths of the pictures.

    Mirror images are left out: they double the work, and what more pictures bring is the same with them.
    """
    options = settled(options, samples)
    rotated = (rotated or Rotated.of(replace(samples, mirror=None))).without_mirror()
    asked, wrong = np.zeros((2, len(TENTHS), len(samples)), np.int64)
    trained = np.zeros(len(TENTHS))
    for first in np.arange(turns) * 10 // turns:
        start: list[Head] = []
        for row, count in enumerate(TENTHS):
            others = (tenth - first) % 10 >= count
            part, seen = rotated.part(~others)
            problems = Problems(part, options, mirror=False, trained_on=seen[:, None])
            start = problems.minimise(np.array([l2]), tolerance=LOOSE, start=start)  # from the next smaller part
            answers = rotated.logits(start[0], others).argmax(axis=1)
            asked[row, others] += 1
            wrong[row, others] += answers != samples.labels[others]
            trained[row] += (~others).sum()
    return Tried(trained / turns, asked, wrong)
