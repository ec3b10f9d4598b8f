"""Does another state of the source give the same results: models to the bit, JSON, reports, pictures, help?

    git switch before && python benchmarks/same_results.py --write FOLDER
    git switch after  && python benchmarks/same_results.py --expect FOLDER

Small runs of every regime and a call of every command, on pictures that are drawn into FOLDER. What names a time, a
place or a duration is left out of the comparison; the lines that differ are printed. Both have to run on one machine.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import measuring
import numpy as np
from measuring import at_most
from PIL import Image

from eyespot import machine
from eyespot.cli.main import COMMANDS

BAR = at_most(0, "results", "models, JSON, reports, pictures and help are as they were")
CLASSES = ("bars", "discs", "grain")
PARTS = {"train": 24, "val": 8, "test": 8}
RUNS: dict[str, tuple[str, ...]] = {
    "frozen": (),
    "frozen-hidden": ("--regime", "frozen", "--head", "16", "--mirror", "yes", "--seed", "1"),
    "partial": ("--freeze", "stage5", "--imgsz", "64", "--epochs", "2", "--views", "2"),
    "new-tail": ("--freeze", "stage5", "--imgsz", "64", "--epochs", "2", "--replace-tail", "conv 3x3 16, pool, fc 8"),
    "full": ("--regime", "full", "--imgsz", "64", "--epochs", "1", "--mixup", "0.2"),
    "scratch": ("--regime", "scratch", "--model", "resnet20", "--epochs", "2", "--cutmix", "1", "--average", "0.9"),
    "lenet": ("--model", "lenet5", "--regime", "scratch", "--epochs", "3", "--dropout", "0.1"),
}
RUNS_AND_MORE = ("digits", "replay", *RUNS)
BY_HAND = "by-hand"
"""The verbs that need no run."""
CLIMB = ("--time", "60s", "--imgsz", "64")
"""Its clock decides, so the run is kept in FOLDER, and done again by --replay."""
ONE_PICTURE = "data/test/discs/0.png"
_DATE = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?([+-]\d\d:\d\d|Z)?|\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d")
_TIMES = (
    re.compile(r'(?<=(?:seconds|. began)": )[^,\n}]+'),
    re.compile(r"\b\d+(\.\d+)?(?= (s|ms|min|seconds|GB|MB)\b|&nbsp;s\b)"),
)


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--write", type=Path, help="a folder that does not exist: keep the results in it")
    which.add_argument("--expect", type=Path, help="such a folder: compare with its results")
    parser.add_argument(
        "--only", nargs="*", default=(*RUNS_AND_MORE, BY_HAND), help=f"names of runs, {BY_HAND} (default all)"
    )
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    folder = (options.write or options.expect).resolve()
    if options.write:
        draw(folder / "data")
    if options.write and "replay" in options.only:
        with tempfile.TemporaryDirectory() as name:
            climb = ("train", "data", "--out", folder / "runs", "--name", "climbed", *CLIMB, "--quiet")
            _Place(folder, Path(name)).eyespot(*climb)
    with tempfile.TemporaryDirectory() as name:
        found = dict(results(_Place(folder, Path(name)), options.only))
    if options.write:
        (folder / "results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"{len(found)} results in {folder}")
        return
    expected = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    if len(options.only) < len(RUNS_AND_MORE) + 1:
        expected = {name: text for name, text in expected.items() if name in found}
    print(BAR.verdict(sum(report(name, expected.get(name, ""), found.get(name, "")) for name in {**expected, **found})))


def draw(data: Path) -> None:
    """Three classes of noisy pictures in the layout train, val, test / class, the same on every machine."""
    drawing = np.random.default_rng(0)
    down, across = np.mgrid[:72, :96]
    for part, count in PARTS.items():
        for number, name in enumerate(CLASSES):
            for each in range(count):
                period, at = drawing.integers(4, 16), drawing.integers(20, 50, 2)
                shapes = (across // period % 2, np.hypot(down - at[0], across - at[1]) < 18, drawing.random((72, 96)))
                color = drawing.integers(40, 200, 3)
                image = color * shapes[number][:, :, None] + drawing.integers(0, 56, (72, 96, 3))
                path = data / part / name / f"{each}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image.astype(np.uint8)).save(path)


class _Place:
    """Where commands run: the data by the same name for both states, all else in a temporary folder."""

    def __init__(self, folder: Path, own: Path) -> None:
        self.folder, self.own = folder, own
        self.cache = own / "cache"
        measuring.converted_trunk(self.cache)

    def eyespot(self, *given: str | Path) -> str:
        """What the command printed, both streams, and its status where it failed."""
        done = subprocess.run(
            [sys.executable, "-m", "eyespot", *map(str, given)],
            cwd=self.folder,
            env={**os.environ, machine.CACHE_VARIABLE: str(self.cache), "COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )
        return self.comparable(done.stdout + done.stderr + (f"status {done.returncode}\n" if done.returncode else ""))

    def comparable(self, text: str) -> str:
        for path, word in ((self.own, "OWN"), (self.folder, "FOLDER")):
            text = text.replace(str(path), word)
        for pattern in _TIMES:
            text = pattern.sub("TIME", text)
        return _DATE.sub(b"DATE", text.encode()).decode()

    def file(self, path: Path) -> str:
        """What a file says, or the hash of its bytes."""
        try:
            return self.comparable(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            return hashlib.sha256(_DATE.sub(b"DATE", path.read_bytes())).hexdigest()


def results(place: _Place, only: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The name of each result and what it says."""
    for command in ("", *COMMANDS):
        yield f"help {command}", place.eyespot(*filter(None, [command]), "--help")
    given = {name: ("data", *options) for name, options in RUNS.items()}
    given |= {"digits": ("digits", "--epochs", "2"), "replay": ("--replay", place.folder / "runs/train/climbed")}
    for name in only:
        print(name, flush=True)
        if name == BY_HAND:
            yield from by_hand(place)
            continue
        yield f"{name}: printed", place.eyespot("train", *given[name], "--out", place.own, "--name", name, "--json")
        run = place.own / "train" / name
        for path in sorted(path for path in run.rglob("*") if path.is_file()):
            yield f"{name}: {path.relative_to(run)}", place.file(path)
        yield from answers(place, name, run)
        shutil.rmtree(run, ignore_errors=True)


def answers(place: _Place, name: str, run: Path) -> Iterator[tuple[str, str]]:
    """What the verbs for a run say."""
    picture = place.folder / ONE_PICTURE
    yield f"{name}: predict", place.eyespot("predict", run, "data/test", "--json")
    yield f"{name}: predict in words", place.eyespot("predict", run, ONE_PICTURE)
    yield f"{name}: val", place.eyespot("val", run, "data/val", "--json")
    drawing = place.own / "drawing.png"
    for given in (("explain", run, picture), ("feature-maps", run, picture, "--stage", "stage1"), ("kernels", run)):
        yield f"{name}: {given[0]}", place.eyespot(*given, "--out", drawing, "--overwrite", "--json")
        yield f"{name}: {given[0]}, drawn", place.file(drawing)
    out = place.own / "exported"
    yield f"{name}: export", place.eyespot("export", run, "--out", out, "--overwrite", "--json")
    for path in sorted(out.rglob("*.onnx")):
        yield f"{name}: exported {path.name}", place.file(path)
    shutil.rmtree(out)


def by_hand(place: _Place) -> Iterator[tuple[str, str]]:
    """What the verbs say that need no run."""
    out = place.own / "drawn.png"
    drawn = ("--out", out, "--overwrite", "--json")
    for given in (
        ("augment", ONE_PICTURE, *drawn),
        ("convolve", ONE_PICTURE, "--kernel", "sharpen", *drawn),
        ("pool", ONE_PICTURE, "--window", "3", *drawn),
        ("pixel-coverage", "--imgsz", "6x7", *drawn),
    ):
        yield given[0], place.eyespot(*given)
        yield f"{given[0]}: picture", place.file(out) if out.exists() else "none"
        out.unlink(missing_ok=True)
    yield "learn-kernel", place.eyespot("learn-kernel", ONE_PICTURE, "--json")
    yield "summary", place.eyespot("summary", "inception_resnet_v2", "--json")
    yield "summary in words", place.eyespot("summary", "resnet18")
    yield "networks", place.eyespot("networks", "--json")
    yield "network", place.eyespot("networks", "efficientnet_lite0")
    yield "embed", place.eyespot("embed", "data", "--out", place.own / "features.npz", "--json")
    with np.load(place.own / "features.npz") as arrays:
        yield "features", json.dumps({key: hashlib.sha256(arrays[key].tobytes()).hexdigest() for key in arrays})
    yield "a typo", place.eyespot("train", "data", "--regime", "frozn")
    yield "no folder", place.eyespot("train", "dat")


def report(name: str, expected: str, found: str) -> bool:
    """Prints what is no longer the same, and returns whether something is."""
    if expected == found:
        return False
    print(f"--- {name}")
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm="", n=0)
    for _, line in zip(range(20), lines, strict=False):
        print(line[:300])
    return True


if __name__ == "__main__":
    main()
