"""How the layers of PyTorch slide their windows, and their receptive fields: which pixels of the picture a place sees.

Araujo, Norris, Sim: "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019,
distill.pub/2019/computing-receptive-fields. There, the field of place y begins at -P + y S: here P is `-first` and
S is `jump`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from eyespot.arithmetic.windows import Window
from eyespot.blocks import SamePadding
from eyespot.caffe_blocks import SpatialResponseNorm

Windows = tuple[Window, Window]
"""Down the height, and along the width."""


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


def windows_of(module: nn.Module) -> Windows | None:
    """The windows of a convolution, a pooling or a normalisation over places, else None."""
    if isinstance(module, nn.Conv2d):
        return _of_convolution(module)
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return _of_pooling(module)
    if isinstance(module, SpatialResponseNorm):
        window = Window(module.size, 1, module.size // 2, module.size // 2)
        return window, window
    return None


def padding_of(module: nn.Module, size_hw: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """(top, bottom) and (left, right) of a module that only pads, else None."""
    if isinstance(module, SamePadding):
        return module.sides(size_hw[0]), module.sides(size_hw[1])
    if isinstance(module, nn.ZeroPad2d | nn.ConstantPad2d | nn.ReflectionPad2d | nn.ReplicationPad2d):
        left, right, top, bottom = module.padding
        return (top, bottom), (left, right)
    if isinstance(module, nn.ZeroPad3d):  # channels are its third direction
        left, right, top, bottom, _, _ = module.padding
        return (top, bottom), (left, right)
    return None


def adaptive_of(module: nn.Module, size_hw: tuple[int, int]) -> tuple[int, int] | None:
    """Height and width that an adaptive pooling makes of any image, else None."""
    if not isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return None
    wanted = module.output_size
    height, width = wanted if isinstance(wanted, tuple) else (wanted, wanted)
    return (size_hw[0] if height is None else height, size_hw[1] if width is None else width)


def adaptive_window(size: int, places: int) -> Window | None:
    """The one window that adaptive pooling from `size` to `places` pixels slides; None where it has several."""
    if size % places == 0:
        return Window(size // places, size // places)
    starts = [place * size // places for place in range(places)]
    widths = {-(-(place + 1) * size // places) - start for place, start in enumerate(starts)}
    strides = {later - start for start, later in pairwise(starts)}
    return Window(widths.pop(), strides.pop()) if len(widths) == len(strides) == 1 else None


def widest_adaptive_window(size: int, places: int) -> int:
    """Pixels under the widest window of adaptive pooling from `size` to `places` pixels."""
    return max(-(-(place + 1) * size // places) - place * size // places for place in range(places))


def _of_convolution(conv: nn.Conv2d) -> Windows:
    kernel, stride, dilation = _pair(conv.kernel_size), _pair(conv.stride), _pair(conv.dilation)
    sides = []
    for d in (0, 1):
        if conv.padding == "same":
            zeros = dilation[d] * (kernel[d] - 1)
            sides.append((zeros // 2, zeros - zeros // 2))
        else:
            pixels = 0 if isinstance(conv.padding, str) else _pair(conv.padding)[d]
            sides.append((pixels, pixels))
    height, width = (Window(kernel[d], stride[d], *sides[d], dilation=dilation[d]) for d in (0, 1))
    return height, width


def _of_pooling(pool: nn.MaxPool2d | nn.AvgPool2d) -> Windows:
    kernel, stride, padding = _pair(pool.kernel_size), _pair(pool.stride), _pair(pool.padding)
    dilation = _pair(getattr(pool, "dilation", 1))
    height, width = (
        Window(kernel[d], stride[d], padding[d], padding[d], dilation=dilation[d], ceil=pool.ceil_mode) for d in (0, 1)
    )
    return height, width


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)
