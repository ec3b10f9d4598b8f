"""The network that looks at pictures while they are painted, and at which of its stages. Needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from eyespot.blocks import stage_names, taps
from eyespot.building.named import bundle_with_weights, is_network, preprocess_of, read_run, with_weights
from eyespot.errors import OptionError
from eyespot.records import Preprocess
from eyespot.training.less_work import MergedNorm, merged_norms
from eyespot.words import nearest, some

MOST_STAGES, CONTENT_STAGES = 5, 4
"""Of a network's own choice: so many from its first on are the style, and so many of these the content."""
_NOT_LOOKED_AT = ("stem", "head", "classifier")
_AT_VGG = ("stage1.a.act", "stage2.a.act", "stage3.a.act", "stage4.a.act", "stage5.a.act")
_AT_VGG_CONTENT = "stage4.b.act"
"""As Gatys and others have it: relu1_1 to relu5_1, and relu4_2 for the content."""


@dataclass(frozen=True)
class Looking:
    """A network, and the stages of it that are looked at."""

    net: nn.Sequential
    preprocess: Preprocess
    stages: tuple[str, ...]
    """Whose statistics are the style."""
    content_stages: tuple[str, ...]
    """Whose maps are the content."""

    def see(self, pictures: Tensor, stages: Sequence[str]) -> Mapping[str, Tensor]:
        """The maps of some stages, for pictures (1, 3, H, W) from 0 to 1.

        Raises OptionError where the network cannot take pictures of that size, or a stage gives no maps.
        """
        mean, scale = (torch.tensor(each)[:, None, None] for each in (self.preprocess.mean, self.preprocess.scale))
        if self.preprocess.color == "gray":
            pictures = pictures.mean(1, keepdim=True)
        images = (255 * pictures - mean) / scale
        try:
            maps = taps(self._quick(stages), stages, images.contiguous(memory_format=torch.channels_last))
        except RuntimeError as error:  # of a layer that finds no pixel left, or not as many as it was made for
            height, width = pictures.shape[2:]
            raise OptionError(
                f"the network cannot look at {width} x {height} pixels up to the stages {some(list(stages))}: choose "
                f"earlier --stages, or a larger --imgsz ({str(error).splitlines()[0]})"
            ) from error
        flat = next((stage for stage in stages if maps[stage].dim() != 4), None)
        if flat is not None:
            raise OptionError(f"the stage {flat!r} gives no maps, of which a style is made: choose earlier --stages")
        return maps

    @cached_property
    def _merged(self) -> nn.Sequential:
        return merged_norms(self.net)

    def _quick(self, stages: Sequence[str]) -> nn.Sequential:
        """The same with its norms merged into its convolutions, in two thirds of the time; the network itself where a
        stage lies between these two."""
        parts = dict(self._merged.named_modules())
        whole = all(stage in parts and not isinstance(parts[stage], MergedNorm) for stage in stages)
        return self._merged if whole else self.net


def opened(network: str | Path, stages: str | Sequence[str] | None, *, weights: str | Path | None = None) -> Looking:
    """The network with its weights, frozen.

    network: a name of the catalogue, or a run. stages: their names, or None for its own first five.
    weights: as `with_weights` has them.
    Raises OptionError for stages that it does not have, NetworkError, WeightsError, BundleError.
    """
    if is_network(network):
        net, preprocess = with_weights(str(network), weights), preprocess_of(str(network), weights)
    elif weights is not None:
        raise OptionError(f"the option weights cannot be given for {network}: a trained model has its own")
    else:
        bundle = read_run(network)
        net, preprocess = bundle_with_weights(bundle), bundle.manifest.preprocess
    net.eval().requires_grad_(False)
    chosen, content = _stages(net, stages)
    return Looking(net, preprocess, chosen, content)


def _stages(net: nn.Sequential, wanted: str | Sequence[str] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stages of the style, from the shallowest, and those of the content."""
    names = stage_names(net)
    if wanted is not None:
        chosen = tuple(wanted.replace(",", " ").split()) if isinstance(wanted, str) else tuple(wanted)
        for name in chosen:
            if name not in names:
                whole = [each for each in names if "." not in each]
                raise OptionError(f"the network has no stage {name!r}: {nearest(name, whole)}")
        if not chosen:
            raise OptionError("the option stages must name at least one stage, such as stage1")
        ordered = tuple(name for name in names if name in chosen)
    elif {*_AT_VGG, _AT_VGG_CONTENT} <= {*names}:
        return _AT_VGG, (_AT_VGG_CONTENT,)
    else:
        ordered = tuple(name for name in names if "." not in name and name not in _NOT_LOOKED_AT)[:MOST_STAGES]
    return ordered, ordered[:CONTENT_STAGES]
