"""The links between pictures as the store keeps them: only what another run on the same pictures would find, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from painted import painted

from eyespot.building.backbone import OWN_PREPROCESS
from eyespot.data.copies import Hashed, hash_pictures
from eyespot.data.sources import list_pictures
from eyespot.data.store import Store
from eyespot.data.taken import Taken
from eyespot.features import links
from eyespot.features.likeness import ALIKE, PERHAPS, unit_signatures

SHAPE = (6, 4, 4)
SIGNER = SimpleNamespace(
    folder=None, recipe=SimpleNamespace(key=lambda content, view: "signer"), preprocess=OWN_PREPROCESS
)


@pytest.fixture
def pictures(tmp_path) -> list[Hashed]:
    """Thirty, of which the first two are one, saved twice."""
    for number in range(30):
        painted("red", max(number, 1)).save(tmp_path / f"{number:02}.png", compress_level=9 if number else 1)
    listed, _ = list_pictures([tmp_path])
    hashed, _ = hash_pictures(listed, threads=1)
    return hashed


@pytest.fixture
def found(pictures, tmp_path, monkeypatch):
    """Finds the links of the pictures, whose first two have signatures that are neither alike nor unlike."""
    random = np.random.default_rng(0)
    signatures = random.normal(size=(len(pictures), *SHAPE))
    signatures[1] = signatures[0] + 1.1 * random.normal(size=SHAPE)
    unit = unit_signatures(signatures)
    assert PERHAPS < unit[0] @ unit[1] < ALIKE

    def embed(signer, pictures, **_):
        return SimpleNamespace(features={"identity": signatures}, pictures=pictures, set_aside=[])

    monkeypatch.setattr(links, "embed", embed)
    with Store(tmp_path / "cache") as store:
        yield lambda pictures: len(links.find_links(SIGNER, pictures, store=store).links)


def test_pictures_that_cannot_be_read_just_now_are_compared_again(pictures, found):
    path = Path(str(pictures[0].picture.path))
    path.rename(path.with_suffix(".gone"))
    assert found(pictures) == 0
    path.with_suffix(".gone").rename(path)
    assert found(pictures) == 1
    path.unlink()
    assert found(pictures) == 1  # from the store


def test_links_by_the_times_of_pictures_are_not_those_without(pictures, found, monkeypatch):
    monkeypatch.setattr(links, "SAVED_TWICE", 2)  # nothing is: only times are left
    timed = [replace(each, taken=Taken("camera", 5.0 * row)) for row, each in enumerate(pictures)]
    assert [found(pictures), found(timed), found(pictures)] == [0, 1, 0]
