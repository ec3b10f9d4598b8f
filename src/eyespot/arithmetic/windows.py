"""How a window slides over a picture: places, padding, and what is left over. And what needs no kernel: pooling, and
how many windows use each pixel.

n = floor((size + padding - window) / stride) + 1 along each side; relationships 6 and 14 of Dumoulin, Visin: "A guide
to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from eyespot.errors import OptionError

Padding = str | int
"""`valid` (none), `same` (as many places as pixels at stride 1), or a number of zeros on every side."""

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
    """Zeros before the first pixel, and after the last one."""
    behind: int

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
        """The picture's pixels and the zeros around it."""
        return self.size + self.before + self.behind

    @property
    def _alone(self) -> Window:
        """The window without the picture below it."""
        return Window(self.window, self.stride, self.before, self.behind)


def slides(
    size_hw: tuple[int, int], window_hw: tuple[int, int], *, padding: Padding, stride: int
) -> tuple[Slide, Slide]:
    """How the window slides down and across.

    padding: `same` needs window - 1 zeros in all. An odd window has half of them on each side, (window - 1)/2; an even
        one has the odd zero at the bottom and at the right, as TensorFlow.
    Raises OptionError for a padding or stride that cannot be, and for a window larger than the padded picture.
    """
    if min(window_hw) < 1:
        raise OptionError(f"a window needs at least 1 x 1 pixels, not {window_hw[0]} x {window_hw[1]}")
    if not isinstance(stride, int | np.integer) or stride < 1:
        raise OptionError(f"the option stride must be a whole number from 1 up, not {stride!r}")
    down, across = (
        Slide(size, window, stride, *_zeros(window, padding)) for size, window in zip(size_hw, window_hw, strict=True)
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
    return down, across


def windows(image: NDArray[Any], down: Slide, across: Slide) -> NDArray[Any]:
    """What lies under the window at every place: a view (C, H', W', h, w) of the padded image, nothing copied.

    image: (C, H, W), of any type of numbers.
    """
    zeros = ((0, 0), (down.before, down.behind), (across.before, across.behind))
    padded = np.pad(image, zeros) if any(sum(zeros, ())) else image
    view = sliding_window_view(padded, (down.window, across.window), axis=(1, 2))
    return view[:, :: down.stride, :: across.stride]


def sums(subscripts: str, *arrays: NDArray[Any]) -> NDArray[np.float64]:
    """`np.einsum` in 64-bit floats. It converts a picture's bytes as it goes, so that windows are never copied."""
    types: Any = np.float64
    result: NDArray[np.float64] = np.einsum(subscripts, *arrays, dtype=types)
    return result


def max_pool(image: NDArray[Any], size: int, *, stride: int | None = None) -> NDArray[np.float64]:
    """The greatest value of each window, (C, H', W'): as deep as the image.

    image: (C, H, W).
    size: of the square window, pixels.
    stride: by default the size, so that windows lie side by side.
    Raises OptionError for a window larger than the image.
    """
    under = _under(image, size, stride)
    greatest = under[..., 0, 0].astype(np.float64)  # (C, H', W')
    for row, column in np.ndindex(size, size):
        np.maximum(greatest, under[..., row, column], out=greatest)
    return greatest


def average_pool(image: NDArray[Any], size: int, *, stride: int | None = None) -> NDArray[np.float64]:
    """The mean of each window, (C, H', W'). Arguments as in `max_pool`."""
    return sums("cijhw->cij", _under(image, size, stride)) / size**2


def pixel_coverage(
    size_hw: tuple[int, int], window_hw: tuple[int, int], *, padding: Padding = "valid", stride: int = 1
) -> NDArray[np.int64]:
    """For each pixel of a picture (H, W), the number of windows it lies in.

    Raises OptionError for a window larger than the padded picture.
    """
    down, across = slides(size_hw, window_hw, padding=padding, stride=stride)
    return np.outer(_along(down), _along(across))


def _zeros(window: int, padding: Padding) -> tuple[int, int]:
    if padding == "same":
        return (window - 1) // 2, window // 2
    zeros = 0 if padding == "valid" else padding
    if isinstance(zeros, str) and zeros.strip().isdecimal():
        zeros = int(zeros)
    if not isinstance(zeros, int | np.integer) or zeros < 0:
        raise OptionError(f"the option padding cannot be {padding!r}: give valid, same, or a number from 0 up")
    return int(zeros), int(zeros)


def _under(image: NDArray[Any], size: int, stride: int | None) -> NDArray[Any]:
    down, across = slides(image.shape[1:], (size, size), padding="valid", stride=size if stride is None else stride)
    return windows(image, down, across)


def _along(side: Slide) -> NDArray[np.int64]:
    """The number of places that reach each pixel of one side: in two directions, they multiply."""
    counts = np.zeros(side.size, dtype=np.int64)
    for place in range(side.places):
        pixels = side.pixels(place)
        counts[max(pixels.start, 0) : max(pixels.stop, 0)] += 1
    return counts
