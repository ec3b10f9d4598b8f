"""`eyespot train` again: nothing changed, one picture added, another seed; whole processes.

    python benchmarks/again.py DATA

One cold run fills the store; then the three take turns. DATA is not touched: a temporary folder of links is.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import measuring
from measuring import at_most
from PIL import Image
from subset import arguments_parser, workplace

BARS = {
    "nothing changed": at_most(3, "s", "eyespot train again, nothing changed, takes at most 3 seconds"),
    "one picture added": at_most(8, "s", "with one picture added it takes at most 8 seconds"),
    "another seed": at_most(8, "s", "with another seed it takes at most 8 seconds"),
}


def main() -> None:
    parser = arguments_parser(__doc__)
    parser.add_argument("--runs", type=int, default=3, help="rounds (default 3)")
    options = parser.parse_args()
    with workplace(options) as (folder, data):
        cache = measuring.converted_trunk(folder / "cache")
        measuring.read_through(data)
        cold = measuring.train(data, cache=cache, out=folder / "runs", given=measuring.FROZEN)
        print(f"cold: {cold.seconds:.2f} s, {cold.result['views_computed']} views computed", flush=True)
        seconds = measure(data, cache, folder / "runs", options.runs)
    for side, values in seconds.items():
        print(measuring.runs_line(side, values, "s"))
    for side, values in seconds.items():
        print(BARS[side].verdict(statistics.median(values)))


def measure(data: Path, cache: Path, out: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round, by what changed since the features and the head of seed 0 were last stored."""
    seconds: dict[str, list[float]] = {side: [] for side in BARS}
    for number in range(1, rounds + 1):
        for side, values in seconds.items():
            if side == "one picture added":
                add_picture(data, number)
            seed = number if side == "another seed" else 0
            trained = measuring.train(data, cache=cache, out=out, seed=seed, given=measuring.FROZEN)
            values.append(trained.seconds)
            computed = trained.result["views_computed"]
            print(f"round {number}, {side}: {trained.seconds:.2f} s, {computed} views computed", flush=True)
    return seconds


def add_picture(data: Path, number: int) -> None:
    """A new picture beside one that is there (in train/, where there is one): the same, turned upside down."""
    links = sorted(path for path in data.rglob("*") if path.is_file())
    training = [path for path in links if path.relative_to(data).parts[0].lower() == "train"] or links
    chosen = training[number * len(training) // (number + 1)]
    with Image.open(chosen) as picture:
        turned = picture.convert("RGB").transpose(Image.Transpose.ROTATE_180)
    turned.save(chosen.with_name(f"added-{number}.jpg"))


if __name__ == "__main__":
    main()
