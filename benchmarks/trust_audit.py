"""What an audit takes: of all clothing, with features in the store, and of 30,000 pictures made by repeating them."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import measuring
import numpy as np
from measuring import Bar, at_most

from eyespot.auditing.examine import Told, examine
from eyespot.auditing.gathered import SIDE, Shown
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.copies import Hashed, hash_pictures
from eyespot.data.data_set import Picture
from eyespot.data.sources import open_data_set
from eyespot.data.store import Store
from eyespot.features.embed import embed
from eyespot.features.likeness import alike, unit_signatures

MANY = 30_000
NOISE = 0.5
"""Of a feature's standard deviation: enough that no repeated picture is linked with the one that it repeats."""
STORED_BAR = at_most(8, "s", "an audit of 3,781 photos whose features are stored takes at most 8 s, from process start")
MANY_BAR = at_most(90, "s", "comparing 30,000 pictures takes at most 90 s")
MEMORY_BAR = at_most(1.0, "GB", "and at most 1 GB")


def audits(data: Path, _: Store) -> Iterator[tuple[Bar, float]]:
    """Seconds of an audit as a process; seconds and memory of examining many made-up pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield STORED_BAR, _stored(data / "clothing", folder)
        seconds, gigabytes = _many(data / "clothing", folder)
    yield MANY_BAR, seconds
    yield MEMORY_BAR, gigabytes


def _stored(data: Path, folder: Path) -> float:
    """Of the second of two audits, with features, signatures and nothing else of the first in the store."""
    cache = folder / "cache"
    measuring.converted_trunk(cache)
    pictures = _embedded(data, cache)[0]
    assert pictures
    command = [sys.executable, "-m", "eyespot", "audit", data, "--out", folder / "runs", "--quiet"]
    return measuring.timed(command, cache=cache)[0]


def _embedded(data: Path, cache: Path) -> tuple[list[Hashed], np.ndarray, np.ndarray]:
    """The pictures with their features and signatures, which are in the cache's store now."""
    hashed = sorted(hash_pictures(open_data_set(data).pictures, threads=2)[0], key=lambda each: each.content)
    trunk = DEFAULT.trunk(cache, choose_precision("auto")).signed()
    assert trunk.signer is not None
    with Store(cache / "store") as store:
        features, signatures = (embed(each, hashed, store=store) for each in (trunk, trunk.signer))
    return hashed, features.features["identity"], signatures.features["identity"]


def _many(data: Path, folder: Path) -> tuple[float, float]:
    """Seconds and gigabytes, in a process of its own that is given the features of all clothing."""
    hashed, features, signatures = _embedded(data, folder / "cache")
    classes = sorted({str(each.picture.label) for each in hashed})
    labels = np.array([classes.index(str(each.picture.label)) for each in hashed])
    path = folder / "features.npz"
    np.savez(path, features=features, signatures=signatures, labels=labels)
    done = subprocess.run(
        [sys.executable, __file__, path], check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent
    )
    seconds, gigabytes = map(float, done.stdout.split())
    return seconds, gigabytes


def _made(found: np.ndarray, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Those rows with noise, so that no two are the same."""
    spread = NOISE * found.std(axis=0, dtype=np.float32)
    made = np.empty((len(rows), *found.shape[1:]), found.dtype)
    for start in range(0, len(rows), 1000):
        some = rows[start : start + 1000]
        made[start : start + 1000] = found[some] + spread * random.standard_normal(made[some].shape, np.float32)
    return made


def _child(path: str) -> None:
    """Prints the seconds that examining takes, and the most memory that was held."""
    random = np.random.default_rng(0)
    with np.load(path) as found:
        rows = np.arange(MANY) % len(found["labels"])
        features, labels = _made(found["features"], rows, random), found["labels"][rows]
        signatures = _made(found["signatures"], rows, random)
    names = [f"{number:032x}" for number in range(MANY)]
    shown = Shown(
        pictures=[Hashed(Picture(f"{name}.jpg", path=Path(f"{name}.jpg")), name) for name in names],
        rows=np.arange(MANY),
        set_aside=[],
        thumbnails=random.integers(0, 256, (MANY, SIDE, SIDE), dtype=np.uint8),
        size_hw=random.integers(200, 600, (MANY, 2)),
        file_bytes=random.integers(10_000, 90_000, MANY),
        camera=np.zeros(MANY, bool),
    )
    began = time.perf_counter()
    links = alike(unit_signatures(signatures))
    del signatures
    told = Told(
        contents=names,
        features=features,
        links=links,
        shown=shown,
        labels=labels,
        classes=[str(number) for number in range(int(labels.max()) + 1)],
    )
    examine(told, seed=0)
    seconds = time.perf_counter() - began
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * measuring.RSS_BYTES / 1e9)


if __name__ == "__main__":
    _child(sys.argv[1])
