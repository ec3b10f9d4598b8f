"""What the partial and the full regime share: a network that begins with published weights and a solved head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from eyespot.features.trunk import Trunk
from eyespot.recipes.answers import on_val
from eyespot.recipes.job import Job
from eyespot.recipes.plans import in_words
from eyespot.recipes.prepare import Prepared
from eyespot.recipes.regime import Fitted, Temperature, despite_ctrl_c
from eyespot.recipes.running import ended_note, epoch_row, run_training
from eyespot.recipes.trained import as_trunk
from eyespot.records import Network
from eyespot.training.head import Head

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.loop import Training


@dataclass(frozen=True)
class Tuning:
    """A training that is about to begin, with all that it reads in memory."""

    regime: Literal["partial", "full"]
    key: str
    """Names it among the trainings of the run: "partial stage5", "full"."""
    what: str
    """What is trained, in words."""
    make: Callable[[], Training]
    whole: Callable[[nn.Sequential], nn.Sequential]
    """From the part that trained to the whole network."""
    network: Network
    prepared: Prepared
    """Without pictures that cannot be read."""
    trained_on: int
    views_computed: int
    mirror: bool
    how: tuple[tuple[str, str], ...]
    """Lines of the report, beside those on steps and epochs."""
    notes: list[str]


def tune(frozen: Fitted, tuning: Tuning, job: Job, *, reserve: float = 0.0) -> Fitted:
    """The model after this training. Ctrl-C before its first epoch is over gives the frozen one back.

    frozen: fitted on the train part alone. It is for `tried` to say whether this one is better.
    reserve: seconds that must be left on the clock when training ends.
    """
    try:
        training = tuning.make()
        ended = run_training(training, job, key=tuning.key, reserve=reserve)
    except KeyboardInterrupt:
        if job.world.size > 1:  # processes that do not stop alike would wait for each other
            raise
        return with_note(frozen, f"stopped by you before one epoch of training {tuning.what} was over: all is frozen")
    output = frozen.head.output

    def converted() -> tuple[Trunk, Head]:
        return as_trunk(
            tuning.whole(training.averaged),
            tuning.network,
            frozen.trunk.preprocess,
            precision=job.precision,
            cache_folder=job.cache_folder,
            output=output,
        )

    (trunk, head), _ = despite_ctrl_c(converted)
    found, _ = despite_ctrl_c(lambda: on_val(tuning.prepared, trunk, head))
    source = "answers to the validation pictures" if found.answers else "nothing: there are none"
    return replace(
        frozen,
        regime=tuning.regime,
        prepared=found.prepared,
        trunk=trunk,
        head=head,
        held_out=("val", "test"),
        temperature=Temperature.fitted_on(found.answers, source),
        trained_on=tuning.trained_on,
        mirror=tuning.mirror,
        out_of_fold=None,
        table=tuple(epoch_row(epoch) | {"kept": epoch.number == training.kept} for epoch in training.epochs),
        how=(
            ("What was trained", tuning.what),
            *in_words(training.plan),
            ("Epochs", f"{len(training.epochs)}, {_kept(training)}{_averaged(training)}"),
            *tuning.how,
        ),
        views_computed=frozen.views_computed + tuning.views_computed + found.computed,
        notes=[*frozen.notes, *tuning.notes, *training.notes, *ended_note(ended, training)],
    )


def with_note(fitted: Fitted, note: str) -> Fitted:
    return replace(fitted, notes=[*fitted.notes, note])


def _kept(training: Training) -> str:
    if training.kept is None:
        return "the weights when it was stopped are kept"
    if training.kept == len(training.epochs):
        return "the last is kept"
    return f"number {training.kept} had the lowest validation loss and is kept"


def _averaged(training: Training) -> str:
    return ", with weights averaged over the steps" if training.plan.average else ""
