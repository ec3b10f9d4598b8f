"""What every training of a network ends with: the network in the engine, asked, and as a model with its story."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eyespot.building.surgery import as_trunk
from eyespot.features.trunk import Trunk
from eyespot.heads.head import Head, Output
from eyespot.records import Network, Preprocess
from eyespot.regimes.answers import Asked
from eyespot.regimes.fitted import Fitted, Temperature, despite_ctrl_c
from eyespot.regimes.plans import in_words
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.run_training import ended_note, epoch_row
from eyespot.runs.clock import Reason
from eyespot.runs.job import Job
from eyespot.runs.options import Regime

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.loop import Training
    from eyespot.training.plan import Epoch


@dataclass(frozen=True)
class Lesson:
    """What a network is trained on, and what of that goes into its model and the report."""

    regime: Regime
    what: str
    """What is trained, in words."""
    network: Network
    preprocess: Preprocess
    output: Output
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

    def model(self, asked: Asked, *, source: str, epochs: str, column: Callable[[Epoch], dict[str, bool]]) -> Fitted:
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
            trained_on=lesson.trained_on,
            mirror=lesson.mirror,
            l2=None,
            out_of_fold=None,
            table=tuple(epoch_row(epoch) | column(epoch) for epoch in training.epochs),
            how=(
                ("What was trained", lesson.what),
                *in_words(training.plan),
                ("Epochs", f"{len(training.epochs)}{epochs}"),
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
            output=lesson.output,
        )
    )
    return Learned(lesson, training, ended, trunk, head, was_interrupted)
