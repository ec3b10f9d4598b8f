"""How a window slides over a picture: places, padding, and what is left over. And what needs no kernel: pooling, and
how many windows use each pixel.

n = floor((size + padding - window) / stride) + 1 along each side; relationships 6 and 14 of Dumoulin, Visin: "A guide
to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from eyespot.errors import OptionError

Padding = str | int
"""`valid` (none), `same` (as many places as pixels at stride 1), a number of zeros on every side, or one of MODES but
zeros: as large as `same`, filled with the picture's own pixels."""

MODES = ("zeros", "reflect", "replicate", "circular")
"""PyTorch's names for what padding consists of: zeros, the picture mirrored at its outermost pixels, the nearest pixel,
the pixels of the opposite side."""

MOST_PIXELS = 200_000_000
"""Largest padded picture: somewhat more than the largest that is decoded."""


@dataclass(frozen=True)
class Window:
    """A window in one direction, pixels of the layer's own input."""

    kernel: int
    stride: int = 1
    before: int = 0
    """Zeros above, or to the left."""
    behind: int = 0
    """Zeros below, or to the right."""
    dilation: int = 1
    ceil: bool = False
    """True where a last window may hang over the edge."""

    def places(self, size: int) -> int:
        """How many windows fit into `size` pixels."""
        return self._steps(size) + 1 - int(self._drops_last(size))

    def formula(self, size: int) -> str:
        """The sum that gives `places`, filled in: `floor((39 + 2*0 - 3)/1) + 1 = 37`."""
        padding = f"2*{self.before}" if self.before == self.behind else f"{self.before} + {self.behind}"
        reach = f"{self.kernel}" if self.dilation == 1 else f"{self.dilation}*({self.kernel} - 1) - 1"
        rounded = "ceil" if self.ceil else "floor"
        dropped = " - 1" if self._drops_last(size) else ""
        return f"{rounded}(({size} + {padding} - {reach})/{self.stride}) + 1{dropped} = {self.places(size)}"

    def _steps(self, size: int) -> int:
        room = size + self.before + self.behind - self.dilation * (self.kernel - 1) - 1
        return -(-room // self.stride) if self.ceil else room // self.stride

    def _drops_last(self, size: int) -> bool:
        """A window that would begin in the zeros after the image is left out, as PyTorch does."""
        return self.ceil and self._steps(size) * self.stride >= size + self.before


@dataclass(frozen=True)
class Slide:
    """A window on its way along one side of a picture, in pixels."""

    size: int
    window: int
    stride: int
    before: int
    """Pixels of padding before the first pixel, and after the last one."""
    behind: int
    mode: str = "zeros"
    """Of MODES."""

    @property
    def places(self) -> int:
        """How many places the window takes: the size of the output."""
        return self._alone.places(self.size)

    @property
    def dropped(self) -> int:
        """Pixels at the end, with their padding, that no window reaches because the next one would not fit."""
        return (self.padded - self.window) % self.stride

    @property
    def formula(self) -> str:
        """The sum that gives `places`: `floor((6 + 2*0 - 3)/1) + 1 = 4`."""
        return self._alone.formula(self.size)

    def pixels(self, place: int) -> range:
        """The pixels under the window; those below 0 or not below `size` are padding."""
        start = place * self.stride - self.before
        return range(start, start + self.window)

    @property
    def padded(self) -> int:
        """The picture's pixels and the padding around it."""
        return self.size + self.before + self.behind

    @property
    def sources(self) -> NDArray[np.int64]:
        """The pixel of the picture that stands at each place of the padded one, (padded,); -1 for a zero."""
        places, last = np.arange(-self.before, self.size + self.behind), self.size - 1
        if self.mode == "reflect":
            places = last - np.abs(last - np.abs(places))
        elif self.mode == "replicate":
            places = places.clip(0, last)
        elif self.mode == "circular":
            places = places % self.size
        return np.where((places >= 0) & (places <= last), places, -1)

    @property
    def _alone(self) -> Window:
        """The window without the picture below it."""
        return Window(self.window, self.stride, self.before, self.behind)


def slides(
    size_hw: tuple[int, int],
    window_hw: tuple[int, int],
    *,
    padding: Padding,
    stride: int,
    modes: Sequence[str] = MODES[1:],
) -> tuple[Slide, Slide]:
    """How the window slides down and across.

    padding: `same` needs window - 1 zeros in all. An odd window has half of them on each side, (window - 1)/2; an even
        one has the odd zero at the bottom and at the right, as TensorFlow. `reflect`, `replicate` and `circular` are
        as large.
    modes: of MODES, which may be asked for.
    Raises OptionError for a padding or stride that cannot be, and for a window larger than the padded picture.
    """
    if min(window_hw) < 1:
        raise OptionError(f"a window needs at least 1 x 1 pixels, not {window_hw[0]} x {window_hw[1]}")
    if not isinstance(stride, int | np.integer) or stride < 1:
        raise OptionError(f"the option stride must be a whole number from 1 up, not {stride!r}")
    down, across = (
        Slide(size, window, stride, *_border(window, padding, modes))
        for size, window in zip(size_hw, window_hw, strict=True)
    )
    if down.padded * across.padded > MOST_PIXELS:
        raise OptionError(
            f"{down.padded} x {across.padded} pixels, the padding included, are more than the "
            f"{MOST_PIXELS // 1_000_000} million that are worked on"
        )
    if min(down.places, across.places) < 1:
        raise OptionError(
            f"a kernel or window of {down.window} x {across.window} does not fit into the picture, "
            f"{down.padded} x {across.padded} pixels with its padding: take a smaller one, or more padding"
        )
    _require_mirrored(down, across)
    return down, across


def pooling_slides(
    size_hw: tuple[int, int], size: int, *, padding: Padding = "valid", stride: int | None = None
) -> tuple[Slide, Slide]:
    """How a pooling window slides: as `slides`, with every window at least half on the picture.

    size: of the square window, pixels.
    padding: "valid", "same", or pixels on every side.
    stride: by default the size.
    Raises OptionError as `slides`, and for more padding than half the window, as PyTorch.
    """
    step = size if stride is None else stride
    down, across = slides(size_hw, (size, size), padding=padding, stride=step, modes=())
    if 2 * down.before > size:
        raise OptionError(
            f"padding of {down.before} is more than half of a window of {size} x {size}, which would hold more padding "
            f"than picture: give at most {size // 2}"
        )
    return down, across


def windows(image: NDArray[Any], down: Slide, across: Slide, *, zero: float = 0) -> NDArray[Any]:
    """What lies under the window at every place: a view (C, H', W', h, w) of the padded image, nothing copied.

    image: (C, H, W), of any type of numbers.
    zero: stands in the padding in place of zeros.
    """
    border = ((0, 0), (down.before, down.behind), (across.before, across.behind))
    if not any(sum(border, ())):
        padded = image
    elif down.mode == "zeros":
        padded = np.pad(image, border, constant_values=zero)
    else:
        padded = image[:, down.sources[:, None], across.sources]  # (C, H + padding, W + padding)
    view = sliding_window_view(padded, (down.window, across.window), axis=(1, 2))
    return view[:, :: down.stride, :: across.stride]


def sums(subscripts: str, *arrays: NDArray[Any]) -> NDArray[np.float64]:
    """`np.einsum` in 64-bit floats. It converts a picture's bytes as it goes, so that windows are never copied."""
    types: Any = np.float64
    result: NDArray[np.float64] = np.einsum(subscripts, *arrays, dtype=types)
    return result


def max_pool(
    image: NDArray[Any], size: int, *, padding: Padding = "valid", stride: int | None = None
) -> NDArray[np.float64]:
    """The greatest value of each window, (C, H', W'): as deep as the image. Padding is never the greatest.

    image: (C, H, W).
    size: of the square window, pixels.
    padding, stride: as in `pooling_slides`.
    Raises OptionError for a window larger than the image.
    """
    down, across = pooling_slides(image.shape[1:], size, padding=padding, stride=stride)
    under = windows(image, down, across, zero=image.min())  # each window holds a pixel, which is no smaller
    greatest = under[..., 0, 0].astype(np.float64)  # (C, H', W')
    for row, column in np.ndindex(size, size):
        np.maximum(greatest, under[..., row, column], out=greatest)
    return greatest


def average_pool(
    image: NDArray[Any], size: int, *, padding: Padding = "valid", stride: int | None = None
) -> NDArray[np.float64]:
    """The mean of each window, (C, H', W'), the zeros of its padding included. Arguments as in `max_pool`."""
    down, across = pooling_slides(image.shape[1:], size, padding=padding, stride=stride)
    return sums("cijhw->cij", windows(image, down, across)) / size**2


def pixel_coverage(
    size_hw: tuple[int, int], window_hw: tuple[int, int], *, padding: Padding = "valid", stride: int = 1
) -> NDArray[np.int64]:
    """For each pixel of a picture (H, W), the number of windows it lies in; twice in one where it is its padding, too.

    Raises OptionError for a window larger than the padded picture.
    """
    down, across = slides(size_hw, window_hw, padding=padding, stride=stride)
    return np.outer(_along(down), _along(across))


def _border(window: int, padding: Padding, modes: Sequence[str]) -> tuple[int, int, str]:
    """Pixels before and behind, and their mode. modes: that may be asked for beside zeros."""
    if padding == "same" or padding in modes:
        return (window - 1) // 2, window // 2, "zeros" if padding == "same" else str(padding)
    zeros = 0 if padding == "valid" else padding
    if isinstance(zeros, str) and zeros.strip().isdecimal():
        zeros = int(zeros)
    if not isinstance(zeros, int | np.integer) or zeros < 0:
        names = ", ".join(["valid", "same", *modes])
        raise OptionError(f"the option padding cannot be {padding!r}: give {names}, or a number from 0 up")
    return int(zeros), int(zeros), "zeros"


def _require_mirrored(down: Slide, across: Slide) -> None:
    for side in (down, across):
        if side.mode == "reflect" and side.behind >= side.size:
            raise OptionError(
                f"padding reflect needs {side.behind} pixels beyond the outermost one to mirror, but the picture has "
                f"only {down.size} x {across.size}: take replicate, or a smaller kernel"
            )


def _along(side: Slide) -> NDArray[np.int64]:
    """The number of places that reach each pixel of one side: in two directions, they multiply."""
    counts = np.zeros(side.size, dtype=np.int64)
    sources = side.sources
    for start in range(0, side.places * side.stride, side.stride):
        under = sources[start : start + side.window]
        np.add.at(counts, under[under >= 0], 1)
    return counts
