"""A training run to its end: with progress, within the clock, and kept on disk so that a killed one goes on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.bundle.files import CHECKPOINTS
from eyespot.distributed.world import total
from eyespot.errors import MachineError
from eyespot.events import LINES, Event
from eyespot.runs.clock import Decisions, Ended, Reason
from eyespot.runs.job import Job
from eyespot.runs.kernels import KernelLog
from eyespot.training.around_steps import WholeSteps
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.training.plan import Epoch, Step, Stepwise

CHECKPOINT_SECONDS = 2.0
"""Of training before the first checkpoint, and between two: what a kill can lose, and the step it comes in."""
CHECKPOINT_SHARE = 0.02
"""Of the time, at most, goes into checkpoints after the first: those that take long come less often."""
TIMED_STEPS = 5


@dataclass(frozen=True)
class Cost:
    """What a training takes on this machine."""

    step_seconds: float
    before_seconds: float
    """For what has to be computed, or decoded, before the first step."""


def run_training(
    training: Stepwise, job: Job, *, key: str, reserve: float = 0.0, few: bool = False, record: KernelLog | None = None
) -> Reason:
    """Trains from the last checkpoint under that name, if there is one, to the end, and why it ended.

    key: names this training among those of the run.
    reserve: seconds that must be left on the clock when it ends.
    few: True for small networks on few images, which gain nothing from more than one thread.
    record: keeps kernels after every epoch, before a checkpoint says that it is over.
    KeyboardInterrupt goes through where not one epoch is over, and where several processes would not stop alike.
    """
    kept = _Kept(training, job, key)
    kept.restore(record)
    _note_on_norms(training, job)
    decisions = Decisions(job.clock, key)
    known = decisions.ended
    last = known.steps if known else training.steps
    reason: Reason = known.ended if known else "whole"
    job.progress("training", training.step, training.steps)
    try:
        with _threads(few=few), WholeSteps() as whole:
            for step in _steps(training, last):
                whole.between()
                job.progress("training", step.number, training.steps)
                _tell(step, job, key, last=last)
                if record and step.epoch:
                    record.after(step.epoch.number, is_last=step.number >= last)
                kept.save(now=False)
                if known is None and job.clock.is_up(reserve=reserve) and step.number < training.steps:
                    reason = "by the clock"
                    break
    except KeyboardInterrupt:
        if not training.epochs or job.world.size > 1:
            raise
        reason = "by the user"
        decisions.correct_end(Ended(training.step, reason))
    decisions.end(Ended(training.step, reason))
    kept.save(now=True)
    return reason


def ended_note(reason: Reason, training: Stepwise) -> list[str]:
    """A sentence on a training that did not come to its end."""
    if reason == "whole":
        return []
    who = "you" if reason == "by the user" else "the clock"
    if training.patience is not None:
        return [f"training was stopped by {who} after epoch {len(training.epochs)}; the best epoch so far is kept"]
    steps = f"{training.step} of {counted(training.steps, 'step')}"
    return [f"training was stopped by {who} after {steps}; it is judged by the weights it had then"]


def seconds_per_step(make: Callable[[], Stepwise], *, few: bool = False, steps: int = TIMED_STEPS) -> float:
    """What a step takes here and now: the median of a few after the first, of a training that is thrown away."""
    training = make()
    times: list[float] = []
    with _threads(few=few):
        before = time.perf_counter()
        for _ in training.run():
            now = time.perf_counter()
            times.append(now - before)
            before = now
            if len(times) > steps:
                break
    return statistics.median(times[1:] or times)


def epoch_row(epoch: Epoch) -> dict[str, float | int | bool]:
    """An epoch as a row of results.csv."""
    row: dict[str, float | int | bool] = {"epoch": epoch.number, "train_loss": epoch.train_loss}
    if epoch.validation_loss is not None and epoch.validation_accuracy is not None:
        row |= {"validation_loss": epoch.validation_loss, "validation_accuracy": epoch.validation_accuracy}
    return row


def _steps(training: Stepwise, last: int) -> Iterator[Step]:
    if training.step >= last:  # it was at its end when it was kept
        return
    for step in training.run():
        yield step
        if step.number >= last:
            return


def _tell(step: Step, job: Job, key: str, *, last: int) -> None:
    """Writes an event at the end of each epoch, and at some steps between, always the same ones."""
    epoch = step.epoch
    if epoch is None and step.number % max(1, last // LINES):
        return
    job.events.tell(
        Event(
            "training",
            regime=key.partition(" ")[0],
            step=step.number,
            epoch=epoch.number if epoch else None,
            loss=epoch.train_loss if epoch else step.loss,
            validation_loss=epoch.validation_loss if epoch else None,
            accuracy=epoch.validation_accuracy if epoch else None,
        )
    )


def _note_on_norms(training: Stepwise, job: Job) -> None:
    """Says what several processes do otherwise than one."""
    from torch.nn.modules.batchnorm import _BatchNorm

    note = (
        f"each of the {job.world.size} processes normalised its own share of a batch in the BatchNorms that trained, "
        "so the network is not quite the one that a single process would give"
    )
    trains = any(isinstance(module, _BatchNorm) and module.training for module in training.net.modules())
    if job.world.size > 1 and trains and note not in training.notes:
        training.notes.append(note)


@contextmanager
def _threads(*, few: bool) -> Iterator[None]:
    """Within it steps run as fast as this machine lets them."""
    from eyespot.training.around_steps import freed_memory_stays
    from eyespot.training.loop import one_thread

    with freed_memory_stays(), one_thread() if few else nullcontext():
        yield


class _Kept:
    """The checkpoints of one training, which only the writer writes."""

    def __init__(self, training: Stepwise, job: Job, key: str) -> None:
        self._training, self._job, self._key = training, job, key
        self._saved_step, self._saved_at = training.step, time.perf_counter()
        self._cost: float | None = None
        """Seconds that the last one took; None where there is none."""

    def restore(self, record: KernelLog | None) -> None:
        """Goes on from the newest whole checkpoint; those that are torn are named in the notes.

        record: goes on from there, too.
        """
        from eyespot.training import checkpoint

        if self._job.folder.path is not None:
            loaded = checkpoint.load(self._folder())
            if loaded.state is not None:
                self._training.restore(loaded.state)
                self._saved_step, self._cost = self._training.step, 0.0
            instead = f"training went on from step {self._training.step}"
            self._training.notes += [f"the checkpoint {each}: {instead}" for each in loaded.skipped]
        self._require_alike()
        if record:
            record.begin(len(self._training.epochs), is_new=self._training.step == 0)

    def save(self, *, now: bool) -> None:
        """Keeps the state where enough time has passed; `now`: the last one, where there are earlier ones."""
        if not self._job.world.is_writer:
            return
        since = time.perf_counter() - self._saved_at
        if since < max(CHECKPOINT_SECONDS, (self._cost or 0.0) / CHECKPOINT_SHARE) and not (
            now and self._cost is not None
        ):
            return
        # Running statistics are those of all processes at the moments at which a state is kept, and at the end.
        state = self._training.state() if now or self._job.world.size == 1 else self._training.good
        if state["step"] == self._saved_step:
            return
        from eyespot.training import checkpoint

        began = time.perf_counter()
        checkpoint.save(self._folder(), state)
        self._job.clock.write_down()  # with the seconds spent so far
        self._saved_step, self._saved_at = state["step"], time.perf_counter()
        self._cost = self._saved_at - began

    def _require_alike(self) -> None:
        """Raises MachineError where the processes are not at the same step: they would wait for each other for ever."""
        world, step = self._job.world, self._training.step
        if total(step, world) != step * world.size:
            raise MachineError(
                f"the processes do not see the same checkpoints in {self._job.folder.path}: put runs on a disk that "
                "all machines share, or resume with processes of one machine"
            )

    def _folder(self) -> Path:
        assert self._job.folder.path is not None
        return self._job.folder.path / CHECKPOINTS / self._key.replace(" ", "-").replace(".", "-")
