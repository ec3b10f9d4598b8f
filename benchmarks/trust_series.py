"""Series: whether near-copies are found, and what planted bursts do to the figures of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from altered import ALTERATIONS, SMALL_BURST, altered
from measuring import FROZEN, Bar, at_least, at_most, runs_line
from PIL import Image

from eyespot import machine
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.store import Store
from eyespot.features.embed import embed
from eyespot.features.likeness import ALIKE, MIRRORED, unit_signatures
from eyespot.features.trunk import Trunk

PROBES, SEED, ADMITTED = 400, 11, 20
BARS: dict[str, float] = {
    **dict.fromkeys(("re-saved", "resized", "mirror"), 0.97),
    "brightness": 0.92,
    "crop 90 %": 0.95,
    "small burst": 0.75,
}
BURSTS, COPIES, DRAWS = 200, 5, 5
TRUTH_BAR = at_most(0.03, "", "with planted bursts the figure out of fold is so far from the truth on other pictures")
CLAIM_BAR = at_least(
    0.1, "", "and what it would have been, had they been torn apart, is told beside it: higher by this"
)


def photos(data: Path) -> list[Path]:
    return sorted((data / "clothing").glob("*/*/*.jpg"))


def near_copies(data: Path, store: Store) -> Iterator[tuple[Bar, float]]:
    """Recall of each alteration at a threshold that admits 20 real pairs, beside pHash and pooled features."""
    paths = photos(data)
    drawn = np.random.default_rng(SEED).choice(len(paths), PROBES, replace=False)
    copies = {name: _copies([paths[row] for row in drawn], name) for name in ALTERATIONS}
    pictures = [path.read_bytes() for path in paths] + [each for found in copies.values() for each in found]
    finders = [_signatures(pictures, store, len(paths)), _pooled(pictures, store, len(paths)), _phash(pictures)]
    print(f"Recall at a threshold that admits {ADMITTED} real pairs of {len(paths)} pictures")
    print(f"{'':18}" + "".join(f"{name:>13}" for name in ALTERATIONS))
    for number, (finder, likeness) in enumerate(
        zip(("signatures", "pooled features", "pHash 64"), finders, strict=True)
    ):
        least = _threshold(likeness, len(paths))
        recalls = []
        for at, _ in enumerate(ALTERATIONS):
            rows = len(paths) + at * PROBES + np.arange(PROBES)
            recalls.append(float((likeness.between(drawn, rows) >= least).mean()))
        print(f"{finder:18}" + "".join(f"{each:13.3f}" for each in recalls) + f"   threshold {least:.3f}")
        if number == 0:
            for name, recall in zip(ALTERATIONS, recalls, strict=True):
                if name in BARS:
                    yield at_least(BARS[name], "recall", f"near-copies are found: {name}"), recall


@dataclass(frozen=True)
class _Likeness:
    """Vectors of all pictures whose products say how alike two are; the mirrored ones count more by `extra`."""

    unit: np.ndarray
    mirrored: np.ndarray | None = None
    extra: float = 0.0

    def rows(self, first: slice, others: slice) -> np.ndarray:
        found = self.unit[first] @ self.unit[others].T
        if self.mirrored is not None:
            found = np.maximum(found, self.mirrored[first] @ self.unit[others].T + self.extra)
        return found

    def between(self, first: np.ndarray, others: np.ndarray) -> np.ndarray:
        found = (self.unit[first] * self.unit[others]).sum(axis=1)
        if self.mirrored is not None:
            found = np.maximum(found, (self.mirrored[first] * self.unit[others]).sum(axis=1) + self.extra)
        return np.asarray(found)


def _threshold(likeness: _Likeness, count: int) -> float:
    """The lowest likeness that no more than `ADMITTED` pairs of the first `count` pictures reach."""
    highest: list[float] = []
    for start in range(0, count, 1000):
        found = likeness.rows(slice(start, min(count, start + 1000)), slice(start, count))
        above = found[np.triu_indices(*found.shape[:1], k=1, m=found.shape[1])]
        highest = sorted([*highest, *np.partition(above, -ADMITTED - 1)[-ADMITTED - 1 :].tolist()])[-ADMITTED - 1 :]
    return highest[1] if highest[1] > highest[0] else float(np.nextafter(highest[0], np.inf))


def _signatures(pictures: Sequence[bytes], store: Store, count: int) -> _Likeness:
    signer = _trunk().signed().signer
    assert signer is not None
    unit = unit_signatures(_features(pictures, signer, store))
    half = unit.shape[1] // 2
    mirrored = np.concatenate([unit[:, :half], -unit[:, half:]], axis=1)
    return _Likeness(unit, mirrored, ALIKE - MIRRORED)


def _pooled(pictures: Sequence[bytes], store: Store, count: int) -> _Likeness:
    features = _features(pictures, _trunk(), store)
    return _Likeness(features / np.linalg.norm(features, axis=1, keepdims=True))


def _phash(pictures: Sequence[bytes]) -> _Likeness:
    """The 64 bits of the widespread perceptual hash: which low frequencies of a 32 x 32 grey picture are high."""
    import io

    from scipy.fft import dctn

    signs = []
    for each in pictures:
        with Image.open(io.BytesIO(each)) as picture:
            grey = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.float64)
        low = dctn(grey)[:8, :8].ravel()
        signs.append(np.where(low > np.median(low), 1, -1))
    return _Likeness(np.array(signs, np.float32) / 8)


def _trunk() -> Trunk:
    return DEFAULT.trunk(machine.cache_folder(), choose_precision("auto"))


def _features(pictures: Sequence[bytes], trunk: Trunk, store: Store) -> np.ndarray:
    hashed = [Hashed(Picture(f"{number}.jpg", data=data), content_hash(data)) for number, data in enumerate(pictures)]
    found = embed(trunk, hashed, store=store)
    assert not found.set_aside
    return found.features["identity"]


def _copies(paths: Sequence[Path], name: str) -> list[bytes]:
    alter, quality = ALTERATIONS[name]
    random = np.random.default_rng(SEED)
    return [altered(path, alter, random, quality=quality) for path in paths]


def bursts(data: Path) -> Iterator[tuple[Bar, float]]:
    """The figure out of fold of a run on bursts, against what the model is worth on all other pictures.

    The bar is for the first draw. Of 200 pictures an accuracy is known to 0.03: what others give is printed beside it.
    """
    found = [_planted(data, SEED + draw) for draw in range(DRAWS)]
    print(runs_line("out of fold less the truth", [each.together - each.truth for each in found], ""))
    yield TRUTH_BAR, abs(found[0].together - found[0].truth)
    yield CLAIM_BAR, found[0].torn - found[0].together


@dataclass(frozen=True)
class _Planted:
    """Accuracies."""

    together: float
    torn: float
    truth: float


def _planted(data: Path, seed: int) -> _Planted:
    random = np.random.default_rng(seed)
    paths = photos(data)
    drawn = set(random.choice(len(paths), BURSTS, replace=False).tolist())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for row, path in enumerate(paths):
            label = path.parent.name
            if row not in drawn:
                _write(folder / "others" / label / path.name, path.read_bytes())
                continue
            _write(folder / "bursts" / label / path.name, path.read_bytes())
            for number in range(COPIES):
                copy = altered(path, SMALL_BURST, random)
                _write(folder / "bursts" / label / f"{path.stem}-{number}.jpg", copy)
        result = _eyespot("train", str(folder / "bursts"), *FROZEN, "--out", str(folder / "runs"), "--json")
        truth = _eyespot("val", result["run"], str(folder / "others"), "--json")["accuracy"]
    series = result["series"]
    found = _Planted(series["together"]["accuracy"], series["torn"]["accuracy"], truth)
    print(
        f"Planted bursts: {series['series']} series of {series['pictures']} pictures found, the largest of "
        f"{series['largest']}; kept together {found.together:.3f}, torn apart {found.torn:.3f}, on other pictures "
        f"{truth:.3f}",
        flush=True,
    )
    return found


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _eyespot(*arguments: str) -> dict[str, object] | object:
    command = [sys.executable, "-m", "eyespot", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=dict(os.environ))
    return json.loads(done.stdout)
