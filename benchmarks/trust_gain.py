"""What a list of decisions is worth: whether `train --exclude` calls a good list a gain, and a useless one none.

A tenth of the clothes, drawn by seeds 0, 1 and 2, lies in the folder of another class, and the list leaves out exactly
those; or nothing lies wrong, and it leaves out as many. Half of all pictures test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from measuring import Bar, at_least, at_most, runs_line
from subset import link

import eyespot
from eyespot.data.copies import content_hash
from eyespot.data.decisions import LEAVE_OUT, NEEDED
from eyespot.data.sources import open_data_set
from eyespot.evaluate.trust import Gain, ListGain
from eyespot.runs.tables import write_csv

SEEDS = range(3)
LISTED, TESTED = 0.1, 0.5
"""Shares of the pictures."""
JUDGED = at_least(len(SEEDS), "runs", "a list that leaves out wrong labels, 10 %, is called a gain on the others")
AS_FOUND = at_least(len(SEEDS), "runs", "and on all pictures, of which 10 % count against it")
USELESS = at_most(0, "runs", "a list that leaves out 10 % that are not wrong is called a gain")


def rows(data: Path) -> Iterator[tuple[Bar, float]]:
    """data: the folder that holds `clothing/`."""
    good, useless = ([_gain(data / "clothing", seed, turned=turned) for seed in SEEDS] for turned in (True, False))
    yield JUDGED, _called_a_gain("wrong labels, as judged", [each.judged for each in good])
    yield AS_FOUND, _called_a_gain("wrong labels, as found", [each.as_found for each in good])
    yield USELESS, _called_a_gain("others, as judged", [each.judged for each in useless])


def _called_a_gain(name: str, gains: Sequence[Gain]) -> float:
    """In how many runs the interval lies above 0."""
    print(runs_line(name, [100 * each.difference.value for each in gains], "points"), flush=True)
    for each in gains:
        print(f"{'':36} {each.difference} on {each.n} test pictures", flush=True)
    return sum(each.difference.low > 0 for each in gains)


def _gain(folder: Path, seed: int, *, turned: bool) -> ListGain:
    """What a list is said to be worth. turned: what it leaves out has the class of another folder."""
    data_set, random = open_data_set(folder), np.random.default_rng(seed)
    paths = [each.path for each in data_set.pictures if each.path is not None]
    listed = random.permutation(len(paths))[: round(LISTED * len(paths))].tolist()
    labels = np.array([data_set.classes.index(path.parent.name) for path in paths])
    if turned:
        labels[listed] += random.integers(1, len(data_set.classes), len(listed))
    parts = np.where(random.random(len(paths)) < TESTED, "test", "train")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for row, path in enumerate(paths):
            label = data_set.classes[labels[row] % len(data_set.classes)]
            link(path, place / "clothing" / parts[row] / label / f"{row}{path.suffix}")
        hashes = (content_hash(paths[row].read_bytes()) for row in listed)
        write_csv(place / "list.csv", NEEDED, ((content, "", LEAVE_OUT) for content in hashes))
        result = eyespot.train(place / "clothing", exclude=place / "list.csv", out=place / "runs", seed=seed)
    assert result.list_gain is not None
    return result.list_gain
