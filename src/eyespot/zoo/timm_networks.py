"""Networks of timm (github.com/huggingface/pytorch-image-models) as chains, with random weights or those of a file.

timm builds the network; `timm_chains` makes a chain of its parts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.zoo.catalogue import TIMM
from eyespot.zoo.timm_chains import as_chain
from eyespot.zoo.timm_records import settings, timm_itself
from eyespot.zoo.weights_files import choose, of_other_classes, put, read

CLASSES = 1000
"""Where neither the weights nor anybody else says how many."""
_FC = "head.fc"


def create(name: str, *, classes: int | None = None, weights: str | Path | None = None) -> nn.Sequential:
    """A chain from images to logits (N, classes): `stem`, `stage1` to `stageN`, `head`.

    name: `timm:NAME`, NAME without or with the tag of its weights: "timm:resnet18" or "timm:resnet18.a1_in1k".
    classes: None for as many as the weights have, or timm gives it.
    weights: None for random ones; a tag of timm's; or the path of a file: timm's, or a state dict of this chain as
        safetensors. A last layer that the file lacks, or has for other classes, is new.
    Raises NetworkError for an unknown name, and for what no chain can hold; WeightsError; MissingExtra without timm;
    MachineError where it cannot be imported.
    """
    record = settings(name)
    tensors, what = None, ""
    if weights is not None:
        found, file = choose(name, weights)
        tensors, what = read(file, found), found.name if found else str(file)
    last = f"{record['classifier']}.weight"
    given = tensors or {}
    ours = f"{_FC}.weight" in given and any(key.startswith("stage1.") for key in given)
    known = given.get(f"{_FC}.weight" if ours else last)
    count = classes or (len(known) if known is not None else record["num_classes"] or CLASSES)
    model = timm_itself().create_model(name.removeprefix(TIMM), pretrained=False, num_classes=count)
    if tensors is not None and not ours:
        _put(model, _as_now(model, tensors), record["classifier"], what=what)
    net = check_shapes(as_chain(model, name.removeprefix(TIMM)), tuple(record["input_size"]))
    if tensors is not None and ours:
        _put(net, tensors, _FC, what=what)
    return net


def _as_now(model: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A file's tensors under the names that timm has now: older files have other ones."""
    if tensors.keys() <= model.state_dict().keys():
        return tensors
    renamed: Any = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    found: Mapping[str, Tensor] = renamed(dict(tensors), model) if renamed else tensors
    return found


def _put(net: nn.Module, tensors: Mapping[str, Tensor], last: str, *, what: str) -> None:
    """Loads tensors, but for a last layer that is not there or of another number of classes, which stays new."""
    own = net.state_dict()
    of_last = {f"{last}.weight", f"{last}.bias"} & own.keys()
    new = {key for key in of_last if key not in tensors or of_other_classes(tensors[key], own[key])}
    put(net, {key: tensor for key, tensor in tensors.items() if key not in new}, what=what, keep=new)
