"""From scratch: any network of the catalogue, from random weights. Once trained it is a trunk with a head."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from eyespot.errors import MissingExtra, OptionError
from eyespot.recipes.answers import Answers, on_val
from eyespot.recipes.job import Job
from eyespot.recipes.on_images import Images, augmentation_for, by_content, decoded, with_auxiliary_heads
from eyespot.recipes.options import TrainOptions
from eyespot.recipes.plans import FEW, Defaults, growing_sides, growing_work, in_words, plan_for, scratch_defaults
from eyespot.recipes.prepare import Prepared, notes_on_trained
from eyespot.recipes.regime import Fitted, Temperature, despite_ctrl_c, stopped_note
from eyespot.recipes.running import ended_note, epoch_row, run_training, seconds_per_step
from eyespot.recipes.trained import as_trunk, ends_fully_connected
from eyespot.records import Network, Part, Preprocess
from eyespot.training.augmentation import Augmentation, describe
from eyespot.training.fit import folds_of

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.examples import ImageExamples
    from eyespot.training.loop import Training

MOST_EPOCHS = 200
"""Beyond, more time is no use."""
MEASURED = 5
"""Times that the validation pictures are answered on the way."""
PLANNED = 0.95
"""Share of the time left that training is planned for: a step does not take the same time all along."""
FINISHING = 0.1
"""Share of the time that is left for converting, measuring and writing the network, and at least 5 seconds."""


def fit_scratch(prepared: Prepared, name: str, job: Job, *, gray: bool, small_test: bool) -> Fitted:
    """The network of that name, trained on the train part; the val part says when to stop.

    gray: all pictures are grey.
    small_test: the test part is too small to measure on; cross-validation comes instead.
    """
    _require_torch()
    options = job.options
    network, preprocess = _network(name, len(prepared.data_set.classes), options, gray=gray)
    preprocess = preprocess.model_copy(update={"levels": prepared.levels})
    _require_fit(network, options)
    parts: tuple[Part, ...] = ("train", "val", "test") if small_test and not prepared.was_split else ("train", "val")
    images, prepared = decoded(prepared, parts, preprocess, job)
    notes = notes_on_trained(prepared, prepared.part("train"))
    augmentation = augmentation_for(job, prepared, preprocess)
    making = _Making(images, prepared, network, augmentation, job)
    train, validation = making.examples("train", augmentation), making.examples("val", None)
    few = len(train.labels) <= FEW
    defaults = _within_time(making, train, validation, job, few=few)
    sides = making.sides(defaults) if making.grows(len(train.labels)) else ()
    train = making.examples("train", augmentation, sides=sides)
    training, auxiliary = making.training(train, validation, defaults)
    ended = run_training(training, job, key="scratch", reserve=_finishing(job), few=few)
    notes += [*training.notes, *ended_note(ended, training)]
    if ended == "by the user" and small_test:
        notes[-1] += "; cross-validation was left out, so the figures are incomplete"
    best = max((epoch.number for epoch in training.epochs if epoch.best), default=None)
    if best is None:
        raise OptionError(
            "training came to no end of an epoch with a finite loss: lower the learning rate "
            f"(lr {training.plan.lr:g}), or give more time"
        )
    (trunk, head), hurried = despite_ctrl_c(
        lambda: as_trunk(
            training.averaged,
            network,
            preprocess,
            precision=job.precision,
            cache_folder=job.cache_folder,
            output=options.output,
        )
    )
    if hurried and small_test:
        notes.append(stopped_note("the conversion of the network"))
    out_of_fold = None
    if small_test and ended == "whole" and not hurried and not job.clock.is_set:
        try:
            out_of_fold = _out_of_fold(making, parts, replace(defaults, epochs=best, patience=None), few=few)
        except KeyboardInterrupt:
            notes.append(stopped_note("cross-validation"))
    answers, source, computed = out_of_fold, "answers to pictures by networks that had not seen them", 0
    if answers is None:
        found, _ = despite_ctrl_c(lambda: on_val(prepared, trunk, head))
        prepared, answers, computed = found.prepared, found.answers, found.computed
        source = "answers to the validation pictures" if answers else "nothing: there are no validation pictures"
    return Fitted(
        regime="scratch",
        prepared=prepared,
        trunk=trunk,
        head=head,
        held_out=("val", "test") if prepared.was_split or not out_of_fold else (),
        small_test=small_test,
        temperature=Temperature.fitted_on(answers, source),
        trained_on=len(train.labels),
        mirror=augmentation is not None and augmentation.mirror,
        l2=None,
        out_of_fold=out_of_fold,
        table=tuple(epoch_row(epoch) | {"best": epoch.best} for epoch in training.epochs),
        how=(
            ("What was trained", f"all of {name}, from random weights{auxiliary}"),
            *in_words(training.plan),
            ("Epochs", f"{len(training.epochs)}; {_kept(best, training)}"),
            ("Augmentation", describe(augmentation) if augmentation else "none"),
            *([("Growing images", f"{_listed(sides)} pixels in the first epochs")] if sides else []),
        ),
        views_computed=computed,
        notes=notes,
    )


@dataclass(frozen=True)
class _Making:
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
        from eyespot.recipes.sizes import takes_any_size

        has_heads = bool(self._heads())
        return self.job.options.growing == "auto" and count > FEW and takes_any_size(self._net()) and not has_heads

    def sides(self, defaults: Defaults) -> tuple[int, ...]:
        """Of the images in early epochs, pixels."""
        return growing_sides(int(defaults.of(self.job.options)["epochs"]), min(self.images.preprocess.crop_hw))

    def _heads(self) -> str:
        from eyespot import zoo

        return zoo.definition(self.network.name).heads

    def defaults(self, count: int) -> Defaults:
        """How this network trains on so many pictures."""
        return scratch_defaults(count, has_norms=_has_norms(self._net()))

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
        net = pooled_first(self._net())
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

    def _net(self) -> nn.Sequential:
        import torch

        from eyespot import zoo
        from eyespot.training.first_weights import silence_bodies

        with torch.random.fork_rng():
            torch.manual_seed(self.job.options.seed)
            net = zoo.create(self.network.name, **self.network.arguments)
        silence_bodies(net)
        return net


def _network(name: str, classes: int, options: TrainOptions, *, gray: bool) -> tuple[Network, Preprocess]:
    """The network with its arguments, and how pictures come to it: values -1 to 1, at the size that it is made for
    unless another was asked for."""
    from eyespot import zoo

    definition = zoo.definition(name)
    channels, height, width = definition.input_chw
    takes = inspect.signature(zoo.imported(definition.function)).parameters
    arguments: dict[str, int | float | str | bool] = {"classes": 1 if options.output == "sigmoid" else classes}
    if "channels" in takes and "channels" not in definition.arguments:
        channels = 1 if gray else 3
        arguments["channels"] = channels
    if options.imgsz is not None:
        height = width = options.imgsz
    return Network(name=name, arguments=arguments), Preprocess(
        short_side=max(height, width),
        crop_hw=(height, width),
        filter="bilinear",
        color="gray" if channels == 1 else "rgb",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
        exact=max(height, width) <= 64,  # of photos only the crop is resized, which is several times faster
    )


def _require_fit(network: Network, options: TrainOptions) -> None:
    """Raises OptionError, before any picture is decoded, for an option that the network's last layers rule out."""
    option = "output sigmoid" if options.output == "sigmoid" else "dropout" if options.dropout is not None else ""
    if not option and options.imgsz is None:
        return
    import torch

    from eyespot import zoo
    from eyespot.recipes.sizes import require_size

    with torch.device("meta"):
        net = zoo.create(network.name, **network.arguments)
    if options.imgsz is not None:
        require_size(net, network.name, options.imgsz)
    if option and not ends_fully_connected(net):
        raise OptionError(
            f"the option {option} is for networks that end in a fully connected layer, and {network.name} ends in the "
            "mean of its maps: leave the option out"
        )


def _within_time(making: _Making, train: ImageExamples, validation: ImageExamples, job: Job, *, few: bool) -> Defaults:
    """The defaults, with as many epochs as the clock allows where there is one."""
    defaults = making.defaults(len(train.labels))
    if not job.clock.is_set:
        return defaults

    def fitting() -> int:
        seconds: float = seconds_per_step(lambda: making.training(train, None, defaults)[0], few=few)
        batch = int(defaults.of(job.options)["batch"])
        work = growing_work() if making.grows(len(train.labels)) else 1.0
        epoch = seconds * work * len(train.labels) / batch
        measuring = MEASURED * seconds * len(validation.labels) / batch / 3
        return math.floor((PLANNED * (job.clock.remaining - _finishing(job)) - measuring) / epoch)

    epochs = job.clock.decide("scratch: epochs", fitting)
    if epochs < 1:
        raise OptionError(
            f"the option time leaves too little for one epoch of {making.network.name} on {len(train.labels)} "
            "pictures: give more time, or choose a smaller model"
        )
    return replace(defaults, epochs=min(epochs, MOST_EPOCHS))


def _listed(sides: tuple[int, ...]) -> str:
    """The sides in order, each once, with how many epochs have it: "16 (4), 20 (7)"."""
    return ", ".join(f"{side} ({sides.count(side)})" for side in dict.fromkeys(sides))


def _finishing(job: Job) -> float:
    return max(5.0, FINISHING * job.clock.remaining) if job.clock.is_set and math.isfinite(job.clock.remaining) else 0.0


def _out_of_fold(making: _Making, parts: Sequence[Part], defaults: Defaults, *, few: bool) -> Answers:
    """Answers to every picture of these parts by networks that had not seen it, trained for as many epochs."""
    from eyespot.training.loop import one_thread, scores

    prepared, job = making.prepared, making.job
    pictures = by_content(prepared.part(*parts))
    labels = prepared.labels(pictures)
    fold = folds_of(labels, seed=job.options.seed)
    logits = np.zeros((1, len(fold), len(prepared.data_set.classes)), np.float32)
    options = job.options.model_copy(update={"epochs": defaults.epochs, "patience": None})
    fold_making = _Making(making.images, prepared, making.network, making.augmentation, replace(job, options=options))
    for held_out in range(fold.max() + 1):
        job.progress("cross-validation", held_out, int(fold.max()) + 1)
        seen, unseen = (
            making.images.examples(
                prepared, [pictures[row] for row in rows], augmentation=augmentation, seed=job.options.seed
            )
            for rows, augmentation in (
                (np.flatnonzero(fold != held_out), making.augmentation),
                (np.flatnonzero(fold == held_out), None),
            )
        )
        training, _ = fold_making.training(seen, None, defaults)
        with one_thread():
            for _ in training.run():
                pass
            logits[0, fold == held_out] = _two_columns(scores(training.averaged, unseen, device=job.device).numpy())
    return Answers(pictures, labels, logits)


def _two_columns(scores: np.ndarray) -> np.ndarray:
    """A sigmoid's one score z as (0, z), whose softmax is (1 - p, p)."""
    return np.concatenate([np.zeros_like(scores), scores], axis=1) if scores.shape[1] == 1 else scores


def _has_norms(net: nn.Module) -> bool:
    from torch.nn.modules.batchnorm import _BatchNorm

    return any(isinstance(module, _BatchNorm) for module in net.modules())


def _kept(best: int, training: Training) -> str:
    if training.plan.patience is None:
        return "the last is kept"
    if training.epochs[-1].validation_loss is None:
        return "the last is kept, since no validation pictures say which is best"
    return f"number {best} had the lowest validation loss and is kept"


def _require_torch() -> None:
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtra("training from scratch", extra="train") from None
