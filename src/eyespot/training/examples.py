"""What is trained on: decoded images that are augmented on the way, or stored views of activations; in which order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from eyespot.augmenting.augment import augment
from eyespot.augmenting.augmentation import Augmentation
from eyespot.augmenting.chance import Chance, pictures_by_content
from eyespot.records import Preprocess


class ImageExamples:
    """Decoded images, normalised as the network wants them; each epoch sees each otherwise augmented."""

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        contents: Sequence[str],
        preprocess: Preprocess,
        *,
        augmentation: Augmentation | None = None,
        sides: Sequence[int] = (),
        seed: int = 0,
    ) -> None:
        """images: uint8 (N, H, W, C). labels: class indexes (N,). contents: the pictures' content hashes.
        augmentation: None leaves images as they are.
        sides: the shorter side of images in the first epochs, pixels, a number for each; later it is their own. Half as
        long, it leaves a quarter of the multiply-adds.
        """
        self._images, self._augmentation, self._seed, self._sides = images, augmentation, seed, tuple(sides)
        self._mean, self._scale = torch.tensor(preprocess.mean), torch.tensor(preprocess.scale)
        self.labels, self.pictures = torch.from_numpy(labels), pictures_by_content(contents)

    def inputs(self, rows: np.ndarray, epoch: int | None) -> Tensor:
        """Images (n, C, H, W) in channels_last, normalised."""
        images = self._images[rows]
        if epoch is not None and self._augmentation is not None:
            images = augment(images, Chance(self._seed, epoch, self.pictures[rows]), self._augmentation)
        normalised = torch.from_numpy(images).float().sub_(self._mean).div_(self._scale)  # (n, H, W, C)
        return self._sized(normalised.permute(0, 3, 1, 2), epoch)  # (n, C, H, W)

    def _sized(self, x: Tensor, epoch: int | None) -> Tensor:
        """Images (n, C, H, W), made as small as this epoch wants them."""
        if epoch is None or epoch >= len(self._sides):
            return x
        shorter = min(x.shape[2:])
        size_hw = [round(length * self._sides[epoch] / shorter) for length in x.shape[2:]]
        return functional.interpolate(x, size_hw, mode="bilinear", antialias=True)


@lru_cache(maxsize=2)
def order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The positions 0..count-1 in the order in which an epoch, counted from 0, takes them: the same everywhere."""
    positions = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(count)
    positions.flags.writeable = False  # one array for all steps of the epoch
    return positions


def in_batches(count: int, size: int) -> list[slice]:
    """Places 0..count-1 cut into pieces of `size`; less than a quarter of one, left over, joins the piece before it.

    BatchNorm cannot tell the spread of a batch of one, and badly that of a few, which several processes would share,
    too. So a batch of one is left only where one was asked for, or where there is one example in all.
    """
    starts = list(range(0, count, size))
    if size > 1 and len(starts) > 1 and count - starts[-1] < max(2, size / 4):
        starts.pop()
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], count], strict=True)]


class ViewExamples:
    """Activations at the cut, of several views of each picture that were computed beforehand.

    Epoch by epoch a picture takes its views in turn, each picture beginning with another one.
    """

    def __init__(
        self, views: Sequence[np.ndarray], labels: np.ndarray, contents: Sequence[str], *, seed: int = 0
    ) -> None:
        """views: each float16 (N, C, H, W), or (N, D) after the last pooling; the first is the picture as it is.
        Their rows are read batch by batch: they may lie on disk.
        """
        self._views = views
        self.labels, self.pictures = torch.from_numpy(labels), pictures_by_content(contents)
        first = Chance(seed, 0, self.pictures).uniform("first view")[:, 0]
        self._first = (first * len(views)).astype(np.int64)

    def inputs(self, rows: np.ndarray, epoch: int | None) -> Tensor:
        """Activations (n, C, H, W) or (n, D), float32."""
        if epoch is None:
            chosen = self._views[0][rows]
        else:
            view = (self._first[rows] + epoch) % len(self._views)
            chosen = np.stack([self._views[v][row] for v, row in zip(view, rows, strict=True)])
        return torch.from_numpy(chosen).float()
