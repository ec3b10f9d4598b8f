"""Views of a picture with boxes: the whole of it, or a window that chance draws; the boxes go through the same window.

What a view shows follows from the picture's content and the view's number alone: not from the run's seed, so that every
run on the same pictures finds the same views in the store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from eyespot.augmenting.chance import Chance, pictures_by_content
from eyespot.data.cropping import FILTERS, filled_image, letterbox_size
from eyespot.records import Preprocess

VERSION = 1
"""Changes whenever a view would show something else; part of the key under which its maps are kept."""
ZOOM = (0.5, 1.3)
"""How large a view shows things, as a factor on the letterbox; its logarithm is uniform."""
ASPECT = 1.2
"""Things are at most so many times wider, or higher, than they are."""
BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.2, 0.3
"""By how much each factor may differ from 1."""
LEAST_SEEN = 0.3
"""Share of a box's area that a view must show: of less, nobody could say what it is."""
GRAY = np.array([0.299, 0.587, 0.114])
"""Gray of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True)
class Window:
    """Where a picture lies in a view, which is an image of `Preprocess.crop_hw`."""

    left: float
    """Of the picture's left side, pixels of the view; so is `top`. Both may be negative."""
    top: float
    across: float
    """Pixels of the view for one of the picture; `down` alike."""
    down: float
    mirrored: bool = False
    colors: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors: brightness, contrast, saturation."""

    def on(self, share_x: float, share_y: float) -> Window:
        """The same on a picture whose width and height are these shares of the original's."""
        return replace(self, across=self.across / share_x, down=self.down / share_y)

    def boxes(self, xyxy: np.ndarray, width: int) -> np.ndarray:
        """Boxes (N, 4) of the picture in the view, pixels, not cut to it. width: of the view."""
        steps, start = np.tile([self.across, self.down], 2), np.tile([self.left, self.top], 2)
        moved = xyxy * steps + start
        if self.mirrored:
            moved[:, [0, 2]] = width - moved[:, [2, 0]]
        return np.asarray(moved)


def whole_window(width: int, height: int, image_hw: tuple[int, int]) -> Window:
    """The letterbox. width, height: of the picture."""
    wide, high = letterbox_size(width, height, image_hw)
    return Window(0.0, 0.0, wide / width, high / height)


def drawn_window(content: str, number: int, *, width: int, height: int, image_hw: tuple[int, int]) -> Window:
    """The window of that number, from 1 up, on the picture with that content hash; 0 is the whole picture."""
    if number == 0:
        return whole_window(width, height, image_hw)
    chance = Chance(VERSION, number, pictures_by_content([content]))
    zoom, aspect, at_x, at_y, side, *colors = chance.uniform("window", 8)[0].tolist()
    zoom = ZOOM[0] * (ZOOM[1] / ZOOM[0]) ** zoom * min(image_hw[1] / width, image_hw[0] / height)
    stretch = ASPECT ** (aspect - 0.5)
    across, down = zoom * stretch, zoom / stretch
    spare_x, spare_y = image_hw[1] - width * across, image_hw[0] - height * down
    most = (BRIGHTNESS, CONTRAST, SATURATION)
    factors = [1 + each * (2 * color - 1) for each, color in zip(most, colors, strict=True)]
    return Window(
        left=min(0.0, spare_x) + at_x * abs(spare_x),
        top=min(0.0, spare_y) + at_y * abs(spare_y),
        across=across,
        down=down,
        mirrored=side < 0.5,
        colors=(factors[0], factors[1], factors[2]),
    )


def seen_through(window: Window, picture: Image.Image, preprocess: Preprocess) -> np.ndarray:
    """The view, uint8 (H, W, C). picture: upright, of the record's color."""
    height, width = preprocess.crop_hw
    first_x, last_x = max(0, round(window.left)), min(width, round(window.left + picture.width * window.across))
    first_y, last_y = max(0, round(window.top)), min(height, round(window.top + picture.height * window.down))
    shown = (max(1, last_x - first_x), max(1, last_y - first_y))
    view = filled_image(preprocess)
    box = (
        max(0.0, (first_x - window.left) / window.across),
        max(0.0, (first_y - window.top) / window.down),
        min(float(picture.width), (last_x - window.left) / window.across),
        min(float(picture.height), (last_y - window.top) / window.down),
    )
    view.paste(picture.resize(shown, FILTERS[preprocess.filter], box=box), (first_x, first_y))
    if window.mirrored:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(_recolored(view, window.colors)).reshape(height, width, -1)


def shown_boxes(xyxy: np.ndarray, image_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 4) cut to the view, and whether enough of each is seen, (N,)."""
    sides = np.tile(image_hw[::-1], 2)
    cut = xyxy.clip(0, sides)
    seen = (cut[:, 2:] - cut[:, :2]).prod(1) / (xyxy[:, 2:] - xyxy[:, :2]).prod(1)
    return cut, seen > LEAST_SEEN


def _recolored(view: Image.Image, colors: tuple[float, float, float]) -> Image.Image:
    """Brightness, contrast about the mean, and saturation at once: each pixel times a matrix."""
    if colors == (1.0, 1.0, 1.0):
        return view
    brightness, contrast, saturation = colors
    shift = (brightness - contrast) * float(np.asarray(view.resize((1, 1), Image.Resampling.BOX)).mean())
    if view.mode == "L":
        return view.point([contrast * level + shift for level in range(256)])
    mixed = contrast * (saturation * np.eye(3) + (1 - saturation) * GRAY)
    return view.convert("RGB", tuple(np.hstack([mixed, np.full((3, 1), shift)]).ravel()))
