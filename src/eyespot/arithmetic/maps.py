"""Feature maps as pictures: signed values with zero in the middle of the scale, pooled pictures as they are."""

from __future__ import annotations

import io
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BELOW, ZERO, ABOVE = (33, 102, 172), (255, 255, 255), (178, 24, 43)
"""Blue, white and red of ColorBrewer's scheme RdBu, which colour-blind people can tell apart."""
GAP = 8
"""Pixels between two maps in one picture."""
GAP_COLOR = (96, 96, 96)
ENLARGED_SIDE = 320
"""Maps whose longer side is shorter than half of this are enlarged, each value to a square of pixels."""
SHARE_IN_SCALE = 0.995
"""Share of the values that the scale holds: a few extreme ones would make all others pale."""
_ASKED = 1_000_000
"""About so many values, evenly spread, decide the scale: sorting those of a large photo would take seconds."""


def scale_end(maps: NDArray[np.float64]) -> float:
    """Where the colours end: white is 0, blue minus this and below, red this and above."""
    asked = np.abs(maps.ravel()[:: max(1, maps.size // _ASKED)])
    end = float(np.quantile(asked, SHARE_IN_SCALE, method="higher"))
    return end if end > 0 else max(-float(maps.min()), float(maps.max()))


def signed_png(maps: NDArray[np.float64], *, end: float) -> bytes:
    """The maps (K, H, W) side by side as a PNG, all on one scale from -end to end."""
    return _png([_SIGNED_COLORS[_levels(each, -end, end)] for each in maps])


def heat_png(counts: NDArray[np.int64]) -> bytes:
    """Counts (H, W) as a PNG: white is none, red the most."""
    most = float(counts.max())
    return _png([_SIGNED_COLORS[_levels(counts, -most, most)]])


def plain_png(image: NDArray[np.float64], *, rgb: bool) -> bytes:
    """Channels (C, H, W) with values 0 to 255 as a PNG: one picture in colour, or grey ones side by side."""
    levels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    if rgb:
        return _png([levels.transpose(1, 2, 0)])
    return _png([np.repeat(channel[..., None], 3, axis=2) for channel in levels])


def _levels(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    """Values as levels 0 (at or below `low`) to 254 (at or above `high`); the middle is a level, too, 127."""
    if not high > low:
        return np.full(values.shape, 127, np.uint8)
    share = (values.astype(np.float32) - np.float32(low)) * np.float32(254 / (high - low))
    return np.clip(np.rint(share, out=share), 0, 254, out=share).astype(np.uint8)


def _scheme() -> NDArray[np.uint8]:
    """The colour of each level, (255, 3)."""
    places = np.arange(255)
    channels = [np.interp(places, (0, 127, 254), ends) for ends in zip(BELOW, ZERO, ABOVE, strict=True)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


_SIGNED_COLORS = _scheme()


def _png(pictures: list[NDArray[np.uint8]]) -> bytes:
    """Pictures (H, W, 3) of one size in rows, about as many as columns."""
    height, width = pictures[0].shape[:2]
    factor = max(1, ENLARGED_SIDE // max(height, width))
    columns = ceil(sqrt(len(pictures) * height / width)) if len(pictures) > 1 else 1
    columns = min(columns, len(pictures))
    rows = ceil(len(pictures) / columns)
    size_wh = (columns * (width * factor + GAP) - GAP, rows * (height * factor + GAP) - GAP)
    sheet = Image.new("RGB", size_wh, GAP_COLOR)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        image = Image.fromarray(picture).resize((width * factor, height * factor), Image.Resampling.NEAREST)
        sheet.paste(image, (column * (width * factor + GAP), row * (height * factor + GAP)))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
