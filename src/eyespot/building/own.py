"""A network that a program hands in: a module of torch that somebody wrote, to be trained, written down and asked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

    module: nn.Module

    @property
    def name(self) -> str:
        return f"{OWN}{type(self.module).__name__}"

    def built(self) -> nn.Sequential:
        """A copy as a chain: one that ends in a fully connected layer can be cut before it, any other not."""
        from torch import nn

        from eyespot.blocks import chain, is_chain

        net = copy.deepcopy(self.module).cpu().float()
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
                shape, why = self._shape(channels, size)
                if shape == (2, classes):
                    preprocess = _preprocess(channels, size)
                    self._require_converts(preprocess)
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

        layers = [layer for layer in self.module.modules() if not list(layer.children())]
        if layers and isinstance(layers[-1], nn.Softmax | nn.LogSoftmax | nn.Sigmoid):
            name = type(layers[-1]).__name__
            raise OptionError(f"the network ends in {name}, which eyespot adds itself: leave that layer out")
        if not list(self.module.parameters()):
            raise OptionError("the network has no weights, so there is nothing to train")
        if list(self.module.parameters())[-1].shape[0] != classes:
            raise OptionError(
                f"the network's last weights are not those of {classes} scores, one for each class: let it end in "
                f"nn.Linear(..., {classes}), defined last"
            )

    def _shape(self, channels: int, side: int) -> tuple[tuple[int, ...] | None, str]:
        """The shape of what it gives for two images; None, and why, where it does not take them."""
        import torch

        try:
            with torch.inference_mode():
                found = self.built().eval()(torch.zeros(2, channels, side, side))
        except Exception as error:  # whatever somebody's code raises
            return None, str(error).strip().partition("\n")[0]
        return (tuple(found.shape), "") if isinstance(found, torch.Tensor) else ((), "")

    def _require_converts(self, preprocess: Preprocess) -> None:
        from eyespot.building.surgery import head_layers
        from eyespot.engine.from_torch import to_onnx
        from eyespot.engine.gate import check_graph

        try:
            before, _ = head_layers(self.built())
            check_graph(to_onnx(before, preprocess))
        except (NetworkError, BundleError) as error:
            raise OptionError(f"the network cannot be written as ONNX, which is what answers: {error}") from error


def handed_in(options: Mapping[str, Any], *, again: bool) -> tuple[dict[str, Any], Own | None]:
    """The options with a name in place of a network that was handed in, and that network.

    again: the run goes on, or is done again, with the options that it had: then there is no name among them.
    Raises OptionError for what is neither a name nor a network.
    """
    model, given = options.get("model", ""), dict(options)
    if isinstance(model, str):
        return given, None
    if not (hasattr(model, "named_modules") and hasattr(model, "state_dict")):
        raise OptionError(
            f"the option model cannot be {type(model).__name__}: give auto, a name that `eyespot networks` lists, or a "
            "network of torch, an nn.Module"
        )
    if isinstance(model, type):
        raise OptionError(f"the option model is the class {model.__name__}: give a network of it, {model.__name__}()")
    del given["model"]
    own = Own(model)
    return (given if again else {**given, "model": own.name}), own


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
