"""What networks are made of: chains of named stages, and the verbs that cut, join and tap a chain by name.

A network is a plain `nn.Sequential` whose children have names. Chains nest: `stage2.a.conv` names the convolution of
block `a` of `stage2`. Only what is not a chain has a `forward`: a sum (`Residual`), a concatenation (`Branches`), a
choice of channels (`Pick`), TensorFlow's padding (`SamePadding`), LeCun's `ScaledTanh` and, around a whole network in
training, auxiliary heads (`WithHeads`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import torch
from torch import Tensor, nn

from eyespot.errors import NetworkError
from eyespot.words import nearest

Size2 = int | tuple[int, int]
"""One number for both directions, or (height, width)."""


def chain(**stages: nn.Module) -> nn.Sequential:
    """An `nn.Sequential` that runs its named stages in the order they are given."""
    return nn.Sequential(OrderedDict(stages))


def conv(
    in_channels: int,
    out_channels: int,
    kernel: Size2,
    *,
    stride: Size2 = 1,
    padding: Size2 | None = None,
    groups: int = 1,
    bias: bool = False,
) -> nn.Conv2d:
    """A convolution from images (N, in_channels, H, W) to (N, out_channels, H', W').

    kernel, stride: pixels, one number or (height, width).
    padding: pixels on each side; None keeps the size at stride 1, which needs an odd kernel.
    groups: in how many groups the channels are split; `groups=in_channels` is a depthwise convolution.
    bias: False, because most convolutions here are followed by a BatchNorm that has its own.
    Raises NetworkError for an even kernel without a padding.
    """
    if padding is None:
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        if height % 2 == 0 or width % 2 == 0:
            raise NetworkError(f"A {height}x{width} convolution cannot keep the size of its input: give its padding.")
        padding = (height // 2, width // 2)
    return nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, groups=groups, bias=bias)


class SamePadding(nn.Module):
    """Zeros around an image so that a convolution without padding gives ceil(size / stride), as TensorFlow's "SAME".

    Where an odd number of zeros is needed, the larger half goes to the bottom and the right; how many are needed
    depends on the size of the input. (PyTorch pads both sides alike, which shifts every stride by half a pixel.)

    kernel, stride: those of the convolution that follows, pixels.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        top, bottom = self.sides(x.shape[-2])
        left, right = self.sides(x.shape[-1])
        return nn.functional.pad(x, (left, right, top, bottom))  # (N, C, H + top + bottom, W + left + right)

    def sides(self, size: int) -> tuple[int, int]:
        """Zeros before and after an image of `size` pixels."""
        steps = -(-size // self.stride)
        total = max((steps - 1) * self.stride + self.kernel - size, 0)
        return total // 2, total - total // 2

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}"


class Residual(nn.Module):
    """The sum of a shortcut and a body: shortcut(x) + scale * body(x).

    body: any module.
    shortcut: brings x to the body's shape; None where it has that shape already.
    scale: 1, or about 0.1 to 0.3 in Inception-ResNet (arXiv:1602.07261, section 3.3).
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None, *, scale: float = 1.0) -> None:
        super().__init__()
        self.body, self.shortcut, self.scale = body, shortcut, scale

    def forward(self, x: Tensor) -> Tensor:
        short: Tensor = x if self.shortcut is None else self.shortcut(x)
        change: Tensor = self.body(x)
        return short + (change if self.scale == 1 else self.scale * change)

    def extra_repr(self) -> str:
        return "" if self.scale == 1 else f"scale={self.scale}"


class Branches(nn.Module):
    """The outputs of several named branches on the same input, one after the other along the channels."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for _, branch in named_stages(self)], 1)  # (N, sum of channels, H, W)


class WithHeads(nn.Module):
    """A network in training, with auxiliary heads: from images to (logits, {stage: logits of its head}), always.

    Only for training: what is used and saved is `net`, which knows nothing of its heads. In this module's state dict
    its tensors are `net.stage4.a...`; those of the head on `stage4.a` are `heads.stage4_a...`, see `place`.

    net: a chain from images (N, C, H, W) to logits (N, classes).
    heads: by the name of the stage whose output each takes, as for `split`; from that output to logits (N, classes).
    Raises NetworkError for an unknown stage, and for one inside a sum or a concatenation.
    """

    def __init__(self, net: nn.Sequential, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for stage in heads:
            _require(net, stage)
        self.net, self.stages = net, tuple(heads)
        self.heads = nn.ModuleDict({stage.replace(".", "_"): head for stage, head in heads.items()})

    def forward(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        last = stage_names(self.net)[-1]
        found = taps(self.net, [*self.stages, last], x)
        return found[last], {stage: self.get_submodule(self.place(stage))(found[stage]) for stage in self.stages}

    @staticmethod
    def place(stage: str) -> str:
        """The name of the head on a stage in this module, which may not have a dot: `heads.stage4_a`."""
        return f"heads.{stage.replace('.', '_')}"


class Pick(nn.Module):
    """Some channels of an image, in the order given; one may come again.

    channels: their indexes, from 0.
    """

    def __init__(self, *channels: int) -> None:
        super().__init__()
        self.channels = list(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.channels]  # (N, len(channels), H, W)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.channels))


class ScaledTanh(nn.Module):
    """1.7159 tanh(2/3 x), which takes 1 to 1 and -1 to -1.

    LeCun, Bottou, Bengio, Haffner: "Gradient-Based Learning Applied to Document Recognition", 1998, appendix A.
    """

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


def is_chain(module: nn.Module) -> TypeGuard[nn.Sequential]:
    """True for a chain that may be cut: exactly an `nn.Sequential`, not a subclass of it."""
    return type(module) is nn.Sequential


def named_stages(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The parts of a module in order, also one that stands there twice, which `named_children` leaves out."""
    yield from ((name, part) for name, part in net._modules.items() if part is not None)


def stage_names(net: nn.Sequential) -> tuple[str, ...]:
    """The dotted name of every stage that `split` and `taps` can reach, a chain's name after those inside it."""
    names: list[str] = []
    for name, stage in named_stages(net):
        inside = stage_names(stage) if is_chain(stage) else ()
        names += [*(f"{name}.{inner}" for inner in inside), name]
    return tuple(names)


def split(net: nn.Sequential, *, after: str) -> tuple[nn.Sequential, nn.Sequential]:
    """The trunk, up to and with the stage `after`, and the tail, everything after it.

    Both share their parameters with `net` and keep its names, so their state dicts are its state dict in two parts.

    after: the name of a stage, dotted for a nested one: "stage3", "stage4.d", "head.flat".
    Raises NetworkError for an unknown stage, for one inside a sum or a concatenation, and for the last one.
    """
    _require(net, after)
    trunk, tail = _cut(net, after.split("."))
    if len(tail) == 0:
        raise NetworkError(f"Nothing comes after {after!r}, the last stage: cut after an earlier one.")
    return trunk, tail


def join(trunk: nn.Sequential, tail: nn.Sequential) -> nn.Sequential:
    """One chain that runs the trunk, then the tail: undoes `split`, and puts a new tail on a trunk.

    Where the last stage of the trunk and the first of the tail are chains of the same name, they become one.
    Raises NetworkError where the two share a name otherwise.
    """
    ours, theirs = dict(named_stages(trunk)), dict(named_stages(tail))
    shared = ours.keys() & theirs.keys()
    if shared and next(reversed(ours)) == (seam := next(iter(theirs))):
        before, behind = ours[seam], theirs[seam]
        if is_chain(before) and is_chain(behind):
            theirs[seam] = join(before, behind)
            shared -= {seam}
    if shared:
        raise NetworkError(f"The trunk and the tail both have a stage {min(shared)!r}: give one of them another name.")
    return _chain_like(trunk, ours | theirs)


def taps(net: nn.Sequential, names: Sequence[str], x: Tensor) -> dict[str, Tensor]:
    """The outputs of the named stages, in the order of `names`, from one pass that ends at the last of them.

    names: as for `split`.
    x: what `net` takes, (N, C, H, W).
    Raises NetworkError for an unknown stage, or for one inside a sum or a concatenation.
    """
    for name in names:
        _require(net, name)
    found: dict[str, Tensor] = {}
    for name, output in _walk(net, x):
        if name in names:
            found[name] = output
        if len(found) == len(set(names)):
            break
    return {name: found[name] for name in names}


def _walk(net: nn.Sequential, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    for name, stage in named_stages(net):
        if is_chain(stage):
            for inner, x in _walk(stage, x):  # noqa: B020 - each stage takes the output of the one before
                yield f"{name}.{inner}", x
        else:
            x = stage(x)
        yield name, x


def _cut(net: nn.Sequential, path: list[str]) -> tuple[nn.Sequential, nn.Sequential]:
    children = dict(named_stages(net))
    names = list(children)
    at = names.index(path[0]) + 1
    before, behind = {n: children[n] for n in names[:at]}, {n: children[n] for n in names[at:]}
    inside = children[path[0]]
    if len(path) > 1 and is_chain(inside):
        head, rest = _cut(inside, path[1:])
        before[path[0]] = head
        behind = ({path[0]: rest} if len(rest) else {}) | behind
    return _chain_like(net, before), _chain_like(net, behind)


def _chain_like(net: nn.Sequential, stages: dict[str, nn.Module]) -> nn.Sequential:
    made = chain(**stages)
    made.training = net.training  # and not .train(), which would switch the stages too
    return made


def _require(net: nn.Sequential, name: str) -> None:
    names = stage_names(net)
    if name in names:
        return
    parts = name.split(".")
    for end in range(1, len(parts)):
        outer = ".".join(parts[:end])
        if outer in names and not is_chain(net.get_submodule(outer)):
            kind = type(net.get_submodule(outer)).__name__
            raise NetworkError(f"{name!r} lies inside {outer!r}, a {kind}, which has no single point to cut or tap.")
    hint = nearest(name, names, otherwise=f"it has {', '.join(n for n in names if '.' not in n)}.")
    raise NetworkError(f"The network has no stage {name!r}: {hint}")
