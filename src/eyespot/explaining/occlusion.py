"""Occlusion: how much the probability of a class drops while a patch hides a part of the image.

Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", arXiv:1311.2901, section 4.2. For
networks whose head is not linear over a mean, where no exact map exists. Their patch is gray; this one has the image's
mean color, which is as plain and less foreign to pictures that hold no gray.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from eyespot.explaining.network import Network

QUICK_SIDE = 64
"""Images of at most this many pixels a side are answered so quickly that more places can be tried."""
PLACES, PLACES_OF_SMALL = 8, 16
"""A side of the map."""
PATCHES = 4
"""The patch is this many times shorter than the image's side."""


def occlusion_map(
    network: Network, image: NDArray[np.uint8], class_index: int, probability: float
) -> NDArray[np.float32]:
    """How much of the probability is lost when each place is hidden, (places, places); below 0 where some is won.

    A place gets the mean of all patches that hide it.
    image: (H, W, C). probability: of the class, nothing being hidden.
    """
    side = PLACES_OF_SMALL if max(image.shape[:2]) <= QUICK_SIDE else PLACES
    patches = list(_patches(side))
    color = np.rint(image.mean((0, 1))).astype(np.uint8)
    answers = network.answers((with_hidden(image, patch, color) for patch in patches), many=True)
    lost, covered = np.zeros((side, side)), np.zeros((side, side))
    for patch, answer in zip(patches, answers, strict=True):
        lost += patch * (probability - float(answer.probabilities[class_index]))
        covered += patch
    return np.asarray(lost / covered, np.float32)


def with_hidden(image: NDArray[np.uint8], places: NDArray[np.bool_], color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of the image in which the chosen places have one color.

    image: (H, W, C). places: (h, w), True where hidden; each is a rectangle of about H / h by W / w pixels.
    color: (C,).
    """
    rows, columns = (_place_of_pixels(pixels, count) for pixels, count in zip(image.shape, places.shape, strict=False))
    hidden = image.copy()
    hidden[places[rows[:, None], columns]] = color
    return hidden


def _patches(side: int) -> Iterator[NDArray[np.bool_]]:
    """Every position of the patch among the places, (side, side), True where it hides one."""
    length = side // PATCHES
    for top in range(side - length + 1):
        for left in range(side - length + 1):
            patch = np.zeros((side, side), bool)
            patch[top : top + length, left : left + length] = True
            yield patch


def _place_of_pixels(pixels: int, places: int) -> NDArray[np.intp]:
    """The place that each pixel of a side belongs to."""
    return np.arange(pixels) * places // pixels
