"""Pictures per second of processor time from bytes to the centre crop, on one thread: eyespot against plain Pillow.

    python benchmarks/decode.py DATA

Plain Pillow is `Image.open(...).convert("RGB").resize(...)` of the whole picture, then `.crop(...)`. eyespot's own
record is the one that `train` and `predict` use: the short side becomes 224, bilinear, large JPEGs decoded at a
fraction. All sides take turns on each picture, so that a busy machine slows all of them; each round gives one total,
and one ratio to the usual way, which is plain Pillow with bicubic 256 and crop 224.
"""

from __future__ import annotations

import io
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import measuring
import numpy as np
from measuring import at_least
from PIL import Image

from eyespot.building.backbone import OWN_PREPROCESS
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.pictures import decoder_version, read_image
from eyespot.errors import UnreadablePicture
from eyespot.records import Preprocess

BAR = at_least(1.5, "times", "decoding is at least 1.5 times as fast as plain Pillow, bicubic, 256 then 224")
USUAL, OWN = "plain Pillow, bicubic 256/224", "eyespot, its own record"
Decode = Callable[[bytes], np.ndarray]
FilterName = Literal["bilinear", "bicubic"]
SEED = 0
CROP = 224


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="where pictures are looked for, at any depth")
    parser.add_argument("--pictures", type=int, default=400, help="size of the sample (default 400)")
    parser.add_argument("--runs", type=int, default=5, help="rounds (default 5)")
    options = parser.parse_args()
    print(f"{measuring.heading()}; decoder {decoder_version()}")
    pictures = sample(options.data, options.pictures)
    seconds = measure(pictures, sides(), options.runs)
    print(f"{len(pictures)} pictures, {options.runs} rounds, one thread, processor time")
    for name, totals in seconds.items():
        print(measuring.runs_line(name, [len(pictures) / total for total in totals], "pictures/s"))
    for name, totals in seconds.items():
        ratios = [usual / total for usual, total in zip(seconds[USUAL], totals, strict=True)]
        print(measuring.runs_line(f"{name}, to the usual way", ratios, "times"))
        if name == OWN:
            verdict = BAR.verdict(statistics.median(ratios))
    print(verdict)


def sides() -> dict[str, Decode]:
    """Every way from bytes to an image, by name."""
    published, reduced = preprocess("bicubic", 256, exact=True), preprocess("bicubic", 256, exact=False)
    whole = preprocess("bicubic", CROP, exact=True)
    return {
        USUAL: lambda data: plain_pillow(data, published),
        "plain Pillow, bicubic 224/224": lambda data: plain_pillow(data, whole),
        "plain Pillow, bilinear 224/224": lambda data: plain_pillow(data, OWN_PREPROCESS),
        OWN: lambda data: read_image(data, OWN_PREPROCESS),
        "eyespot, bicubic 256/224 exact": lambda data: read_image(data, published),
        "eyespot, bicubic 256/224": lambda data: read_image(data, reduced),
    }


def sample(folder: Path, count: int) -> list[bytes]:
    """Files that can be read, as bytes in memory, drawn at random from the folder and all folders in it."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    random.Random(SEED).shuffle(paths)
    record = preprocess("bicubic", CROP, exact=False)
    pictures = []
    for path in paths:
        data = path.read_bytes()
        try:
            read_image(data, record)
        except UnreadablePicture as error:
            print(f"left out: {path.name} {error.reason}")
            continue
        pictures.append(data)
        if len(pictures) == count:
            break
    if not pictures:
        raise SystemExit(f"no readable picture under {folder}")
    return pictures


def measure(pictures: list[bytes], sides: dict[str, Decode], rounds: int) -> dict[str, list[float]]:
    """Seconds per round of each side."""
    seconds: dict[str, list[float]] = {side: [0.0] * rounds for side in sides}
    for turn in range(rounds):
        for data in pictures:
            for side, decode in sides.items():
                start = time.thread_time()
                decode(data)
                seconds[side][turn] += time.thread_time() - start
    return seconds


def plain_pillow(data: bytes, record: Preprocess) -> np.ndarray:
    """What torchvision's Resize and CenterCrop do to a Pillow image."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    short, long = min(image.size), max(image.size)
    resized_long = int(record.short_side * long / short)
    size = (record.short_side, resized_long) if image.width <= image.height else (resized_long, record.short_side)
    image = image.resize(size, Image.Resampling[record.filter.upper()])
    height, width = record.crop_hw
    left, top = round((image.width - width) / 2.0), round((image.height - height) / 2.0)
    return np.asarray(image.crop((left, top, left + width, top + height)))


def preprocess(name: FilterName, short_side: int, *, exact: bool) -> Preprocess:
    """The record of EfficientNet-Lite0 with another resize."""
    return OWN_PREPROCESS.model_copy(
        update={"short_side": short_side, "crop_hw": (CROP, CROP), "filter": name, "exact": exact}
    )


if __name__ == "__main__":
    main()
