"""The deletion test: hiding what a heat map calls important has to cost the answer more than hiding anything else.

After Petsiuk, Das and Saenko 2018, "RISE", arXiv:1806.07421, section 3.3, with one share of the places in place of all.

Every draw hides the strongest places, and in a second image the same shape somewhere else: scattered places would make
more edges, which alone can change an answer. What hides is one color, drawn from the image's own pixels. No single
filling is neutral: an image's mean color hides a white shirt on a white wall with white. So the range of the draws
tells how much depends on the filling, for both alike. A blur would leave the colors, and hardly hides anything in a
picture of 28 x 28 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from eyespot.explaining.heat import Asking, HeatMap, with_hidden
from eyespot.records import Fraction, Record

HIDDEN_SHARE = 0.2
"""Of all places, in each draw."""
DRAWS = 16
"""Two images each: two full batches."""
CONFIRMING = 12
"""Draws of 16: a coin that is thrown 16 times shows as many heads in 4 of 100 cases."""
SEED = 0


class Spread(Record):
    """What is left over all draws."""

    mean: Fraction
    low: Fraction
    """The lowest of all draws."""
    high: Fraction
    """The highest."""


class Deletion(Record):
    """What is left of the probability of a class when places are hidden; of a box, its probability times its overlap
    with what it was."""

    hidden: int = Field(ge=1)
    """Places that are hidden in each image."""
    places: int = Field(ge=1)
    """Places there are."""
    draws: int = Field(ge=1)
    untouched: Fraction
    """The probability, nothing being hidden."""
    strongest: Spread
    """The strongest places of the heat map hidden."""
    random: Spread
    """The same shape hidden elsewhere, moved at random; what leaves the image comes in at its other side."""
    lower: int
    """Draws in which hiding the strongest places cost more than hiding others."""
    confirmed: bool
    """Whether that is so in 12 draws of 16 or more: then the answer rests on what the heat map shows."""

    @property
    def sentence(self) -> str:
        """What the test found, in words."""
        verdict = (
            "the answer rests on what the heat map shows"
            if self.confirmed
            else "the answer rests on other places as much, so do not rely on the heat map"
        )
        return f"Hiding the strongest cost more than hiding others in {self.lower} of {self.draws}: {verdict}."


def deletion_test(ask: Asking, image: NDArray[np.uint8], heat: HeatMap) -> Deletion:
    """What hiding the strongest places of a heat map costs, against hiding as many elsewhere.

    ask: how probable what the map explains is in an image. image: (H, W, C).
    """
    hidden = max(1, round(HIDDEN_SHARE * heat.values.size))
    left = np.array(list(ask(_images(image, heat.values, hidden)))).reshape(DRAWS, 2).clip(0, 1)
    lower = int((left[:, 0] < left[:, 1]).sum())
    return Deletion(
        hidden=hidden,
        places=heat.values.size,
        draws=DRAWS,
        untouched=heat.probability,
        strongest=_spread(left[:, 0]),
        random=_spread(left[:, 1]),
        lower=lower,
        confirmed=lower >= CONFIRMING,
    )


def _images(image: NDArray[np.uint8], values: NDArray[np.float32], hidden: int) -> Iterator[NDArray[np.uint8]]:
    """For each draw the image without its strongest places, then without the same shape elsewhere."""
    random = np.random.default_rng(SEED)
    pixels = image.reshape(-1, image.shape[2])  # (H * W, C)
    strongest = np.zeros(values.shape, bool)
    strongest.flat[values.ravel().argsort(kind="stable")[-hidden:]] = True
    for _ in range(DRAWS):
        color = pixels[random.integers(len(pixels))]
        down, across = divmod(int(random.integers(1, values.size)), values.shape[1])  # never to where it was
        yield with_hidden(image, strongest, color)
        yield with_hidden(image, np.roll(strongest, (down, across), (0, 1)), color)


def _spread(values: NDArray[np.float64]) -> Spread:
    return Spread(mean=float(values.mean()), low=float(values.min()), high=float(values.max()))
