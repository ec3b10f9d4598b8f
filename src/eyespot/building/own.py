"""A network that a person wrote in torch, handed in by a program or built by her file of Python: to be trained, written
down and asked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot.building.own_code import function_in, is_code, refused
from eyespot.errors import BundleError, NetworkError, OptionError
from eyespot.records import Network, Preprocess

if TYPE_CHECKING:
    from torch import nn

OWN = "own:"
"""Begins the name of such a network; its class's name follows."""
SIDES = (64, 32, 28, 224)
"""Of images, pixels: the first that the network takes, where nobody says which."""


@dataclass(frozen=True, eq=False)
class Own:
    """Such a network, which stays as it is: copies are trained."""

    name: str
    make: Callable[[int], nn.Module]
    """Gives it for a number of classes; called once."""
    _made: dict[int, nn.Module] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, module: nn.Module) -> Own:
        """The network itself, whatever the number of classes."""
        return cls(f"{OWN}{type(module).__name__}", lambda _: module)

    @classmethod
    def of_code(cls, model: str) -> Own:
        """The network that a person's file builds, `FILE.py:FUNCTION`, which she allowed to run.

        Raises OptionError where there is no such file.
        """
        if not is_code(model):
            raise OptionError(
                "the option allow-code is for a model that is code, as --model my_net.py:build: give both, or neither"
            )
        name = f"{OWN}{Path(model).name.replace(':', '.')}"
        return cls(name, function_in(model))

    def module(self, classes: int) -> nn.Module:
        """The network for so many scores. Raises OptionError where it cannot be made."""
        if classes not in self._made:
            self._made[classes] = self.make(classes)
        return self._made[classes]

    def built(self, classes: int) -> nn.Sequential:
        """A copy as a chain: one that ends in a fully connected layer can be cut before it, any other not."""
        from torch import nn

        from eyespot.blocks import chain, is_chain

        net = copy.deepcopy(self.module(classes)).cpu().float()
        if not is_chain(net):
            return chain(net=net)
        last: nn.Module = net
        while is_chain(last) and len(last):
            last = last[-1]
        return net if isinstance(last, nn.Linear) and last.bias is not None else chain(net=net)

    def fitted(self, classes: int, *, side: int | None, gray: bool) -> tuple[Network, Preprocess]:
        """The network as a model remembers it, and how pictures come to it, known to fit.

        classes: scores that it has to give. side: of the images, pixels; None for the first of SIDES that it takes.
        gray: whether one channel is tried first.
        Raises OptionError for a network that takes no images, gives other scores, or cannot be written as ONNX.
        """
        self._require_scores(classes)
        refused = ""
        for size in (side,) if side else SIDES:
            for channels in (1, 3) if gray else (3, 1):
                shape, why = self._shape(classes, channels, size)
                if shape == (2, classes):
                    preprocess = _preprocess(channels, size)
                    self._require_converts(classes, preprocess)
                    return Network(name=self.name, arguments={"classes": classes}), preprocess
                if shape is not None:
                    raise OptionError(
                        f"the network gives scores of the shape {shape} for 2 images, and (2, {classes}) was expected: "
                        f"let it end in nn.Linear(..., {classes})"
                    )
                refused = refused or why
        sizes = " or ".join(f"{size} x {size}" for size in ((side,) if side else SIDES))
        raise OptionError(
            f"the network takes no images (N, C, H, W) of {sizes} pixels ({refused}): say with imgsz which it takes"
        )

    def _require_scores(self, classes: int) -> None:
        """Raises OptionError where the last layer does not give the scores themselves."""
        from torch import nn

        module = self.module(classes)
        layers = [layer for layer in module.modules() if not list(layer.children())]
        if layers and isinstance(layers[-1], nn.Softmax | nn.LogSoftmax | nn.Sigmoid):
            name = type(layers[-1]).__name__
            raise OptionError(f"the network ends in {name}, which eyespot adds itself: leave that layer out")
        if not list(module.parameters()):
            raise OptionError("the network has no weights, so there is nothing to train")
        if list(module.parameters())[-1].shape[0] != classes:
            raise OptionError(
                f"the network's last weights are not those of {classes} scores, one for each class: let it end in "
                f"nn.Linear(..., {classes}), defined last"
            )

    def _shape(self, classes: int, channels: int, side: int) -> tuple[tuple[int, ...] | None, str]:
        """The shape of what it gives for two images; None, and why, where it does not take them."""
        import torch

        try:
            with torch.inference_mode():
                found = self.built(classes).eval()(torch.zeros(2, channels, side, side))
        except Exception as error:  # whatever somebody's code raises
            return None, str(error).strip().partition("\n")[0]
        return (tuple(found.shape), "") if isinstance(found, torch.Tensor) else ((), "")

    def _require_converts(self, classes: int, preprocess: Preprocess) -> None:
        from eyespot.building.surgery import head_layers
        from eyespot.engine.from_torch import to_onnx
        from eyespot.engine.gate import check_graph

        try:
            before, _ = head_layers(self.built(classes))
            check_graph(to_onnx(before, preprocess))
        except (NetworkError, BundleError) as error:
            raise OptionError(f"the network cannot be written as ONNX, which is what answers: {error}") from error


def handed_in(options: Mapping[str, Any], *, again: bool) -> tuple[dict[str, Any], Own | None]:
    """The options with a name in place of a network that was handed in, and that network.

    again: the run goes on, or is done again, with the options that it had: then there is no name among them.
    Raises OptionError for what is neither a name nor a network, and for the name of code, which nobody allowed to run.
    """
    model, given = options.get("model", ""), dict(options)
    if isinstance(model, str):
        if is_code(model):
            raise refused(model)
        return given, None
    del given["model"]
    own = model if isinstance(model, Own) else _of_module(model)
    return (given if again else {**given, "model": own.name}), own


def _of_module(model: Any) -> Own:
    if not (hasattr(model, "named_modules") and hasattr(model, "state_dict")):
        raise OptionError(
            f"the option model cannot be {type(model).__name__}: give auto, a name that `eyespot networks` lists, or a "
            "network of torch, an nn.Module"
        )
    if isinstance(model, type):
        raise OptionError(f"the option model is the class {model.__name__}: give a network of it, {model.__name__}()")
    return Own.of(model)


def _preprocess(channels: int, side: int) -> Preprocess:
    """Values -1 to 1."""
    return Preprocess(
        short_side=side,
        crop_hw=(side, side),
        filter="bilinear",
        color="gray" if channels == 1 else "rgb",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
        exact=side <= 64,
    )
