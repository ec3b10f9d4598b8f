"""A step of training all of ResNet-18 at 224 px by eyespot's loop, against the same network in plain eager PyTorch.

    python benchmarks/training_step.py
    python benchmarks/training_step.py --network efficientnet_lite0 --px 128 --statistics-stay

Both sides train the same network on the same random images, by cross-entropy and Nesterov's momentum, each in a process
of its own, and take turns step by step. eyespot's side is its whole loop: channels last, bf16 where the processor has
it, finite losses checked, a state kept now and then, freed memory kept. The plain side is fp32 in PyTorch's own layout:
forward, backward, step. The limit is the speed of a matrix product on this machine and three passes: one forward, two
backward.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import measuring
import numpy as np
import peak
import torch
from measuring import at_least
from torch import Tensor, nn

from eyespot import zoo
from eyespot.engine.peak import peak_gflops
from eyespot.regimes.on_images import statistics_stay
from eyespot.training.around_steps import freed_memory_stays
from eyespot.training.devices import choose
from eyespot.training.loop import Training
from eyespot.training.optimiser import MOMENTUM
from eyespot.training.plan import Plan

BARS = {
    "bf16": at_least(1.8, "times", "a training step of ResNet-18 is at least 1.8 times faster than eager fp32"),
    "fp32": at_least(1, "times", "without bf16 a training step of ResNet-18 is never slower than eager fp32"),
}
NETWORK, CLASSES, PX = "resnet18", 10, 224
LR = 0.01
PASSES = 3
SIDES = PLAIN, EYESPOT = "plain, fp32", "eyespot"


class RandomImages:
    """Random images (N, 3, px, px) as examples, the same in every epoch."""

    def __init__(self, count: int, px: int) -> None:
        chance = torch.Generator().manual_seed(0)
        self.images = torch.randn(count, 3, px, px, generator=chance)
        self.labels = torch.randint(CLASSES, (count,), generator=chance)
        self.pictures = np.arange(count, dtype=np.uint64)

    def inputs(self, rows: np.ndarray, epoch: int | None) -> Tensor:
        return self.images[torch.from_numpy(rows)]


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--network", default=NETWORK, help=f"any of `eyespot networks` (default {NETWORK})")
    parser.add_argument("--batch", type=int, default=32, help="images in a step (default 32)")
    parser.add_argument("--px", type=int, default=PX, help=f"pixels of an image's side (default {PX})")
    parser.add_argument("--rounds", type=int, default=15, help="steps of each side (default 15)")
    parser.add_argument("--side", choices=SIDES, help="do the steps of one side; for this program's own use")
    parser.add_argument(
        "--statistics-stay", action="store_true", help="BatchNorms keep their statistics, as in fine-tuning"
    )
    options = parser.parse_args()
    net = zoo.create(options.network, classes=CLASSES).train()
    if options.statistics_stay:
        statistics_stay(net)
    images = RandomImages(options.batch, options.px)
    if options.side == PLAIN:
        optimiser = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, nesterov=True)
        measuring.one_side(plain_step(net, images, optimiser))
    elif options.side == EYESPOT:
        plan = Plan(
            epochs=1_000_000,
            batch=options.batch,
            lr=LR,
            classes=CLASSES,
            optimizer="sgd",
            schedule="constant",
        )
        with freed_memory_stays():
            measuring.one_side(loop_step(Training(net, images, None, plan, seed=0)))
    else:
        print(measuring.heading(), flush=True)
        gflop = step_gflop(net, (3, options.px, options.px), options.batch)
        seconds = measuring.taking_turns(SIDES, rounds=options.rounds)
        report_steps(seconds, dict.fromkeys(SIDES, gflop), options.batch)
        theirs, ours = (statistics.median(seconds[side]) for side in SIDES)
        print(f"{options.network}: {theirs / ours:.2f} times faster than the plain side")
        if options.network == NETWORK:
            print(BARS[choose("cpu").precision].verdict(theirs / ours))


def plain_step(net: nn.Sequential, images: RandomImages, optimiser: torch.optim.Optimizer) -> Callable[[], object]:
    """One step as a first program in PyTorch has it."""

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(images.images), images.labels).backward()
        optimiser.step()

    return step


def loop_step(training: Training) -> Callable[[], object]:
    """One step of eyespot's loop, which must have enough of them."""
    steps = training.run()
    return lambda: next(steps)


def step_gflop(net: nn.Sequential, shape: tuple[int, ...], batch: int) -> float:
    """Operations of a step's convolutions, in 1e9: a multiply-add is two, and there are three passes."""
    return PASSES * 2 * batch * peak.multiply_adds_of(net, shape) / 1e9


def report_steps(seconds: dict[str, list[float]], gflop: dict[str, float], batch: int) -> None:
    """Every step, the medians, and what the matrix product allows."""
    limits = {precision: peak_gflops(precision) for precision in peak.available_precisions()}
    for name, each in seconds.items():
        middle = statistics.median(each)
        print(measuring.runs_line(name, each, "s"))
        print(f"  {batch / middle:.1f} images/s; {gflop[name]:.1f} GFLOP in a step: {gflop[name] / middle:.1f} GFLOP/s")
    for precision, limit in limits.items():
        print(f"matrix product, {precision}: {limit:.1f} GFLOP/s")


if __name__ == "__main__":
    main()
