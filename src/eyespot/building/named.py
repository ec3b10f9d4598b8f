"""A network as a person names it: one of the catalogue, a run, a bundle, or a chain of her own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eyespot import zoo
from eyespot.building.create import create, require_torch
from eyespot.building.own import OWN
from eyespot.bundle.files import Bundle, read_bundle
from eyespot.bundle.manifest import Manifest
from eyespot.errors import BundleError, NetworkError, OptionError, WeightsError
from eyespot.files import from_home
from eyespot.names import brief, quoted
from eyespot.records import Preprocess
from eyespot.zoo import timm_records
from eyespot.zoo.catalogue import SHORT_NAMES, TIMM, is_description
from eyespot.zoo.weights import of_network

if TYPE_CHECKING:
    from torch import nn

CLASSIFIER = "classifier"
"""The stage of a run's own head where that has several layers, named as in its graph; a single one is the last stage's
fc."""

MOST_ARGUMENT, MOST_DEPTH = 100_000, 2_000
"""Of what builds a network: classes and channels; layers."""


@dataclass(frozen=True)
class Named:
    """A network without weights, and the image it is made for."""

    name: str
    net: nn.Sequential
    """On the meta device."""
    input_chw: tuple[int, int, int]
    bundle: Bundle | None


def named_network(name: str | Path, *, classes: int | None = None) -> Named:
    """The network of that name, or that of the run or bundle in that folder. No weights are allocated.

    classes: of the network's last layer; None for as many as it is published with. A run has its own.
    Raises NetworkError for an unknown name, BundleError for a folder that holds no model, OptionError for a run with
    other classes, MissingExtra without torch.
    """
    require_torch(f"looking into {name}")
    if is_network(name):
        return _of_catalogue(str(name), classes)
    bundle = read_run(name)
    if classes is not None:
        own = len(bundle.manifest.classes)
        raise OptionError(f"the option classes cannot be given for {name}: a trained model has its own {own} classes")
    preprocess = bundle.manifest.preprocess
    return Named(bundle.manifest.name, of_bundle(bundle), (preprocess.channels, *preprocess.crop_hw), bundle)


def trainable_network(model: str) -> str:
    """The name of the network that a person means by the option model of `train`.

    Raises OptionError for an unknown one, and for one of timm that cannot be a chain of stages; MissingExtra.
    """
    name = model if model in zoo.names() else SHORT_NAMES.get(model, model)
    try:
        if name.startswith(TIMM):  # known before weights are looked for
            named_network(name)
        else:
            zoo.definition(name)
    except NetworkError as error:
        raise OptionError(str(error)) from None
    return name


def is_network(name: str | Path) -> bool:
    """True for a name of the catalogue, for one of timm's, and for a file that describes a network."""
    return str(name) in zoo.names() or str(name).startswith(TIMM) or is_description(name)


def read_run(where: str | Path) -> Bundle:
    """The bundle in that folder. Raises NetworkError, with the nearest name, where there is no such folder."""
    if from_home(where).exists():
        return read_bundle(where)
    raise NetworkError(f"There is no network and no run folder {str(where)!r}: {zoo.hint(str(where))}")


def of_bundle(bundle: Bundle) -> nn.Sequential:
    """The network that a bundle was trained as, on the meta device: the trunk its manifest names, the head its graph
    has.
    """
    import torch

    from eyespot.engine.initializers import dense_layers

    network = bundle.manifest.network
    if network.name.startswith(OWN):
        raise NetworkError(
            f"{bundle.folder} holds a network that a program handed in: eyespot cannot build it anew, layer by layer"
        )
    for name, value in network.arguments.items():
        most = MOST_DEPTH if name == "depth" else MOST_ARGUMENT
        if isinstance(value, int) and value > most:
            raise BundleError(f"{bundle.folder} names a network with {name} {value}: at most {most:,} is built")
    with torch.device("meta"):
        try:
            net = zoo.create(network.name, **network.arguments)
        except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:  # a builder's, or PyTorch's
            said = ", ".join(f"{name}={brief(repr(value))}" for name, value in network.arguments.items())
            raise BundleError(
                f"{bundle.folder} names a network that cannot be built, {network.name} with {said} ({quoted(error)}): "
                "train anew"
            ) from error
        if network.tail:
            net = _with_new_tail(net, bundle.manifest)
        return _with_head(net, dense_layers(bundle.graph))


def with_weights(name: str, weights: str | Path | None) -> nn.Sequential:
    """A network of the catalogue or of timm with weights.

    weights: as for `create`; None for the first that are published.
    Raises WeightsError where there are none, or none on this computer.
    """
    if weights is None:
        published = list(of_network(name))
        if not published:
            raise WeightsError(f"{name} has no published weights that eyespot can find: give a file as weights.")
        weights = published[0]
    return create(name, weights=weights)


def preprocess_of(name: str, weights: str | Path | None) -> Preprocess:
    """How pictures come to a network of the catalogue or of timm that has these weights.

    Raises WeightsError where no weights are published for it.
    """
    if name.startswith(TIMM) and weights is None:  # of networks without weights, too
        return timm_records.preprocess(name)
    published = of_network(name)
    if not published:
        raise WeightsError(f"It is not known how pictures come to {name}: no weights are published for it.")
    return published.get(str(weights), next(iter(published.values()))).preprocess


def bundle_with_weights(bundle: Bundle) -> nn.Sequential:
    """The network of a bundle with the weights that its graph holds."""
    import torch

    from eyespot.blocks import stage_names
    from eyespot.building.surgery import ends_fully_connected
    from eyespot.engine.initializers import head_weights, trunk_weights

    net, found = of_bundle(bundle), trunk_weights(bundle.graph)
    if sum(each.numel() for each in net.parameters()) > len(bundle.graph):  # each has bytes there
        raise BundleError(f"the weights in {bundle.folder} are not those of {bundle.manifest.network.name}")
    net = net.to_empty(device="cpu")
    state = {name: torch.tensor(0) for name in net.state_dict() if name.endswith("num_batches_tracked")}
    if ends_fully_connected(net):
        last = stage_names(net)[-1]
        single = f"{last}.fc" if last != CLASSIFIER else f"{CLASSIFIER}.fc1"
        own = head_weights(bundle.graph).items()
        found |= {name.replace(f"{CLASSIFIER}.fc1", single): tensor for name, tensor in own}
    if not all(np.isfinite(tensor).all() for tensor in found.values()):
        raise BundleError(f"the model in {bundle.folder} is damaged: some of its weights are no numbers; copy it again")
    state |= {name: torch.from_numpy(tensor.copy()) for name, tensor in found.items()}
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise BundleError(f"the weights in {bundle.folder} are not those of {bundle.manifest.network.name}") from error
    return net


def _of_catalogue(name: str, classes: int | None) -> Named:
    import torch

    if classes is not None and classes < 1:
        raise OptionError(f"the option classes must be at least 1, not {classes}")
    with torch.device("meta"):
        net = create(name, classes=classes)
    return Named(name, net, zoo.input_chw(name), None)


def _with_new_tail(net: nn.Sequential, manifest: Manifest) -> nn.Sequential:
    """The network with the new layers that its manifest names after the cut; on the meta device, like the network."""
    import torch

    from eyespot.blocks import join, split
    from eyespot.training.new_tail import new_tail
    from eyespot.training.tail_words import parse_tail

    trunk, _ = split(net, after=manifest.network.cut)
    preprocess = manifest.preprocess
    shape = trunk.eval()(torch.empty(1, preprocess.channels, *preprocess.crop_hw)).shape[1:]
    layers = parse_tail(manifest.network.tail)
    return join(trunk, new_tail(layers, shape=tuple(shape), classes=len(manifest.classes), output="softmax", seed=0))


def _with_head(net: nn.Sequential, dense: list[tuple[int, int]]) -> nn.Sequential:
    """The network with its last layer replaced by dense layers of these (inputs, outputs), ReLU between them.

    One that gives the scores itself, as Network in Network does, stays as it is: the dense layer hands them on.
    """
    from torch import nn

    from eyespot.blocks import chain, join, split, stage_names
    from eyespot.building.surgery import ends_fully_connected

    if not ends_fully_connected(net):
        return net
    *_, before, _, last = stage_names(net)  # such as head.flat, head.fc, head
    trunk, _ = split(net, after=before)
    layers: dict[str, nn.Module] = {}
    for number, (inputs, outputs) in enumerate(dense, start=1):
        if number > 1:
            layers[f"act{number - 1}"] = nn.ReLU()
        layers[f"fc{number}"] = nn.Linear(inputs, outputs)
    if len(dense) == 1:
        return join(trunk, chain(**{last: chain(fc=layers["fc1"])}))
    return join(trunk, chain(**{CLASSIFIER: chain(**layers)}))
