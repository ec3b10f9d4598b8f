"""`augment`: what augmentation does to one picture, as a grid of views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from eyespot.arithmetic.maps import sheet
from eyespot.augmenting import augmentation as presets
from eyespot.augmenting.augmentation import Augmentation, describe
from eyespot.augmenting.chance import Chance, pictures_by_content
from eyespot.augmenting.views import Views, draw_views
from eyespot.data.copies import content_hash
from eyespot.data.pictures import naming, read_image, read_named
from eyespot.data.ranges import levels_of
from eyespot.errors import MissingExtra, OptionError
from eyespot.files import chosen_file, write_chosen
from eyespot.keywords import require_known
from eyespot.records import Preprocess, Record

MOST_SIDE = 1024
"""Pixels along a side of a view."""
MOST_PIXELS = 2**25
"""Pixels in the whole grid: 100 MB."""
STRENGTHS = {
    **{name: name for name in ("mirror", "crop_area", "crop_aspect", "padding")},
    **{"shift": "shift_px", "rotation": "rotation_degrees", "shear": "shear_degrees"},
    **{"elastic": "elastic_px", "elastic_smoothing": "elastic_smoothing_px"},
    **{name: name for name in ("brightness", "contrast", "saturation", "pca_color")},
    **{"erase": "erase_probability", "erase_area": "erase_area"},
}
"""Options that change a preset, and the field of `Augmentation` that each sets."""


@dataclass(frozen=True)
class Preset:
    """An augmentation with the pictures that it is meant for."""

    augmentation: Augmentation
    side: int
    """Usual height and width, pixels."""
    color: Literal["rgb", "gray"]


PRESETS = {
    "photos": Preset(presets.PHOTOS, 224, "rgb"),
    "small-photos": Preset(presets.SMALL_PHOTOS, 32, "rgb"),
    "digits": Preset(presets.DIGITS, 28, "gray"),
}


class DrawnView(Record):
    """What chance decided for one view; what was not asked for does nothing."""

    mirrored: bool
    window: tuple[float, float, float, float]
    """Top, left, bottom and right of the part of the picture that fills the view, pixels; beyond it lies padding."""
    shift: tuple[int, int]
    """Pixels down and right."""
    rotation: float
    """Degrees clockwise."""
    shear: float
    """Degrees that upright lines lean to the right."""
    brightness: float
    """A factor, as the next two."""
    contrast: float
    saturation: float
    color: tuple[float, float, float]
    """Levels added to red, green and blue."""
    erased: tuple[int, int, int, int] | None
    """Top, left, bottom and right of the rectangle that is painted over, pixels."""


class AugmentResult(Record):
    """A grid of views of one picture."""

    picture: str
    out: str
    preset: str
    augmentation: Augmentation
    description: str
    """The same in words."""
    seed: int
    image_hwc: tuple[int, int, int]
    """Height, width and channels of every view."""
    rows: int
    columns: int
    views: tuple[DrawnView, ...]
    """In the grid's order, after the picture itself."""


@dataclass(frozen=True)
class Grid:
    """How many views are drawn, the picture among them, and how large."""

    rows: int = 3
    columns: int = 4
    imgsz: int | tuple[int, int] | None = None
    """Height and width of a view, pixels; None for the preset's."""

    def size_hw(self, usual: int) -> tuple[int, int]:
        """Of a view. Raises OptionError if the grid cannot be drawn. usual: the preset's side."""
        imgsz = usual if self.imgsz is None else self.imgsz
        size_hw = (imgsz, imgsz) if isinstance(imgsz, int) else tuple(imgsz)
        if len(size_hw) != 2 or not all(1 <= side <= MOST_SIDE for side in size_hw):
            wanted = f"give 1 to {MOST_SIDE} pixels, or height and width"
            raise OptionError(f"the option imgsz cannot be {imgsz!r}: {wanted}")
        self._require_possible(size_hw)
        return size_hw[0], size_hw[1]

    def _require_possible(self, size_hw: tuple[int, ...]) -> None:
        for name, value in (("rows", self.rows), ("columns", self.columns)):
            if value < 1:
                raise OptionError(f"the option {name} must be at least 1, not {value}")
        if self.rows * self.columns < 2:
            raise OptionError("one row of one column has room only for the picture: give more rows or columns")
        if self.rows * self.columns * size_hw[0] * size_hw[1] > MOST_PIXELS:
            raise OptionError(
                f"{self.rows} rows of {self.columns} views of {size_hw[0]}x{size_hw[1]} pixels would be a picture of "
                f"over {MOST_PIXELS // 10**6} million pixels: give fewer rows or columns, or a smaller imgsz"
            )


def augment(
    picture: str | Path,
    *,
    out: str | Path,
    preset: str = "photos",
    seed: int = 0,
    overwrite: bool = False,
    **options: Any,
) -> AugmentResult:
    """A grid with the picture first, then views of it as training draws them, one for each epoch.

    out: the PNG to write; kept where it exists, unless `overwrite`.
    preset: "photos", "small-photos" or "digits".
    seed: from 0 up; decides the views, with the picture's content.
    options: `rows`, `columns` and `imgsz` of `Grid`, 3, 4 and the preset's by default; and those of STRENGTHS, each in
        place of the preset's, such as rotation=20 or mirror=False.
    Raises DataError for a picture that cannot be read, OptionError, MissingExtra.
    """
    chosen = _preset(preset)
    grid, strengths = _taken_apart(options)
    augmentation, size_hw = _changed(chosen.augmentation, strengths), grid.size_hw(chosen.side)
    if seed < 0:
        raise OptionError(f"the option seed must be at least 0, not {seed}")
    path = chosen_file(out, ".png", option="out", overwrite=overwrite)
    name, data, image = _read(picture, size_hw, chosen.color)
    chances = _chances(seed, data, count=grid.rows * grid.columns - 1)
    images = np.stack([image, *_views(image, chances, augmentation)])  # (1 + views, H, W, C)
    write_chosen(path, sheet(np.broadcast_to(images, (*images.shape[:3], 3)), columns=grid.columns).png)
    return AugmentResult(
        picture=name,
        out=str(path),
        preset=preset,
        augmentation=augmentation,
        description=describe(augmentation),
        seed=seed,
        image_hwc=image.shape,
        rows=grid.rows,
        columns=grid.columns,
        views=tuple(_drawn(draw_views(each, augmentation), size_hw) for each in chances),
    )


def _taken_apart(options: dict[str, Any]) -> tuple[Grid, dict[str, Any]]:
    """The grid, and the strengths that were given. Raises OptionError for an option that is neither."""
    of_grid = [each.name for each in fields(Grid)]
    require_known(options, (*of_grid, *STRENGTHS), verb="augment", also=("preset", "seed"))
    grid = {name: value for name, value in options.items() if name in of_grid}
    return Grid(**grid), {name: value for name, value in options.items() if name not in of_grid}


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise OptionError(f"the option preset cannot be {name!r}: give {', '.join(PRESETS)}")
    return PRESETS[name]


def _changed(preset: Augmentation, strengths: dict[str, Any]) -> Augmentation:
    given = {STRENGTHS[name]: value for name, value in strengths.items()}
    try:
        return Augmentation(**(preset.model_dump() | given))
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        name = next(each for each in STRENGTHS if STRENGTHS[each] == field)
        wanted = Augmentation.model_fields[field].description
        raise OptionError(f"the option {name} cannot be {given[field]!r}: give {wanted}") from None


def _read(
    picture: str | Path, size_hw: tuple[int, int], color: Literal["rgb", "gray"]
) -> tuple[str, bytes, np.ndarray]:
    """The picture's name, its file, and the image (H, W, C) that training makes of it: its middle, resized."""
    name, data = read_named(picture)
    channels = 3 if color == "rgb" else 1
    preprocess = Preprocess(
        short_side=max(size_hw),
        crop_hw=size_hw,
        filter="bicubic",
        color=color,
        mean=(0,) * channels,
        scale=(1,) * channels,
        levels=levels_of(data),
    )
    with naming(name):
        return name, data, read_image(data, preprocess)


def _chances(seed: int, data: bytes, *, count: int) -> list[Chance]:
    """What decides that many views of a picture, an epoch each. data: its file."""
    pictures = pictures_by_content([content_hash(data)])
    return [Chance(seed, epoch, pictures) for epoch in range(count)]


def _views(image: np.ndarray, chances: list[Chance], augmentation: Augmentation) -> Iterator[np.ndarray]:
    """A view (H, W, C) of the image for each chance."""
    try:
        from eyespot.augmenting.augment import augment as views_of
    except ModuleNotFoundError as error:
        raise MissingExtra("augmenting a picture", extra="train") from error
    return (views_of(image[None], each, augmentation)[0] for each in chances)


def _drawn(views: Views, size_hw: tuple[int, int]) -> DrawnView:
    """The only one of the views, in pixels of images of this size."""
    middle, half = views.window_middle[0] + 1 / 2, views.window_hw[0] / 2
    top, left, bottom, right = (np.concatenate([middle - half, middle + half]) * (size_hw + size_hw)).tolist()
    box = views.erased_px(size_hw)[0].tolist()
    return DrawnView(
        mirrored=bool(views.mirrored[0]),
        window=(top, left, bottom, right),
        shift=tuple(views.shift_px[0].tolist()),
        rotation=float(views.rotation_degrees[0]),
        shear=float(views.shear_degrees[0]),
        brightness=float(views.brightness[0]),
        contrast=float(views.contrast[0]),
        saturation=float(views.saturation[0]),
        color=tuple(views.color_levels[0].tolist()),
        erased=tuple(box) if any(box) else None,
    )
