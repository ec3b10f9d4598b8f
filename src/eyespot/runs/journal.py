"""What a run writes down while it works: enough to go on with it after a kill, and to do it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eyespot.names import printable
from eyespot.runs.folder import RunFolder
from eyespot.runs.options import TrainOptions
from eyespot.version import VERSION


@dataclass(frozen=True)
class Decided:
    """What a clock knows that is written down."""

    decisions: Mapping[str, Any]
    replays: str | None
    """The run whose decisions these are, where this one does it again."""
    spent: float
    """Seconds."""


class Journal:
    """`args.json` of one run: what was asked, what was decided and the time spent."""

    def __init__(self, folder: RunFolder, *, data: str, options: TrainOptions) -> None:
        self._folder, self._data, self._options = folder, data, options
        self.fingerprint: str | None = None
        """Of the data; None before the pictures are read."""

    def write(self, decided: Decided) -> None:
        """Brings it up to date where the run's folder is there."""
        self._folder.write_args(self.entries(decided))

    def entries(self, decided: Decided) -> dict[str, Any]:
        return {
            "command": "train",
            "version": VERSION,
            "data": printable(self._data),
            **self._options.model_dump(mode="json"),
            "given": sorted(self._options.model_fields_set),
            "fingerprint": self.fingerprint,
            "decisions": decided.decisions,
            "replays": decided.replays,
            "spent_seconds": round(decided.spent, 2),
        }
