"""`pixel-coverage`: how many windows use each pixel of a picture."""

from __future__ import annotations

from pathlib import Path

from eyespot.arithmetic import maps, windows
from eyespot.arithmetic.windows import Padding, slides
from eyespot.old_names import PIXEL_COVERAGE, accepts
from eyespot.recipes.by_hand.pictures import ByHandOptions, ByHandRecord, Maps, dropped_note


class CoverageResult(ByHandRecord):
    """How many windows use each pixel."""

    size_hw: tuple[int, int]
    kernel_hw: tuple[int, int]
    padding: tuple[int, int, int, int]
    """Zeros at the top, bottom, left and right."""
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

    imgsz: size of the picture, one number or (height, width), pixels.
    kernel: size of the window, likewise.
    padding, stride, out, csv, overwrite: as for `convolve`.
    """
    files = ByHandOptions(out=out, csv=csv, overwrite=overwrite).files()
    size_hw, kernel_hw = _pair(imgsz), _pair(kernel)
    down, across = slides(size_hw, kernel_hw, padding=padding, stride=stride)
    counts = windows.pixel_coverage(size_hw, kernel_hw, padding=padding, stride=stride)  # (H, W)
    files.write(counts[None].astype(float), lambda: maps.signed_png(counts[None], end=float(counts.max())))
    return CoverageResult(
        size_hw=size_hw,
        kernel_hw=kernel_hw,
        padding=(down.before, down.behind, across.before, across.behind),
        stride=stride,
        places_hw=(down.places, across.places),
        counts=counts,
        corner=int(counts[0, 0]),
        centre=int(counts[size_hw[0] // 2, size_hw[1] // 2]),
        unused=int((counts == 0).sum()),
        notes=tuple(dropped_note(down, across)),
        **files.named,
    )


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
