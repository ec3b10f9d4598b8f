"""What a run of `train` does with pictures that have boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eyespot.data.data_set import DataSet
from eyespot.detecting.fit import FittedDetector, fit_detector
from eyespot.detecting.outputs import result_of, write_outputs
from eyespot.detecting.prepare import PreparedBoxes, prepare_boxes
from eyespot.detecting.result import DetectorResult
from eyespot.detecting.series import with_series
from eyespot.detecting.written import write_model
from eyespot.distributed.world import World
from eyespot.errors import OptionError
from eyespot.files import from_home
from eyespot.progress import Progress
from eyespot.regimes.fitted import despite_ctrl_c
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions

Args = Mapping[str, object]
Finish = Callable[[Sequence[str], Callable[[], Args]], DetectorResult]
"""Writes everything to disk. It takes the run's notes and what gives the content of `args.json`."""


@dataclass(frozen=True)
class Detection:
    """Prepared pictures with boxes."""

    prepared: PreparedBoxes

    @classmethod
    def of(cls, data: str | Path | DataSet, options: TrainOptions, *, ranks: World, progress: Progress) -> Detection:
        """Raises DataError where there is nothing to learn, OptionError for options that do not fit."""
        assert not isinstance(data, DataSet)
        if ranks.size > 1:
            raise OptionError(f"{data} has boxes, and a detector trains in one process: start it without torchrun")
        return cls(prepare_boxes(from_home(data), options))

    @property
    def data_name(self) -> str:
        return self.prepared.name

    @property
    def fingerprint(self) -> str:
        """Changes with any picture, box, class or part."""
        return self.prepared.fingerprint

    def train(self, job: Job) -> Finish:
        """What measures and writes the trained detector."""
        return partial(self._write, fit_detector(with_series(self.prepared, job), job), job)

    def _write(
        self, trained: FittedDetector, job: Job, notes: Sequence[str], args: Callable[[], Args]
    ) -> DetectorResult:
        written, stopped = despite_ctrl_c(lambda: write_model(trained, job))
        if stopped:
            raise KeyboardInterrupt
        job.progress("writing the report", 0, 1)
        result = result_of(trained, written, job=job, notes=notes)
        write_outputs(result, trained, written, job, args=args())
        return result
