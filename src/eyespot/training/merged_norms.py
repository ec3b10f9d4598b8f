"""The same network with less work: a BatchNorm whose statistics stay is a part of the convolution before it.

With statistics that stay, the norm multiplies each channel by one number and adds another: norm(conv(x)) is a
convolution with multiplied weights, and a bias. Multiplying the weights instead of the maps is far less work, and so is
its gradient. All parameters are the network's own, and train as before.
"""

from __future__ import annotations

from typing import TypeGuard

from torch import Tensor, nn

from eyespot.blocks import Branches, Residual, chain, is_chain, named_stages
from eyespot.training.small_depthwise import pays, small_depthwise


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
        return small_depthwise(x, weight, bias) if pays(conv, x) else conv._conv_forward(x, weight, bias)


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
