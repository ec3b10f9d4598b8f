"""What the training loop is told, and what it tells: examples, a plan, steps and epochs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

from eyespot.augmenting.mixing import Mixing
from eyespot.heads.head import Output
from eyespot.training.optimiser import OptimiserName, ScheduleName

MEASURED = 5
"""Times that a training without patience is measured on the validation examples: its end, and the way there."""


class Examples(Protocol):
    """What is trained on, or measured: inputs with their classes."""

    @property
    def labels(self) -> Tensor:
        """Class indexes, (N,)."""

    @property
    def pictures(self) -> np.ndarray:
        """A number that stands for each picture's content, uint64 (N,): chance follows it, not the position."""

    def inputs(self, rows: np.ndarray, epoch: int | None) -> Tensor:
        """What the network takes, (n, C, H, W), of the examples at `rows` (n,).

        epoch: decides how they are changed; None for as they are.
        """


@dataclass(frozen=True)
class Plan:
    """How to train, in numbers. The defaults are those of fine-tuning a pretrained network."""

    epochs: float
    """Passes over the examples; where that is no whole number, the last is over a part of them."""
    batch: int
    """Examples in a step, of all processes together."""
    lr: float
    """Highest learning rate, of the last stage."""
    classes: int
    output: Output = "softmax"
    optimizer: OptimiserName = "adamw"
    weight_decay: float = 0.0
    stage_factor: float = 1.0
    schedule: ScheduleName = "one-cycle"
    warmup: float = 0.25
    smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    mixing: Mixing | None = None
    average: float = 0.0
    """Share of the averaged weights that a step keeps; 0: no average."""
    patience: int | None = None
    """Epochs without a lower validation loss before training ends, with the weights of the best; None: it does not."""
    keeps_best: bool = False
    """Whether the weights of the best epoch that was measured count, without patience, too; else those of the last."""

    @property
    def chooses(self) -> bool:
        """Whether the validation loss chooses an epoch."""
        return self.keeps_best or self.patience is not None

    def measures(self, epoch: int) -> bool:
        """Whether the epoch of that number, from 1, is followed by validation: without patience, a few are."""
        if self.patience is not None:
            return True
        return MEASURED * epoch // self.epochs > MEASURED * (epoch - 1) // self.epochs or epoch >= self.epochs


@dataclass(frozen=True)
class Epoch:
    """How training stands after one pass over the examples."""

    number: int
    train_loss: float
    validation_loss: float | None
    """None where there are no validation examples, or where this epoch was not measured."""
    validation_accuracy: float | None
    best: bool
    """True where its weights are those to keep so far."""


@dataclass(frozen=True)
class Step:
    """One step of training is done."""

    number: int
    """Steps done so far."""
    epoch: Epoch | None
    """Where the step was the last of its epoch."""
    loss: float = math.nan
    """Of its batch, per example."""


class Stepwise(Protocol):
    """A training that can be stopped after any step, kept, and gone on with; `loop.Training` is one."""

    notes: list[str]
    epochs: list[Epoch]
    step: int
    """Steps done so far."""

    @property
    def net(self) -> nn.Module:
        """What trains."""

    @property
    def steps(self) -> int:
        """Steps in all."""

    @property
    def patience(self) -> int | None:
        """Epochs without gain before it ends; None where it goes to its last step."""

    @property
    def good(self) -> dict[str, Any]:
        """A state that it may be kept at in the midst of steps."""

    def run(self) -> Iterator[Step]:
        """Trains, yielding after every step."""

    def state(self) -> dict[str, Any]:
        """Everything that decides how it goes on."""

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there."""
