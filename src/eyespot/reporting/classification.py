"""What a run of `train` does with pictures that have one class each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eyespot.data.data_set import DataSet
from eyespot.distributed.world import World
from eyespot.progress import Progress
from eyespot.regimes.choice import Choice, choose
from eyespot.regimes.fitted import Fitted, despite_ctrl_c
from eyespot.regimes.fitting import fit
from eyespot.regimes.prepare import Prepared, prepare, with_levels
from eyespot.regimes.series import with_named
from eyespot.reporting.measure import Measurements, measure
from eyespot.reporting.outputs import write_outputs
from eyespot.reporting.regression import Before, run_before
from eyespot.reporting.result import TrainResult, result_of
from eyespot.reporting.written_model import keeping, write_model
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions

Args = Mapping[str, object]
Finish = Callable[[Sequence[str], Callable[[], Args]], TrainResult]
"""Writes everything to disk. It takes the run's notes and what gives the content of `args.json`."""


@dataclass(frozen=True)
class Classification:
    """Prepared pictures, and how they will be learned."""

    prepared: Prepared
    choice: Choice
    before: Before | None = None
    """The run that it is compared with, where one was given."""

    @classmethod
    def of(
        cls, data: str | Path | DataSet, options: TrainOptions, *, ranks: World, progress: Progress
    ) -> Classification:
        """Raises DataError where there is nothing to tell apart, or where the run to compare with is damaged,
        OptionError for options that do not fit."""
        before = run_before(options.parts_of) if options.parts_of else None
        found = prepare(data, seed=options.seed, progress=progress, how=options.read_as, changes=options.changes)
        prepared = with_named(with_levels(found, ranks), options.group)
        return cls(prepared, choose(prepared, options), before)

    @property
    def data_name(self) -> str:
        return self.prepared.data_set.name

    @property
    def fingerprint(self) -> str:
        """Changes with any picture, class or part."""
        return self.prepared.fingerprint

    def train(self, job: Job) -> Finish | None:
        """What writes the trained and measured model; None on ranks that do not write, which are done then."""
        fitted = fit(self.prepared, self.choice, job, keep=keeping(job), stand=keeping(job, briefly=True))
        if not job.world.is_writer:
            return None
        return partial(self._write, fitted, measure(fitted, store=job.store, progress=job.progress), job)

    def _write(
        self, fitted: Fitted, measured: Measurements, job: Job, notes: Sequence[str], args: Callable[[], Args]
    ) -> TrainResult:
        manifest, stopped = despite_ctrl_c(lambda: write_model(fitted, measured, job))
        if stopped:
            raise KeyboardInterrupt
        job.progress("writing the report", 0, 1)
        result = result_of(
            fitted, measured, choice=self.choice, before=self.before, job=job, data=str(args()["data"]), notes=notes
        )
        folder = job.folder.path
        assert folder is not None
        write_outputs(folder, result, fitted, measured, manifest=manifest, args=args())
        return result
