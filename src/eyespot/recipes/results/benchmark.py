"""What `benchmark` hands back, as records: the JSON of `--json`."""

from __future__ import annotations

from pydantic import Field

from eyespot.records import PrecisionName, Record


class Rate(Record):
    """How many a second: the median of all runs, and their range."""

    median: float = Field(gt=0)
    low: float
    high: float


class Speed(Record):
    """One engine with one number format, given `batch` images at a time."""

    engine: str
    precision: PrecisionName
    batch: int = Field(ge=1)
    images_per_second: Rate
    milliseconds: float
    """From one batch to the next, the engine being kept busy; for a batch of 1, the time of a lone image."""
    gflops: float
    """1e9 operations a second; a multiply-add counts as two."""
    share_of_peak: float
    """Of the machine's matrix products in that number format."""


class DecodingSpeed(Record):
    """Reading pictures from files, and the fastest number format of the first engine on them."""

    pictures: int
    """Different ones; they are read again in every run."""
    decoding: Rate
    """Pictures a second, decoded, resized and cut on all cores, without an engine."""
    whole: Rate
    """Pictures a second from files to answers, decoding and engine at the same time."""


class BenchmarkResult(Record):
    """How fast a network answers on this machine."""

    network: str
    weights: str
    image_hwc: tuple[int, int, int]
    """Height, width and channels of the images, which are made at random."""
    multiply_adds: int
    """Of one image."""
    machine: str
    peak_gflops: dict[PrecisionName, float]
    """The matrix-product peak, by number format."""
    runs: int
    speeds: tuple[Speed, ...]
    decoding: DecodingSpeed | None
    """None if no pictures were given."""
    notes: tuple[str, ...]
    seconds: float
