"""A detector in training: the steps on kept maps, each on two halves of a batch at a time.

It has the shape of `eyespot.training.loop.Training`, so that the same clock, checkpoints and Ctrl-C work for both:
where it stands is a number of steps, and what a step sees follows from the seed and that number alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.detecting.assignment import Truth
from eyespot.detecting.maps import Mapped
from eyespot.detecting.network import Detector, first_weights
from eyespot.detecting.objective import Loss, loss_of
from eyespot.detecting.places import Places
from eyespot.detecting.windows import shown_boxes
from eyespot.training.examples import in_batches, order
from eyespot.training.optimiser import Average, rate_share
from eyespot.training.plan import Epoch, Step

HALVES = 2
"""Parts of a batch that are computed at the same time, on any machine: how a sum is rounded depends on it."""
WARMUP_STEPS = 50
MOST_GRADIENT = 10.0
"""Length to which the gradient of a step is cut."""
FIRST_IMAGES = 16
"""That the first weights are scaled on."""


@dataclass(frozen=True)
class DetectorPlan:
    """How to train, in numbers."""

    steps: int
    batch: int = 8
    lr: float = 4e-3
    weight_decay: float = 0.05
    """Of matrices."""
    average: float = 0.99
    """Share of the averaged weights that a step keeps."""


class DetectorTraining:
    """`net` is trained in place; `averaged` is the one that will answer."""

    def __init__(self, mapped: Mapped, places: Places, classes: int, plan: DetectorPlan, *, seed: int) -> None:
        self.plan, self.notes = plan, list[str]()
        self.epochs: list[Epoch] = []
        self.step, self._loss = 0, 0.0
        self._mapped, self._places, self._seed = mapped, places, seed
        self._count = len(mapped.pictures) * mapped.views
        self._batches = in_batches(self._count, plan.batch)
        shapes = list(mapped.file.shapes.values())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = Detector([shape[-1] for shape in shapes], classes)
            rows = order(seed, 0, self._count)[:FIRST_IMAGES]
            first_weights(self.net, self._maps(rows))
        self._average = Average(self.net, plan.average)  # type: ignore[arg-type]
        self._halves = [self.net, *(copy.deepcopy(self.net) for _ in range(HALVES - 1))]
        matrices = [each for each in self.net.parameters() if each.dim() > 1]
        others = [each for each in self.net.parameters() if each.dim() <= 1]
        groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=plan.lr, foreach=True)
        self.good = self.state()

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.plan.steps

    @property
    def patience(self) -> int | None:
        """None: the last weights answer."""
        return None

    @property
    def averaged(self) -> Detector:
        net: nn.Module = self._average.net
        assert isinstance(net, Detector)
        return net

    def run(self) -> Iterator[Step]:
        """Trains, yielding after every step; stop taking from it to stop training."""
        with ThreadPoolExecutor(HALVES) as pool:
            while self.step < self.steps:
                self._one_step(pool)
                ended = self.step % len(self._batches) == 0 or self.step == self.steps
                yield Step(self.step, self._end_epoch() if ended else None, loss=self._batch_loss)

    def state(self) -> dict[str, Any]:
        """Everything that decides how training goes on: of tensors, numbers, text, lists and dicts."""
        return copy.deepcopy(
            {
                "step": self.step,
                "loss": self._loss,
                "net": self.net.state_dict(),
                "average": self._average.state(),
                "optimiser": self._optimizer.state_dict()["state"],
                "epochs": [asdict(epoch) for epoch in self.epochs],
                "notes": self.notes,
            }
        )

    def restore(self, state: dict[str, Any]) -> None:
        """Training goes on from a state that `state` gave, of a training that was made alike."""
        state = copy.deepcopy(state)
        self.step, self._loss = state["step"], state["loss"]
        for half in self._halves:
            half.load_state_dict(state["net"])
        self._average.restore(state["average"])
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state["optimiser"], "param_groups": groups})
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        self.notes = state["notes"]

    def _one_step(self, pool: ThreadPoolExecutor) -> None:
        epoch, batch = divmod(self.step, len(self._batches))
        rows = order(self._seed, epoch, self._count)[self._batches[batch]]
        losses = list(pool.map(self._loss_of, self._halves, np.array_split(rows, HALVES)))
        weight = max(1.0, sum(each.weight for each in losses))
        self._add_up(weight)
        share = rate_share("cosine", self.step, self.steps, warmup=min(0.5, WARMUP_STEPS / self.steps))
        for group in self._optimizer.param_groups:
            group["lr"] = share * self.plan.lr
        nn.utils.clip_grad_norm_(self.net.parameters(), MOST_GRADIENT)
        self._optimizer.step()
        with torch.no_grad():
            for half in self._halves[1:]:
                torch._foreach_copy_(list(half.parameters()), list(self.net.parameters()))
        self._average.update(self.net)
        self._batch_loss = sum(float(each.total.detach()) for each in losses) / weight
        self._loss += self._batch_loss
        self.step += 1

    def _loss_of(self, half: Detector, rows: np.ndarray) -> Loss:
        """The loss of some rows, whose gradient is in the half's parameters."""
        half.zero_grad(set_to_none=False)
        logits, distances = half(self._maps(rows))
        loss = loss_of(logits, distances, self._places, self._truth(rows))
        loss.total.backward()  # type: ignore[no-untyped-call]
        return loss

    def _add_up(self, weight: float) -> None:
        """The mean gradient of both halves, in `net`."""
        first, *others = ([each.grad for each in half.parameters() if each.grad is not None] for half in self._halves)
        for other in others:
            torch._foreach_add_(first, other)
        torch._foreach_div_(first, weight)

    def _maps(self, rows: Sequence[int] | np.ndarray) -> list[Tensor]:
        return [torch.from_numpy(each) for each in self._mapped.file.read([int(row) for row in rows])]

    def _truth(self, rows: np.ndarray) -> Truth:
        boxes, labels, images = [], [], []
        for image, row in enumerate(rows):
            each, window = self._mapped.window(int(row), self._places.image_hw)
            used = ~each.boxes.ignored
            moved = window.boxes(each.boxes.xyxy[used], self._places.image_hw[1])
            cut, seen = shown_boxes(moved, self._places.image_hw)
            boxes.append(cut[seen])
            labels.append(each.boxes.labels[used][seen])
            images.append(np.full(int(seen.sum()), image))
        return Truth(
            torch.tensor(np.concatenate(boxes), dtype=torch.float32),
            torch.from_numpy(np.concatenate(labels)),
            torch.from_numpy(np.concatenate(images)),
        )

    def _end_epoch(self) -> Epoch:
        """How it stands after a pass over all views, or at the end."""
        steps = (self.step - 1) % len(self._batches) + 1
        epoch = Epoch(len(self.epochs) + 1, self._loss / steps, None, None, best=False)
        self.epochs.append(epoch)
        self._loss = 0.0
        return epoch
