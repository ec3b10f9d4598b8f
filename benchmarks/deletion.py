"""What the deletion test says of right answers, of their heat maps put in a wrong place, and how long it takes.

`python benchmarks/deletion.py RUN DATA --pictures 72`: pictures of DATA, class folders that RUN was not trained on, and
that RUN names rightly. A map in a wrong place is the picture's own, moved by chance: what is said to rest on it does so
by chance. Beside it stands the test of one share alone: a fifth hidden 16 times, of which 12 had to cost more than the
same shape elsewhere.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from measuring import at_least, at_most, heading

from eyespot import machine
from eyespot.bundle.files import read_bundle
from eyespot.data.pictures import read_with_window
from eyespot.data.sources import open_data_set
from eyespot.engine.compiled import compiled_folder
from eyespot.explaining.deletion import HIDDEN_SHARE, deletion_test
from eyespot.explaining.heat import Asking, HeatMap, asking, heat_of, with_hidden
from eyespot.explaining.network import Network

DRAWS, ENOUGH = 16, 12
BARS = {
    "found": at_least(0.7, "of right answers", "rests on the map, or holds whatever fifth is hidden"),
    "chance": at_most(0.1, "of maps in a wrong place", "an answer is said to rest on them"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=int, default=72)
    options = parser.parse_args()
    print(heading())
    random = np.random.default_rng(1)
    said = {name: Counter[str]() for name in ("right", "moved", "one share: right", "one share: moved")}
    seconds = {"curve": 0.0, "one share": 0.0}
    for ask, image, heat in _right_answers(options.run, options.data, options.pictures):
        shift = random.integers(1, heat.values.shape)
        wrong = replace(heat, values=np.roll(heat.values, shift, (0, 1)))
        for name, each in (("right", heat), ("moved", wrong)):
            began = time.process_time()
            said[name][deletion_test(ask, image, each).verdict] += 1
            between = time.process_time()
            said[f"one share: {name}"]["rests on the map" if _one_share(ask, image, each) else "no"] += 1
            seconds["curve"] += between - began
            seconds["one share"] += time.process_time() - between
    for name, counts in said.items():
        print(f"{name:18} {dict(counts)}")
    asked = 2 * options.pictures
    print(", ".join(f"{name} {total / asked:.2f} s of processor time" for name, total in seconds.items()))
    print(BARS["found"].verdict(1 - said["right"]["rests elsewhere"] / options.pictures))
    print(BARS["chance"].verdict(said["moved"]["rests on the map"] / options.pictures))


def _right_answers(run: Path, data: Path, count: int) -> Iterator[tuple[Asking, np.ndarray, HeatMap]]:
    bundle = read_bundle(run)
    network = Network(bundle, cache_folder=compiled_folder(machine.cache_folder()))
    pictures = open_data_set(data).pictures
    for number in np.random.default_rng(0).permutation(len(pictures)).tolist():
        image, _ = read_with_window(pictures[number].read(), bundle.manifest.preprocess)
        answer = network.answer(image)
        likeliest = int(answer.probabilities.argmax())
        if count and network.classes[likeliest] == pictures[number].label:
            count -= 1
            yield asking(network, likeliest), image, heat_of(network, image, answer, likeliest)


def _one_share(ask: Asking, image: np.ndarray, heat: HeatMap) -> bool:
    random, pixels = np.random.default_rng(0), image.reshape(-1, image.shape[2])
    strongest = np.zeros(heat.values.shape, bool)
    strongest.flat[heat.values.ravel().argsort(kind="stable")[-round(HIDDEN_SHARE * heat.values.size) :]] = True

    def images() -> Iterator[np.ndarray]:
        for _ in range(DRAWS):
            color = pixels[random.integers(len(pixels))]
            move = divmod(int(random.integers(1, heat.values.size)), heat.values.shape[1])
            yield with_hidden(image, strongest, color)
            yield with_hidden(image, np.roll(strongest, move, (0, 1)), color)

    left = np.array(list(ask(images()))).reshape(DRAWS, 2)
    return int((left[:, 0] < left[:, 1]).sum()) >= ENOUGH


if __name__ == "__main__":
    main()
