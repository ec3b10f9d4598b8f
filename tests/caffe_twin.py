"""Weights that tell layers apart, as Caffe keeps them; and what OpenCV, which has a reader of its own, answers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.caffe.network import CaffeNetwork
from eyespot.caffe_blocks import ChannelScale


def lively(network: CaffeNetwork, images: Tensor, *, seed: int = 7) -> None:
    """Random weights with which the output of each convolution and dense layer varies by about 1 over the images."""
    generator = torch.Generator().manual_seed(seed)
    hooks = []
    network.net.train()
    for layer in network.net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
        elif isinstance(layer, ChannelScale):
            nn.init.uniform_(layer.weight, 0.7, 1.3, generator=generator)
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -0.5, 0.5, generator=generator)
        elif isinstance(layer, nn.PReLU):
            nn.init.uniform_(layer.weight, 0.1, 0.4, generator=generator)
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            hooks.append(layer.register_forward_hook(lambda module, _, output: _rescaled(module, output, generator)))
        elif isinstance(layer, nn.Dropout):
            layer.eval()
    with torch.no_grad():
        network.net(images)
    for hook in hooks:
        hook.remove()
    network.net.eval()


def _rescaled(module: nn.Module, output: Tensor, generator: torch.Generator) -> Tensor:
    spread = output.std() + 1e-6
    module.weight.data /= spread
    if module.bias is None:
        return output / spread
    old = module.bias.clone()
    nn.init.uniform_(module.bias, -0.3, 0.3, generator=generator)
    shift = (module.bias - old / spread).reshape(1, -1, *[1] * (output.dim() - 2))
    return output / spread + shift


def blobs_of(network: CaffeNetwork, *, factor: float = 3.0) -> dict[str, tuple[str, list[np.ndarray]]]:
    """The weights of a network as Caffe has them, by the name of the layer; statistics are kept `factor` times."""
    found: dict[str, tuple[str, list[np.ndarray]]] = {}
    for path, layer in network.layers.items():
        module = network.net.get_submodule(path)
        if isinstance(module, nn.BatchNorm2d):
            arrays = [module.running_mean.numpy() * factor, module.running_var.numpy() * factor, np.array([factor])]
        else:
            arrays = [each.detach().numpy() for each in module.parameters()]
            if isinstance(module, ChannelScale):
                arrays = [each.reshape(-1) for each in arrays]
        if arrays:
            found[layer.name] = (layer.type, arrays)
    return found


def opencv(text: str, model: bytes, images: Tensor) -> np.ndarray:
    """What OpenCV answers with the same two files."""
    import cv2

    net = cv2.dnn.readNetFromCaffe(np.frombuffer(text.encode(), np.uint8), np.frombuffer(model, np.uint8))
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    net.setInput(images.numpy())
    return net.forward()
