"""A network that was trained just now, as a frozen trunk and a head: from here on it is like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.engine.compiled import compiled_folder
from eyespot.features.trunk import Trunk
from eyespot.recipes.prepare import Prepared
from eyespot.recipes.regime import OutOfFold
from eyespot.records import Network, PrecisionName, Preprocess
from eyespot.training.head import Head, Output

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.loop import Epoch


def as_trunk(
    net: nn.Sequential,
    network: Network,
    preprocess: Preprocess,
    *,
    precision: PrecisionName,
    cache_folder: Path,
    output: Output = "softmax",
) -> tuple[Trunk, Head]:
    """Everything before the last layer as a trunk, and that layer, which is fully connected, as a head."""
    from torch import nn

    from eyespot import blocks
    from eyespot.engine.graph import to_onnx

    *_, before, last = (name for name in blocks.stage_names(net) if not blocks.is_chain(net.get_submodule(name)))
    layer = net.get_submodule(last)
    assert isinstance(layer, nn.Linear)
    trunk = Trunk(
        to_onnx(blocks.split(net, after=before)[0], preprocess),
        network=network,
        preprocess=preprocess,
        precision=precision,
        cache_folder=compiled_folder(cache_folder),
    )
    weight, bias = (parameter.detach().cpu().numpy().copy() for parameter in (layer.weight, layer.bias))
    return trunk, Head(((weight, bias),), output)


def answers_on_val(prepared: Prepared, trunk: Trunk, head: Head) -> tuple[OutOfFold | None, int]:
    """The network's answers to the validation pictures, and how many views were computed for them."""
    embedded = trunk.embed(prepared.part("val"), views=("identity",), store=None)
    if not embedded.pictures:
        return None, 0
    logits = head.logits(embedded.features["identity"])
    return OutOfFold(embedded.pictures, prepared.labels(embedded.pictures), logits[None]), embedded.computed


def epoch_row(epoch: Epoch) -> dict[str, float | int | bool]:
    """An epoch as a row of results.csv."""
    row: dict[str, float | int | bool] = {"epoch": epoch.number, "train_loss": epoch.train_loss}
    if epoch.validation_loss is not None and epoch.validation_accuracy is not None:
        row |= {"validation_loss": epoch.validation_loss, "validation_accuracy": epoch.validation_accuracy}
    return row
