"""The network that a lab looks into, and how much of what reaches its narrow places could pass them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.arithmetic.table import total
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Residual
from eyespot.building.backbone import DEFAULT
from eyespot.building.named import bundle_with_weights, named_network, preprocess_of, with_weights
from eyespot.data.pictures import read_images
from eyespot.errors import NetworkError
from eyespot.labs.bench import Bench

AT_ONCE = 8


def narrow_places(bench: Bench, *, pictures: int) -> dict[str, float]:
    """What the narrowing 1x1 convolutions of the network could keep, see `kept`: their mean, as `kept`, and the least;
    whether a shortcut goes around that one; and the network's multiply-adds, millions.
    """
    net, x = looked_into(bench, pictures=pictures)
    names = narrowing(net)
    shares = kept(bench, net, names, x)
    least = min(shares)
    worst = net.get_submodule(names[shares.index(least)])
    bodies = [module.body for module in net.modules() if isinstance(module, Residual)]
    return {
        "kept": sum(shares) / len(shares),
        "least": least,
        "around": float(any(worst in list(body.modules()) for body in bodies)),
        "multiply_adds": total(trace(net, (x.shape[1], x.shape[2], x.shape[3]))).multiply_adds / 1e6,
    }


def looked_into(bench: Bench, *, pictures: int) -> tuple[nn.Sequential, Tensor]:
    """The network that the option `model` names, or the default backbone, and pictures (N, C, H, W) as it takes them.

    Raises NetworkError where nothing in it narrows, where it has no weights, and for an unknown name.
    """
    name = bench.model or DEFAULT.network
    named = named_network(name)
    if not narrowing(named.net):
        raise NetworkError(
            f"{named.name} has no 1x1 convolution with fewer channels behind it than before it, so nothing narrows: "
            "choose another network, such as efficientnet_lite0"
        )
    net = bundle_with_weights(named.bundle) if named.bundle else with_weights(name, None)
    preprocess = named.bundle.manifest.preprocess if named.bundle else preprocess_of(name, None)
    order = torch.randperm(len(bench.pictures.hashed), generator=bench.random(4))[:pictures]
    files = [bench.pictures.hashed[number].picture.read() for number in order.tolist()]
    images = np.stack([image for image in read_images(files, preprocess) if isinstance(image, np.ndarray)])
    x = (images - np.array(preprocess.mean)) / np.array(preprocess.scale)  # (N, H, W, C)
    return net, torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float32))  # (N, C, H, W)


def narrowing(net: nn.Module) -> list[str]:
    """The names of all 1x1 convolutions that give fewer channels than they take."""
    convolutions = ((name, module) for name, module in net.named_modules() if isinstance(module, nn.Conv2d))
    return [
        name
        for name, module in convolutions
        if module.kernel_size == (1, 1) and module.groups == 1 and module.out_channels < module.in_channels
    ]


def kept(bench: Bench, net: nn.Module, names: Sequence[str], x: Tensor) -> list[float]:
    """For each of these convolutions, the share of the variance before it that the best narrowing would keep.

    That is the variance along as many principal components as the convolution gives channels: no linear map to so few
    can keep more.

    x: images, (N, C, H, W).
    """
    layers = [net.get_submodule(name) for name in names]
    with _moments(layers) as moments, torch.no_grad():
        for part in torch.split(x, AT_ONCE):
            bench.tick()
            net.eval()(part)
    return [_largest(each, layer.out_channels) for each, layer in zip(moments, layers, strict=True)]  # type: ignore[arg-type]


@contextmanager
def _moments(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Of what each layer is given, and of a 1 below it: (C + 1, C + 1), summed over pictures and places."""
    moments = [torch.zeros((), dtype=torch.float64) for _ in layers]

    def note(at: int, given: Tensor) -> None:
        values = given.double().transpose(0, 1).flatten(1)  # (C, places)
        values = torch.cat([values, torch.ones_like(values[:1])])
        moments[at] = moments[at] + values @ values.T

    hooks = [
        layer.register_forward_pre_hook(lambda _, given, at=at: note(at, given[0])) for at, layer in enumerate(layers)
    ]
    try:
        yield moments
    finally:
        for hook in hooks:
            hook.remove()


def _largest(moments: Tensor, count: int) -> float:
    mean = moments[:-1, -1] / moments[-1, -1]
    covariance = moments[:-1, :-1] / moments[-1, -1] - torch.outer(mean, mean)
    variances = torch.linalg.eigvalsh(covariance).clamp_min(0).flip(0)  # the largest first
    return float(variances[:count].sum() / variances.sum()) if variances.sum() > 0 else 1.0
