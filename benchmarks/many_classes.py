"""`eyespot train` on very many classes of three pictures each, cold but for the trunk, and then `eyespot predict`.

    python benchmarks/many_classes.py

The pictures are made: a colour for each class, with a little noise. What is measured is that all of it works, how long
it takes, the most memory that training holds, and how large its files are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import measuring
import numpy as np
from measuring import at_most
from PIL import Image

REPORT_BAR = at_most(5, "MB", "the report on 2,000 classes of three pictures has at most 5 MB")
SIDE = 16
NOISE = 3
ASKED = 100
"""Pictures that the trained model is asked."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--classes", type=int, default=2000, help="classes (default 2000)")
    parser.add_argument("--each", type=int, default=3, help="pictures of each (default 3)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = made(folder / "data", classes=options.classes, each=options.each)
        cache = measuring.cold_cache(measuring.converted_trunk(folder / "converted"), folder / "cache")
        trained = measuring.train(data, cache=cache, out=folder / "runs", given=measuring.FROZEN)
        run = Path(trained.result["run"])
        asked = sorted(data.glob("*/0.png"))[:ASKED]
        command = [sys.executable, "-m", "eyespot", "predict", run, *asked, "--json", "--quiet"]
        seconds, printed = measuring.timed(command, cache=cache)
        answered = sum(bool(each["predictions"]) for each in json.loads(printed))
        peak = "unknown" if trained.peak_bytes is None else f"{trained.peak_bytes / 1e9:.2f} GB"
        print(f"trained: {len(trained.result['classes'])} classes, {trained.seconds:.1f} s, peak memory {peak}")
        print(f"predicted: {answered} of {len(asked)} pictures, {seconds:.1f} s")
        for file in ("bundle/manifest.json", "bundle/model.onnx", "result.json", "confusion_matrix.png", "report.html"):
            print(f"{file:22} {megabytes(run / file):.2f} MB")
        print(REPORT_BAR.verdict(megabytes(run / "report.html")))


def made(folder: Path, *, classes: int, each: int) -> Path:
    """The folder, with so many class folders and pictures in each."""
    for number in range(classes):
        random = np.random.default_rng(number)
        color = random.integers(0, 256, 3)
        (folder / f"class_{number}").mkdir(parents=True)
        for picture in range(each):
            pixels = (color + random.normal(0, NOISE, (SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"class_{number}" / f"{picture}.png")
    return folder


def megabytes(file: Path) -> float:
    return file.stat().st_size / 1e6


if __name__ == "__main__":
    main()
