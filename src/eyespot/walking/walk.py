"""A network run on one image, with everything that stands between its layers kept: what each takes, and gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eyespot.arithmetic.shapes import dotted
from eyespot.arithmetic.table import INPUT
from eyespot.blocks import Branches, Residual, is_chain, named_stages
from eyespot.errors import NetworkError


@dataclass(frozen=True)
class Step:
    """A layer at work. Its name is that of its row in `arithmetic.trace`."""

    module: nn.Module | None
    """None for the image itself."""
    sources: tuple[str, ...]
    """The steps whose outputs it takes, in order; of a module of someone else's they are not known, and not named."""
    inputs: tuple[Tensor, ...]
    """What it takes, each (C, H, W) or (D,)."""
    output: Tensor
    """(C, H, W) or (D,)."""


@dataclass
class Walk:
    """The steps of a network on one image, in the order in which they ran."""

    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def logits(self) -> Tensor:
        """What the last step gives, (classes,)."""
        return next(reversed(self.steps.values())).output.flatten()


def walk(net: nn.Sequential, image: Tensor) -> Walk:
    """Every step of the network on an image.

    net: a chain in evaluation, as `blocks.chain` makes it. image: (C, H, W), as the network takes it.
    """
    walker = _Walker(Walk())
    with torch.inference_mode():
        walker.note(INPUT, None, (), (), image[None])
        walker.run(net, INPUT, at="")
    return walker.walk


def logits_without(net: nn.Sequential, image: Tensor, *, layer: str, map_index: int) -> Tensor:
    """What the network gives, (classes,), when one map of a layer is 0 everywhere. Arguments as of `walk`."""
    with torch.inference_mode(), _muted(net.get_submodule(layer), map_index):
        logits: Tensor = net(image[None])[0].flatten()
    return logits


def grid_of(walk: Walk, layer: str) -> tuple[int, ...] | None:
    """The shape (C, H, W) of the maps that a vector is, one after the other; None where it is made otherwise."""
    step = walk.steps[layer]
    while step.output.dim() == 1 and len(step.sources) == 1:
        before = walk.steps[step.sources[0]]
        if before.output.numel() != len(step.output) or isinstance(step.module, nn.Linear):
            return None
        if before.output.dim() == 3:
            return tuple(before.output.shape)
        step = before
    return None


def weight_of(net: nn.Sequential, layer: str) -> NDArray[np.float32]:
    """The weights of a convolution or a fully connected layer, the maps that it gives first.

    Raises NetworkError for a layer without.
    """
    module = dict(net.named_modules()).get(layer)
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.dim() < 2:
        raise NetworkError(f"layer {layer!r} has no kernels: look at a convolution")
    values: NDArray[np.float32] = weight.detach().numpy()
    return values


@contextmanager
def _muted(module: nn.Module, map_index: int) -> Iterator[None]:
    def mute(_: nn.Module, __: object, output: Tensor) -> Tensor:
        output = output.clone()
        output[:, map_index] = 0
        return output

    hook = module.register_forward_hook(mute)
    try:
        yield
    finally:
        hook.remove()


class _Walker:
    """Runs a network as its modules do themselves."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self._batches: dict[str, Tensor] = {}
        """Outputs with their first direction, the batch, of one."""

    def note(
        self, name: str, module: nn.Module | None, sources: tuple[str, ...], inputs: tuple[Tensor, ...], output: Tensor
    ) -> str:
        self._batches[name] = output
        self.walk.steps[name] = Step(module, sources, tuple(each[0] for each in inputs), output[0])
        return name

    def run(self, module: nn.Module, source: str, *, at: str) -> str:
        """The step whose output is the module's."""
        if is_chain(module):
            for name, stage in named_stages(module):
                source = self.run(stage, source, at=dotted(at, name))
            return source
        if isinstance(module, Residual):
            body = self.run(module.body, source, at=dotted(at, "body"))
            short = source if module.shortcut is None else self.run(module.shortcut, source, at=dotted(at, "shortcut"))
            taken, change = self._batches[short], self._batches[body]
            added = taken + (change if module.scale == 1 else module.scale * change)
            return self.note(at, module, (short, body), (taken, change), added)
        if isinstance(module, Branches):
            ends = tuple(self.run(branch, source, at=dotted(at, name)) for name, branch in named_stages(module))
            parts = tuple(self._batches[end] for end in ends)
            return self.note(at, module, ends, parts, torch.cat(parts, 1))
        taken = self._batches[source]
        if any(True for _ in module.children()):
            return self._opened(module, source, at=at)
        return self.note(at, module, (source,), (taken,), module(taken))

    def _opened(self, module: nn.Module, source: str, *, at: str) -> str:
        """A module of someone else's: its leaves in the order in which they run. How they are connected is unknown."""
        before: dict[str, Tensor] = {}

        def keep(name: str, given: tuple[object, ...]) -> None:
            if given and isinstance(given[0], Tensor):
                before[name] = given[0].clone()  # the leaf may write over it

        def note(name: str, leaf: nn.Module, made: object) -> None:
            if name in before and isinstance(made, Tensor):
                self.note(dotted(at, name), leaf, (), (before.pop(name),), made.clone())

        hooks = []
        for name, leaf in module.named_modules():
            if not any(True for _ in leaf.children()):
                hooks.append(leaf.register_forward_pre_hook(lambda _, given, name=name: keep(name, given)))
                hooks.append(leaf.register_forward_hook(lambda leaf, _, made, name=name: note(name, leaf, made)))
        try:
            taken = self._batches[source]
            return self.note(at, module, (source,), (taken,), module(taken.clone()))
        finally:
            for hook in hooks:
                hook.remove()
