"""`pixel-coverage`: how many windows use each pixel of a picture."""

from __future__ import annotations

from pathlib import Path

from eyespot.arithmetic import maps, windows
from eyespot.arithmetic.windows import Padding, Slide, slides
from eyespot.old_names import PIXEL_COVERAGE, accepts
from eyespot.recipes.by_hand.captions import by, padding_words, sums_in_words
from eyespot.recipes.by_hand.pictures import ByHandOptions, ByHandRecord, Maps, dropped_note

TWICE = "a pixel that a window sees twice, as itself and as padding, counts twice"


class CoverageResult(ByHandRecord):
    """How many windows use each pixel."""

    size_hw: tuple[int, int]
    kernel_hw: tuple[int, int]
    padding: tuple[int, int, int, int]
    """Pixels that were added at the top, bottom, left and right."""
    padding_mode: str
    """What the padding consists of: zeros, reflect, replicate or circular."""
    stride: int
    places_hw: tuple[int, int]
    """Places the window takes down and across."""
    counts: Maps
    """(H, W)."""
    corner: int
    """Windows that use the first pixel."""
    centre: int
    """Windows that use the middle pixel."""
    unused: int
    """Pixels that no window uses."""
    out: str | None
    csv: str | None
    notes: tuple[str, ...]


@accepts(PIXEL_COVERAGE)
def pixel_coverage(
    imgsz: int | tuple[int, int],
    kernel: int | tuple[int, int] = 3,
    *,
    padding: Padding = "valid",
    stride: int = 1,
    out: str | Path | None = None,
    csv: str | Path | None = None,
    overwrite: bool = False,
) -> CoverageResult:
    """For each pixel the number of windows that use it, as `counts` (H, W).

    Where padding is made of pixels, one that a window sees twice, as itself and as padding, counts twice.

    imgsz: size of the picture, one number or (height, width), pixels.
    kernel: size of the window, likewise.
    padding, stride, out, csv, overwrite: as for `convolve`.
    """
    files = ByHandOptions(out=out, csv=csv, overwrite=overwrite).files()
    size_hw, kernel_hw = _pair(imgsz), _pair(kernel)
    down, across = slides(size_hw, kernel_hw, padding=padding, stride=stride)
    counts = windows.pixel_coverage(size_hw, kernel_hw, padding=padding, stride=stride)  # (H, W)
    result = CoverageResult(
        size_hw=size_hw,
        kernel_hw=kernel_hw,
        padding=(down.before, down.behind, across.before, across.behind),
        padding_mode=down.mode,
        stride=stride,
        places_hw=(down.places, across.places),
        counts=counts,
        corner=int(counts[0, 0]),
        centre=int(counts[size_hw[0] // 2, size_hw[1] // 2]),
        unused=int((counts == 0).sum()),
        notes=_notes(down, across),
        **files.named,
    )
    drawn = maps.of_counts(counts) if files.png else None
    files.write(counts[None].astype(float), drawn, _caption(result, down, across))
    return result


def _notes(down: Slide, across: Slide) -> tuple[str, ...]:
    twice = down.mode != "zeros" and max(down.behind, across.behind) > 0
    return (*([TWICE] if twice else []), *dropped_note(down, across))


def _caption(result: CoverageResult, down: Slide, across: Slide) -> list[str]:
    padding = padding_words(result.padding, result.padding_mode)
    layer = f"windows of {by(result.kernel_hw)}{padding}, stride {result.stride}, that use each pixel"
    return [layer, by(result.size_hw), *sums_in_words((down.formula, across.formula))]


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
