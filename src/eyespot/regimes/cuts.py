"""Where the partial regime cuts a network: decided once, for the tap, for the ladder and for training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from eyespot.building.backbone import Backbone
from eyespot.building.surgery import features_stage, graph_trunk
from eyespot.errors import MissingExtra, NetworkError, OptionError
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.records import Network, Preprocess
from eyespot.runs.job import Job
from eyespot.words import counted

if TYPE_CHECKING:
    from torch import nn

MOST_TRAINED = 0.5
"""Share of the network's multiply-adds that lies after the cut, at most: beyond, stored activations save too little.
The first stage that leaves less is the default cut: stage5 of EfficientNet-Lite0's seven."""


def decide_cuts(backbone: Backbone, freeze: str | None) -> tuple[str, ...]:
    """The stages after which the backbone may be cut, the deepest cut first; no weights are read for it.

    freeze: the stage that was asked for, by name, or how many are frozen, the stem being the first; None for all after
        which a useful part of the network lies.
    Raises OptionError for a cut that is not there; MissingExtra.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtra("training more than the head", extra="train") from None
    from eyespot import zoo

    with torch.device("meta"):
        net = zoo.create(backbone.network).eval()
    stages = (_named(net, freeze),) if freeze else _useful(net, backbone.own_preprocess)
    parted(net, stages[0])
    return stages


def parted(net: nn.Sequential, stage: str) -> tuple[nn.Sequential, nn.Sequential]:
    """What comes up to the stage, and what comes after it. Raises OptionError where it cannot be cut there."""
    from eyespot import blocks

    try:
        return blocks.split(net, after=stage)
    except NetworkError as error:
        raise OptionError(f"the option freeze cannot be {stage!r}: {error}") from None


def below_cut(net: nn.Sequential, network: Network, preprocess: Preprocess, job: Job) -> Trunk:
    """What comes up to a cut, in the engine."""
    trunk = graph_trunk(net, network, preprocess, precision=job.precision, cache_folder=job.cache_folder)
    return replace(trunk, dtype=np.float16)  # half the room, and far finer than the noise of training


def tap_for(trunk: Trunk, backbone: Backbone, stage: str, job: Job, *, views: int) -> Tap | None:
    """The trunk's activations after the stage, for the regime partial, so that the pictures pass once.

    None where that makes no sense, or there is no room.
    views: of all pictures together, that may be computed.
    """
    from eyespot import blocks

    if job.store is None:
        return None
    net = backbone.built(job.cache_folder).eval()
    before, _ = parted(net, stage)
    features = features_stage(net)
    if stage == features:  # where the frozen regime's own features are
        return None
    whole, _ = blocks.split(net, after=features)
    tap = Tap(
        trunk,
        through=replace(
            graph_trunk(
                whole,
                trunk.network,
                trunk.preprocess,
                precision=job.precision,
                cache_folder=job.cache_folder,
                feature_map=stage,
            ),
            signer=trunk.signer,
        ),
        below=below_cut(before, trunk.network, trunk.preprocess, job),
        store=job.store,
    )
    return tap if tap.has_room(views) else None


def _named(net: nn.Sequential, freeze: str) -> str:
    if not freeze.isdecimal():
        return freeze
    stages = [name for name, _ in net.named_children()]
    if not 1 <= int(freeze) < len(stages):
        raise OptionError(
            f"the option freeze cannot be {freeze}: the network has {counted(len(stages), 'stage')}, of which 1 "
            f"to {len(stages) - 1} can be frozen ({', '.join(stages)})"
        )
    return stages[int(freeze) - 1]


def _useful(net: nn.Sequential, preprocess: Preprocess) -> tuple[str, ...]:
    """The stages after which a useful part of the network lies, the deepest cut first.

    After the last but one there is only the head, which is solved already. net: on the device meta.
    """
    from eyespot.arithmetic.table import flat, stages
    from eyespot.arithmetic.trace import trace

    traced = trace(net, (preprocess.channels, *preprocess.crop_hw))
    work = {stage.name: stage.multiply_adds for stage in stages(list(flat(traced)))}
    names, total = list(work), sum(work.values())
    after = {stage: sum(work[later] for later in names[at + 1 :]) for at, stage in enumerate(names)}
    possible = [name for name, _ in net.named_children()][:-1]
    return tuple([stage for stage in possible if after[stage] <= MOST_TRAINED * total] or possible[-1:])
