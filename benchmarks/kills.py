"""`eyespot train` killed at random moments, and resumed: it must end with the bits of a run that was not.

    python benchmarks/kills.py --kills 200

A few drawn pictures are trained from scratch, partial and full, and as a detector of their boxes, in turn. A run is
killed with SIGKILL up to three times: at a random moment of its time, or in the midst of writing a file, such as a
checkpoint. Then it is resumed, and killed again, or comes to its end. Its graph, which holds all weights, its epochs
and its answers must be those of a run that was never killed. Where it was killed before there was anything to resume,
the same name is trained anew. Checkpoints come every few steps, not every few seconds. Every life is a process of its
own, forked from one that has imported all and done nothing, so this needs a system that can fork.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measuring
import torch
from lives import Death, begun
from measuring import at_most
from PIL import Image, ImageChops, ImageDraw

from eyespot import machine
from eyespot.detecting.fit import KeptWeights
from eyespot.recipes.train import train
from eyespot.regimes import run_training as running
from eyespot.regimes.answers import Comparison
from eyespot.runs.folder import ARGS, REPORT

BAR = at_most(0, "runs", "a run that was killed at any moment ends with the bits of one that was not")
REGIMES: dict[str, dict[str, Any]] = {
    "scratch": {"model": "resnet20", "regime": "scratch", "epochs": 3, "batch": 8},
    "partial": {"freeze": "stage6", "imgsz": 64, "epochs": 4, "batch": 8},
    "full": {"regime": "full", "imgsz": 32, "epochs": 2, "batch": 8},
    "detector": {"imgsz": 96, "views": 2, "epochs": 12, "batch": 4},
}
PARTS = {"train": 16, "val": 10, "test": 4}
"""Pictures of each class."""
COLORS = {"circle": "firebrick", "square": "navy", "triangle": "darkgreen"}
FILES = ("bundle/model.onnx", "results.csv", "predictions.csv", "split.csv")
IN_A_FILE = 0.3
"""Share of the kills that come in the midst of writing a file."""
AGAIN = 0.4
"""Chance that a run that goes on is killed once more."""
MOST_KILLS = 3
"""Of one run."""


@dataclass(frozen=True)
class Whole:
    """A run that was not killed."""

    seconds: float
    file_steps: int
    hashes: dict[str, str]


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how often to kill (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments, as far as a clock can repeat them")
    parser.add_argument("--log", type=Path, help="JSON lines of what was counted, which later calls add to")
    options = parser.parse_args()
    log = measuring.Log(options.log, program="kills")
    print(measuring.heading(), flush=True)
    torch.set_num_threads(1)  # a forked child would wait for ever for threads that only its parent has
    running.CHECKPOINT_SECONDS, running.CHECKPOINT_SHARE = 0.05, 1e9
    Comparison.is_the_same = True  # type: ignore[method-assign, assignment]  # what was trained is kept, a gain or not
    KeptWeights.found = lambda self, body: None  # type: ignore[method-assign]  # a detector is trained each time
    chance, kills, different = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[machine.CACHE_VARIABLE] = str(folder / "cache")
        shapes = drawn(folder / "shapes")
        data = dict.fromkeys(REGIMES, shapes) | {"detector": boxed(shapes, folder / "boxes")}
        whole = {regime: unkilled(data[regime], folder, regime) for regime in REGIMES}
        number, met = 0, Counter[str]()
        while kills < options.kills:
            regime = tuple(REGIMES)[number % len(REGIMES)]
            found = killed(data[regime], folder, regime, whole[regime], number=number, chance=chance)
            if found["hashes"] != whole[regime].hashes:
                different += 1
                print(f"run {number}, {regime}: NOT the same after {found['moments']}", flush=True)
            kills, number = kills + len(found["moments"]), number + 1
            met.update(f"{regime}, {moment}" for moment in found["moments"])
            if number % 10 == 0:
                print(f"{kills} kills, {number} runs, {different} different", flush=True)
    for moment, count in sorted(met.items()):
        print(f"{count:4} kills: {moment}")
    log.add("train", {"kills": kills, "runs": number, "different": different})
    print(f"{kills} kills of {number} runs")
    print(f"in all {sum(run['kills'] for run in log.runs('train')) or kills} kills")
    print(BAR.verdict(different))


def drawn(folder: Path) -> Path:
    """Three coloured shapes, in train, val and test."""
    chance = random.Random(0)
    for part, count in PARTS.items():
        for name, color in COLORS.items():
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                picture = Image.new("RGB", (48, 48), tuple(chance.randrange(150, 250) for _ in range(3)))
                pen, x, y = ImageDraw.Draw(picture), chance.randrange(16, 32), chance.randrange(16, 32)
                sides = {"circle": 40, "square": 4, "triangle": 3}[name]
                pen.regular_polygon((x, y, chance.randrange(8, 14)), sides, fill=color)
                picture.save(folder / part / name / f"{number}.png")
    return folder


def boxed(shapes: Path, folder: Path) -> Path:
    """The same pictures with a box around each shape, as YOLO has them."""
    for part in PARTS:
        for number, path in enumerate(sorted((shapes / part).glob("*/*.png"))):
            label = list(COLORS).index(path.parent.name)
            with Image.open(path) as picture:
                ground = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
                left, top, right, bottom = ImageChops.difference(picture.convert("RGB"), ground).getbbox() or (
                    0,
                    0,
                    1,
                    1,
                )
                sides = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
                shares = [side / picture.width for side in sides]
                for kind in ("images", "labels"):
                    (folder / part / kind).mkdir(parents=True, exist_ok=True)
                picture.save(folder / part / "images" / f"{number}.png")
            text = f"{label} {' '.join(map(str, shares))}\n"
            (folder / part / "labels" / f"{number}.txt").write_text(text)
    names = "".join(f"{part}: {part}/images\n" for part in PARTS)
    (folder / "data.yaml").write_text(f"{names}names: [{', '.join(COLORS)}]\n")
    return folder


def unkilled(data: Path, folder: Path, regime: str) -> Whole:
    """A run that comes to its end, once the network is converted and features are stored."""
    for name in ("first", "whole"):
        told = begun(lambda _, name=name: train(data, out=folder, name=f"{regime}-{name}", **REGIMES[regime])).ended()
        assert told.steps, f"{regime} does not come to its end"
    run = folder / "train" / f"{regime}-whole"
    print(f"{regime}: {told.seconds:.1f} s, {told.steps} steps of writing files", flush=True)
    return Whole(told.seconds, told.steps, hashes(run))


def killed(
    data: Path, folder: Path, regime: str, whole: Whole, *, number: int, chance: random.Random
) -> dict[str, Any]:
    """A run that is killed at least once, and then comes to its end: its files' hashes, and when it was killed."""
    name, moments = f"{regime}-{number}", list[str]()
    run = folder / "train" / name
    while True:
        wanted = chance.random() < (AGAIN if moments else 1.0) and len(moments) < MOST_KILLS
        fatal = chance.randint(1, whole.file_steps) if wanted and chance.random() < IN_A_FILE else None
        after = chance.uniform(0.0, whole.seconds) if wanted and fatal is None else None
        if (run / ARGS).exists():
            life = begun(lambda _: train(resume=run), Death(after=after, step=fatal)).ended()
        else:
            life = begun(
                lambda _: train(data, out=folder, name=name, **REGIMES[regime]), Death(after=after, step=fatal)
            ).ended()
        if life.failed:
            raise SystemExit("a life failed")
        if not life.killed:
            if moments:
                return {"hashes": hashes(run), "moments": moments}
            return killed(data, folder, regime, whole, number=number + 10_000, chance=chance)  # it was sooner
        moments.append(moment(run))
        if (run / REPORT).exists():  # there is nothing left to resume
            return {"hashes": hashes(run), "moments": moments}


def moment(run: Path) -> str:
    """How far a run had come that was killed just now, by what lies in its folder."""
    if not (run / ARGS).exists():
        return "before anything was written"
    if any(run.glob("checkpoints/*/.eyespot-*")):
        return "within a checkpoint"
    if (run / REPORT).exists():
        return "behind the report"
    if (run / "bundle" / "manifest.json").exists():
        return "behind the model"
    return "behind a checkpoint" if any(run.glob("checkpoints/*/*")) else "before a checkpoint"


def hashes(run: Path) -> dict[str, str]:
    return {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in FILES}


if __name__ == "__main__":
    main()
