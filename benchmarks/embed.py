"""The embedding pass, JPEG files to stored features on all cores, against what its two halves allow.

    python benchmarks/embed.py DATA

Decoding alone makes D images a second on all cores, the engine alone E on decoded images. Done one after the other they
would make 1 / (1/D + 1/E); the pass also reads, hashes and stores. All three take turns in one process, the engine
being warm and the store a new one every time.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import measuring
import numpy as np
import peak
from measuring import at_least

from eyespot import machine
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.copies import Hashed, hash_pictures
from eyespot.data.sources import list_pictures
from eyespot.data.store import Store
from eyespot.engine.run import in_batches
from eyespot.features.compute import AHEAD
from eyespot.features.decode import decode_pictures
from eyespot.features.embed import embed
from eyespot.features.trunk import Trunk

BAR = at_least(0.85, "of 1/(1/D + 1/E)", "the embedding pass reaches 0.85 of what decoding and engine alone allow")
SEED = 0


@dataclass(frozen=True)
class Round:
    """Images a second."""

    decoding: float
    engine: float
    whole: float

    @property
    def share(self) -> float:
        """What the whole pass reaches of decoding and engine one after the other."""
        return self.whole * (1 / self.decoding + 1 / self.engine)


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="where pictures are looked for, at any depth")
    parser.add_argument("--pictures", type=int, default=800, help="size of the sample (default 800)")
    parser.add_argument("--runs", type=int, default=3, help="rounds (default 3)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    trunk = DEFAULT.trunk(machine.cache_folder(), choose_precision("auto"))
    hashed = sample(options.data, options.pictures)
    rounds = [measure(trunk, hashed) for _ in range(options.runs)]
    limit = peak.measured()
    print(f"{len(hashed)} pictures, batches of {trunk.engine.batch}")
    print(measuring.runs_line("decoding alone, D", [each.decoding for each in rounds], "images/s"))
    print(measuring.runs_line("engine alone, E", [each.engine for each in rounds], "images/s"))
    print(measuring.runs_line("embedding pass", [each.whole for each in rounds], "images/s"))
    print("\n".join(limit.lines(trunk.precision)))
    engine = statistics.median(each.engine for each in rounds)
    print(f"engine alone: {engine / limit.images_per_second(trunk.precision):.0%} of that")
    print(measuring.runs_line("share of 1/(1/D + 1/E)", [each.share for each in rounds], ""))
    print(BAR.verdict(statistics.median(each.share for each in rounds)))


def sample(folder: Path, count: int) -> list[Hashed]:
    """Pictures drawn at random, each content once."""
    found = list(list_pictures([folder])[0])
    random.Random(SEED).shuffle(found)
    hashed, _ = hash_pictures(found[:count], threads=machine.cores())
    return list({each.content: each for each in hashed}.values())


def measure(trunk: Trunk, hashed: Sequence[Hashed]) -> Round:
    images: list[np.ndarray] = []

    def decode() -> None:
        pictures = [(each.picture, each.content) for each in hashed]
        ahead = AHEAD * trunk.engine.batch
        reasons: dict[int, str] = {}
        images.extend(image for _, image in decode_pictures(pictures, trunk.preprocess, reasons, ahead=ahead))
        for reason in reasons.values():
            raise SystemExit(f"a picture of the sample cannot be used: {reason}")

    def run_engine() -> None:
        for _ in trunk.engine.stream(in_batches(enumerate(images), trunk.engine.batch)):
            pass

    trunk.engine.run(np.zeros((trunk.engine.batch, *trunk.preprocess.crop_hw, 3), np.uint8))  # compiled and warm
    decoding = measuring.seconds_of(decode)
    engine = measuring.seconds_of(run_engine)
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        whole = measuring.seconds_of(lambda: embed(trunk, hashed, store=store))
    return Round(len(hashed) / decoding, len(hashed) / engine, len(hashed) / whole)


if __name__ == "__main__":
    main()
