"""Two definitions of one network, theirs and ours, compared stage by stage on random weights that tell them apart.

With the weights a network is born with, deep networks answer almost the same whatever they are shown, and any body
would pass. So first every layer of theirs is made `lively`; then its tensors are renamed and loaded into ours.

    theirs = lively(torchvision.models.resnet18(), images)
    ours = with_weights_of(theirs, lambda: resnet(18), torchvision_names)
    expected = outputs(theirs, {"stem": "maxpool", "stage1": "layer1", ..., "head.fc": "fc"}, images)
    assert first_difference(ours, expected, images) is None
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from eyespot.blocks import taps

_TOLERANCE = 1e-4
"""Of the spread between the images."""


def lively(theirs: nn.Module, images: Tensor, *, seed: int = 7) -> nn.Module:
    """`theirs`, in eval mode, with each channel of each layer varying by about 1 over the images, around about 0.

    BatchNorms get random affine parameters and the statistics of the images. Convolutions and fully connected layers
    are rescaled in the order in which they run. Auxiliary heads that run only in training are made lively too.
    """
    generator = torch.Generator().manual_seed(seed)
    hooks = []
    theirs.train()
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
            nn.init.uniform_(layer.weight, 0.7, 1.3, generator=generator)
            nn.init.uniform_(layer.bias, -0.5, 0.5, generator=generator)
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            hooks.append(layer.register_forward_hook(lambda module, _, output: _rescaled(module, output, generator)))
        elif isinstance(layer, nn.Dropout | nn.Dropout2d):
            layer.eval()
        else:  # such as the scale of a whole body, which begins so small that any body would pass
            for parameter in layer.parameters(recurse=False):
                nn.init.uniform_(parameter, 0.7, 1.3, generator=generator)
    with torch.no_grad():
        theirs(images)
    for hook in hooks:
        hook.remove()
    return theirs.eval()


def with_weights_of(
    theirs: nn.Module, make: Callable[[], nn.Sequential], names: Callable[[nn.Sequential], Mapping[str, str]]
) -> nn.Sequential:
    """The network that `make` makes, in eval mode, sharing all of `theirs`' tensors; strictly in both directions.

    names: gives {their name of a tensor: ours} for our network.
    """
    with torch.device("meta"):
        ours = make()
    renaming, state = names(ours), theirs.state_dict()
    assert renaming.keys() == state.keys(), renaming.keys() ^ state.keys()
    assert len(set(renaming.values())) == len(renaming), "two of their tensors have one name"
    ours.load_state_dict({renaming[name]: tensor for name, tensor in state.items()}, strict=True, assign=True)
    return ours.eval()


def outputs(theirs: nn.Module, modules: Mapping[str, str], images: Tensor) -> dict[str, Tensor]:
    """What their modules give when they run on the images.

    modules: the dotted names of their modules by the name that the result shall have, as a rule our stage.
    """
    found: dict[str, Tensor] = {}
    hooks = [
        theirs.get_submodule(module).register_forward_hook(
            lambda _, __, output, name=name: found.update({name: output.clone()})  # before it is changed in place
        )
        for name, module in modules.items()
    ]
    with torch.inference_mode():
        theirs(images)
    for hook in hooks:
        hook.remove()
    return {name: found[name] for name in modules}


def first_difference(ours: nn.Sequential, expected: Mapping[str, Tensor], images: Tensor) -> str | None:
    """The first of our stages whose output on the images is not the expected one; None where all are.

    expected: their outputs by the name of our stage. Each must vary from image to image by about 1, else it would not
    tell two networks apart.
    """
    with torch.inference_mode():
        found = taps(ours.eval(), list(expected), images)
    for name, theirs in expected.items():
        spread = theirs.std(0).mean()
        assert 0.1 < spread < 10, f"{name} varies by {spread:.3g} from image to image"
        if found[name].shape != theirs.shape or (found[name] - theirs).abs().max() > _TOLERANCE * spread:
            return name
    return None


def _rescaled(layer: nn.Conv2d | nn.Linear, output: Tensor, generator: torch.Generator) -> Tensor:
    """The layer's output once its weights are rescaled so that every channel varies by 0.7 to 1.3."""
    place = output.ndim - 1 if isinstance(layer, nn.Linear) else 1
    over = [dimension for dimension in range(output.ndim) if dimension != place]
    wanted = torch.empty(output.shape[place]).uniform_(0.7, 1.3, generator=generator)
    scale = wanted / output.std(over).clamp(min=1e-3)
    shift = torch.empty(output.shape[place]).uniform_(-0.5, 0.5, generator=generator) - scale * output.mean(over)
    layer.weight.mul_(scale.view(-1, *[1] * (layer.weight.ndim - 1)))
    changed = output * _by_channel(scale, output, place)
    if layer.bias is None:
        return changed
    layer.bias.mul_(scale).add_(shift)
    return changed + _by_channel(shift, output, place)


def _by_channel(values: Tensor, output: Tensor, place: int) -> Tensor:
    return values.view([-1 if dimension == place else 1 for dimension in range(output.ndim)])
