"""`create` for a network that a file of Caffe describes, with the weights that Caffe trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.files import from_home

if TYPE_CHECKING:
    from torch import nn

MODEL = ".caffemodel"
"""Ends the name of a file of Caffe's weights."""


def create_described(name: str, *, classes: int | None, weights: str | Path | None) -> nn.Sequential:
    """The network of a .prototxt, from images (N, C, H, W) to logits (N, classes).

    weights: None for random ones; a .caffemodel; or a state dict of this network, as safetensors or as torch writes it.
    classes: None for as many as the file says; where the weights have another number, the last layer stays random.
    Raises NetworkError, WeightsError.
    """
    from eyespot.caffe.description import read_text
    from eyespot.caffe.network import network_of

    found = network_of(read_text(name), file=name, classes=classes)
    if weights is not None and str(weights).lower().endswith(MODEL):
        from eyespot.caffe.weights import load_caffemodel

        load_caffemodel(found, weights, keep_classifier=classes is not None)
    elif weights is not None:
        from eyespot.zoo.weights_files import of_other_classes, put, read

        tensors, own = read(from_home(weights)), found.net.state_dict()
        last = tuple(f"{stage}." for stage, layer in found.layers.items() if layer.name == found.classifier)
        new = {
            key
            for key in own.keys() & tensors.keys()
            if classes and key.startswith(last) and of_other_classes(tensors[key], own[key])
        }
        put(found.net, {key: tensors[key] for key in tensors.keys() - new}, what=str(weights), keep=new)
    return found.net
