"""A pretrained network as a frozen trunk, and to be trained further. The default one is converted once into the cache
folder; from then on torch is not needed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.building.create import create
from eyespot.building.known_graph import known_graph
from eyespot.engine.compiled import compiled_folder, keep, read_kept
from eyespot.engine.run import available_precisions
from eyespot.errors import MissingExtra, OptionError
from eyespot.features.trunk import Trunk
from eyespot.progress import Progress, silent
from eyespot.records import Levels, Network, PrecisionName, Preprocess
from eyespot.zoo.weights import EFFICIENTNET_LITE0, of_network
from eyespot.zoo.weights_files import choose, load, sha256_of, verify
from eyespot.zoo.weights_record import Weights

if TYPE_CHECKING:
    from torch import nn

GRAPH_VERSION = 1
"""Changes whenever the conversion would give another graph."""


@dataclass(frozen=True)
class Backbone:
    """A network with the published weights it begins with."""

    network: str
    """Its name in the catalogue, or `timm:NAME`."""
    weights: Weights | None
    """None for a file that nobody published."""
    file: Path | None
    """None for the default backbone, whose file is looked for when it is needed."""
    size: int | None = None
    """Of the images it is to take, pixels a side; None for that of its weights."""
    levels: Levels | None = None
    """Of the pictures with more than 8 bits that it is to learn from."""

    @property
    def preprocess(self) -> Preprocess:
        """As the publisher of the weights does it, or of others for the same network."""
        return (self.weights or next(iter(of_network(self.network).values()))).preprocess

    @property
    def own_preprocess(self) -> Preprocess:
        """For a person's own classes: the crop is the whole shorter side, where publishers leave out an eighth; resized
        only where it is needed. Cheaper, and on ten kinds of clothing 1.1 points better in cross-validation."""
        crop_hw = (self.size, self.size) if self.size else self.preprocess.crop_hw
        return self.preprocess.model_copy(
            update={"short_side": max(crop_hw), "crop_hw": crop_hw, "filter": "bilinear", "exact": False, "fit": "crop"}
            | {"levels": self.levels}
        )

    def built(self, cache_folder: Path) -> nn.Sequential:
        """The network with its weights, to be trained further. Raises MissingExtra where PyTorch or they are missing.

        cache_folder: where the default backbone's weights are kept, converted.
        """
        return pretrained(cache_folder) if self.file is None else create(self.network, weights=str(self.file))

    def trunk(self, cache_folder: Path, precision: PrecisionName, progress: Progress = silent) -> Trunk:
        """Everything before the last layer, frozen, for a person's own classes."""
        return Trunk(
            _graph(self, cache_folder, progress),
            network=Network(name=self.network),
            preprocess=self.own_preprocess,
            precision=precision,
            folder=compiled_folder(cache_folder),
        )

    @property
    def kept_as(self) -> str:
        """The name under which its graph is kept: changes with the weights, and with the size, of which padding is.

        Raises WeightsError where its file is not the published one: what was converted before says nothing of it.
        """
        height, width = self.own_preprocess.crop_hw
        is_own = (height, width) == self.preprocess.crop_hw
        version = f"{GRAPH_VERSION}" if is_own else f"{height}x{width}-{GRAPH_VERSION}"
        if self.file is None:
            assert self.weights is not None
            return f"{self.weights.name}-{self.weights.sha256[:16]}-{version}.graph"
        return f"{self.network.replace(':', '-')}-{sha256_of(self.file, self.weights)[:16]}-{version}.graph"


DEFAULT = Backbone("efficientnet_lite0", EFFICIENTNET_LITE0, None)
OWN_PREPROCESS = DEFAULT.own_preprocess


def choose_backbone(
    network: str, weights: str | None, *, size: int | None = None, levels: Levels | None = None
) -> Backbone:
    """The network of that name with the weights of that name or in that file; None for the first that are published.

    size: of the images it is to take, pixels a side; None for that of its weights.
    Raises WeightsError where there are none, or none on this computer; MissingExtra.
    """
    if network == DEFAULT.network and weights in (None, EFFICIENTNET_LITE0.tag):
        return replace(DEFAULT, size=size, levels=levels)
    published = list(of_network(network))
    if not published:
        raise OptionError(
            f"{network} has no published weights, so it learns from scratch alone: choose regime scratch, or another "
            "model (`eyespot networks` lists which have weights)"
        )
    record, file = choose(network, weights or published[0])
    if record:
        verify(record, file)
    return Backbone(network, record, file, size, levels)


def choose_precision(wanted: str) -> PrecisionName:
    """The precision to compute in. Raises OptionError where this machine does not have the wanted one."""
    available = available_precisions()
    for name in available:
        if wanted in ("auto", name):
            return name
    raise OptionError(f"the option precision cannot be {wanted!r} here: this processor has {' and '.join(available)}")


def pretrained(cache_folder: Path) -> nn.Sequential:
    """EfficientNet-Lite0 with its ImageNet weights, to be trained further.

    cache_folder: where its weights are kept, converted.
    Raises MissingExtra where PyTorch or the weights are not installed.
    """
    try:
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("the first use of a network on this machine", extra="train") from error
    from eyespot import zoo

    net = zoo.create(DEFAULT.network)
    try:
        load(net, EFFICIENTNET_LITE0, cache_folder=cache_folder)
    except OSError:
        with tempfile.TemporaryDirectory() as folder:
            load(net, EFFICIENTNET_LITE0, cache_folder=Path(folder))
    return net


def _graph(backbone: Backbone, cache_folder: Path, progress: Progress) -> bytes:
    if backbone.file is None and backbone.weights:
        verify(backbone.weights)  # what was converted before says nothing of what lies there now
    path = cache_folder / "graphs" / backbone.kept_as
    kept = read_kept(path)
    if kept is not None:
        return kept
    progress("converting the network, once", 0, 1)
    graph = (known_graph() if replace(backbone, levels=None) == DEFAULT else None) or converted(backbone, cache_folder)
    keep(path, graph)
    progress("converting the network, once", 1, 1)
    return graph


def converted(backbone: Backbone, cache_folder: Path) -> bytes:
    """The graph of its trunk, by PyTorch."""
    net = backbone.built(cache_folder).eval()
    from eyespot import blocks
    from eyespot.building.sizes import require_size
    from eyespot.building.surgery import features_stage
    from eyespot.engine.from_torch import to_onnx

    if backbone.size:
        require_size(net, backbone.network, backbone.size)
    trunk, _ = blocks.split(net, after=features_stage(net))
    return to_onnx(trunk, backbone.own_preprocess)
