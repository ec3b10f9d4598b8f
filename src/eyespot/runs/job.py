"""What every step of a training run needs to know of the run: its options, its folder, its clock, this machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.data.store import Store
from eyespot.distributed.world import World
from eyespot.events import Events
from eyespot.progress import Progress
from eyespot.records import PrecisionName
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.options import TrainOptions

if TYPE_CHECKING:
    from eyespot.training.devices import Device


@dataclass(frozen=True)
class Job:
    """One run of `train`, on one rank."""

    options: TrainOptions
    folder: RunFolder
    store: Store | None
    cache_folder: Path
    precision: PrecisionName
    progress: Progress
    clock: Clock
    world: World = field(default_factory=World)
    events: Events = field(default_factory=Events)
    """Written down as they happen; by default nowhere."""

    @cached_property
    def device(self) -> Device:
        """Where steps are computed. Raises MachineError where the device is not there."""
        from eyespot.training.devices import choose

        device = choose(self.options.device, local_rank=self.world.local_rank)
        return replace(device, precision="fp32") if self.options.precision == "fp32" else device

    def with_options(self, **changed: object) -> Job:
        """The same run with some options decided."""
        return replace(self, options=self.options.model_copy(update=changed))
