"""Receptive fields: which pixels of the picture a place of a feature map can see.

Araujo, Norris, Sim: "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019,
distill.pub/2019/computing-receptive-fields. There, the field of place y begins at -P + y S: here P is `-first` and
S is `jump`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eyespot.arithmetic.windows import Window


@dataclass(frozen=True)
class Field:
    """The field of a layer's places in one direction, pixels of the picture."""

    size: int = 1
    """Pixels from the first to the last that a place sees."""
    jump: float = 1
    """Pixels from the field of one place to that of the next; 0 where there is one place only."""
    first: float = 0
    """The first pixel that place 0 sees; below 0 where it begins in the padding."""

    @property
    def centre(self) -> float:
        """The pixel in the middle of what place 0 sees; the picture's first pixel is 0."""
        return self.first + (self.size - 1) / 2

    def through(self, window: Window) -> Field:
        """The field after a window that slides over this layer."""
        reach = window.dilation * (window.kernel - 1)
        return Field(
            size=int(self.size + reach * self.jump),
            jump=self.jump * window.stride,
            first=self.first - window.before * self.jump,
        )

    def through_all(self, places: int) -> Field:
        """The field of what sees all `places` of this layer, as a fully connected layer does."""
        return Field(size=int(self.size + (places - 1) * self.jump), jump=0, first=self.first)


def union(fields: Sequence[Field]) -> Field:
    """The field of what sees several layers at once: from the first pixel that any sees to the last."""
    first = min(field.first for field in fields)
    last = max(field.first + field.size for field in fields)
    return Field(size=int(last - first), jump=max(field.jump for field in fields), first=first)
