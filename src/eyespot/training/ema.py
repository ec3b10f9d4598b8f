"""Weights averaged over the steps of training: steadier than those of the last step, and mostly better."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn


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
