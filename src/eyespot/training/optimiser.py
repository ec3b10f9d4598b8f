"""What a step does to the weights: the optimiser, how fast each learns and decays, the rate's schedule, the average."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import nn

from eyespot.blocks import WithHeads, named_stages
from eyespot.training.muon import Muon

OptimiserName = Literal["sgd", "adam", "adamw", "muon"]

NORMS = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
MOMENTUM = 0.9
"""Of `sgd` and `muon`, in Nesterov's form."""
_BETAS = (0.9, 0.99)
ScheduleName = Literal["one-cycle", "linear", "cosine", "step", "constant"]
ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1e-4
"""Shares of the highest rate at the two ends of one cycle; Smith, Topin: arXiv:1708.07120."""
DROPS, DROP = (1 / 2, 3 / 4), 0.1
"""After these shares of the steps the rate falls to a tenth; He and others, arXiv:1512.03385, section 4.2."""


def optimiser(
    net: nn.Sequential | WithHeads,
    name: OptimiserName,
    *,
    lr: float,
    weight_decay: float,
    stage_factor: float = 1.0,
) -> torch.optim.Optimizer:
    """An optimiser of every weight of `net` that is to be trained.

    lr: highest learning rate, that of the last stage; the group's `lr_highest` keeps it for the schedule.
    weight_decay: not on biases, nor on the weights of norms: they are few, and pulling them to zero only shrinks maps.
    stage_factor: each stage learns at this many times the rate of the stage after it: below 1, what lies near the
    pictures, and is of use to all classes, changes less (Howard, Ruder: arXiv:1801.06146, section 3.2).
    """
    groups = list(_groups(net, lr=lr, weight_decay=weight_decay, stage_factor=stage_factor))
    if name == "sgd":
        return torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)
    if name == "muon":
        return Muon(groups, momentum=MOMENTUM)
    # Not fused: on CPUs that kernel takes all tensors of a weight for laid out alike, which restored ones are not.
    return (torch.optim.AdamW if name == "adamw" else torch.optim.Adam)(groups, betas=_BETAS)


def set_rate(made: torch.optim.Optimizer, share: float) -> None:
    """Every group learns at this share of its highest rate from now on."""
    for group in made.param_groups:
        group["lr"] = group["lr_highest"] * share


def rate_share(schedule: ScheduleName, step: int, steps: int, *, warmup: float) -> float:
    """The share, above 0 and at most 1, of the highest learning rate that step number `step` takes.

    schedule: one-cycle rises and falls along a cosine; linear rises and falls along straight lines; cosine only falls;
    step falls to a tenth at a half and again at three quarters; constant stays.
    step, steps: number of the step, from 0, and how many there are in all.
    warmup: share of the steps in which the rate rises, 0..1; linearly, but for one-cycle.
    """
    rising = warmup * steps
    if step < rising:
        risen = (step + 1) / (math.floor(rising) + 1)
        return _between(ONE_CYCLE_START, 1.0, risen) if schedule == "one-cycle" else risen
    done = (step - rising) / max(1.0, steps - rising)
    if schedule == "one-cycle":
        return _between(1.0, ONE_CYCLE_END, done)
    if schedule == "linear":
        return max(1 - done, ONE_CYCLE_END)
    if schedule == "cosine":
        return max(_between(1.0, 0.0, done), ONE_CYCLE_END)
    if schedule == "step":
        return float(DROP ** sum((step / steps) >= drop for drop in DROPS))
    return 1.0


def _between(start: float, end: float, done: float) -> float:
    """From start to end along half a cosine; done: 0..1."""
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, done))) / 2


class Average:
    """An exponential moving average of a network's weights, as a network of its own, in evaluation.

    Early on it forgets faster, so that it does not drag the first weights along: at step t it keeps at most
    (1 + t) / (10 + t) of itself.
    """

    def __init__(self, net: nn.Sequential, decay: float) -> None:
        """decay: share of the average that a step keeps, 0..1; 0 follows the weights exactly."""
        self._net = copy.deepcopy(net).eval().requires_grad_(False)
        self._decay, self._steps = decay, 0
        self._followed: nn.Module | None = None

    @property
    def net(self) -> nn.Sequential:
        """The averaged network."""
        if self._followed is not None:
            self._net.load_state_dict(self._followed.state_dict())
            self._followed = None
        return self._net

    def update(self, net: nn.Module) -> None:
        """Takes in the weights that `net` has after a step, and its running statistics."""
        if self._decay == 0:
            self._followed = net  # copied when it is asked for: a small network's steps are shorter than that
            return
        kept = min(self._decay, (1 + self._steps) / (10 + self._steps))
        self._steps += 1
        pairs = list(zip(self.net.state_dict().values(), net.state_dict().values(), strict=True))
        floats = [(mine, theirs) for mine, theirs in pairs if mine.is_floating_point()]
        torch._foreach_lerp_([mine for mine, _ in floats], [theirs for _, theirs in floats], 1 - kept)
        for mine, theirs in pairs:
            if not mine.is_floating_point():
                mine.copy_(theirs)

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from."""
        return {"steps": self._steps, "net": self.net.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        self._steps = state["steps"]
        self.net.load_state_dict(state["net"])


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
