"""What trainings of a network share: how one goes on from published weights and a solved head, and what each ends with.

It ends with the network in the engine, asked, and as a model with its story.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from eyespot.building.surgery import as_trunk
from eyespot.data.copies import Hashed
from eyespot.data.groups import effective_count
from eyespot.data.store import Store
from eyespot.evaluate.likeness import class_means
from eyespot.events import Event
from eyespot.features.embed import embed
from eyespot.features.trunk import Trunk
from eyespot.heads.head import Head
from eyespot.records import Network, Preprocess
from eyespot.regimes.answers import Asked, on_val
from eyespot.regimes.fitted import ClassMeans, Fitted, Temperature, despite_ctrl_c
from eyespot.regimes.plans import Defaults, in_words, plan_for
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.run_training import Cost, ended_note, epoch_row, run_training
from eyespot.runs.clock import Reason
from eyespot.runs.job import Job
from eyespot.runs.options import Regime

if TYPE_CHECKING:
    from torch import nn

    from eyespot.blocks import WithHeads
    from eyespot.training.loop import Training
    from eyespot.training.plan import Epoch, Examples


FOR_A_MEAN = 40
"""Pictures of a class, at most, that its mean is made of: the chance in which ones is a fortieth of their variance."""


@dataclass(frozen=True)
class Lesson:
    """What a network is trained on, and what of that goes into its model and the report."""

    regime: Regime
    what: str
    """What is trained, in words."""
    network: Network
    preprocess: Preprocess
    prepared: Prepared
    """Without pictures that cannot be read."""
    trained_on: int
    """Pictures."""
    mirror: bool
    """Whether their mirror images are trained on, too."""
    how: tuple[tuple[str, str], ...]
    """Lines of the report, besides those on steps and epochs."""
    views_computed: int = 0
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Learned:
    """A training that has ended, with its network in the engine."""

    lesson: Lesson
    training: Training
    ended: Reason
    trunk: Trunk
    head: Head
    was_interrupted: bool
    """True where Ctrl-C came while the network was converted."""

    def model(
        self, asked: Asked, *, means: ClassMeans, source: str, epochs: str, column: Callable[[Epoch], dict[str, bool]]
    ) -> Fitted:
        """asked: what came of asking it, or of cross-validation in its place; its temperature is fitted on that.

        source: where those answers come from, in words. epochs: which of them are kept, in words.
        column: what results.csv says of an epoch besides its figures.
        """
        lesson, training = self.lesson, self.training
        return Fitted(
            regime=lesson.regime,
            prepared=asked.prepared,
            trunk=self.trunk,
            head=self.head,
            held_out=("val", "test"),
            small_test=False,
            temperature=Temperature.fitted_on(asked.answers, source),
            means=means,
            trained_on=lesson.trained_on,
            mirror=lesson.mirror,
            l2=None,
            out_of_fold=None,
            table=tuple(epoch_row(epoch) | column(epoch) for epoch in training.epochs),
            how=(
                ("What was trained", lesson.what),
                *in_words(training.plan),
                ("Epochs", f"{min(len(training.epochs), training.plan.epochs):g}{epochs}"),
                *lesson.how,
            ),
            views_computed=lesson.views_computed + asked.computed,
            notes=[*lesson.notes, *training.notes, *ended_note(self.ended, training)],
        )


def learned(
    lesson: Lesson, training: Training, ended: Reason, job: Job, *, net: Callable[[], nn.Sequential]
) -> Learned:
    """The training's network in the engine, also where Ctrl-C comes meanwhile. net: gives it, whole."""
    (trunk, head), was_interrupted = despite_ctrl_c(
        lambda: as_trunk(
            net(),
            lesson.network,
            lesson.preprocess,
            precision=job.precision,
            cache_folder=job.cache_folder,
            output=job.options.output,
        )
    )
    return Learned(lesson, training, ended, trunk, head, was_interrupted)


@dataclass(frozen=True)
class Tuning:
    """A training that is about to begin, with all that it reads in memory."""

    key: str
    """Names it among the trainings of the run: "partial stage5", "full"."""
    lesson: Lesson
    make: Callable[[], Training]
    whole: Callable[[nn.Sequential], nn.Sequential]
    """From the part that trained to the whole network."""


@dataclass(frozen=True)
class Attempt:
    """A training that may be tried."""

    key: str
    """As the tuning's."""
    defaults: Defaults
    cost: Callable[[], Cost]
    """Measures what it would take."""
    prepare: Callable[[Defaults], Tuning]


def training_of(
    net: nn.Sequential | WithHeads,
    examples: Examples,
    validation: Examples | None,
    *,
    defaults: Defaults,
    classes: int,
    job: Job,
    keeps_best: bool = True,
) -> Training:
    """The training of a network, about to begin.

    validation: None, or without any, where there are no validation pictures. keeps_best: as `plan_for` has it.
    """
    from eyespot.training.loop import Training

    plan = plan_for(job.options, defaults, examples.labels.numpy(), classes=classes, keeps_best=keeps_best)
    if validation is not None and not len(validation.labels):
        validation = None
    return Training(net, examples, validation, plan, seed=job.options.seed, device=job.device, world=job.world)


def tell_validation(lesson: Lesson, job: Job) -> None:
    """Writes down how many pictures the accuracies of a training are measured on, before the first of them."""
    pictures = lesson.prepared.part("val")
    group = lesson.prepared.group(pictures)
    worth = None if group is None else effective_count(group)
    if pictures:
        job.events.tell(Event("validation pictures", regime=lesson.regime, n=len(pictures), worth=worth))


def tune(frozen: Fitted, tuning: Tuning, job: Job, *, reserve: float = 0.0) -> Fitted:
    """The model after this training. Ctrl-C before its first epoch is over gives the frozen one back.

    frozen: fitted only on the train part. It is for `weigh` to say whether this one is better.
    reserve: seconds that must be left on the clock when training ends.
    """
    lesson = tuning.lesson
    try:
        training = tuning.make()
        tell_validation(lesson, job)
        ended = run_training(training, job, key=tuning.key, reserve=reserve)
    except KeyboardInterrupt:
        if job.world.size > 1:  # processes that do not stop alike would wait for each other
            raise
        return with_note(frozen, f"stopped by you before one epoch of training {lesson.what} was over: all is frozen")
    found = learned(lesson, training, ended, job, net=lambda: tuning.whole(training.averaged))
    asked, _ = despite_ctrl_c(lambda: on_val(lesson.prepared, found.trunk, found.head, store=job.store))
    means, _ = despite_ctrl_c(lambda: means_of(found.trunk, lesson.prepared, store=job.store))
    averaged = ", with weights averaged over the steps" if training.plan.average else ""
    model = found.model(
        asked,
        means=ClassMeans.judged_on(means, asked.answers, "validation pictures"),
        source="answers to the validation pictures" if asked.answers else "nothing: there are none",
        epochs=f", {_kept(training)}{averaged}",
        column=lambda epoch: {"kept": epoch.number == training.kept},
    )
    return replace(
        model,
        small_test=frozen.small_test,
        l2=frozen.l2,
        as_found=frozen.as_found and replace(frozen.as_found, frozen=frozen),
        findings=frozen.findings,
        views_computed=frozen.views_computed + model.views_computed,
        notes=[*frozen.notes, *model.notes],
    )


def pictures_for_means(prepared: Prepared) -> list[Hashed]:
    """Those of the train part that the means of the classes are made of, where the network was trained on them."""
    of_class: dict[str, list[Hashed]] = defaultdict(list)
    for each in sorted(prepared.part("train"), key=lambda each: each.content):
        of_class[str(each.picture.label)].append(each)
    return [each for members in of_class.values() for each in members[:FOR_A_MEAN]]


def means_of(trunk: Trunk, prepared: Prepared, *, store: Store | None = None) -> np.ndarray:
    """The means (classes, D) of what a trained network makes of the pictures of each class."""
    embedded = embed(trunk, pictures_for_means(prepared), store=store)
    labels = prepared.labels(embedded.pictures)
    return class_means(embedded.features["identity"], labels, len(prepared.data_set.classes))


def with_note(fitted: Fitted, note: str) -> Fitted:
    return replace(fitted, notes=[*fitted.notes, note])


def _kept(training: Training) -> str:
    if training.kept is None:
        return "the weights when it was stopped are kept"
    if training.kept == len(training.epochs):
        return "the last is kept"
    return f"number {training.kept} had the lowest validation loss and is kept"
