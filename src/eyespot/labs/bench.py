"""The bench that experiments stand on: small images, one plain loop, and what can be measured of a network.

Everything is drawn from a seed: which pictures test, the order of the others, the first weights (set by `trials`).
One thread computes, so that a table is the same on any number of cores.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.arithmetic.table import total
from eyespot.arithmetic.trace import trace
from eyespot.data.split import stratified_folds
from eyespot.labs.definition import FOLDS
from eyespot.labs.pictures import Pictures

BATCH = 64
LEAST_LOSS = 1e-12
Change = Callable[[Tensor, torch.Generator], Tensor]
"""Images (N, C, H, W) as an augmentation shows them."""


class OutOfTime(Exception):
    """The time that was given is over."""


@dataclass(frozen=True)
class Images:
    """Images (N, C, H, W), with mean 0 and deviation 1 over the whole data set, and their classes (N,)."""

    x: Tensor
    y: Tensor
    rows: Tensor
    """Where they stand in the data set, (N,)."""

    def __len__(self) -> int:
        return len(self.y)

    def taken(self, index: Tensor) -> Images:
        return Images(self.x[index], self.y[index], self.rows[index])


@dataclass(frozen=True)
class Bench:
    """The pictures of one seed, and what is done with them."""

    pictures: Pictures
    train: Images
    test: Images
    seed: int
    deadline: float = math.inf
    """By time.monotonic()."""
    effort: float = 1.0
    """Share of the steps that are taken: a test needs few."""
    model: str | None = None
    """The network that a lab looks into, by name or as a run; None for the lab's own."""
    made: dict[str, nn.Module] = field(default_factory=dict, init=False, repr=False)
    """What `once` has made."""

    @property
    def classes(self) -> int:
        return len(self.pictures.classes)

    @property
    def channels(self) -> int:
        return self.train.x.shape[1]

    @property
    def side(self) -> int:
        return self.train.x.shape[-1]

    @property
    def values(self) -> int:
        """Numbers of an image."""
        return self.train.x[0].numel()

    @property
    def share(self) -> float:
        """Test pictures for each training picture."""
        return len(self.test) / len(self.train)

    def gray(self, x: Tensor) -> Tensor:
        """Images (N, C, H, W) as levels of gray from black, 0, to white, 1: (N, 1, H, W), float64."""
        gray = x.double().mean(1, keepdim=True)  # (N, 1, H, W)
        return ((gray - self.pictures.black) / (self.pictures.white - self.pictures.black)).clamp(0, 1)

    def random(self, salt: int = 0) -> torch.Generator:
        """A generator of its own for each use: salt tells them apart."""
        return torch.Generator().manual_seed(1_000_003 * self.seed + salt)

    def once(self, name: str, make: Callable[[], nn.Module]) -> nn.Module:
        """What `make` returns; made anew only for another seed. Nothing in the trial may draw chance before."""
        return self.made[name] if name in self.made else self.made.setdefault(name, make())

    def few(self, per_class: int) -> Bench:
        """The same with at most so many training pictures of each class; the first of them are in every larger draw."""
        kept = [(self.train.y == label).nonzero()[:per_class, 0] for label in range(self.classes)]
        return replace(self, train=self.train.taken(torch.cat(kept)))

    def over(self, values: Tensor) -> Bench:
        """The same pictures as other numbers: values (N, ...) of the whole data set, such as a trunk's activations."""
        train, test = (replace(images, x=values[images.rows]) for images in (self.train, self.test))
        return replace(self, train=train, test=test)

    def tick(self) -> None:
        """Raises OutOfTime where no time is left: called in every step."""
        if time.monotonic() > self.deadline:
            raise OutOfTime

    def steps(self, count: int) -> range:
        return range(max(1, round(count * self.effort)))

    def batches(self, steps: int, batch: int = BATCH) -> Iterator[Images]:
        """Training pictures in an order that depends on the seed alone, every one once before any comes again."""
        random = self.random(1)
        order = torch.empty(0, dtype=torch.int64)
        for _ in self.steps(steps):
            self.tick()
            if len(order) < batch:
                order = torch.cat([order, torch.randperm(len(self.train), generator=random)])
            yield self.train.taken(order[:batch])
            order = order[batch:]

    def fit(
        self,
        net: nn.Module,
        *,
        steps: int,
        rate: float = 3e-3,
        optimiser: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        change: Change | None = None,
        still: bool = False,
        **options: Any,
    ) -> nn.Module:
        """The network after so many steps; the rate falls to 0 along a cosine.

        change: what each batch goes through first. still: the statistics of norms stay as they are. options: of the
        optimiser, such as momentum.
        """
        random, net = self.random(2), net.train(not still)
        taught = optimiser(net.parameters(), lr=rate, **options)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(taught, len(self.steps(steps)))
        for images in self.batches(steps):
            taught.zero_grad(set_to_none=True)
            x = images.x if change is None else change(images.x, random)
            nn.functional.cross_entropy(net(x), images.y).backward()  # type: ignore[no-untyped-call]
            taught.step()
            falling.step()
        return net.eval()

    def accuracy(self, net: nn.Module, images: Images | None = None) -> float:
        """Share of the test pictures, or of others, that are answered rightly."""
        images = images or self.test
        return float((self.logits(net, images.x).argmax(1) == images.y).double().mean())

    def log_loss(self, net: nn.Module, images: Images | None = None) -> float:
        """log10 of the mean cross-entropy on the training pictures, or on others.

        At most that of guessing: how far a network is off that has learned nothing says nothing.
        """
        images = images or self.train
        loss = float(nn.functional.cross_entropy(self.logits(net, images.x).double(), images.y))
        guessing = math.log(self.classes)
        return math.log10(max(min(loss, guessing) if math.isfinite(loss) else guessing, LEAST_LOSS))

    def logits(self, net: nn.Module, x: Tensor) -> Tensor:
        """(N, classes), as the network answers when it is used."""
        with torch.no_grad():
            return torch.cat([net.eval()(part) for part in torch.split(x, 512)])

    def multiply_adds(self, net: nn.Module) -> float:
        """For one image."""
        return float(total(trace(net, (self.channels, self.side, self.side))).multiply_adds)


def drawn(pictures: Pictures, *, seed: int, first: int = 0) -> tuple[Images, Images]:
    """Training and test pictures: of five seeds from the first one on each tests another fifth, so that all test once.

    first: the first of the seeds.
    """
    random, y = np.random.default_rng(seed), pictures.y
    rounds, fold = divmod(seed - first, FOLDS)
    tests = stratified_folds(y, folds=FOLDS, seed=first + rounds) == fold
    train, test = (random.permutation(np.flatnonzero(part)) for part in (~tests, tests))
    images = Images(torch.from_numpy(pictures.x), torch.from_numpy(y), torch.arange(len(y)))
    return images.taken(torch.from_numpy(train)), images.taken(torch.from_numpy(test))
