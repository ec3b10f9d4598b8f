"""Trainings of one network from random weights: how it trains on these pictures, within the time that is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from eyespot.augmenting.augmentation import Augmentation
from eyespot.errors import OptionError
from eyespot.records import Network, Part
from eyespot.regimes.on_images import Images, with_auxiliary_heads
from eyespot.regimes.plans import FEW, Defaults, growing_sides, growing_work, plan_for, scratch_defaults
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.running import seconds_per_step
from eyespot.regimes.scratch_network import has_norms
from eyespot.runs.decisions import Decisions
from eyespot.runs.job import Job

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.examples import ImageExamples
    from eyespot.training.loop import Training

KEY = "scratch"
"""Names the training among those of a run."""
MOST_EPOCHS = 200
"""Beyond, more time is no use."""
PLANNED = 0.95
"""Share of the time left that training is planned for: a step does not take the same time all along."""
FINISHING = 0.1
"""Share of the time that is left for converting, measuring and writing the network, and at least 5 seconds."""


@dataclass(frozen=True)
class Making:
    """Trainings of one network on one data set: the one that counts, and those of the folds."""

    images: Images
    prepared: Prepared
    network: Network
    augmentation: Augmentation | None
    job: Job

    def examples(self, part: Part, augmentation: Augmentation | None, *, sides: Sequence[int] = ()) -> ImageExamples:
        pictures, seed = self.prepared.part(part), self.job.options.seed
        return self.images.examples(self.prepared, pictures, augmentation=augmentation, seed=seed, sides=sides)

    def grows(self, count: int) -> bool:
        """Whether early epochs see smaller images: of many pictures, where the network takes images of any size."""
        from eyespot.building.sizes import takes_any_size

        has_heads = bool(self._heads())
        return self.job.options.growing == "auto" and count > FEW and takes_any_size(self.net()) and not has_heads

    def sides(self, defaults: Defaults) -> tuple[int, ...]:
        """Of the images in early epochs, pixels."""
        return growing_sides(int(defaults.of(self.job.options)["epochs"]), min(self.images.preprocess.crop_hw))

    def _heads(self) -> str:
        from eyespot import zoo

        return zoo.definition(self.network.name).heads

    def defaults(self, count: int) -> Defaults:
        """How this network trains on so many pictures."""
        return scratch_defaults(count, has_norms=has_norms(self.net()))

    def training(
        self, train: ImageExamples, validation: ImageExamples | None, defaults: Defaults
    ) -> tuple[Training, str]:
        """The training, and the report's words on auxiliary heads."""
        from eyespot.training.dropout import with_dropout
        from eyespot.training.loop import Training
        from eyespot.training.pooled_first import pooled_first

        options = self.job.options
        plan = plan_for(
            options,
            defaults,
            train.labels.numpy(),
            classes=len(self.prepared.data_set.classes),
            output=options.output,
        )
        net = pooled_first(self.net())
        if options.dropout is not None:
            net = with_dropout(net, options.dropout)
        outputs = int(self.network.arguments["classes"])
        whole, auxiliary = with_auxiliary_heads(net, self.network.name, outputs, self.job)
        if validation is not None and not len(validation.labels):
            validation = None
        return Training(
            whole.train(),
            train,
            validation,
            plan,
            seed=options.seed,
            device=self.job.device,
            world=self.job.world,
        ), auxiliary

    def net(self) -> nn.Sequential:
        import torch

        from eyespot import zoo
        from eyespot.training.first_weights import silence_bodies

        with torch.random.fork_rng():
            torch.manual_seed(self.job.options.seed)
            net = zoo.create(self.network.name, **self.network.arguments)
        silence_bodies(net)
        return net


def within_time(making: Making, train: ImageExamples, validation: ImageExamples, *, few: bool) -> Defaults:
    """The defaults, with as many epochs as the clock allows where there is one."""
    job, defaults = making.job, making.defaults(len(train.labels))
    if not job.clock.is_set:
        return defaults

    def fitting() -> int:
        from eyespot.training.plan import MEASURED

        seconds: float = seconds_per_step(lambda: making.training(train, None, defaults)[0], few=few)
        batch = int(defaults.of(job.options)["batch"])
        work = growing_work() if making.grows(len(train.labels)) else 1.0
        epoch = seconds * work * len(train.labels) / batch
        measuring = MEASURED * seconds * len(validation.labels) / batch / 3
        return math.floor((PLANNED * (job.clock.remaining - finishing_seconds(job)) - measuring) / epoch)

    epochs = Decisions(job.clock, KEY).epochs(fitting)
    if epochs < 1:
        raise OptionError(
            f"the option time leaves too little for one epoch of {making.network.name} on {len(train.labels)} "
            "pictures: give more time, or choose a smaller model"
        )
    return replace(defaults, epochs=min(epochs, MOST_EPOCHS))


def finishing_seconds(job: Job) -> float:
    """To be left on the clock when training ends."""
    return max(5.0, FINISHING * job.clock.remaining) if job.clock.is_set and math.isfinite(job.clock.remaining) else 0.0
