"""The full regime: everything trains, from published weights and the frozen regime's head, on pictures drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eyespot.augmenting.augmentation import describe
from eyespot.building.backbone import Backbone
from eyespot.building.surgery import with_head
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.learned import Lesson
from eyespot.regimes.on_images import (
    augmentation_for,
    decoded,
    seconds_per_decoding,
    statistics_stay,
    with_auxiliary_heads,
)
from eyespot.regimes.plans import FULL, MOST_FOR_FEW, Defaults, for_so_many, plan_for
from eyespot.regimes.running import TIMED_STEPS, Cost, seconds_per_step
from eyespot.regimes.tuned import Tuning
from eyespot.runs.job import Job

if TYPE_CHECKING:
    from torch import nn

    from eyespot.blocks import WithHeads
    from eyespot.training.loop import Training
    from eyespot.training.plan import Examples

KEY = "full"
TIMED_BATCH, TIMED_PICTURES = 8, 64


def full_defaults(frozen: Fitted) -> Defaults:
    """Those for training everything on as many pictures as the head was fitted on."""
    return for_so_many(FULL, frozen.trained_on, most=MOST_FOR_FEW["full"])


def full_tuning(frozen: Fitted, backbone: Backbone, job: Job, *, defaults: Defaults | None = None) -> Tuning:
    """Training of the whole backbone, its pictures decoded. frozen: fitted on the train part alone."""
    defaults = defaults or full_defaults(frozen)
    preprocess = frozen.trunk.preprocess
    images, prepared = decoded(frozen.prepared, ("train", "val"), preprocess, job)
    augmentation = augmentation_for(job, prepared, preprocess, mirror=frozen.mirror)
    train = images.examples(prepared, prepared.part("train"), augmentation=augmentation, seed=job.options.seed)
    validation = images.examples(prepared, prepared.part("val"), augmentation=None, seed=job.options.seed)
    _, auxiliary = _network(frozen, backbone, job)
    lesson = Lesson(
        regime="full",
        what=f"everything, beginning from published weights and a solved head{auxiliary}",
        network=frozen.trunk.network,
        preprocess=preprocess,
        output=frozen.head.output,
        prepared=prepared,
        trained_on=len(train.labels),
        mirror=augmentation is not None and augmentation.mirror,
        views_computed=0,
        how=(
            ("Frozen", "running statistics alone"),
            ("Augmentation", describe(augmentation) if augmentation else "none"),
        ),
        notes=[],
    )
    return Tuning(
        key=KEY,
        lesson=lesson,
        make=lambda: _training(frozen, backbone, job, defaults, train, validation if len(validation.labels) else None),
        whole=lambda net: net,
    )


def full_cost(frozen: Fitted, backbone: Backbone, job: Job) -> Cost:
    """What the full regime takes on this machine: by a few pictures that are decoded, and a few steps on smaller
    batches of made-up ones, which need no memory."""
    from eyespot.training.examples import ImageExamples

    preprocess = frozen.trunk.preprocess
    batch = int(FULL.of(job.options)["batch"])
    small = job.with_options(batch=min(batch, TIMED_BATCH))
    count = (TIMED_STEPS + 1) * min(batch, TIMED_BATCH)
    shape = (count, *preprocess.crop_hw, preprocess.channels)
    made_up = ImageExamples(
        np.random.default_rng(0).integers(0, 256, shape, np.uint8),
        np.arange(count) % len(frozen.prepared.data_set.classes),
        [f"{number:064x}" for number in range(count)],
        preprocess,
        augmentation=augmentation_for(job, frozen.prepared, preprocess, mirror=frozen.mirror),
    )
    seconds = seconds_per_step(lambda: _training(frozen, backbone, small, FULL, made_up, None))
    pictures = frozen.prepared.part("train", "val")
    decoding = seconds_per_decoding(pictures[:TIMED_PICTURES], preprocess, job) * len(pictures)
    return Cost(seconds * batch / min(batch, TIMED_BATCH), decoding)


def _training(
    frozen: Fitted, backbone: Backbone, job: Job, defaults: Defaults, train: Examples, validation: Examples | None
) -> Training:
    from eyespot.training.loop import Training

    net, _ = _network(frozen, backbone, job)
    statistics_stay(net)
    plan = plan_for(
        job.options,
        defaults,
        train.labels.numpy(),
        classes=len(frozen.prepared.data_set.classes),
        output=frozen.head.output,
        keeps_best=True,
    )
    return Training(net, train, validation, plan, seed=job.options.seed, device=job.device, world=job.world)


def _network(frozen: Fitted, backbone: Backbone, job: Job) -> tuple[nn.Sequential | WithHeads, str]:
    """The whole network as training begins, and the report's words on auxiliary heads."""
    from eyespot.training.dropout import with_dropout

    net = with_head(backbone.built(job.cache_folder), frozen.head)
    if job.options.dropout is not None:
        net = with_dropout(net, job.options.dropout)
    return with_auxiliary_heads(net, backbone.network, len(frozen.head.layers[-1][1]), job)
