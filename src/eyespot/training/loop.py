"""The training loop of every regime: a generator that yields after every step, so that whoever takes from it can stop.

Where it stands is a number of steps; which examples a step sees, and how they are changed, follows only from the seed
and that number. So a state that was kept (`state`) goes on (`restore`) exactly as if nothing had come between.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from eyespot.augmenting.chance import Chance
from eyespot.augmenting.mixing import mix
from eyespot.blocks import WithHeads
from eyespot.distributed.world import World, average_statistics, mean_loss, parallel, shard, total
from eyespot.training.devices import Device, choose
from eyespot.training.dropout import drawn_from
from eyespot.training.examples import in_batches, order
from eyespot.training.less_work import merged_norms
from eyespot.training.narrow_strides import without_overrun
from eyespot.training.objective import correct, losses_of, soft_targets
from eyespot.training.optimiser import Average, optimiser, rate_share, set_rate
from eyespot.training.plan import Epoch, Examples, Plan, Step

KEPT_EVERY = 50
"""Steps between two states that training can go back to."""
LOWERED = 0.5
"""What the learning rate is multiplied by after a loss that is no number."""
MOST_LOWERED = 8
"""Times that is done before training ends with what it has: the rate is 256 times lower then."""
ANSWERED = 256
"""Examples that are answered at once: bounds the memory."""
TINY = 5e-5
"""A lower validation loss than the best by less than this is no improvement."""


class Training:
    """A network in training. `net` is trained in place; `averaged` is the network that will answer."""

    def __init__(
        self,
        net: nn.Sequential | WithHeads,
        examples: Examples,
        validation: Examples | None,
        plan: Plan,
        *,
        seed: int,
        device: Device | None = None,
        world: World | None = None,
    ) -> None:
        """net: from inputs (N, C, H, W) to scores, in the mode it trains in: norms that are in evaluation stay so.
        validation: measured after every epoch, or a few times where that decides nothing; None where there is none.
        """
        device, world = device or choose("cpu"), world or World()
        device.place(net)
        self.net, self.plan = net, plan
        self.notes: list[str] = []
        self._examples, self._validation = examples, validation
        self._seed, self._device, self._world = seed, device, world
        self._drops = any(isinstance(module, _DropoutNd) for module in self.net.modules())
        self._forward = parallel(self.net if isinstance(self.net, WithHeads) else merged_norms(self.net), world)
        self._scaler = device.scaler()
        self._optimiser = optimiser(
            self.net, plan.optimizer, lr=plan.lr, weight_decay=plan.weight_decay, stage_factor=plan.stage_factor
        )
        self._average = Average(answering(self.net), plan.average)
        self._batches = in_batches(len(examples.labels), plan.batch)
        self._weights = None if plan.class_weights is None else torch.tensor(plan.class_weights)
        self.step = 0
        self._lowered = 0
        self._loss = self._batch_loss = 0.0
        self.epochs: list[Epoch] = []
        self._best: dict[str, Tensor] | None = None
        self.good = self._now()
        """The last state that a loss was finite in, of those that training can go back to; not to be changed."""

    @property
    def steps(self) -> int:
        """Steps in all."""
        return max(1, round(self.plan.epochs * len(self._batches)))

    @property
    def patience(self) -> int | None:
        return self.plan.patience

    @property
    def averaged(self) -> nn.Sequential:
        """The network that answers, in evaluation: with averaged weights; where an epoch was chosen, with its."""
        if self._best is not None and self._chose:
            self._average.net.load_state_dict(self._best)
        return self._average.net

    @property
    def measured(self) -> nn.Sequential:
        """The network that validation measures now, in evaluation: with averaged weights."""
        return self._average.net

    @property
    def kept(self) -> int | None:
        """The number of the epoch whose weights answer; None for those of now, in the midst of one or without any."""
        if not self.epochs or not (self._chose or self._ends_epoch):
            return None
        return max((epoch.number for epoch in self.epochs if epoch.best or not self._chose), default=None)

    @property
    def _ends_epoch(self) -> bool:
        """Whether the last step was the last of its epoch, which may be cut short by the end of training."""
        return self.step % len(self._batches) == 0 or self.step == self.steps

    @property
    def _chose(self) -> bool:
        """Whether an epoch is chosen: without patience only at the end, since what comes last is meant to be best."""
        return self.plan.patience is not None or (self.plan.keeps_best and self.step == self.steps)

    def run(self) -> Iterator[Step]:
        """Trains, yielding after every step; stop taking from it to stop training."""
        while self.step < self.steps and not self._out_of_patience():
            done = self._one_step()
            epoch = self._end_epoch() if done and self._ends_epoch else None
            if done and (epoch is None or self._could_answer(epoch)):
                yield Step(self.step, epoch, loss=self._batch_loss)
                continue
            self._go_back()
            if self._lowered == MOST_LOWERED:
                return

    def state(self) -> dict[str, Any]:
        """Everything that decides how training goes on: of tensors, numbers, text, lists and dicts.

        Where it would go back to is a part of that: else a run that was killed might go back to another step.
        """
        return self._now() | {"good": None if self.good["step"] == self.step else self.good}

    def _now(self) -> dict[str, Any]:
        return copy.deepcopy(
            {
                "step": self.step,
                "lowered": self._lowered,
                "loss": self._loss,
                "net": self.net.state_dict(),
                "average": self._average.state(),
                "optimiser": self._optimiser.state_dict()["state"],
                "scaler": self._scaler.state_dict(),
                "epochs": [asdict(epoch) for epoch in self.epochs],
                "best": self._best,
                "notes": self.notes,
            }
        )

    def restore(self, state: dict[str, Any]) -> None:
        """Training goes on from a state that `state` gave, of a training that was made alike."""
        state = copy.deepcopy(state)
        self.step, self._lowered, self._loss = state["step"], state["lowered"], state["loss"]
        self.net.load_state_dict(state["net"])
        self._average.restore(state["average"])
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": state["optimiser"], "param_groups": groups})
        self._scaler.load_state_dict(state["scaler"])
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        self._best, self.notes = state["best"], state["notes"]
        self.good = state.get("good") or self._now()

    def _one_step(self) -> bool:
        """Whether the step could be done: not where the loss is no finite number, nor where it left such weights."""
        before = None
        if self.step % KEPT_EVERY == 0 and self.step != self.good["step"]:
            average_statistics(self.net, self._world)  # so that one process's state is that of all
            before = self._now()
        epoch, batch = divmod(self.step, len(self._batches))
        rows = order(self._seed, epoch, len(self._examples.labels))[self._batches[batch]]
        x, targets = self._inputs(rows, epoch)
        with self._device.autocast(), self._dropout(), without_overrun(self.net):
            losses = losses_of(self._forward(x), targets, self.plan.output)
        together = total(float(losses.detach().sum()), self._world)
        if not math.isfinite(together):
            return False
        self.good = before or self.good
        share = rate_share(self.plan.schedule, self.step, self.steps, warmup=self.plan.warmup)
        set_rate(self._optimiser, share * LOWERED**self._lowered)
        self._optimiser.zero_grad()
        self._scaler.scale(mean_loss(losses, self._world, count=len(rows))).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._average.update(answering(self.net))
        self._loss += together
        self._batch_loss = together / len(rows)
        self.step += 1
        return self.step < self.steps or self._is_finite()

    def _dropout(self) -> AbstractContextManager[None]:
        """Within it dropout follows from the seed and the step; where there is none, that costs nothing."""
        if not self._drops:
            return nullcontext()
        return drawn_from(self._seed, step=self.step, rank=self._world.rank)

    def _inputs(self, rows: np.ndarray, epoch: int) -> tuple[Tensor, Tensor]:
        """Inputs (n, C, H, W) and targets (n, classes) of this process's share of a batch."""
        mine = shard(np.arange(len(rows)), self._world)
        x, targets = self._plain(rows[mine], epoch)
        if self.plan.mixing is None:
            return x, targets
        others = np.roll(rows, 1)
        if self._world.size == 1:
            partner = torch.roll(x, 1, 0), torch.roll(targets, 1, 0)
        else:
            partner = self._plain(others[mine], epoch)
        chance = Chance(self._seed, epoch, self._examples.pictures[rows[mine]])
        return mix(x, targets, *partner, chance, self.plan.mixing)

    def _plain(self, rows: np.ndarray, epoch: int) -> tuple[Tensor, Tensor]:
        labels = self._examples.labels[torch.from_numpy(rows)]
        targets = soft_targets(labels, self.plan.classes, smoothing=self.plan.smoothing, weights=self._weights)
        return self._device.place(self._examples.inputs(rows, epoch)), self._device.place(targets)

    def _is_finite(self) -> bool:
        return all(bool(weight.isfinite().all()) for weight in self.net.parameters())

    def _go_back(self) -> None:
        """The last state that had a finite loss is back, and from there on the learning rate is lower."""
        at, lowered, notes = self.step, self._lowered + 1, self.notes
        self.restore(self.good)
        self._lowered, self.notes = lowered, notes
        self.notes.append(
            f"near step {at + 1} of {self.steps} the loss was no finite number: training went back to step {self.step} "
            f"and on with {LOWERED**lowered:g} of the learning rate"
        )
        self.good = self._now()

    def _could_answer(self, epoch: Epoch) -> bool:
        """Whether its validation loss is finite; where it is not, whether an earlier one is the best so far."""
        return math.isfinite(epoch.validation_loss or 0.0) or any(each.best for each in self.epochs)

    def _end_epoch(self) -> Epoch:
        average_statistics(self.net, self._world)
        loss, accuracy = self._validate() if self.plan.measures(len(self.epochs) + 1) else (None, None)
        lowest = min((e.validation_loss for e in self.epochs if e.validation_loss is not None), default=math.inf)
        best = not self.plan.chooses or self._validation is None or (loss is not None and loss < lowest - TINY)
        if best and self.plan.chooses:
            self._best = copy.deepcopy(self._average.net.state_dict())
        seen = self._batches[(self.step - 1) % len(self._batches)].stop
        epoch = Epoch(len(self.epochs) + 1, self._loss / seen, loss, accuracy, best)
        self._loss = 0.0
        self.epochs.append(epoch)
        return epoch

    def _out_of_patience(self) -> bool:
        if self.plan.patience is None or not self.epochs:
            return False
        best = max(epoch.number for epoch in self.epochs if epoch.best)
        return self.epochs[-1].number - best >= self.plan.patience

    def _validate(self) -> tuple[float | None, float | None]:
        if self._validation is None:
            return None, None
        found = scores(self._average.net, self._validation, device=self._device)
        labels = self._validation.labels
        targets = soft_targets(labels, self.plan.classes)
        return (
            float(losses_of(found, targets, self.plan.output).mean()),
            float(correct(found, labels).float().mean()),
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it torch computes on one processor: a small network on few images gains nothing from more, and the same
    seed gives the same bits on every number of them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def answering(net: nn.Sequential | WithHeads) -> nn.Sequential:
    """The network itself, without auxiliary heads, which are only for training."""
    return net.net if isinstance(net, WithHeads) else net


def scores(net: nn.Module, examples: Examples, *, device: Device | None = None) -> Tensor:
    """What `net` answers, in evaluation, to the examples as they are: (N, outputs)."""
    every = np.arange(len(examples.labels))
    device = device or choose("cpu")
    with torch.inference_mode():
        return torch.cat(
            [
                net(device.place(examples.inputs(rows, None))).float().cpu()
                for rows in np.array_split(every, max(1, -(-len(every) // ANSWERED)))
            ]
        )
