"""What the verbs return, and print with `--json`. The keys are stable: docs/json.md names them all."""

from __future__ import annotations

from eyespot.exporting.checks import ExportCheck, Int8Check
from eyespot.records import Record, SetAside


class ExportResult(Record):
    """The exported files, and the proof that they answer as the run does."""

    files: tuple[str, ...]
    bytes: int
    part: str
    """The run's pictures that were compared: val, where it has some."""
    checks: tuple[ExportCheck, ...]
    """In fp32; where int8 is kept, of the model that it was made from."""
    bf16: ExportCheck | None
    """None if this machine has no such arithmetic."""
    int8: Int8Check | None
    """None if it was not asked for."""
    notes: tuple[str, ...]
    seconds: float


class EmbedResult(Record):
    """Where features were written, and of what."""

    out: str
    pictures: int
    features: int
    """Length of each feature vector."""
    computed: int
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float


class CacheResult(Record):
    """The store's size, or what was removed from it."""

    folder: str
    entries: int
    bytes: int
    file_bytes: int
    max_bytes: int
    cleared: bool


class InfoResult(Record):
    """This installation and this machine."""

    version: str
    python: str
    system: str
    cores: int
    engine: str
    precision: str
    decoder: str
    extras: dict[str, bool]
    cache: CacheResult
