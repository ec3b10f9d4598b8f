"""`pool`: each window of a picture or matrix becomes its greatest value or its average."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic import maps
from eyespot.arithmetic.windows import Padding, average_pool, max_pool, pooling_slides
from eyespot.errors import OptionError
from eyespot.keywords import as_record
from eyespot.old_names import POOL, accepts
from eyespot.recipes.by_hand.captions import padding_words, sums_in_words, volume_in_words
from eyespot.recipes.by_hand.pictures import ByHandOptions, ByHandRecord, Maps, Source, dropped_note, open_input
from eyespot.words import nearest

KINDS: Mapping[str, Callable[..., NDArray[np.float64]]] = {"max": max_pool, "average": average_pool}
BORDERS = {
    "max": "padding is never the greatest of a window, not even of negative values",
    "average": "padding counts as zeros, which pull averages at the border towards 0, as in PyTorch",
}


class PoolResult(ByHandRecord):
    """A pooled volume, as deep as the input."""

    input: str
    input_chw: tuple[int, int, int]
    kind: str
    size: int
    padding: tuple[int, int, int, int]
    """Pixels that were added at the top, bottom, left and right."""
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
    picture: Source,
    kind: str = "max",
    *,
    window: int = 2,
    padding: Padding = "valid",
    stride: int | None = None,
    **options: Any,
) -> PoolResult:
    """The picture or matrix, pooled, each channel by itself; as `maps` (C, H, W). Pooling has no parameters.

    kind: "max" or "average".
    window: side of the square window, pixels.
    padding: "valid", "same", or pixels on every side, at most half the window: never the greatest, zeros in an average.
    stride: by default the window's side, so that windows lie side by side.
    picture, and of the options channels, out, csv, overwrite: as for `convolve`.
    """
    _require_kind(kind)
    chosen = as_record(ByHandOptions, options, verb=pool)
    files, given = chosen.files(), open_input(picture, chosen.channels)
    down, across = pooling_slides(given.image.shape[1:], window, padding=padding, stride=stride)
    pooled = KINDS[kind](given.image, window, padding=padding, stride=stride)  # (C, H', W')
    result = PoolResult(
        input=given.name,
        input_chw=given.image.shape,
        kind=kind,
        size=window,
        padding=(down.before, down.behind, across.before, across.behind),
        stride=down.stride,
        formula_hw=(down.formula, across.formula),
        dropped_hw=(down.dropped, across.dropped),
        output_chw=pooled.shape,
        maps=pooled,
        least=float(pooled.min()),
        greatest=float(pooled.max()),
        notes=(*([BORDERS[kind]] if down.behind else []), *dropped_note(down, across)),
        **files.named,
    )
    files.write(pooled, _drawn(pooled, is_picture=given.is_picture) if files.png else None, _caption(result))
    return result


def _require_kind(kind: str) -> None:
    if kind not in KINDS:
        hint = nearest(kind, KINDS, otherwise="give max or average")
        raise OptionError(f"the option kind cannot be {kind!r}: {hint}")


def _drawn(pooled: NDArray[np.float64], *, is_picture: bool) -> maps.Mosaic:
    """A pooled picture is a picture again; of a matrix nobody knows, so it is drawn as a signed map."""
    return maps.of_image(pooled, rgb=len(pooled) == 3) if is_picture else maps.of_signed(pooled)


def _caption(result: PoolResult) -> list[str]:
    padding = padding_words(result.padding, "zeros")
    layer = f"{result.kind} of {result.size} x {result.size}{padding}, stride {result.stride}"
    return [layer, volume_in_words(result.output_chw), *sums_in_words(result.formula_hw)]
