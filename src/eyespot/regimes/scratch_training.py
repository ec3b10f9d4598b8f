"""Trainings of one network from random weights: how it trains on these pictures, within the time that is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from eyespot.augmenting.augmentation import Augmentation
from eyespot.building.surgery import ends_fully_connected, head_layers
from eyespot.errors import OptionError
from eyespot.evaluate.likeness import Likeness, class_means, in_order, likeness
from eyespot.heads.fit import are_torn, folds_of
from eyespot.heads.head import Head
from eyespot.records import Network, Part, Preprocess
from eyespot.regimes.answers import Answers
from eyespot.regimes.learned import training_of
from eyespot.regimes.on_images import Images, by_content, with_auxiliary_heads
from eyespot.regimes.plans import FEW, Defaults, growing_work, scratch_defaults
from eyespot.regimes.run_training import seconds_per_step
from eyespot.runs.clock import Decisions
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions
from eyespot.zoo.catalogue import CAFFE, is_description

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


def network_for(name: str, classes: int, options: TrainOptions, *, gray: bool) -> tuple[Network, Preprocess]:
    """The network with its arguments, and how pictures come to it: values -1 to 1, at the size that it is made for
    unless another was asked for."""
    from eyespot import zoo

    if options.own:
        scores = 1 if options.output == "sigmoid" else classes
        return options.own.fitted(scores, side=options.imgsz, gray=gray)
    if is_description(name):
        return _described(name, 1 if options.output == "sigmoid" else classes, options)
    channels, height, width = zoo.input_chw(name)
    arguments: dict[str, int | float | str | bool] = {"classes": 1 if options.output == "sigmoid" else classes}
    if zoo.takes_channels(name):
        channels = 1 if gray else 3
        arguments["channels"] = channels
    if options.imgsz is not None:
        height = width = options.imgsz
    return Network(name=name, arguments=arguments), _preprocess(channels, height, width)


def _described(name: str, scores: int, options: TrainOptions) -> tuple[Network, Preprocess]:
    """The same of a network that a file describes, which says how large its images are."""
    from eyespot import zoo
    from eyespot.zoo.described import name_in_runs

    definition = zoo.definition(name)
    channels, height, width = definition.input_chw
    if channels not in (1, 3):
        raise OptionError(f"the option model cannot be {name}: it takes {channels} channels, and pictures have 1 or 3")
    if options.imgsz not in (None, height, width):
        raise OptionError(
            f"the option imgsz cannot be {options.imgsz} for {name}, which says {height} x {width}: write it there"
        )
    network = Network(name=name_in_runs(name), arguments={**definition.arguments, "classes": scores})
    return network, _preprocess(channels, height, width)


def _preprocess(channels: int, height: int, width: int) -> Preprocess:
    """Values -1 to 1."""
    return Preprocess(
        short_side=max(height, width),
        crop_hw=(height, width),
        filter="bilinear",
        color="gray" if channels == 1 else "rgb",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
        exact=max(height, width) <= 64,  # of photos only the crop is resized, which is several times faster
    )


def require_fit(network: Network, options: TrainOptions) -> None:
    """Raises OptionError, before any picture is decoded, for an option that the network's last layers rule out."""
    if options.own:
        return  # known when it was fitted to the pictures
    option = "output sigmoid" if options.output == "sigmoid" else "dropout" if options.dropout is not None else ""
    if not option and options.imgsz is None:
        return
    import torch

    from eyespot import zoo
    from eyespot.building.sizes import require_size

    with torch.device("meta"):
        net = zoo.create(network.name, **network.arguments)
    if options.imgsz is not None and not network.name.startswith(CAFFE):
        require_size(net, network.name, options.imgsz)
    if option and not ends_fully_connected(net):
        raise OptionError(
            f"the option {option} is for networks that end in a fully connected layer, and {network.name} ends in the "
            "mean of its maps: leave the option out"
        )


@dataclass(frozen=True)
class Making:
    """Trainings of one network on one data set: the one that counts, and those of the folds."""

    images: Images
    network: Network
    augmentation: Augmentation | None
    job: Job

    def examples(self, part: Part, augmentation: Augmentation | None, *, sides: Sequence[int] = ()) -> ImageExamples:
        return self.images.examples(self.images.prepared.part(part), augmentation, sides=sides)

    @property
    def count(self) -> int:
        """Pictures to train on."""
        return len(self.images.prepared.part("train"))

    @property
    def few(self) -> bool:
        """Whether there are so few that more than one thread is no gain."""
        return self.count <= FEW

    def grows(self) -> bool:
        """Whether early epochs see smaller images: of many pictures, where the network takes images of any size."""
        from eyespot import zoo
        from eyespot.building.sizes import takes_any_size

        if self.job.options.own or self.job.options.growing != "auto" or self.few:
            return False
        if self.network.name.startswith(CAFFE) or zoo.has_heads(self.network.name):
            return False
        return takes_any_size(self.net())

    def defaults(self) -> Defaults:
        """How this network trains on this many pictures, whatever the time."""
        from torch.nn.modules.batchnorm import _BatchNorm

        has_norms = any(isinstance(module, _BatchNorm) for module in self.net().modules())
        return scratch_defaults(self.count, has_norms=has_norms)

    def training(
        self, train: ImageExamples, validation: ImageExamples | None, defaults: Defaults
    ) -> tuple[Training, str]:
        """The training, and the report's words on auxiliary heads."""
        from eyespot.training.dropout import with_dropout
        from eyespot.training.less_work import pooled_first

        net = self.net() if self.job.options.own else pooled_first(self.net())
        net = with_dropout(net, self.job.options.dropout)
        outputs = int(self.network.arguments["classes"])
        whole, auxiliary = with_auxiliary_heads(net, self.network.name, outputs, self.job)
        classes = len(self.images.prepared.data_set.classes)
        whole.train()
        return training_of(
            whole, train, validation, defaults=defaults, classes=classes, job=self.job, keeps_best=False
        ), auxiliary

    def net(self) -> nn.Sequential:
        import torch

        from eyespot import zoo
        from eyespot.training.first_weights import silence_bodies

        if self.job.options.own:
            return self.job.options.own.built(int(self.network.arguments["classes"]))
        with torch.random.fork_rng():
            torch.manual_seed(self.job.options.seed)
            net = zoo.create(self.network.name, **self.network.arguments)
        silence_bodies(net)
        return net


def within_time(making: Making, train: ImageExamples, validation: ImageExamples) -> Defaults:
    """The defaults, with as many epochs as the clock allows where there is one."""
    job, defaults = making.job, making.defaults()
    if not job.clock.is_set:
        return defaults

    def fitting() -> int:
        from eyespot.training.plan import MEASURED

        seconds: float = seconds_per_step(lambda: making.training(train, None, defaults)[0], few=making.few)
        batch = int(defaults.of(job.options)["batch"])
        work = growing_work() if making.grows() else 1.0
        epoch = seconds * work * making.count / batch
        measuring = MEASURED * seconds * len(validation.labels) / batch / 3
        return math.floor((PLANNED * (job.clock.remaining - finishing_seconds(job)) - measuring) / epoch)

    epochs = Decisions(job.clock, KEY).epochs(fitting)
    if epochs < 1:
        raise OptionError(
            f"the option time leaves too little for one epoch of {making.network.name} on {making.count} "
            "pictures: give more time, or choose a smaller model"
        )
    return replace(defaults, epochs=min(epochs, MOST_EPOCHS))


def finishing_seconds(job: Job) -> float:
    """To be left on the clock when training ends."""
    return max(5.0, FINISHING * job.clock.remaining) if job.clock.is_set and math.isfinite(job.clock.remaining) else 0.0


@dataclass(frozen=True)
class Crossed:
    """What cross-validation gave: every picture was asked of a network that had not seen it."""

    answers: Answers
    likeness: Likeness
    """Of each picture to the classes, by that network."""
    folds_tear: bool
    """Whether series are so few that their pictures are in several folds."""


def out_of_fold(making: Making, parts: Sequence[Part], defaults: Defaults) -> Crossed:
    """Answers to every picture of these parts by networks that had not seen it, trained for as many epochs."""
    images, prepared, job = making.images, making.images.prepared, making.job
    pictures = by_content(prepared.part(*parts))
    labels, classes = prepared.labels(pictures), len(prepared.data_set.classes)
    group = prepared.group(pictures)
    fold = folds_of(labels, seed=job.options.seed, group=group)
    logits = np.zeros((1, len(fold), classes), np.float32)
    options = job.options.model_copy(update={"epochs": defaults.epochs, "patience": None})
    fold_making = replace(making, job=replace(job, options=options))
    held, alike = [np.flatnonzero(fold == each) for each in range(fold.max() + 1)], []
    for number, rows in enumerate(held):
        job.progress("cross-validation", number, len(held))
        others = np.flatnonzero(fold != number)
        seen = images.examples([pictures[row] for row in others], making.augmentation)
        unseen = images.examples([pictures[row] for row in rows], None)
        head, (known, new) = _trained_on(fold_making, seen, unseen, defaults)
        logits[0, rows] = head.logits(new)
        alike.append(likeness(new, class_means(known, labels[others], classes)))
    return Crossed(Answers(pictures, labels, logits), in_order(alike, held), are_torn(group, fold))


def _trained_on(
    making: Making, seen: ImageExamples, unseen: ImageExamples, defaults: Defaults
) -> tuple[Head, list[np.ndarray]]:
    """The head of a network trained on the pictures seen, and its features (N, D) of these and of the others."""
    from eyespot.training.loop import one_thread, scores

    training, _ = making.training(seen, None, defaults)
    with one_thread():
        for _ in training.run():
            pass
        before, layers = head_layers(training.averaged)
        found = [scores(before, each, device=making.job.device).numpy() for each in (seen, unseen)]
    return Head(layers, making.job.options.output), found
