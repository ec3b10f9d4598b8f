"""Images as training takes them: their size by epoch, against Pillow."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from eyespot.augmenting.augmentation import Augmentation
from eyespot.records import Preprocess
from eyespot.training.examples import ImageExamples

HEIGHT, WIDTH = 16, 24
PLAIN = Preprocess(
    short_side=WIDTH, crop_hw=(HEIGHT, WIDTH), filter="bilinear", color="gray", mean=(0.0,), scale=(1.0,)
)


def examples(sides: tuple[int, ...], augmentation: Augmentation | None = None) -> ImageExamples:
    images = np.random.default_rng(0).integers(0, 256, (5, HEIGHT, WIDTH, 1), np.uint8)
    contents = [hashlib.blake2b(image.tobytes()).hexdigest() for image in images]
    return ImageExamples(images, np.zeros(5, np.int64), contents, PLAIN, augmentation=augmentation, sides=sides)


def test_early_epochs_see_images_as_small_as_they_should_and_later_ones_all_pixels():
    found = examples((8, 12))
    sizes = [tuple(found.inputs(np.arange(5), epoch).shape) for epoch in (0, 1, 2, 3, None)]
    assert sizes == [(5, 1, 8, 12), (5, 1, 12, 18), *[(5, 1, HEIGHT, WIDTH)] * 3]


@pytest.mark.parametrize("side", [8, 10, 12])
def test_small_images_are_those_of_pillow(side):
    found = examples((side,))
    rows = np.array([3, 1])
    size = (side * WIDTH // HEIGHT, side)
    for small, image in zip(found.inputs(rows, 0), found.inputs(rows, None), strict=True):
        expected = Image.fromarray(image[0].numpy()).resize(size, Image.Resampling.BILINEAR)
        np.testing.assert_allclose(small[0].numpy(), np.asarray(expected), atol=0.01)


def test_what_an_image_becomes_depends_on_no_other_image_of_its_batch():
    found = examples((8,), Augmentation(mirror=True, shift_px=2))
    together = found.inputs(np.arange(5), 0)
    torch.testing.assert_close(together[[4, 2]], found.inputs(np.array([4, 2]), 0))
