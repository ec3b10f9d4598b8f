"""Prints how fast the store writes batches of 64 feature vectors and reads 7,500 of them: python benchmarks/store.py"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from eyespot.data.store import Store
from eyespot.data.store_values import key_of

BATCH, BATCHES, CHANNELS, READ = 64, 118, 1280, 7500


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    rng = np.random.default_rng(0)
    keys = [key_of(number=number) for number in range(BATCH * BATCHES)]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, Store(Path(folder)) as store:
        puts = []
        for start in range(0, len(keys), BATCH):
            batch = {key: rng.standard_normal(CHANNELS, np.float32) for key in keys[start : start + BATCH]}
            puts.append(seconds(lambda batch=batch: store.put(batch)))
        gets = [seconds(lambda: store.get(keys[:READ])) for _ in range(5)]
        size = store.size()
    print(f"put of {BATCH} x {CHANNELS} float32: median {1000 * statistics.median(puts):.1f} ms")
    print(f"get of {READ} x {CHANNELS} float32: median {statistics.median(gets):.3f} s, best {min(gets):.3f} s")
    print(f"file {size.file_bytes / size.bytes:.2f} times the payload")


if __name__ == "__main__":
    main()
