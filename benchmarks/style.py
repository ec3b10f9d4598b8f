"""`eyespot stylize`: how soon, how much memory, how good, and beside two other ways to paint.

    python benchmarks/style.py DATA
    python benchmarks/style.py DATA --only pairs --sheet sheet.jpg

DATA holds style/ (a photo, three paintings), imagenet-100/ and clothing/, from which three more photos are taken. Every
painted picture comes from a process of its own, timed from its start to its end, and is judged by a network that took
no part (style_judge.py). The defaults were chosen on other photos than the three.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import style_judge
from measuring import Bar, at_least, at_most
from PIL import Image
from style_sides import Pixels, scaled

ROWS = ("speed", "time", "pairs", "strength", "engines", "again")
PHOTOS = {
    "chicago": "style/chicago.jpg",
    "owl": "imagenet-100/n01622779_great_grey_owl.JPEG",
    "geyser": "imagenet-100/n09288635_geyser.JPEG",
    "dress": "clothing/test/dress/06a00c0f-5f9a-410d-a7da-3881a9df3a71.jpg",
}
PAINTINGS = {
    "starry night": "style/starry_night_crop.jpg",
    "scream": "style/the_scream.jpg",
    "wave": "style/wave_crop.jpg",
}
SHOWN = ("chicago", "dress")
"""Photos on the sheet."""
SIDE, SECONDS = 512, 15.0
STRENGTHS = (0.25, 0.5, 0.75, 1.0)
STEPS = 60
"""Of each picture that is painted in steps to compare strengths."""

LOADING = at_most(3, "s", "both networks ready, nothing cached")
FAST = {512: (0.3, 450), 1024: (1.0, 600), 2048: (4.0, 1300)}
"""Seconds after loading, and megabytes of the whole process, by the longer side."""
FIRST = at_most(3, "s", "from the start of the process to the first preview")
MEMORY = at_most(900, "MB", "peak memory of painting in steps")
STARRY = {
    "style": at_most(0.13, "of 1", "style distance of chicago as starry night, in steps"),
    "edges": at_least(0.75, "of 1", "its edges"),
    "self_similarity": at_least(0.57, "of 1", "its self-similarity"),
}
MEDIAN = {
    "style": at_most(0.15, "of 1", "style distance in steps, median of all pairs"),
    "edges": at_least(0.65, "of 1", "edges in steps, median of all pairs"),
}
GRAIN = at_most(1.3, "times the painting's", "colored grain, the most of all pictures of both ways")
MONOTONE = at_most(0, "pairs", "in which more strength is not nearer to the painting and farther from the photo")
LEVELS = at_most(1, "gray levels", "OpenVINO against ONNX Runtime, the most of any pixel")
AS_PUBLISHED = at_most(1, "gray levels", "with its rounding kept, at 384 pixels, against the wheel's own answer")
SAME = at_most(0, "pixels", "that differ between two runs of the same steps and seed")
LOADER = """
import sys, time; began = time.perf_counter()
import numpy as np, json, resource
from eyespot.styling.fast import FastPainter
painter = FastPainter(cache_folder=None)
painter._looking, painter._painting
loaded = time.perf_counter() - began
photo = np.random.default_rng(0).integers(0, 256, ({height}, {side}, 3), np.uint8)
seconds = []
for _ in range(4):
    start = time.perf_counter()
    painter.painted(photo, painter.style_of(photo))
    seconds.append(time.perf_counter() - start)
print(json.dumps(dict(loaded=loaded, first=seconds[0], seconds=sorted(seconds[1:])[1], torch="torch" in sys.modules)))
"""


@dataclass(frozen=True)
class Judged:
    """A painted picture in numbers."""

    style: float
    self_similarity: float
    edges: float
    grain: float
    """Beside the painting's own."""

    @classmethod
    def of(cls, picture: Pixels, photo: Pixels, painting: Pixels) -> Judged:
        return cls(
            style_judge.style(picture, photo, painting),
            style_judge.self_similarity(picture, photo),
            style_judge.edges(picture, photo),
            style_judge.grain(picture) / style_judge.grain(painting),
        )

    def __str__(self) -> str:
        return (
            f"style {self.style:.3f}, self-similarity {self.self_similarity:.3f}, edges {self.edges:.3f}, "
            f"grain {self.grain:.2f}"
        )


class Bench:
    """The pictures, and a folder for what is made of them."""

    def __init__(self, data: Path, folder: Path, *, seconds: float = SECONDS, steps: int = STEPS, side: int = SIDE):
        self.photos = {name: data / path for name, path in PHOTOS.items()}
        self.paintings = {name: data / path for name, path in PAINTINGS.items()}
        self.folder, self.seconds, self.steps, self.side = folder, seconds, steps, side
        self.pairs = [(photo, painting) for photo in PHOTOS for painting in PAINTINGS]

    def painted(self, photo: str, painting: str, *given: str) -> tuple[Pixels, dict[str, Any], float, float]:
        """A picture by `eyespot stylize`, what it says of it, seconds of the process, megabytes at most."""
        told = ["--style", self.paintings[painting], "--imgsz", str(self.side), "--overwrite", "--json", "--quiet"]
        out = self.folder / "painted.png"
        command = [sys.executable, "-m", "eyespot", "stylize", self.photos[photo], "--out", out, *told, *given]
        seconds, printed, peak = measuring.observed(command, cache=self.folder / "cache")
        return np.asarray(Image.open(out)), json.loads(printed), seconds, (peak or 0) / 1e6

    def other(self, way: str, photo: str, painting: str) -> Pixels:
        """A picture by one of the other ways, in as many seconds."""
        out = self.folder / "other.png"
        told = ["--side", str(self.side), "--seconds", str(self.seconds)]
        program = Path(__file__).with_name("style_sides.py")
        measuring.observed(
            [sys.executable, program, way, self.photos[photo], self.paintings[painting], out, *told],
            cache=self.folder / "cache",
        )
        return np.asarray(Image.open(out))

    def judged(self, picture: Pixels, photo: str, painting: str) -> Judged:
        """All three at the picture's size."""
        height, width = picture.shape[:2]
        own = Image.open(self.photos[photo]).convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        return Judged.of(picture, np.asarray(own), scaled(self.paintings[painting], max(height, width)))


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="a folder with style/, imagenet-100/ and clothing/")
    parser.add_argument("--only", nargs="+", choices=ROWS, help="some rows")
    parser.add_argument("--sheet", type=Path, metavar="JPEG", help="where `pairs` puts its pictures side by side")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for painting in steps (default 15)")
    parser.add_argument("--side", type=int, default=SIDE, help="longer side of the pictures (default 512)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(options.data, Path(name), seconds=options.seconds, side=options.side)
        bench.painted(*bench.pairs[0])  # what is made on a machine once
        rows = {"time": in_time, "strength": strengths, "engines": engines, "again": again}
        for row in options.only or ROWS:
            if row == "speed":
                speed()
            elif row == "pairs":
                pairs(bench, options.sheet)
            else:
                rows[row](bench)


def speed() -> None:
    """One pass, in a process that has nothing else: loading, then a picture of each size."""
    for side, (limit, megabytes) in FAST.items():
        code = LOADER.format(height=side * 3 // 4, side=side)
        runs = []
        for _ in range(3):
            _, printed, peak = measuring.observed([sys.executable, "-c", code], cache=Path(tempfile.gettempdir()))
            runs.append((json.loads(printed), (peak or 0) / 1e6))
        if side == min(FAST):
            print(LOADING.verdict(statistics.median(run["loaded"] for run, _ in runs)))
            print(at_most(0, "times", "torch imported").verdict(sum(run["torch"] for run, _ in runs)))
        seconds = statistics.median(run["seconds"] for run, _ in runs)
        print(f"{side} px: the first of a process {statistics.median(run['first'] for run, _ in runs):.2f} s")
        print(at_most(limit, "s", f"one pass at {side} px, after loading").verdict(seconds))
        print(at_most(megabytes, "MB", f"peak memory at {side} px").verdict(max(peak for _, peak in runs)), flush=True)


def in_time(bench: Bench) -> None:
    """`--time`: when the first preview is there, when the process ends, and what it takes."""
    out = bench.folder / "timed.png"
    told = ["--style", bench.paintings["starry night"], "--imgsz", str(bench.side), "--time", f"{bench.seconds}s"]
    command = [sys.executable, "-m", "eyespot", "stylize", bench.photos["chicago"], "--out", out, *told, "--json"]
    start, first = time.perf_counter(), None
    environment = {**os.environ, "EYESPOT_CACHE": str(bench.folder / "cache")}
    with subprocess.Popen(
        list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            if first is None and out.exists():
                first = time.perf_counter() - start
            time.sleep(0.01)
        seconds = time.perf_counter() - start
        assert process.stdout is not None
        steps = json.loads(process.stdout.read())["steps"]
    step = bench.seconds / steps
    print(f"{steps} steps, {step:.3f} s each")
    print(at_most(bench.seconds + step, "s", "the whole process, with the time and one step").verdict(seconds))
    print(FIRST.verdict(first if first is not None else float("inf")))
    *_, megabytes = bench.painted("chicago", "starry night", "--time", f"{bench.seconds}s")
    print(MEMORY.verdict(megabytes), flush=True)


def pairs(bench: Bench, sheet: Path | None) -> None:
    """Every photo as every painting, in four ways."""
    judged: dict[str, list[Judged]] = {"fast": [], "steps": [], "wheel": [], "pixels": []}
    drawn: dict[tuple[str, str], Sequence[Pixels]] = {}
    for photo, painting in bench.pairs:
        made = {
            "fast": bench.painted(photo, painting)[0],
            "steps": bench.painted(photo, painting, "--time", f"{bench.seconds}s")[0],
            "wheel": bench.other("wheel", photo, painting),
            "pixels": bench.other("pixels", photo, painting),
        }
        for way, picture in made.items():
            judged[way].append(bench.judged(picture, photo, painting))
            print(f"{photo:8} {painting:13} {way:7} {judged[way][-1]}", flush=True)
        drawn[photo, painting] = made["fast"], made["steps"]
    if sheet is not None:
        drawn_sheet(bench, drawn, sheet)
    starry = judged["steps"][bench.pairs.index(("chicago", "starry night"))]
    for name, bar in STARRY.items():
        print(bar.verdict(getattr(starry, name)))
    for name, bar in MEDIAN.items():
        print(bar.verdict(median(judged["steps"], name)))
    print(GRAIN.verdict(max(each.grain for way in ("fast", "steps") for each in judged[way])))
    for other in ("wheel", "pixels"):
        for name in ("style", "grain"):
            nearer = Bar(0, "", f"{name} of {other} less ours in steps, medians, at the same seconds", at_least=True)
            print(nearer.verdict(median(judged[other], name) - median(judged["steps"], name)), flush=True)


def median(judged: Sequence[Judged], name: str) -> float:
    return statistics.median(getattr(each, name) for each in judged)


def strengths(bench: Bench) -> None:
    """More strength is nearer to the painting and farther from the photo."""
    ways = {"fast": (), "steps": ("--steps", str(bench.steps))}
    wrong = 0
    for way, given in ways.items():
        for photo, painting in bench.pairs:
            found = [
                bench.judged(bench.painted(photo, painting, "--strength", str(each), *given)[0], photo, painting)
                for each in STRENGTHS
            ]
            falls = all(
                more.style < less.style and more.self_similarity < less.self_similarity
                for less, more in itertools.pairwise(found)
            )
            wrong += not falls
            told = ", ".join(f"{each.style:.3f}/{each.self_similarity:.3f}" for each in found)
            print(f"{photo:8} {painting:13} {way:7} style/self-similarity {told}{'' if falls else '  NOT'}", flush=True)
    print(MONOTONE.verdict(wrong), flush=True)


def engines(bench: Bench) -> None:
    """The freed networks by OpenVINO and by ONNX Runtime, and as they were published."""
    import style_engines

    most = max(
        style_engines.apart(scaled(bench.photos[photo], side), scaled(bench.paintings[painting], 400))
        for photo, painting in bench.pairs
        for side in (bench.side, 371)
    )
    print(LEVELS.verdict(most))
    kept = max(
        style_engines.apart_from_wheel(bench.photos[photo], bench.paintings[painting])
        for photo, painting in bench.pairs
    )
    print(AS_PUBLISHED.verdict(kept), flush=True)


def again(bench: Bench) -> None:
    """The same steps with the same seed, in two processes."""
    first, second = (bench.painted("owl", "wave", "--steps", "40", "--seed", "3")[0] for _ in range(2))
    print(SAME.verdict(int((first != second).any(axis=2).sum())), flush=True)


def drawn_sheet(bench: Bench, made: dict[tuple[str, str], Sequence[Pixels]], path: Path) -> None:
    """The paintings above, the photos to the left, and each photo as each painting: in one pass, and in steps."""
    side = 150
    sheet = Image.new("RGB", ((1 + 2 * len(PAINTINGS)) * (side + 4), (1 + len(SHOWN)) * (side + 4)), "white")

    def put(picture: Image.Image, column: int, row: int) -> None:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        sheet.paste(picture, (column * (side + 4), row * (side + 4)))

    for column, painting in enumerate(PAINTINGS):
        put(Image.open(bench.paintings[painting]).convert("RGB"), 1 + 2 * column, 0)
    for row, photo in enumerate(SHOWN, start=1):
        put(Image.open(bench.photos[photo]).convert("RGB"), 0, row)
        for column, painting in enumerate(PAINTINGS):
            for number, picture in enumerate(made[photo, painting]):
                put(Image.fromarray(picture), 1 + 2 * column + number, row)
    sheet.save(path, quality=80, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
