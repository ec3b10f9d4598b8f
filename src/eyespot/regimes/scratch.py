"""From scratch: any network of the catalogue, from random weights. Once trained it is a trunk with a head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from eyespot.augmenting.augmentation import describe
from eyespot.building.create import require_torch
from eyespot.errors import OptionError
from eyespot.records import Part
from eyespot.regimes.answers import Asked, on_val
from eyespot.regimes.findings import Findings
from eyespot.regimes.fitted import ClassMeans, Fitted, despite_ctrl_c, stopped_note
from eyespot.regimes.kept_kernels import kernel_record
from eyespot.regimes.learned import Learned, Lesson, learned, means_of, tell_validation
from eyespot.regimes.on_images import augmentation_for, decoded
from eyespot.regimes.plans import Defaults, growing_sides
from eyespot.regimes.prepare import Prepared, notes_on_trained
from eyespot.regimes.run_training import run_training
from eyespot.regimes.scratch_training import (
    KEY,
    Crossed,
    Making,
    finishing_seconds,
    network_for,
    out_of_fold,
    require_fit,
    within_time,
)
from eyespot.runs.job import Job

if TYPE_CHECKING:
    from eyespot.training.loop import Training


def fit_scratch(prepared: Prepared, name: str, job: Job, *, gray: bool, small_test: bool) -> Fitted:
    """The network of that name, trained on the train part; the val part says when to stop.

    gray: all pictures are grey.
    small_test: the test part is too small to measure on; cross-validation comes instead.
    """
    require_torch("training from scratch")
    network, preprocess = network_for(name, len(prepared.data_set.classes), job.options, gray=gray)
    preprocess = preprocess.model_copy(update={"levels": prepared.levels})
    require_fit(network, job.options)
    parts: tuple[Part, ...] = ("train", "val", "test") if small_test and not prepared.was_split else ("train", "val")
    images = decoded(prepared, parts, preprocess, job)
    prepared = images.prepared
    making = Making(images, network, augmentation_for(job, prepared, preprocess), job)
    begun = _begun(making)
    tell_validation(begun.lesson, job)
    record = kernel_record(begun.training, job)
    ended = run_training(begun.training, job, key=KEY, reserve=finishing_seconds(job), few=making.few, record=record)
    best = _best_epoch(begun.training)
    found = learned(begun.lesson, begun.training, ended, job, net=lambda: begun.training.averaged)
    as_long = replace(begun.defaults, epochs=best, patience=None)
    crossed, notes = _crossed(making, found, parts, as_long) if small_test else (None, [])
    judged = _judged(prepared, found, crossed)
    model = found.model(
        judged.asked,
        means=judged.means,
        source=judged.source,
        epochs=f"; {_kept(best, begun.training)}",
        column=lambda epoch: {"best": epoch.best},
    )
    if ended == "by the user" and small_test:
        model.notes[-1] += "; cross-validation was left out, so the figures are incomplete"
    return replace(
        model,
        held_out=("val", "test") if prepared.was_split or not crossed else (),
        small_test=small_test,
        out_of_fold=crossed.answers if crossed else None,
        notes=[*model.notes, *notes],
        findings=Findings(folds_tear=crossed is not None and crossed.folds_tear),
    )


@dataclass(frozen=True)
class _Begun:
    """The training that counts, about to begin."""

    lesson: Lesson
    training: Training
    defaults: Defaults


def _begun(making: Making) -> _Begun:
    prepared, augmentation, job = making.images.prepared, making.augmentation, making.job
    notes = notes_on_trained(prepared, prepared.part("train"))
    train, validation = making.examples("train", augmentation), making.examples("val", None)
    defaults = within_time(making, train, validation)
    epochs, side = int(defaults.of(job.options)["epochs"]), min(making.images.preprocess.crop_hw)
    sides = growing_sides(epochs, side) if making.grows() else ()
    listed = ", ".join(f"{side} ({sides.count(side)})" for side in dict.fromkeys(sides))  # each with its epochs
    train = making.examples("train", augmentation, sides=sides)
    training, auxiliary = making.training(train, validation, defaults)
    whose = "its own" if job.options.own else "random"
    lesson = Lesson(
        regime="scratch",
        what=f"all of {making.network.name}, from {whose} weights{auxiliary}",
        network=making.network,
        preprocess=making.images.preprocess,
        prepared=prepared,
        trained_on=making.count,
        mirror=augmentation is not None and augmentation.mirror,
        how=(
            ("Augmentation", describe(augmentation) if augmentation else "none"),
            *([("Growing images", f"{listed} pixels in the first epochs")] if sides else []),
        ),
        notes=notes,
    )
    return _Begun(lesson, training, defaults)


def _best_epoch(training: Training) -> int:
    """The number of the epoch that is kept. Raises OptionError where there is none."""
    best = max((epoch.number for epoch in training.epochs if epoch.best), default=None)
    if best is None:
        raise OptionError(
            "training came to no end of an epoch with a finite loss: lower the learning rate "
            f"(lr {training.plan.lr:g}), or give more time"
        )
    return best


@dataclass(frozen=True)
class _Judged:
    """The answers by which a network is judged, the means of its classes, and where the answers come from."""

    asked: Asked
    means: ClassMeans
    source: str


def _judged(prepared: Prepared, found: Learned, crossed: Crossed | None) -> _Judged:
    """By cross-validation where there was one, else by the validation pictures."""
    values, _ = despite_ctrl_c(lambda: means_of(found.trunk, prepared))
    if crossed:
        source = "answers to pictures by networks that had not seen them"
        means = ClassMeans(values, crossed.likeness, crossed.answers.labels, "pictures that a network had not seen")
        return _Judged(Asked(prepared, crossed.answers, 0, []), means, source)
    asked, _ = despite_ctrl_c(lambda: on_val(prepared, found.trunk, found.head))
    source = "answers to the validation pictures" if asked.answers else "nothing: there are no validation pictures"
    return _Judged(asked, ClassMeans.judged_on(values, asked.answers, "validation pictures"), source)


def _crossed(
    making: Making, found: Learned, parts: Sequence[Part], defaults: Defaults
) -> tuple[Crossed | None, list[str]]:
    """What cross-validation gave, and notes on it; None where there was no time for it, or it was stopped."""
    if found.was_interrupted:
        return None, [stopped_note("the conversion of the network")]
    if found.ended != "whole" or making.job.clock.is_set:
        return None, []
    try:
        return out_of_fold(making, parts, defaults), []
    except KeyboardInterrupt:
        return None, [stopped_note("cross-validation")]


def _kept(best: int, training: Training) -> str:
    if training.plan.patience is None:
        return "the last is kept"
    if training.epochs[-1].validation_loss is None:
        return "the last is kept, since no validation pictures say which is best"
    return f"number {best} had the lowest validation loss and is kept"
