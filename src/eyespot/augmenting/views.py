"""Which view of each picture is taken: what an augmentation leaves to chance, drawn for many pictures at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eyespot.augmenting.augmentation import Augmentation
from eyespot.augmenting.chance import Chance

PCA_VALUES = np.array([0.2175, 0.0188, 0.0045])
"""The lambda of AlexNet's section 4.1 on the scale 0..1. The paper prints no numbers; these and the axes are those of
fb.resnet.torch, which everybody uses since."""
PCA_AXES = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
"""An axis in each column, over red, green and blue."""
ERASED_ASPECT = (0.3, 1 / 0.3)
"""Height by width of an erased rectangle lies between these, as in Random Erasing."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Views:
    """One view of each of N pictures."""

    mirrored: NDArray[np.bool_]
    """(N,)."""
    window_hw: Floats
    """(N, 2), height and width of the window that fills the view, as shares of the picture's."""
    window_middle: Floats
    """(N, 2), how far its middle lies below and right of the picture's, as shares of the picture's height and width."""
    rotation_degrees: Floats
    """(N,), clockwise."""
    shear_degrees: Floats
    """(N,), how far upright lines lean to the right."""
    shift_px: NDArray[np.int64]
    """(N, 2), down and right."""
    brightness: Floats
    """(N,), a factor; so are the next two."""
    contrast: Floats
    saturation: Floats
    color_levels: Floats
    """(N, 3), added to red, green and blue, on the scale 0..255."""
    erased: Floats
    """(N, 4), top, left, bottom and right of the erased rectangle as shares of the view; all 0 where there is none."""
    erased_color: NDArray[np.uint8]
    """(N, 3)."""

    def erased_px(self, size_hw: tuple[int, int]) -> NDArray[np.int64]:
        """Top, left, bottom and right of the erased rectangles, (N, 4), in views of this size."""
        return np.rint(self.erased * (size_hw + size_hw)).astype(np.int64)


def draw_views(chance: Chance, augmentation: Augmentation) -> Views:
    """A view for each of the chance's pictures. What is not asked for is drawn as doing nothing."""
    window_hw = _sides(chance, "window", augmentation.crop_area, augmentation.crop_aspect)
    erased, erased_color = _erased(chance, augmentation)
    return Views(
        mirrored=augmentation.mirror & _alternating(chance),
        window_hw=window_hw,
        window_middle=_within(chance.uniform("window: middle", 2), abs(1 - window_hw) / 2),
        rotation_degrees=_within(chance.uniform("rotation"), augmentation.rotation_degrees)[:, 0],
        shear_degrees=_within(chance.uniform("shear"), augmentation.shear_degrees)[:, 0],
        shift_px=_whole(chance.uniform("shift", 2), augmentation.shift_px),
        brightness=1 + _within(chance.uniform("brightness"), augmentation.brightness)[:, 0],
        contrast=1 + _within(chance.uniform("contrast"), augmentation.contrast)[:, 0],
        saturation=1 + _within(chance.uniform("saturation"), augmentation.saturation)[:, 0],
        color_levels=255 * (augmentation.pca_color * chance.normal("color", 3) * PCA_VALUES) @ PCA_AXES.T,
        erased=erased,
        erased_color=erased_color,
    )


def _alternating(chance: Chance) -> NDArray[np.bool_]:
    """True in every other epoch, for half of the pictures in the even ones, (N,).

    So each picture shows both its sides equally often, which a coin does not see to; Jordan, arXiv:2404.00498.
    """
    first = replace(chance, epoch=0).uniform("mirror")[:, 0] < 0.5
    return first ^ (chance.epoch % 2 == 1)


def _sides(chance: Chance, what: str, area: tuple[float, float], aspect: tuple[float, float]) -> Floats:
    """Height and width of rectangles (N, 2), as shares of a whole that they lie in, or that lies in them.

    The logarithm of the aspect is uniform, as in torchvision, between ends that are drawn in until the rectangle fits:
    so no rectangle has to be thrown away.
    """
    areas = area[0] + (area[1] - area[0]) * chance.uniform(f"{what}: area")[:, 0]
    fits = abs(np.log(areas))
    low, high = np.maximum(np.log(aspect[0]), -fits), np.minimum(np.log(aspect[1]), fits)
    aspects = np.exp(low + (high - low) * chance.uniform(f"{what}: aspect")[:, 0])
    return np.stack([np.sqrt(areas / aspects), np.sqrt(areas * aspects)], axis=1)  # (N, 2)


def _erased(chance: Chance, augmentation: Augmentation) -> tuple[Floats, NDArray[np.uint8]]:
    """Erased rectangles (N, 4) and their colours (N, 3)."""
    sides = np.minimum(_sides(chance, "erased", augmentation.erase_area, ERASED_ASPECT), 1)
    corner = (1 - sides) * chance.uniform("erased: place", 2)
    is_erased = chance.uniform("erased") < augmentation.erase_probability  # (N, 1)
    colors = (256 * chance.uniform("erased: color", 3)).astype(np.uint8)
    return np.concatenate([corner, corner + sides], axis=1) * is_erased, colors


def _within(uniform: Floats, most: float | Floats) -> Floats:
    """Numbers between minus and plus `most`."""
    return np.asarray((2 * uniform - 1) * most)


def _whole(uniform: Floats, most: int) -> NDArray[np.int64]:
    """Whole numbers between minus and plus `most`, each as likely."""
    return np.floor(uniform * (2 * most + 1)).astype(np.int64) - most
