"""What a step does to the weights: the optimiser, and which weights learn how fast and decay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import nn

from eyespot.blocks import WithHeads, named_stages
from eyespot.training.muon import Muon

OptimiserName = Literal["sgd", "adam", "adamw", "muon"]

NORMS = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
_BETAS = (0.9, 0.99)


def optimiser(
    net: nn.Sequential | WithHeads,
    name: OptimiserName,
    *,
    lr: float,
    weight_decay: float,
    momentum: float = 0.9,
    stage_factor: float = 1.0,
) -> torch.optim.Optimizer:
    """An optimiser of every weight of `net` that is to be trained.

    lr: highest learning rate, that of the last stage; the group's `lr_highest` keeps it for the schedule.
    weight_decay: not on biases, nor on the weights of norms: they are few, and pulling them to zero only shrinks maps.
    momentum: of `sgd` and `muon`, in Nesterov's form; 0 for none.
    stage_factor: each stage learns at so many times the rate of the stage after it: below 1, what lies near the
    pictures, and is of use to all classes, changes less (Howard, Ruder: arXiv:1801.06146, section 3.2).
    """
    groups = list(_groups(net, lr=lr, weight_decay=weight_decay, stage_factor=stage_factor))
    if name == "sgd":
        return torch.optim.SGD(groups, momentum=momentum, nesterov=momentum > 0)
    if name == "muon":
        return Muon(groups, momentum=momentum)
    # Not fused: on CPUs that kernel takes all tensors of a weight for laid out alike, which restored ones are not.
    return (torch.optim.AdamW if name == "adamw" else torch.optim.Adam)(groups, betas=_BETAS)


def set_rate(made: torch.optim.Optimizer, share: float) -> None:
    """Every group learns at this share of its highest rate from now on."""
    for group in made.param_groups:
        group["lr"] = group["lr_highest"] * share


def _groups(
    net: nn.Sequential | WithHeads, *, lr: float, weight_decay: float, stage_factor: float
) -> Iterator[dict[str, Any]]:
    """For each stage the weights that decay and those that do not."""
    stages = [stage for _, stage in named_stages(net.net if isinstance(net, WithHeads) else net)]
    if isinstance(net, WithHeads):
        stages.append(net.heads)
    for depth, stage in enumerate(stages):
        rate = lr * stage_factor ** (len(stages) - 1 - depth)
        for decays in (True, False):
            chosen = [weight for weight, does in _weights(stage) if does == decays and weight.requires_grad]
            if chosen:
                yield {
                    "params": chosen,
                    "lr": rate,
                    "lr_highest": rate,
                    "weight_decay": weight_decay if decays else 0.0,
                }


def _weights(stage: nn.Module) -> Iterator[tuple[nn.Parameter, bool]]:
    """Every weight of a stage, and whether it decays."""
    for module in stage.modules():
        for name, weight in module.named_parameters(recurse=False):
            yield weight, name != "bias" and not isinstance(module, NORMS)
