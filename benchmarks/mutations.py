"""Mutated pictures of every format: none may end the process or hold it, and all verbs must read the same pixels.

    python benchmarks/mutations.py

Small pictures of every format and kind are damaged at random: bytes changed, cut out, doubled, set to extremes, files
cut off and joined. Each is read as for training (`read_image`) and as by the server (`read_sent`), in a process of its
own for each core, which says before each picture which one it is. One that dies, or says nothing for 5 seconds, is
counted and named, and another goes on behind that picture.
"""

from __future__ import annotations

import io
import multiprocessing
import multiprocessing.pool
import os
import random
import statistics
import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

import measuring
import numpy as np
from measuring import at_most
from PIL import Image

from eyespot.data.pictures import read_image
from eyespot.errors import RequestError, UnreadablePicture
from eyespot.records import Preprocess
from eyespot.serve.pictures import read_sent

SECONDS = 5.0
RECORD = Preprocess(
    short_side=32, crop_hw=(32, 32), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3, exact=False
)
BARS = {
    "deaths": at_most(0, "pictures", "no mutated picture ends the process"),
    "hangs": at_most(0, "pictures", "no mutated picture takes over 5 seconds"),
    "differences": at_most(0, "pictures", "training and server read the same pixels"),
}
SIZE_HW = (20, 24)


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--pictures", type=int, default=50_000, help="mutated pictures (default 50000)")
    parser.add_argument("--seed", type=int, default=0, help="decides the mutations (default 0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at a time (default one a core)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    started = time.perf_counter()
    counted: Counter[str] = Counter()
    worst: list[float] = []
    shares = [range(first, options.pictures, options.processes) for first in range(options.processes)]
    with multiprocessing.pool.ThreadPool(options.processes) as pool:
        for found in pool.map(lambda share: list(read(share, options.seed)), shares):
            for outcome in found:
                counted[outcome.kind] += 1
                worst.append(outcome.seconds)
                if outcome.kind in BARS:
                    print(
                        f"picture {outcome.number} of seed {options.seed}, {outcome.kind}: {outcome.words}", flush=True
                    )
    print(f"{len(worst)} pictures in {time.perf_counter() - started:.0f} s: {dict(counted.most_common())}")
    print(f"median {1000 * statistics.median(worst):.2f} ms, longest {max(worst):.2f} s")
    for kind, bar in BARS.items():
        print(bar.verdict(counted[kind]))


@dataclass(frozen=True)
class Outcome:
    """What came of one picture."""

    number: int
    kind: str
    """`read`, `refused`, or the name of a bar."""
    words: str
    seconds: float


def read(numbers: range, seed: int) -> Iterator[Outcome]:
    """What came of each picture, in order; the process that reads them is replaced when it dies or says nothing."""
    left = list(numbers)
    while left:
        here, there = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=_read_all, args=(left, seed, there))
        process.start()
        there.close()
        done = 0
        try:
            while done < len(left) and here.poll(SECONDS + 1):
                outcome = here.recv()
                if outcome.seconds > SECONDS:
                    outcome = Outcome(outcome.number, "hangs", outcome.words, outcome.seconds)
                yield outcome
                done += 1
            if done < len(left):  # it says nothing
                yield Outcome(left[done], "hangs", f"nothing for {SECONDS:.0f} s", SECONDS)
        except EOFError:
            process.join()
            yield Outcome(left[done], "deaths", f"the process ended with status {process.exitcode}", 0.0)
        process.kill()
        process.join()
        left = left[done + 1 :]


def _read_all(numbers: list[int], seed: int, told: Connection) -> None:
    sound = sound_pictures()
    for number in numbers:
        data = mutated(sound, random.Random(f"{seed} {number}"))
        began = time.perf_counter()
        kind, words = compared(data)
        told.send(Outcome(number, kind, words, time.perf_counter() - began))


def compared(data: bytes) -> tuple[str, str]:
    """Whether the picture was read, refused, or read in two ways, and in words how."""
    try:
        image = read_image(data, RECORD)
    except UnreadablePicture as error:
        image, reason = None, error.reason
    try:
        sent = read_sent(data, RECORD).image
    except RequestError as error:
        return ("refused", str(error)) if image is None else ("differences", f"read, and refused with {error}")
    if image is None:
        return "differences", f"read by the server, and refused with {reason}"
    return ("read", "") if np.array_equal(image, sent) else ("differences", "other pixels")


def sound_pictures() -> list[bytes]:
    """Small pictures of every format and kind that is read."""
    random_ = np.random.default_rng(0)
    color = Image.fromarray(random_.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)).resize(SIZE_HW[::-1])
    gray, exif = color.convert("L"), Image.Exif()
    exif[0x0112] = 6
    deep = random_.integers(0, 4096, SIZE_HW)
    kinds = {kind: Image.fromarray(deep.astype(kind)) for kind in (np.uint16, np.int32, np.float32)}
    saved: list[tuple[Image.Image, str, dict[str, object]]] = [
        *(
            (color, "JPEG", given)
            for given in ({}, {"progressive": True}, {"exif": exif.tobytes()}, {"subsampling": 0})
        ),
        *((color.convert(mode), "JPEG", {}) for mode in ("L", "CMYK")),
        *((color.convert(mode), "PNG", {}) for mode in ("RGB", "RGBA", "L", "LA", "P", "1")),
        (color, "PNG", {"exif": exif.tobytes(), "icc_profile": _profile()}),
        (kinds[np.uint16], "PNG", {}),
        (color.convert("P"), "GIF", {}),
        (color, "GIF", {"save_all": True, "append_images": [gray]}),
        *((color.convert(mode), "BMP", {}) for mode in ("RGB", "L", "P", "1")),
        *(
            (color, "TIFF", {"compression": name})
            for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
        ),
        *((color.convert(mode), "TIFF", {}) for mode in ("1", "L", "RGBA", "CMYK", "LAB")),
        *((image, "TIFF", {"compression": name}) for image in kinds.values() for name in ("raw", "tiff_lzw")),
        *((color.convert(mode), "WEBP", given) for mode in ("RGB", "RGBA") for given in ({}, {"lossless": True})),
        (color, "WEBP", {"save_all": True, "append_images": [gray.convert("RGB")]}),
        *((image, "PPM", {}) for image in (color, gray, gray.convert("1"), kinds[np.float32])),
        (color, "AVIF", {"speed": 10}),
        (color.convert("RGBA"), "AVIF", {"speed": 10, "exif": exif.tobytes()}),
    ]
    files = []
    for image, format, given in saved:
        file = io.BytesIO()
        image.save(file, format, **given)
        files.append(file.getvalue())
    size = f"{SIZE_HW[1]} {SIZE_HW[0]}"
    return [*files, f"P3\n# by hand\n{size}\n255\n{' '.join(map(str, np.asarray(color).ravel()))}\n".encode()]


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def mutated(sound: list[bytes], chance: random.Random) -> bytes:
    """One of the pictures, damaged in one to six places."""
    data = bytearray(chance.choice(sound))
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        at = chance.randrange(len(data) if chance.random() < 0.5 else min(len(data), 200)) if data else 0
        length = chance.choice((1, 2, 4, 8, 64))
        way = chance.randrange(8)
        if way <= 2:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif way == 3:
            extreme = chance.choice((0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 65_500, 40_000))
            data[at : at + 4] = struct.pack(chance.choice("<>") + "I", extreme)
        elif way == 4:
            del data[at : at + length]
        elif way == 5:
            data[at:at] = data[at : at + length] * chance.choice((1, 2, 50))
        elif way == 6:
            del data[max(1, at) :]
        else:
            other = chance.choice(sound)
            data[at:] = other[chance.randrange(len(other)) :]
    return bytes(data)


if __name__ == "__main__":
    main()
