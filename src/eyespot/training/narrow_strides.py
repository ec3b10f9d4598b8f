"""Strided 1x1 convolutions of few channels, without a fault of PyTorch's engine for processors.

The gradient of their weights writes past its memory where channels lie last and are fewer than the engine takes at a
time, 8 or 16: the process ends, or goes on with other numbers (oneDNN, issue 6035; PyTorch 2.13 and 2.14). Such a
convolution looks at no pixels but those that its stride leads to. To leave out the others first is the same, and takes
another way there. Convolutions that a network calls as functions, without a module, are not found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

TOGETHER = 16
"""Channels that the engine takes at a time, at most: with so many or more it writes where it should."""
UNPADDED = (0, (0, 0), "valid")


def without_overrun(net: nn.Module) -> AbstractContextManager[object]:
    """Within it `net` computes what it does, with sound gradients. Where it has no such convolution it does nothing."""
    return _PixelsFirst() if any(_is_narrow(module) for module in net.modules()) else nullcontext()


def _is_narrow(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (1, 1)
        and max(module.stride) > 1
        and module.padding in UNPADDED
        and module.in_channels // module.groups < TOGETHER
    )


class _PixelsFirst(TorchFunctionMode):
    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if function in (functional.conv2d, torch.conv2d):
            return _conv2d(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    down, across = (stride, stride) if isinstance(stride, int) else stride
    if weight.shape[2:] == (1, 1) and weight.shape[1] < TOGETHER and padding in UNPADDED and max(down, across) > 1:
        x, stride, padding = x[:, :, ::down, ::across], 1, 0
    return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
