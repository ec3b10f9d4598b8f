"""One epoch of the partial regime's tail, against an epoch of fine-tuning all of the same network.

    python benchmarks/tail_epoch.py

Three sides, each a process of its own, take turns step by step: the tail on stored activations of two views in turn, by
eyespot's loop; all of the network by the same loop, on decoded images with the augmentation of photos; all of it in
plain eager PyTorch, fp32 in its own layout, on images that are ready, its BatchNorms in training. All use AdamW;
eyespot's sides are its regimes partial and full with their defaults: running statistics stay, weights are averaged, the
tail mixes pairs.

An epoch is the median step times the steps that so many pictures take; validation is on no side, and neither is the
trunk's pass, which the tail needs once and the others never: train_frozen.py has that. Inputs are random numbers, which
take as long as others. The limit is the speed of a matrix product on this machine and three passes: one forward, two
backward.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

import measuring
import numpy as np
import torch
from measuring import at_least
from torch import nn
from training_step import CLASSES, PX, RandomImages, loop_step, plain_step, report_steps, step_gflop

from eyespot import blocks, zoo
from eyespot.augmenting.augmentation import PHOTOS
from eyespot.building.backbone import OWN_PREPROCESS
from eyespot.regimes.on_images import statistics_stay
from eyespot.regimes.plans import FULL, PARTIAL, Defaults, plan_for
from eyespot.runs.options import TrainOptions
from eyespot.training.around_steps import freed_memory_stays
from eyespot.training.examples import ImageExamples, ViewExamples
from eyespot.training.loop import Training
from eyespot.training.plan import Examples

EAGER_BAR = at_least(8, "times", "an epoch of the tail is at least 8 times faster than fine-tuning in eager fp32")
FULL_BAR = at_least(3, "times", "and at least 3 times faster than eyespot's own full fine-tuning")
PICTURES = 3068
"""Training pictures of the ten kinds of clothing."""
CUT, VIEWS = "stage5", 2
SIDES = TAIL, WHOLE, EAGER = "tail, eyespot", "full, eyespot", "full, plain eager fp32"


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--cut", default=CUT, help=f"last frozen stage (default {CUT})")
    parser.add_argument("--batch", type=int, default=32, help="images in a step (default 32)")
    parser.add_argument("--px", type=int, default=PX, help=f"pixels of an image's side (default {PX})")
    parser.add_argument("--pictures", type=int, default=PICTURES, help=f"pictures of an epoch (default {PICTURES})")
    parser.add_argument("--rounds", type=int, default=11, help="steps of each side (default 11)")
    parser.add_argument("--side", choices=SIDES, help="do the steps of one side; for this program's own use")
    options = parser.parse_args()
    net = zoo.create("efficientnet_lite0", classes=CLASSES)
    trunk, tail = blocks.split(net, after=options.cut)
    with torch.inference_mode():
        at_cut = trunk.eval()(torch.zeros(1, 3, options.px, options.px)).shape[1:]
    if options.side == TAIL:
        one_side_of_eyespot(tail, stored_views(at_cut, options.batch), PARTIAL, options.batch)
    elif options.side == WHOLE:
        one_side_of_eyespot(net, decoded_images(options.px, options.batch), FULL, options.batch)
    elif options.side == EAGER:
        optimiser = torch.optim.AdamW(net.parameters(), lr=FULL.lr, weight_decay=FULL.weight_decay)
        measuring.one_side(plain_step(net.train(), RandomImages(options.batch, options.px), optimiser))
    else:
        print(measuring.heading(), flush=True)
        whole = step_gflop(net, (3, options.px, options.px), options.batch)
        gflop = {TAIL: step_gflop(tail, at_cut, options.batch), WHOLE: whole, EAGER: whole}
        seconds = measuring.taking_turns(SIDES, rounds=options.rounds)
        report_steps(seconds, gflop, options.batch)
        report_epochs(seconds, pictures=options.pictures, batch=options.batch)


def report_epochs(seconds: dict[str, list[float]], *, pictures: int, batch: int) -> None:
    """What the median steps come to in an epoch, and the bars."""
    steps = math.ceil(pictures / batch)
    epochs = {side: steps * statistics.median(each) for side, each in seconds.items()}
    for side, epoch in epochs.items():
        print(f"{side}: {steps} steps for {pictures} pictures, {epoch:.1f} s an epoch")
    print(EAGER_BAR.verdict(epochs[EAGER] / epochs[TAIL]))
    print(FULL_BAR.verdict(epochs[WHOLE] / epochs[TAIL]))


def one_side_of_eyespot(net: nn.Sequential, examples: Examples, defaults: Defaults, batch: int) -> None:
    """Steps of eyespot's loop as this regime has it."""
    plan = plan_for(
        TrainOptions(batch=batch),
        replace(defaults, epochs=1_000_000),
        examples.labels.numpy(),
        classes=CLASSES,
    )
    statistics_stay(net)
    with freed_memory_stays():
        measuring.one_side(loop_step(Training(net, examples, None, plan, seed=0)))


def stored_views(shape: Sequence[int], batch: int, *, batches: int = 4) -> ViewExamples:
    """Random activations of this shape, (C, H, W), as they are stored at the cut."""
    random, count = np.random.default_rng(0), batch * batches
    views = [random.standard_normal((count, *shape), np.float32).astype(np.float16) for _ in range(VIEWS)]
    return ViewExamples(views, random.integers(0, CLASSES, count), contents(count))


def decoded_images(px: int, batch: int, *, batches: int = 4) -> ImageExamples:
    """Random images, augmented as photos are."""
    random, count = np.random.default_rng(0), batch * batches
    images = random.integers(0, 256, (count, px, px, 3), np.uint8)
    labels = random.integers(0, CLASSES, count)
    return ImageExamples(images, labels, contents(count), OWN_PREPROCESS, augmentation=PHOTOS)


def contents(count: int) -> list[str]:
    """Content hashes of pictures that do not exist."""
    return [f"{number:064x}"[::-1] for number in range(count)]


if __name__ == "__main__":
    main()
