"""Pictures per second of processor time from bytes to the centre crop, on one thread: eyespot against plain Pillow.

    python benchmarks/decode.py FOLDER

Plain Pillow is `Image.open(...).convert("RGB").resize(...)` of the whole picture, then `.crop(...)`. All sides take
turns on each picture, so that a busy machine slows all of them; each round gives one total, the table their medians.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from eyespot import machine
from eyespot.data.pictures import DECODER_VERSION, PICTURE_SUFFIXES, read_image
from eyespot.errors import UnreadablePicture
from eyespot.records import Preprocess

Decode = Callable[[bytes], np.ndarray]
FilterName = Literal["bilinear", "bicubic"]
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where pictures are looked for, at any depth")
    parser.add_argument("--pictures", type=int, default=400, help="size of the sample (default 400)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, at least 5 (default 5)")
    parser.add_argument("--short-side", type=int, default=256, help="pixels (default 256)")
    parser.add_argument("--crop", type=int, default=224, help="pixels (default 224)")
    options = parser.parse_args()
    pictures = sample(options.folder, options.pictures)
    print(f"{machine.describe()}; decoder {DECODER_VERSION}")
    print(f"{len(pictures)} pictures, short side {options.short_side}, crop {options.crop}, {options.rounds} rounds")
    print(f"{'filter':10}{'side':26}{'pictures/s':>12}{'to plain':>10}")
    for name in ("bicubic", "bilinear"):
        compare(pictures, name, options.short_side, options.crop, max(5, options.rounds))


def sample(folder: Path, count: int) -> list[bytes]:
    """Files that can be read, as bytes in memory, drawn at random from the folder and all folders in it."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    random.Random(SEED).shuffle(paths)
    record = preprocess("bicubic", 32, 32, reduced_decode=False)
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


def compare(pictures: list[bytes], name: FilterName, short_side: int, crop: int, rounds: int) -> None:
    """Prints one line for plain Pillow and for each of eyespot's two ways."""
    exact = preprocess(name, short_side, crop, reduced_decode=False)
    reduced = preprocess(name, short_side, crop, reduced_decode=True)
    sides: dict[str, Decode] = {
        "plain Pillow": lambda data: plain_pillow(data, exact),
        "eyespot, exact": lambda data: read_image(data, exact),
        "eyespot": lambda data: read_image(data, reduced),
    }
    seconds = measure(pictures, sides, rounds)
    plain = seconds["plain Pillow"]
    for side, totals in seconds.items():
        ratio = statistics.median(p / t for p, t in zip(plain, totals, strict=True))
        print(f"{name:10}{side:26}{len(pictures) / statistics.median(totals):12.0f}{ratio:10.2f}")


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


def preprocess(name: FilterName, short_side: int, crop: int, *, reduced_decode: bool) -> Preprocess:
    three = (127.5, 127.5, 127.5)
    return Preprocess(
        short_side=short_side,
        crop_hw=(crop, crop),
        filter=name,
        color="rgb",
        mean=three,
        scale=three,
        exact=not reduced_decode,
    )


if __name__ == "__main__":
    main()
