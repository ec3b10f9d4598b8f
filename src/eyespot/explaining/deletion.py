"""The deletion test: hiding what a heat map calls important has to cost the answer more than hiding anything else.

After Petsiuk, Das and Saenko 2018, "RISE", arXiv:1806.07421, section 3.3: the strongest places are hidden first, then
more and more, and what is left of the answer falls along a curve. It falls in logits here: a probability of 0.9999 that
becomes 0.99 has lost as much evidence as one of 0.5 that becomes 0.01, and hardly looks like it.

What the curve is compared with: the same map moved elsewhere, so that the same shapes are hidden in the same order.
Scattered places would make more edges, which alone can change an answer. If the map knew nothing, its curve would be
one of the two lowest of 20 in one of ten cases. What hides is one color, drawn from the image's own pixels; no color is
neutral: an image's mean hides a white shirt on a white wall with white. So several are tried. A blur would leave the
colors, and hides hardly anything in a picture of 28 x 28 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from eyespot.explaining.heat import Asking, HeatMap, with_hidden
from eyespot.records import Fraction, Record

HIDDEN_SHARE = 0.2
"""Of all places: what is hidden where one share stands for all."""
SHARES = (0.1, HIDDEN_SHARE, 0.4, 0.8)
MOVED = 19
"""Maps that are moved elsewhere: to be among the two lowest of 20 is chance in one of ten cases."""
NEAR = 1
"""Places: a map that is moved by no more still hides much of the same."""
COLORS = 4
HOLDS = 0.5
"""A class that keeps more than this is still the answer."""
SEED = 0
_LEAST = 1e-6
"""Probabilities are as exact as that."""

Verdict = Literal["rests on the map", "holds", "rests elsewhere"]


class Spread(Record):
    """What is left over all draws."""

    mean: Fraction
    low: Fraction
    """The lowest of all draws."""
    high: Fraction
    """The highest."""


class Step(Record):
    """What is left on average, in logits, when a share of the places is hidden."""

    share: Fraction
    """Of the places."""
    strongest: Fraction
    """The strongest first."""
    random: Fraction
    """The same shape elsewhere."""


class Deletion(Record):
    """What is left of the probability of a class when places are hidden; of a box, its probability times its overlap
    with what it was."""

    hidden: int = Field(ge=1)
    """Places that are a fifth of them."""
    places: int = Field(ge=1)
    """Places there are."""
    draws: int = Field(ge=1)
    """Moved maps that it is compared with."""
    untouched: Fraction
    """The probability, nothing being hidden."""
    strongest: Spread
    """The strongest fifth of the heat map hidden."""
    random: Spread
    """The same shape hidden elsewhere, moved at random; what leaves the image comes in at its other side."""
    lower: int
    """Moved maps than which hiding the strongest places first cost more, over the whole curve."""
    confirmed: bool
    """Whether it cost more than all but one: then the answer rests on what the heat map shows."""
    curve: tuple[Step, ...]
    """What is left when more and more is hidden."""
    gap: float
    """By how many logits the curve of the strongest places lies lower, on average."""
    verdict: Verdict
    """`holds` where no fifth that was hidden cost the answer."""

    @property
    def sentence(self) -> str:
        """What the test found, in words."""
        if self.verdict == "holds":
            least = min(self.strongest.low, self.random.low)
            return (
                f"The answer held whatever fifth was hidden, with {least:.3f} at least: more than one part of the "
                "picture would do, and the heat map shows the strongest."
            )
        verdict = (
            "the answer rests on what the heat map shows"
            if self.confirmed
            else "the answer may rest on other places as much, so do not rely on the heat map"
        )
        ways = f"{self.lower} of {self.draws} ways"
        return f"Hiding the strongest first cost more than hiding others first in {ways}: {verdict}."


def deletion_test(ask: Asking, image: NDArray[np.uint8], heat: HeatMap) -> Deletion:
    """What hiding the strongest places of a heat map costs, against hiding as many elsewhere.

    ask: how probable what the map explains is in an image. image: (H, W, C).
    """
    random = np.random.default_rng(SEED)
    moves = _moves(heat.values.shape, random)
    pixels = image.reshape(-1, image.shape[2])  # (H * W, C)
    colors = pixels[random.integers(len(pixels), size=COLORS)]
    left = np.fromiter(ask(_images(image, heat.values, moves, colors)), np.float64).clip(0, 1)
    left = left.reshape(COLORS + len(moves), len(SHARES))
    own, moved = left[:COLORS], left[COLORS:]  # (colors, shares) and (moves, shares)
    kept, others_kept = _logits(own), _logits(moved)
    gaps = others_kept.mean(axis=1) - kept.mean()
    lower, fifth = int((gaps > 0).sum()), SHARES.index(HIDDEN_SHARE)
    strongest, others = _spread(own[:, fifth]), _spread(moved[:, fifth])
    confirmed = lower >= len(moves) - (len(moves) == MOVED)
    holds = min(strongest.low, others.low) > HOLDS
    return Deletion(
        hidden=_count(HIDDEN_SHARE, heat.values.size),
        places=heat.values.size,
        draws=len(moves),
        untouched=heat.probability,
        strongest=strongest,
        random=others,
        lower=lower,
        confirmed=confirmed,
        curve=tuple(
            Step(share=share, strongest=_probability(mine.mean()), random=_probability(theirs.mean()))
            for share, mine, theirs in zip(SHARES, kept.T, others_kept.T, strict=True)
        ),
        gap=float(gaps.mean()),
        verdict="rests on the map" if confirmed else "holds" if holds else "rests elsewhere",
    )


def _images(
    image: NDArray[np.uint8], values: NDArray[np.float32], moves: NDArray[np.int64], colors: NDArray[np.uint8]
) -> Iterator[NDArray[np.uint8]]:
    """The image with each share of its strongest places hidden, in each color; then with the moved maps' places."""
    weakest_first = values.ravel().argsort(kind="stable").argsort().reshape(values.shape)
    order = values.size - 1 - weakest_first  # 0 at the strongest place
    counts = [_count(share, values.size) for share in SHARES]
    for color in colors:
        for count in counts:
            yield with_hidden(image, order < count, color)
    for number, move in enumerate(moves.tolist()):
        elsewhere = np.roll(order, move, (0, 1))
        for count in counts:
            yield with_hidden(image, elsewhere < count, colors[number % COLORS])


def _moves(places_hw: tuple[int, ...], random: np.random.Generator) -> NDArray[np.int64]:
    """Ways down and across to move a map, (moves, 2), all different: none leaves it nearly where it was."""
    height, width = places_hw
    down, across = np.indices(places_hw).reshape(2, -1)
    far = np.maximum(np.minimum(down, height - down), np.minimum(across, width - across))
    able = np.flatnonzero(far > NEAR) if (far > NEAR).sum() >= MOVED else np.flatnonzero(far > 0)
    chosen = random.permutation(able)[:MOVED]
    return np.stack([down[chosen], across[chosen]], axis=1)


def _count(share: float, places: int) -> int:
    return max(1, round(share * places))


def _logits(left: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = left.clip(_LEAST, 1 - _LEAST)
    return np.asarray(np.log(kept / (1 - kept)))


def _probability(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def _spread(values: NDArray[np.float64]) -> Spread:
    return Spread(mean=float(values.mean()), low=float(values.min()), high=float(values.max()))
