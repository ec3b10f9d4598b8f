"""What trains on pixels: all pictures decoded once, and drawn anew in every epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from eyespot.augmenting import augmentation as presets
from eyespot.augmenting.augmentation import SMALL_SIDE, Augmentation
from eyespot.data.copies import Hashed
from eyespot.features import images
from eyespot.records import Part, Preprocess
from eyespot.regimes.prepare import Prepared
from eyespot.runs.job import Job

if TYPE_CHECKING:
    from torch import nn

    from eyespot.blocks import WithHeads
    from eyespot.training.examples import ImageExamples

Net = TypeVar("Net", bound="nn.Module")

SHIFTED = Augmentation(shift_px=2, padding="edge")
"""A digit a little to the left is the same digit."""
SMALL_PHOTOS = presets.SMALL_PHOTOS.model_copy(update={"shift_px": 2})
"""The paper's 4 pixels are for hundreds of epochs."""
AUGMENTATIONS: dict[str, Augmentation | None] = {
    "none": None,
    "photos": presets.PHOTOS,
    "photos-unmirrored": presets.PHOTOS_UNMIRRORED,
    "small-photos": presets.SMALL_PHOTOS,
    "digits": presets.DIGITS,
    "shift": SHIFTED,
}


@dataclass(frozen=True)
class Images:
    """The pictures of a data set as images, by content."""

    images: np.ndarray
    """uint8 (N, H, W, C)."""
    row_of: dict[str, int]
    """By content hash."""
    preprocess: Preprocess
    prepared: Prepared
    """Without the pictures that cannot be read."""
    seed: int

    def examples(
        self, hashed: Sequence[Hashed], augmentation: Augmentation | None, *, sides: Sequence[int] = ()
    ) -> ImageExamples:
        """These pictures to be trained on, or with no augmentation to be measured; in the order of `by_content`.

        sides: of the images in the first epochs, pixels.
        """
        from eyespot.training.examples import ImageExamples

        hashed = by_content(hashed)
        contents = [each.content for each in hashed]
        rows = np.array([self.row_of[content] for content in contents], np.int64)
        consecutive = len(rows) > 0 and bool((np.diff(rows) == 1).all())
        return ImageExamples(
            self.images[rows[0] : rows[-1] + 1] if consecutive else self.images[rows],  # a view, not a copy
            self.prepared.labels(hashed),
            contents,
            self.preprocess,
            augmentation=augmentation,
            seed=self.seed,
            sides=sides,
        )


def by_content(hashed: Sequence[Hashed]) -> list[Hashed]:
    """The pictures in an order of which file names decide nothing."""
    return sorted(hashed, key=lambda each: each.content)


def decoded(prepared: Prepared, parts: Sequence[Part], preprocess: Preprocess, job: Job) -> Images:
    """Every picture of these parts as an image, part by part."""
    ordered = [each for part in parts for each in by_content(prepared.part(part))]
    found = images.decoded(
        ordered,
        preprocess,
        folder=job.cache_folder,
        progress=lambda done, total: job.progress("decoding", done, total),
    )
    row_of = {each.content: row for row, each in enumerate(found.pictures)}
    return Images(found.images, row_of, preprocess, prepared.without(found.set_aside), job.options.seed)


def seconds_per_decoding(hashed: Sequence[Hashed], preprocess: Preprocess, job: Job) -> float:
    """What decoding one of these pictures takes here and now."""
    began = time.perf_counter()
    images.decoded(hashed, preprocess, folder=job.cache_folder)
    return (time.perf_counter() - began) / max(len(hashed), 1)


def augmentation_for(
    job: Job, prepared: Prepared, preprocess: Preprocess, *, mirror: bool = True
) -> Augmentation | None:
    """What is done to pictures before each epoch: as the options say, else by their size and kind.

    mirror: False where mirror images are known to be of no use.
    """
    chosen = job.options.augment
    if chosen != "auto":
        return AUGMENTATIONS[chosen]
    useful = mirror and not prepared.mirror_matters
    mirrored = {"yes": True, "no": False}.get(job.options.mirror, useful)
    if max(preprocess.crop_hw) > SMALL_SIDE:
        return presets.PHOTOS if mirrored else presets.PHOTOS_UNMIRRORED
    return SMALL_PHOTOS if mirrored and preprocess.color == "rgb" else SHIFTED


def with_auxiliary_heads(
    net: nn.Sequential, name: str, outputs: int, job: Job
) -> tuple[nn.Sequential | WithHeads, str]:
    """The network with the heads that its paper trains it with, and the report's words on them."""
    import torch

    from eyespot import zoo
    from eyespot.blocks import WithHeads

    if job.options.own or job.options.auxiliary == "no" or not zoo.has_heads(name):
        return net, ""
    with torch.random.fork_rng():
        torch.manual_seed(job.options.seed)
        heads = zoo.heads(name, classes=outputs)
    return WithHeads(net, heads), f", with auxiliary heads on {' and '.join(heads)} that are dropped afterwards"


def statistics_stay(net: Net) -> Net:
    """The network in training, but for its BatchNorms, whose statistics stay those of its published weights.

    Batches of 32 of one's own pictures tell less than ImageNet: with one seed, clothing was a point worse otherwise.
    """
    from torch.nn.modules.batchnorm import _BatchNorm

    net.train()
    for module in net.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
    return net
