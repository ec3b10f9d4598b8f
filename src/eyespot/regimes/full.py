"""The full regime: everything trains, from published weights and the frozen regime's head, on pictures drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eyespot.augmenting.augmentation import describe
from eyespot.building.backbone import Backbone
from eyespot.building.surgery import with_head
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.learned import Attempt, Lesson, Tuning, training_of
from eyespot.regimes.on_images import (
    augmentation_for,
    decoded,
    seconds_per_decoding,
    statistics_stay,
    with_auxiliary_heads,
)
from eyespot.regimes.plans import FULL, MOST_FOR_FEW, Defaults, for_so_many
from eyespot.regimes.run_training import Cost, seconds_per_step
from eyespot.runs.job import Job

if TYPE_CHECKING:
    from torch import nn

    from eyespot.blocks import WithHeads

KEY = "full"
LONG_STEPS, TIMED_PICTURES = 2, 64
"""What is timed: steps, which take about a second each, and decoded pictures."""


def full_attempt(frozen: Fitted, backbone: Backbone, job: Job) -> Attempt:
    """Training of the whole backbone, its pictures decoded. frozen: fitted only on the train part."""
    return Attempt(
        KEY,
        for_so_many(FULL, frozen.trained_on, most=MOST_FOR_FEW["full"]),
        cost=lambda: _cost(frozen, backbone, job),
        prepare=lambda defaults: _tuning(frozen, backbone, job, defaults),
    )


def _tuning(frozen: Fitted, backbone: Backbone, job: Job, defaults: Defaults) -> Tuning:
    preprocess = frozen.trunk.preprocess
    images = decoded(frozen.prepared, ("train", "val"), preprocess, job)
    prepared = images.prepared
    augmentation = augmentation_for(job, prepared, preprocess, mirror=frozen.mirror)
    train = images.examples(prepared.part("train"), augmentation)
    validation = images.examples(prepared.part("val"), None)
    net, auxiliary = _network(frozen, backbone, job)
    classes = len(prepared.data_set.classes)
    lesson = Lesson(
        regime="full",
        what=f"everything, beginning from published weights and a solved head{auxiliary}",
        network=frozen.trunk.network,
        preprocess=preprocess,
        prepared=prepared,
        trained_on=len(train.labels),
        mirror=augmentation is not None and augmentation.mirror,
        how=(
            ("Frozen", "running statistics alone"),
            ("Augmentation", describe(augmentation) if augmentation else "none"),
        ),
    )
    return Tuning(
        key=KEY,
        lesson=lesson,
        make=lambda: training_of(net, train, validation, defaults=defaults, classes=classes, job=job),
        whole=lambda net: net,
    )


def _cost(frozen: Fitted, backbone: Backbone, job: Job) -> Cost:
    """What the full regime takes on this machine: by a few pictures that are decoded, and a few steps on
    made-up ones."""
    from eyespot.training.examples import ImageExamples

    preprocess = frozen.trunk.preprocess
    batch, classes = int(FULL.of(job.options)["batch"]), len(frozen.prepared.data_set.classes)
    count = (LONG_STEPS + 1) * batch
    shape = (count, *preprocess.crop_hw, preprocess.channels)
    made_up = ImageExamples(
        np.random.default_rng(0).integers(0, 256, shape, np.uint8),
        np.arange(count) % classes,
        [f"{number:064x}" for number in range(count)],
        preprocess,
        augmentation=augmentation_for(job, frozen.prepared, preprocess, mirror=frozen.mirror),
    )
    net, _ = _network(frozen, backbone, job)
    seconds = seconds_per_step(
        lambda: training_of(net, made_up, None, defaults=FULL, classes=classes, job=job), steps=LONG_STEPS
    )
    pictures = frozen.prepared.part("train", "val")
    decoding = seconds_per_decoding(pictures[:TIMED_PICTURES], preprocess, job) * len(pictures)
    return Cost(seconds, decoding)


def _network(frozen: Fitted, backbone: Backbone, job: Job) -> tuple[nn.Sequential | WithHeads, str]:
    """The whole network as training begins, and the report's words on auxiliary heads."""
    from eyespot.training.dropout import with_dropout

    net = with_dropout(with_head(backbone.built(job.cache_folder), frozen.head), job.options.dropout)
    whole, auxiliary = with_auxiliary_heads(net, backbone.network, len(frozen.head.layers[-1][1]), job)
    return statistics_stay(whole), auxiliary
