"""How the layers of PyTorch slide their windows: what each looks at down and across, and how many places it finds.

Dumoulin, Visin: "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285, relationship 14.
"""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from eyespot.arithmetic.windows import Window
from eyespot.blocks import SamePadding

Windows = tuple[Window, Window]
"""Down the height, and along the width."""


def windows_of(module: nn.Module) -> Windows | None:
    """The windows of a convolution or a pooling, else None."""
    if isinstance(module, nn.Conv2d):
        return _of_convolution(module)
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return _of_pooling(module)
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
