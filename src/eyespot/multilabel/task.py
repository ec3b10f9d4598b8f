"""What a run of `train` does with pictures that may have several labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from eyespot.data.several_labels import LabelList
from eyespot.distributed.world import World
from eyespot.errors import OptionError
from eyespot.multilabel.fit import FittedLabels, fit_labels
from eyespot.multilabel.outputs import result_of, write_outputs
from eyespot.multilabel.prepare import PreparedLabels, prepare_labels
from eyespot.multilabel.result import MultilabelResult
from eyespot.multilabel.written import Measured, measure, write_model
from eyespot.progress import Progress
from eyespot.regimes.fitted import despite_ctrl_c
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions

Args = Mapping[str, object]
Finish = Callable[[Sequence[str], Callable[[], Args]], MultilabelResult]
"""Writes everything to disk. It takes the run's notes and what gives the content of `args.json`."""


@dataclass(frozen=True)
class Multilabel:
    """Prepared pictures with labels."""

    prepared: PreparedLabels

    @classmethod
    def of(cls, found: LabelList, data: str, options: TrainOptions, *, ranks: World, progress: Progress) -> Multilabel:
        """Raises DataError where there is nothing to learn, OptionError for options that do not fit."""
        if ranks.size > 1:
            raise OptionError(f"{data} gives pictures several labels, learned in one process: start without torchrun")
        return cls(prepare_labels(found, data, options, progress))

    @property
    def data_name(self) -> str:
        return self.prepared.data_set.name

    @property
    def fingerprint(self) -> str:
        """Changes with any picture, label or part."""
        return self.prepared.fingerprint

    def train(self, job: Job) -> Finish:
        """What measures and writes the trained model."""
        fitted = fit_labels(self.prepared, job)
        return partial(self._write, fitted, measure(fitted, job), job)

    def _write(
        self, fitted: FittedLabels, measured: Measured, job: Job, notes: Sequence[str], args: Callable[[], Args]
    ) -> MultilabelResult:
        written, stopped = despite_ctrl_c(lambda: write_model(fitted, measured, job))
        if stopped:
            raise KeyboardInterrupt
        job.progress("writing the report", 0, 1)
        result = result_of(fitted, written, job=job, notes=notes)
        write_outputs(result, fitted, written, job, args=args())
        return result
