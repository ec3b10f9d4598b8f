"""Pictures become views. All geometry is one resampling, all colour one sum of channels: nothing is rounded twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from eyespot.augmenting.augmentation import Augmentation
from eyespot.augmenting.chance import Chance
from eyespot.augmenting.views import Views, draw_views

GRAY = np.array([0.299, 0.587, 0.114])
"""Grey of red, green and blue (ITU-R BT.601)."""
AT_ONCE = 2**20
"""Values in a piece of a batch: what is computed of it then stays in the processor's cache."""
_NUMPY_PADDING = {"reflect": "reflect", "edge": "edge", "zero": "constant"}
_TORCH_PADDING = {"reflect": "reflection", "edge": "border", "zero": "zeros"}

Images = NDArray[np.uint8]


def augment(images: Images, chance: Chance, augmentation: Augmentation) -> Images:
    """A view of each image, uint8 (N, H, W, C) like the images. Each depends only on its own image and chance.

    images: uint8 (N, H, W, C), C 1 or 3.
    chance: of these N pictures.
    """
    assert images.dtype == np.uint8, "images hold bytes"
    assert images.ndim == 4, "images are (N, H, W, C)"
    assert len(chance.pictures) == len(images), "every image has its chance"
    made = np.empty_like(images, order="C")
    step = max(AT_ONCE // max(images[0].size, 1), 1) if len(images) else 1
    for start in range(0, len(images), step):
        rows = slice(start, start + step)
        piece = replace(chance, pictures=chance.pictures[rows])
        made[rows] = seen(images[rows], draw_views(piece, augmentation), piece, augmentation)
    return made


def seen(images: Images, views: Views, chance: Chance, augmentation: Augmentation) -> Images:
    """The images as these views show them. chance: for elastic distortion, which is too large to be drawn before."""
    if augmentation.resamples:
        values = _resampled(images, views, chance, augmentation)
        made = _bytes(_recolored(values, images, views) if augmentation.recolors else values)
    else:
        made = _moved(images, views, augmentation)
        made = _bytes(_recolored(_floats(made), images, views)) if augmentation.recolors else made
    return _with_rectangles(made, views) if augmentation.erase_probability else made


def _moved(images: Images, views: Views, augmentation: Augmentation) -> Images:
    """Mirrored and shifted by whole pixels: the same values in other places."""
    _, height, width, _ = images.shape
    most = augmentation.shift_px
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), mode=_NUMPY_PADDING[augmentation.padding])  # type: ignore[call-overload]
    made = np.empty_like(images, order="C")
    for number, (mirrored, (down, right)) in enumerate(zip(views.mirrored, views.shift_px, strict=True)):
        left = most + right if mirrored else most - right
        window = padded[number, most - down : most - down + height, left : left + width]
        made[number] = window[:, ::-1] if mirrored else window
    return made


def _resampled(images: Images, views: Views, chance: Chance, augmentation: Augmentation) -> Tensor:
    """Each pixel of a view taken, bilinearly, from where it lies in the image: float (N, H, W, C), 0 to 255."""
    size_hw = images.shape[1:3]
    places = _places(_image_from_view(views, size_hw), size_hw)  # (N, H, W, 2)
    if augmentation.elastic_px:
        places += _elastic(chance, augmentation, size_hw)
    middle = torch.tensor(_half_steps(size_hw)[::-1].clip(min=0.5), dtype=torch.float32)
    sampled = functional.grid_sample(
        _floats(images).permute(0, 3, 1, 2),
        places / middle,  # from pixels to -1 .. 1
        mode="bilinear",
        padding_mode=_TORCH_PADDING[augmentation.padding],
        align_corners=True,
    )
    return sampled.permute(0, 2, 3, 1)  # (N, H, W, C)


def _half_steps(size_hw: tuple[int, ...]) -> NDArray[np.float64]:
    """From the middle of the image to the centres of its last row and column, pixels."""
    return (np.array(size_hw) - 1) / 2


def _image_from_view(views: Views, size_hw: tuple[int, ...]) -> NDArray[np.float64]:
    """Where each point of a view lies in its image: (N, 2, 3), to be multiplied by (x, y, 1), pixels from the middle.

    A view is its image cut to the window, then mirrored, slanted and turned about the middle, then shifted. Here all is
    undone, the last first.
    """
    turn, lean = np.radians(views.rotation_degrees), np.radians(views.shear_degrees)
    sine, cosine, slope = np.sin(turn), np.cos(turn), np.tan(lean)
    turned = np.array([[cosine, -cosine * slope - sine], [sine, cosine - sine * slope]]).transpose(2, 0, 1)  # (N, 2, 2)
    sides_xy = views.window_hw[:, ::-1] * np.stack([np.where(views.mirrored, -1, 1), np.ones(len(turn))], axis=1)
    linear = sides_xy[:, :, None] * np.linalg.inv(turned)  # (N, 2, 2)
    middle_xy = (views.window_middle * size_hw)[:, ::-1, None]
    return np.concatenate([linear, middle_xy - linear @ views.shift_px[:, ::-1, None]], axis=2)  # (N, 2, 3)


def _places(image_from_view: NDArray[np.float64], size_hw: tuple[int, ...]) -> Tensor:
    """The point (x, y) of the image for each pixel of the view, (N, H, W, 2), pixels from the middle."""
    m = torch.from_numpy(image_from_view.astype(np.float32))[:, :, :, None, None]  # (N, 2, 3, 1, 1)
    half_height, half_width = _half_steps(size_hw)
    x = torch.arange(-half_width, half_width + 1, dtype=torch.float32)  # (W,)
    y = torch.arange(-half_height, half_height + 1, dtype=torch.float32)[:, None]  # (H, 1)
    places = torch.empty(len(m), *size_hw, 2)
    for axis in range(2):
        torch.add(m[:, axis, 0] * x, m[:, axis, 1] * y + m[:, axis, 2], out=places[..., axis])
    return places


def _elastic(chance: Chance, augmentation: Augmentation, size_hw: tuple[int, ...]) -> Tensor:
    """How far elastic distortion moves each pixel, right and down, (N, H, W, 2), pixels."""
    height, width = size_hw
    noise = 2 * chance.uniform("elastic", 2 * height * width).astype(np.float32) - 1
    field = torch.from_numpy(noise.reshape(-1, 2, height, width))
    down, across = (_smoothing(side, augmentation.elastic_smoothing_px) for side in size_hw)
    moves: Tensor = augmentation.elastic_px * (down @ field @ across).permute(0, 2, 3, 1)
    return moves


def _smoothing(side: int, deviation: float) -> Tensor:
    """A matrix (side, side) that convolves with a Gaussian, beyond whose ends lie zeros."""
    distance = torch.arange(side)[:, None] - torch.arange(side)
    bell = torch.exp(-((distance / deviation) ** 2) / 2)
    return bell.div(deviation * (2 * torch.pi) ** 0.5)


def _color_map(images: Images, views: Views) -> tuple[Tensor, Tensor]:
    """What makes a view's colour c of an image's: matrix @ c + constant, with (N, C, C) and (N, C).

    In turn: brightness, contrast about the mean grey of the whole image, saturation, PCA colour.
    """
    channels = images.shape[3]
    gray = GRAY if channels == 3 else np.ones(1)
    by_row = images.sum(axis=1, dtype=np.uint32)  # whole numbers: the mean is the same in every batch, on every machine
    mean_gray = by_row.mean(axis=1) @ gray / images.shape[1]  # (N,)
    kept = views.saturation if channels == 3 else np.ones(len(images))
    factor = views.brightness * views.contrast
    constant = (views.brightness * (1 - views.contrast) * mean_gray)[:, None].repeat(channels, axis=1)
    if channels == 3:
        constant = constant + views.color_levels
    desaturated = kept[:, None, None] * np.eye(channels) + (1 - kept)[:, None, None] * gray  # (N, C, C)
    matrix = factor[:, None, None] * desaturated
    return torch.from_numpy(matrix.astype(np.float32)), torch.from_numpy(constant.astype(np.float32))


def _recolored(values: Tensor, images: Images, views: Views) -> Tensor:
    """Values (N, H, W, C) of views of these images in other colours, not limited to 0 .. 255."""
    matrix, constant = _color_map(images, views)
    flat = values.reshape(len(values), -1, values.shape[3])  # (N, HW, C)
    return torch.baddbmm(constant[:, None], flat, matrix.transpose(1, 2)).reshape(values.shape)


def _floats(images: Images) -> Tensor:
    """The same numbers, whatever the array's order in memory, and whether it may be written to or not."""
    return torch.from_numpy(images.astype(np.float32, order="C"))


def _bytes(values: Tensor) -> Images:
    """The nearest whole levels from 0 to 255."""
    return np.asarray(values.clamp(0, 255).round_().to(torch.uint8).numpy())


def _with_rectangles(images: Images, views: Views) -> Images:
    """The images, changed in place: a rectangle of each painted over, where one was drawn."""
    _, height, width, channels = images.shape
    boxes = views.erased_px((height, width))
    for number in np.flatnonzero(views.erased.any(axis=1)):
        top, left, bottom, right = boxes[number]
        images[number, top:bottom, left:right] = views.erased_color[number, :channels]
    return images
