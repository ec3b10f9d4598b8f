"""A window that slides in one direction: how many places it finds, and the sum that says so.

Dumoulin, Visin: "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285, relationship 14.
"""

from __future__ import annotations

from dataclasses import dataclass


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
