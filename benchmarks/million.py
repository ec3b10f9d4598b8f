"""Very many pictures: the memory and the time of `eyespot train`, and of a head alone.

    python benchmarks/million.py CLOTHING
    python benchmarks/million.py CLOTHING --only rows

* `pictures`: `eyespot train` on 10,000 and on 100,000 crops of CLOTHING's photos, cold but for the converted trunk: the
  most memory that it holds, and processor seconds a picture, which other programs on the machine hardly change.
* `rows`: an exact head with its cross-validation on a million made feature rows of EfficientNet-Lite0's width.

Linux and macOS. What 10 million would take follows from both, in proportion.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import measuring
import numpy as np
from measuring import RSS_BYTES, at_most
from PIL import Image

from eyespot.data.room import release, room
from eyespot.data.sources import open_data_set
from eyespot.heads.fit import fit_head
from eyespot.heads.head import HeadOptions, Samples

WIDTH, CLASSES, HIDDEN = 1280, 10, 100
"""Of the rows: the width of EfficientNet-Lite0's features, which are made of this many numbers."""
APART = 0.25
SIDE = 64
"""Pixels of a crop's side, at most."""
MEMORY_BAR = at_most(1.5, "GB", "training on 100,000 pictures holds at most 1.5 GB of memory")
COST_BAR = at_most(1.1, "times", "a picture of 100,000 costs at most a tenth more than one of 10,000")
ROWS_BAR = at_most(2.0, "GB", "a head on a million feature rows holds at most 2 GB of memory")


@dataclass(frozen=True)
class Cost:
    """Of training on some pictures."""

    pictures: int
    peak_gb: float
    processor_seconds: float
    seconds: float

    @property
    def each(self) -> float:
        """Processor milliseconds a picture."""
        return 1000 * self.processor_seconds / self.pictures

    def __str__(self) -> str:
        return (
            f"{self.pictures:,} pictures: {self.peak_gb:.2f} GB, {self.seconds:.0f} s, {self.processor_seconds:.0f} "
            f"processor seconds, {self.each:.2f} ms a picture"
        )


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="a folder of photos as `eyespot train` takes it")
    parser.add_argument("--only", choices=("pictures", "rows"), help="one part (default both)")
    parser.add_argument("--pictures", type=int, nargs=2, default=(10_000, 100_000), help="how many, twice")
    parser.add_argument("--rows", type=int, default=1_000_000, help="feature rows (default 1,000,000)")
    parser.add_argument("--imgsz", default="224", help="image size that is trained on (default 224)")
    parser.add_argument("--in-folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_folder:
        fit_rows(options.rows, options.in_folder)
        return
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        if options.only != "rows":
            train_on_crops(options.data, Path(name), options.pictures, imgsz=options.imgsz)
        if options.only != "pictures":
            command = [sys.executable, __file__, options.data, "--rows", str(options.rows), "--in-folder", name]
            subprocess.run([str(part) for part in command], check=True)


def train_on_crops(data: Path, folder: Path, sizes: tuple[int, int], *, imgsz: str) -> None:
    """The pictures part."""
    converted = measuring.converted_trunk(folder / "converted")
    costs = []
    for count in sizes:
        crops = made_crops(data, folder / f"crops{count}", count)
        cache = measuring.cold_cache(converted, folder / f"cache{count}")
        before = os.times()
        given = (*measuring.FROZEN, "--imgsz", imgsz, "--mirror", "no")  # as many views of each, whatever helps
        trained = measuring.train(crops, cache=cache, out=folder / f"runs{count}", given=given)
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        costs.append(Cost(count, (trained.peak_bytes or 0) / 1e9, spent, trained.seconds))
        report = next((folder / f"runs{count}").rglob("report.html"))
        print(f"{costs[-1]}; report {report.stat().st_size / 1e6:.2f} MB", flush=True)
    few, many = costs
    print(MEMORY_BAR.verdict(many.peak_gb))
    print(COST_BAR.verdict(many.each / few.each))
    print(f"10 million pictures, in proportion: {10_000 * many.each / 3600:.0f} processor hours")


def made_crops(data: Path, folder: Path, count: int, *, longest: int = SIDE) -> Path:
    """A folder with this many small crops of the photos, by class, each of another place or size.

    longest: pixels of a crop's side, at most; half of it at least.
    """
    pictures = open_data_set(data).pictures
    random = np.random.default_rng(0)
    for number in range(count):
        if number % len(pictures) == 0:
            order = random.permutation(len(pictures))
        picture = pictures[order[number % len(pictures)]]
        target = folder / str(picture.label) / f"{number:07}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(picture.path) as photo:  # type: ignore[arg-type]
            photo.draft("RGB", (longest * 3, longest * 3))
            side = int(random.integers(longest // 2, longest + 1))
            left, top = (int(random.integers(0, max(1, length - side))) for length in photo.size)
            photo.convert("RGB").crop((left, top, left + side, top + side)).save(target, quality=85)
    return folder


def fit_rows(count: int, folder: Path) -> None:
    """The rows part, in this process, whose memory is told."""
    samples = made_rows(count, folder)
    before = peak_gb()
    start, processor = time.perf_counter(), time.process_time()
    fitted = fit_head(samples, HeadOptions(class_weight="none", mirror="no"))
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    print(
        f"{count:,} rows of {WIDTH}: {peak_gb():.2f} GB ({before:.2f} GB before), {seconds:.0f} s, {processor:.0f} "
        f"processor seconds; {len(fitted.trials)} values of L2, accuracy {fitted.chosen.accuracy:.4f}"
    )
    print(ROWS_BAR.verdict(peak_gb()))


def made_rows(count: int, folder: Path) -> Samples:
    """Features as a network gives them, none below zero, in a file in the folder."""
    rows = room((count, WIDTH), np.float32, what="made features", folder=folder)
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, count)
    centres = random.standard_normal((CLASSES, HIDDEN)).astype(np.float32) * APART
    mixed = random.standard_normal((HIDDEN, WIDTH)).astype(np.float32) / 10
    noises = 0.3 * random.standard_normal(2 * 4096 * WIDTH, dtype=np.float32)
    for some in _blocks(count, 4096):
        hidden = centres[labels[some]] + random.standard_normal((len(labels[some]), HIDDEN), dtype=np.float32)
        noise = noises[random.integers(4096 * WIDTH) :][: len(hidden) * WIDTH].reshape(-1, WIDTH)
        rows[some] = np.maximum(hidden @ mixed + noise, 0)
        release(rows)
    return Samples(rows, None, labels, CLASSES)


def _blocks(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_BYTES / 1e9


if __name__ == "__main__":
    main()
