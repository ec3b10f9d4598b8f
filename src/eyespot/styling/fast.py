"""Painting in one pass, by published networks. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.engine.compiled import compile_graph
from eyespot.engine.run import openvino_core
from eyespot.styling.colors import Pixels, with_strength
from eyespot.styling.published import PAINT_FILE, STYLE_FILE, freed, published

Style = NDArray[np.float32]
"""What a painting looks like, (100,)."""

LOOKED_AT = 256
"""Pixels of a painting's shorter side when it is looked at: as large as those that the network was trained on."""
MOST_LOOKED_AT = 2048 * LOOKED_AT
"""Pixels of a painting that is looked at: a long strip is made smaller than that, or it would take gigabytes."""
MULTIPLE = 4
"""The network halves a picture's sides twice and doubles them again."""
NOT_ROUNDED = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
"""Else the engine rounds activations by itself where weights have 8 bits, which costs up to 5 grey levels."""
MIXED_TWICE = 1.5
"""The power of a strength that is the share in both mixtures. With the strength itself, a picture at three quarters may
be as near to the painting as one at 1."""
NOT_KEPT = {"CPU_RUNTIME_CACHE_CAPACITY": "0"}
"""Else the engine keeps what it prepares for each size of picture, over a megabyte each, and is no faster for it."""


class FastPainter:
    """The two networks, each compiled when first needed."""

    def __init__(self, *, cache_folder: Path | None) -> None:
        """cache_folder: where compiled graphs are kept for the next process, or None."""
        self._cache_folder = cache_folder

    def style_of(self, picture: Pixels) -> Style:
        """What a picture looks like: a painting, or the photo itself."""
        height, width = picture.shape[:2]
        factor = min(LOOKED_AT / min(height, width), (MOST_LOOKED_AT / (height * width)) ** 0.5)
        size_wh = (max(1, round(width * factor)), max(1, round(height * factor)))
        small = np.asarray(Image.fromarray(picture).resize(size_wh, Image.Resampling.BICUBIC, reducing_gap=3))
        [style] = self._looking(_as_input(small)).values()
        return np.asarray(style, np.float32).reshape(-1)

    def painted(self, photo: Pixels, style: Style) -> Pixels:
        """The photo in that style, of the same size; photo: each side 32 pixels at least."""
        height, width = photo.shape[:2]
        down, across = -height % MULTIPLE, -width % MULTIPLE
        padded = np.pad(photo, ((0, down), (0, across), (0, 0)), mode="symmetric")
        [painted] = self._painting([_as_input(padded), style.reshape(1, 1, 1, -1)]).values()
        return np.asarray(np.rint(painted[0, :height, :width] * 255), np.uint8)

    def painted_in_part(self, photo: Pixels, style: Style, strength: float) -> Pixels:
        """The photo with so much of that style, 0..1: 0 is the photo as it is.

        The network is asked for a mixture of the photo's own style and this one. Its answer to the photo's own style is
        not the photo, so that it is mixed with the photo as well.
        """
        if strength == 0:
            return photo
        share = strength**MIXED_TWICE
        if share < 1:
            style = blended([(style, share), (self.style_of(photo), 1 - share)])
        return with_strength(photo, self.painted(photo, style), share)

    def put_away(self) -> None:
        """Frees the memory of both networks, about 100 MB; they are compiled again when they are needed again."""
        for name in ("_looking", "_painting"):
            self.__dict__.pop(name, None)

    @cached_property
    def _looking(self) -> Any:
        return self._compiled(STYLE_FILE)

    @cached_property
    def _painting(self) -> Any:
        return self._compiled(PAINT_FILE)

    def _compiled(self, file: str) -> Any:
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"} | NOT_ROUNDED | NOT_KEPT
        graph = freed(published(file))
        return compile_graph(openvino_core(), graph, shape=None, options=options, cache_folder=self._cache_folder)


def blended(styles: Sequence[tuple[Style, float]]) -> Style:
    """The mean of several styles with these weights."""
    mean: Style = np.average([style for style, _ in styles], axis=0, weights=[weight for _, weight in styles]).astype(
        np.float32
    )
    return mean


def _as_input(picture: Pixels) -> Style:
    values: Style = picture[None].astype(np.float32)
    return values / np.float32(255)
