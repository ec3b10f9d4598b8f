"""A plain training loop from scratch: a generator that yields after every epoch, for networks on small images."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from eyespot.records import Preprocess

SHIFT = 2
"""Training images are moved by up to so many pixels each way: a digit a little to the left is the same digit."""
ANSWERED = 256
"""Images that are answered at once: bounds the memory."""
TINY = 5e-5
"""A lower validation loss than the best by less than this is no improvement."""


@dataclass(frozen=True)
class Images:
    """Decoded images and their classes."""

    images: np.ndarray
    """uint8 (N, H, W, C)."""
    labels: np.ndarray
    """(N,)."""


@dataclass(frozen=True)
class Epoch:
    """How training stands after one pass over the images."""

    number: int
    train_loss: float
    validation_loss: float | None
    validation_accuracy: float | None
    best: bool
    """True where the validation loss is the lowest so far; its weights are kept."""


class Training:
    """Adam with a one-cycle learning rate on cross-entropy; the weights of the best epoch are kept."""

    def __init__(
        self,
        net: nn.Sequential,
        train: Images,
        validation: Images | None,
        preprocess: Preprocess,
        *,
        epochs: int,
        batch: int,
        lr: float,
        patience: int,
        seed: int,
    ) -> None:
        """net: trained in place, from images (N, C, H, W) to logits.
        validation: decides which epoch is best and when to stop; without it the last epoch is kept.
        batch: images in a step; lr: highest learning rate; patience: epochs without improvement before stopping.
        seed: decides the order of the images and how they are shifted.
        """
        self.net = net
        self._train, self._validation = train, validation
        self._mean, self._scale = torch.tensor(preprocess.mean), torch.tensor(preprocess.scale)
        self._epochs, self._batch, self._patience = epochs, batch, patience
        self._random = torch.Generator().manual_seed(seed)
        self._optimiser = torch.optim.Adam(net.parameters(), lr=lr)
        steps = epochs * len(in_batches(torch.arange(len(train.labels)), batch))
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimiser, max_lr=lr, total_steps=steps)
        self._best_loss = float("inf")
        self._best_weights = copy.deepcopy(net.state_dict())

    def epochs(self) -> Iterator[Epoch]:
        """Trains, yielding after every epoch; stop taking from it to stop training."""
        since_best = 0
        for number in range(1, self._epochs + 1):
            train_loss = self._one_pass()
            loss, accuracy = self._validate()
            best = loss is None or loss < self._best_loss - TINY
            if best:
                self._best_loss = self._best_loss if loss is None else loss
                self._best_weights = copy.deepcopy(self.net.state_dict())
            since_best = 0 if best else since_best + 1
            yield Epoch(number, train_loss, loss, accuracy, best)
            if since_best >= self._patience:
                return

    def keep_best(self) -> nn.Sequential:
        """The network with the weights of its best epoch, ready to answer."""
        self.net.load_state_dict(self._best_weights)
        return self.net.eval()

    def logits(self, images: np.ndarray) -> Tensor:
        """The network's answers (N, classes) to images uint8 (N, H, W, C), with the weights it has now."""
        self.net.eval()
        with torch.inference_mode():
            batches = torch.split(torch.from_numpy(images), ANSWERED)
            return torch.cat([self.net(self._normalised(each)) for each in batches])

    def _one_pass(self) -> float:
        self.net.train()
        order = torch.randperm(len(self._train.labels), generator=self._random)
        images, labels = torch.from_numpy(self._train.images), torch.from_numpy(self._train.labels)
        total = 0.0
        for rows in in_batches(order, self._batch):
            x = shifted(self._normalised(images[rows]), self._random)  # (N, C, H, W)
            loss = functional.cross_entropy(self.net(x), labels[rows])
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._schedule.step()
            total += float(loss.detach()) * len(rows)
        return total / len(order)

    def _validate(self) -> tuple[float | None, float | None]:
        if self._validation is None:
            return None, None
        logits, labels = self.logits(self._validation.images), torch.from_numpy(self._validation.labels)
        return float(functional.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).float().mean())

    def _normalised(self, images: Tensor) -> Tensor:
        return ((images.float() - self._mean) / self._scale).permute(0, 3, 1, 2)  # (N, C, H, W)


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it torch computes on one processor: a network this small gains nothing from more, and the same seed
    gives the same bits on every number of them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_batches(order: Tensor, size: int) -> list[Tensor]:
    """`order` cut into pieces of `size`; a single image left over joins the piece before it.

    BatchNorm cannot tell the spread of a batch of one. So a batch of one is left only where one was asked for, or
    where there is one image in all.
    """
    batches = list(torch.split(order, size))
    if size > 1 and len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def shifted(images: Tensor, random: torch.Generator) -> Tensor:
    """Every image (N, C, H, W) moved by its own random amount, at most SHIFT pixels; the border is repeated."""
    count, _, height, width = images.shape
    padded = functional.pad(images, (SHIFT, SHIFT, SHIFT, SHIFT), mode="replicate")
    down, right = torch.randint(0, 2 * SHIFT + 1, (2, count, 1), generator=random)
    rows, columns = down + torch.arange(height), right + torch.arange(width)  # (N, H), (N, W)
    which = torch.arange(count)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
