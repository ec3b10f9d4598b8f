"""`pool`: each window of a picture or matrix becomes its greatest value or its average."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic import maps
from eyespot.arithmetic.windows import average_pool, max_pool, slides
from eyespot.errors import OptionError
from eyespot.keywords import as_record
from eyespot.old_names import POOL, accepts
from eyespot.recipes.by_hand.pictures import ByHandOptions, ByHandRecord, Maps, Source, dropped_note, open_input
from eyespot.words import nearest

KINDS: Mapping[str, Callable[..., NDArray[np.float64]]] = {"max": max_pool, "average": average_pool}


class PoolResult(ByHandRecord):
    """A pooled volume, as deep as the input."""

    input: str
    input_chw: tuple[int, int, int]
    kind: str
    size: int
    stride: int
    formula_hw: tuple[str, str]
    """The sums that give height and width of the output."""
    dropped_hw: tuple[int, int]
    """Rows at the bottom and columns at the right that no window reaches."""
    output_chw: tuple[int, int, int]
    maps: Maps
    """(C, H, W)."""
    least: float
    greatest: float
    out: str | None
    csv: str | None
    notes: tuple[str, ...]


@accepts(POOL)
def pool(
    picture: Source, kind: str = "max", *, window: int = 2, stride: int | None = None, **options: Any
) -> PoolResult:
    """The picture or matrix, pooled, each channel by itself; as `maps` (C, H, W). Pooling has no parameters.

    kind: "max" or "average".
    window: side of the square window, pixels.
    stride: by default the window's side, so that windows lie side by side.
    picture, and of the options channels, out, csv, overwrite: as for `convolve`.
    """
    if kind not in KINDS:
        hint = nearest(kind, KINDS, otherwise="give max or average")
        raise OptionError(f"the option kind cannot be {kind!r}: {hint}")
    chosen = as_record(ByHandOptions, options, verb=pool)
    files, given = chosen.files(), open_input(picture, chosen.channels)
    step = window if stride is None else stride
    down, across = slides(given.image.shape[1:], (window, window), padding="valid", stride=step)
    pooled = KINDS[kind](given.image, window, stride=step)  # (C, H', W')
    files.write(pooled, lambda: _png(pooled, is_picture=given.is_picture))
    return PoolResult(
        input=given.name,
        input_chw=given.image.shape,
        kind=kind,
        size=window,
        stride=step,
        formula_hw=(down.formula, across.formula),
        dropped_hw=(down.dropped, across.dropped),
        output_chw=pooled.shape,
        maps=pooled,
        least=float(pooled.min()),
        greatest=float(pooled.max()),
        notes=tuple(dropped_note(down, across)),
        **files.named,
    )


def _png(pooled: NDArray[np.float64], *, is_picture: bool) -> bytes:
    """A pooled picture is a picture again; of a matrix nobody knows, so it is drawn as a signed map."""
    if is_picture:
        return maps.plain_png(pooled, rgb=len(pooled) == 3)
    return maps.signed_png(pooled, end=maps.scale_end(pooled))
