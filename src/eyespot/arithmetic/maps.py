"""Feature maps as pictures: signed values with zero in the middle of the scale, pooled pictures as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic.sheet import sheet

BELOW, ZERO, ABOVE = (33, 102, 172), (255, 255, 255), (178, 24, 43)
"""Blue, white and red of ColorBrewer's scheme RdBu, which colour-blind people can tell apart."""
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
    return sheet(signed_colors(maps, end=end)).png


def heat_png(counts: NDArray[np.int64]) -> bytes:
    """Counts (H, W) as a PNG: white is none, red the most."""
    return sheet(signed_colors(counts[None], end=float(counts.max()))).png


def plain_png(image: NDArray[np.float64], *, rgb: bool) -> bytes:
    """Channels (C, H, W) with values 0 to 255 as a PNG: one picture in colour, or grey ones side by side."""
    levels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return sheet(levels.transpose(1, 2, 0)[None] if rgb else np.repeat(levels[..., None], 3, axis=3)).png


def signed_colors(values: NDArray[np.generic], *, end: float) -> NDArray[np.uint8]:
    """The colour of each value, (..., 3): white is 0, blue -end and below, red end and above."""
    return _SIGNED_COLORS[_levels(values, end)]


def _levels(values: NDArray[np.generic], end: float) -> NDArray[np.uint8]:
    """Values as levels 0 (at or below -end) to 254 (at or above end); the middle is a level, too, 127."""
    if not end > 0:
        return np.full(values.shape, 127, np.uint8)
    share = (values.astype(np.float32) + np.float32(end)) * np.float32(127 / end)
    return np.clip(np.rint(share, out=share), 0, 254, out=share).astype(np.uint8)


def _scheme() -> NDArray[np.uint8]:
    """The colour of each level, (255, 3)."""
    places = np.arange(255)
    channels = [np.interp(places, (0, 127, 254), ends) for ends in zip(BELOW, ZERO, ABOVE, strict=True)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


_SIGNED_COLORS = _scheme()
