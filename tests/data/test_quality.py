"""Pictures of which little can be seen: real photos made dark, bright, flat, blurred; and sizes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from eyespot.data.quality import classes_of_other_light, poor_pictures, sharpness


def photos(count: int = 60, seed: int = 0) -> np.ndarray:
    """Images (count, 224, 224) with the spectrum of photos: power falls with the square of the frequency."""
    random = np.random.default_rng(seed)
    rows, columns = np.fft.fftfreq(224)[:, None], np.fft.rfftfreq(224)[None]
    frequency = np.maximum(np.hypot(rows, columns), 1 / 224)
    spectrum = np.fft.rfft2(random.standard_normal((count, 224, 224))) / frequency
    images = np.fft.irfft2(spectrum)
    images = (images - images.mean(axis=(1, 2), keepdims=True)) / images.std(axis=(1, 2), keepdims=True)
    return np.clip(125 + 45 * images, 0, 255)


def thumbnails(images: np.ndarray) -> np.ndarray:
    return images.reshape(-1, 32, 7, 32, 7).mean(axis=(2, 4))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return photos()


SIZES = np.tile([400, 533], (60, 1))


def blurred(image: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(image.astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius)), np.float64)


def test_sound_pictures_are_not_listed(images):
    assert poor_pictures(thumbnails(images), SIZES) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda image: image * 0.3, "is very dark: its brightest parts have level "),
        (lambda image: 255 - (255 - image) * 0.15, "is very bright: its darkest parts have level "),
        (lambda image: 125 + (image - 125) * 0.1, "has hardly any contrast: "),
        (lambda image: blurred(image, 12), "is very blurred: sharpness 0."),
    ],
)
def test_a_spoilt_picture_is_listed_with_what_is_wrong(images, spoil, said):
    images = images.copy()
    images[7] = spoil(images[7])
    [found] = poor_pictures(thumbnails(images), SIZES)
    assert found.row == 7
    assert found.why.startswith(said)


def test_sizes_and_shapes_are_judged_in_pixels(images):
    sizes = SIZES.copy()
    sizes[3], sizes[5] = (60, 80), (1200, 400)
    found = poor_pictures(thumbnails(images), sizes)
    assert [(each.row, each.why) for each in found] == [
        (3, "is tiny: its shorter side has 60 pixels, that of others 400"),
        (5, "is of another shape: 3.0 times as long as wide, others 1.3"),
    ]


def test_what_most_pictures_are_is_no_fault(images):
    assert poor_pictures(thumbnails(images) * 0.3, np.full((60, 2), 28)) == []


def test_sharpness_falls_with_blur_and_not_with_light(images):
    small = thumbnails(images)
    soft = thumbnails(np.stack([blurred(image, 8) for image in images]))
    assert (sharpness(soft) < sharpness(small)).all()
    np.testing.assert_allclose(sharpness(small * 0.4 + 20), sharpness(small), rtol=1e-6)


def test_a_class_in_another_light_is_named(images):
    labels, small = np.arange(60) % 3, thumbnails(images)
    assert classes_of_other_light(small, labels, ["cat", "dog", "eel"]) == []
    small[labels == 1] *= 0.6
    [said] = classes_of_other_light(small, labels, ["cat", "dog", "eel"])
    assert said.startswith("the pictures of dog are darker than the others (mean level 75 of 255 instead of 125)")
    assert classes_of_other_light(small[:27], labels[:27], ["cat", "dog", "eel"]) == []  # nine of each
