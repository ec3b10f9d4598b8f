"""The same network with less work in a step of training: what it computes is the same, and its parameters are shared.

A BatchNorm whose statistics stay is a part of the convolution before it. It multiplies each channel by one number and
adds another: norm(conv(x)) is a convolution with multiplied weights, and a bias. Multiplying the weights instead of the
maps is far less work, and so is its gradient.

The largest of some values, then ReLU, stands for the other way round: max(relu(a), relu(b)) = relu(max(a, b)), to the
bit. After a pooling of 2x2 there is a quarter of the values, and on small networks a step takes up to a third less.

A depthwise convolution of small maps has a gradient of its weights that takes a fifth of PyTorch's time or less. Where
maps have as few pixels as the kernel, PyTorch's engine for processors spends its time on borders: in fine-tuning
EfficientNet-Lite0 on images of 128 pixels, a fifth of each step was the last four such layers. Here every output pixel
is multiplied by every input pixel, channel by channel: few products, all of them in one product of matrices. Those that
belong to one weight, because they are so far apart, are then added.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_input

from eyespot.blocks import Branches, Residual, chain, is_chain, named_stages

MOST_PIXELS = 16
"""Of a map: its square is the number of products. With 6x6 pixels both ways take about as long."""
LEAST_KERNEL = 5
"""Kernels of 3x3 are fast as they are."""


class MergedNorm(nn.Module):
    """norm(conv(x)) as one convolution, while the norm is in evaluation."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor) -> Tensor:
        conv, norm = self.conv, self.norm
        mean, variance = norm.running_mean, norm.running_var
        if norm.training or mean is None or variance is None:
            normed: Tensor = norm(conv(x))
            return normed
        factor = norm.weight * (variance + norm.eps).rsqrt()  # (D,)
        bias = norm.bias - factor * (mean if conv.bias is None else mean - conv.bias)
        weight = conv.weight * factor.view(-1, 1, 1, 1)  # (D, C, kH, kW)
        if x.requires_grad and not weight.requires_grad and _pads_with_zeros(conv):
            return input_only(conv, x, weight, bias)
        return small_depthwise(x, weight, bias) if pays(conv, x) else conv._conv_forward(x, weight, bias)


def input_only(conv: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """What `conv` makes of maps x with weights that stay. PyTorch's own keeps x for their gradient all the same."""
    found: Tensor = _InputOnly.apply(x, weight, bias, conv)  # type: ignore[no-untyped-call]
    return found


def _pads_with_zeros(conv: nn.Conv2d) -> bool:
    """So many on each side as it says, in pixels."""
    return conv.padding_mode == "zeros" and not isinstance(conv.padding, str)


class _InputOnly(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, conv: nn.Conv2d) -> Tensor:
        ctx.save_for_backward(weight)
        is_last = x.is_contiguous(memory_format=torch.channels_last)
        ctx.shape, ctx.format = x.shape, torch.channels_last if is_last else torch.contiguous_format
        ctx.how = conv.stride, conv.padding, conv.dilation, False, (0, 0), conv.groups, (True, False, False)
        found: Tensor = conv._conv_forward(x, weight, bias)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,), (weight,) = gradients, ctx.saved_tensors
        # of the input, only its shape counts, and the order of its bytes
        like = torch.empty(ctx.shape, dtype=gradient.dtype, device=gradient.device, memory_format=ctx.format)
        of_x, *_ = torch.ops.aten.convolution_backward(gradient, like, weight, None, *ctx.how)
        return of_x, None, None, None


def merged_norms(net: nn.Sequential) -> nn.Sequential:
    """A chain that computes what `net` does, each BatchNorm in evaluation merged into the convolution before it.

    It shares every parameter and every statistic with `net`, under other names: call it, and keep `net`. Where there is
    no such BatchNorm it is `net` itself.
    """
    if not any(_stays(module) for module in net.modules()):
        return net
    stages: dict[str, nn.Module] = {}
    before = ""
    for name, stage in named_stages(net):
        conv = stages.get(before)
        if isinstance(conv, nn.Conv2d) and _stays(stage):
            stages[before] = MergedNorm(conv, stage)
        else:
            stages[name] = _merged(stage)
            before = name
    return chain(**stages)


def _merged(module: nn.Module) -> nn.Module:
    if is_chain(module):
        return merged_norms(module)
    if isinstance(module, Residual):
        shortcut = None if module.shortcut is None else _merged(module.shortcut)
        return Residual(_merged(module.body), shortcut, scale=module.scale)
    if isinstance(module, Branches):
        return Branches(**{name: _merged(branch) for name, branch in named_stages(module)})
    return module


def _stays(module: nn.Module) -> TypeGuard[nn.BatchNorm2d]:
    return isinstance(module, nn.BatchNorm2d) and not module.training and module.affine and module.track_running_stats


def pooled_first(net: nn.Sequential) -> nn.Sequential:
    """`net` with every ReLU that stands before a max pooling moved after it. All weights are shared, names stay."""
    stages = [(name, pooled_first(stage) if is_chain(stage) else stage) for name, stage in named_stages(net)]
    for place in range(len(stages) - 1):
        if isinstance(stages[place][1], nn.ReLU) and isinstance(stages[place + 1][1], nn.MaxPool2d):
            stages[place : place + 2] = reversed(stages[place : place + 2])
    made = chain(**dict(stages))
    made.training = net.training  # and not .train(), which would switch the stages too
    return made


def pays(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether `small_depthwise` computes this convolution of maps x (N, C, H, W), and sooner."""
    kernel = conv.kernel_size[0]
    return (
        conv.groups == conv.in_channels == conv.out_channels > 1
        and conv.kernel_size == (kernel, kernel)
        and kernel >= LEAST_KERNEL
        and conv.padding == (kernel // 2, kernel // 2)
        and conv.padding_mode == "zeros"
        and conv.stride == conv.dilation == (1, 1)
        and x.shape[2] * x.shape[3] <= MOST_PIXELS
        and x.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
    )


def small_depthwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The maps (N, C, H, W) of a depthwise convolution that keeps the size.

    x: maps (N, C, H, W). weight: (C, 1, K, K), K odd. bias: (C,).
    """
    found: Tensor = _SmallDepthwise.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return found


class _SmallDepthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight, bias, padding=weight.shape[2] // 2, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients  # (N, C, H, W)
        padding, channels = weight.shape[2] // 2, len(weight)
        of_x = conv2d_input(x.shape, weight, gradient, padding=padding, groups=channels)  # type: ignore[no-untyped-call]
        return of_x, weight_gradient(x, gradient, weight.shape[2]), gradient.sum((0, 2, 3))


def weight_gradient(x: Tensor, gradient: Tensor, kernel: int) -> Tensor:
    """The gradient (C, 1, K, K) of the weights.

    x: maps (N, C, H, W). gradient: of the output, (N, C, H, W). kernel: K, pixels, odd.
    """
    count, channels, height, width = x.shape
    outputs = gradient.permute(1, 2, 3, 0).contiguous().view(channels, -1, count)  # (C, H * W, N)
    inputs = x.permute(1, 0, 2, 3).contiguous().view(channels, count, -1)  # (C, N, H * W)
    products = torch.bmm(outputs, inputs).view(channels, -1)  # (C, H * W * H * W), summed over the images
    return (products @ _weight_of(height, width, kernel).to(x.dtype)).view(channels, 1, kernel, kernel)


@lru_cache(maxsize=16)
def _weight_of(height: int, width: int, kernel: int) -> Tensor:
    """Which weight takes an input pixel to an output pixel: (H * W * H * W, K * K), a 1 in each row or none."""
    pixels = height * width
    each = torch.eye(pixels).view(pixels, 1, height, width)
    seen = functional.unfold(each, kernel, padding=kernel // 2)  # (inputs, K * K, outputs)
    return seen.permute(2, 0, 1).reshape(pixels * pixels, kernel * kernel)
