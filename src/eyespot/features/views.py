"""The views of pictures that features are computed of: as they are, mirrored, or as an augmentation draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import numpy as np

from eyespot.augmenting.augmentation import VERSION, Augmentation
from eyespot.augmenting.chance import Chance, pictures_by_content
from eyespot.data.store_values import key_of
from eyespot.records import View


@dataclass(frozen=True)
class Drawn:
    """A view that chance draws: only these and the picture's content decide it."""

    augmentation: Augmentation
    seed: int
    number: int
    """Which of the views with that seed, from 0 up."""

    @cached_property
    def key(self) -> str:
        """Stands for the view where features are kept: another for whatever would show something else."""
        return key_of(
            augmentation=self.augmentation,
            seed=self.seed,
            number=self.number,
            version=VERSION,
            torch=version("torch"),
        )


AnyView = View | Drawn


def choose_views(count: int, augmentation: Augmentation, *, seed: int) -> tuple[AnyView, ...]:
    """This many views: the picture as it is, mirrored if the augmentation mirrors, and what it draws."""
    plain: tuple[View, ...] = ("identity", "mirror") if augmentation.mirror else ("identity",)
    return (*plain[:count], *(Drawn(augmentation, seed, number) for number in range(count - len(plain))))


def seen_as(view: AnyView, images: Sequence[np.ndarray], contents: Sequence[str]) -> Sequence[np.ndarray]:
    """The images, each (H, W, C), as the view shows them.

    contents: the content hashes of their pictures.
    """
    if isinstance(view, Drawn):
        from eyespot.augmenting.augment import augment

        chance = Chance(view.seed, view.number, pictures_by_content(contents))
        return list(augment(np.stack(images), chance, view.augmentation))
    return images if view == "identity" else [_mirrored(image) for image in images]


def _mirrored(image: np.ndarray) -> np.ndarray:
    """A copy, channel by channel: as fast as memory, where pixels of three bytes are copied one at a time."""
    mirrored = np.empty_like(image)
    for channel in range(image.shape[2]):
        mirrored[:, :, channel] = image[:, ::-1, channel]
    return mirrored
