"""Whether mirror images are worth their time, on features that are made for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eyespot.heads.head import Samples
from eyespot.regimes import frozen
from eyespot.regimes.turns import WORTH
from eyespot.runs.options import train_options

CLASSES, COUNT, WIDTH = 3, 150, 40


class _Job:
    options = train_options()
    store = None


class _Prepared:
    def views(self, mirror: str) -> tuple[str, str]:
        return ("identity", "mirror")


def helps(monkeypatch: pytest.MonkeyPatch, mirrored: Any, *, least: float | None) -> bool:
    """mirrored: gives the features of mirror images, by the labels' means, the pictures' own features and chance."""
    chance = np.random.default_rng(0)
    labels = np.arange(COUNT) % CLASSES
    means = 3 * np.eye(CLASSES, WIDTH, dtype=np.float32)[labels]
    own = means + chance.standard_normal((COUNT, WIDTH), dtype=np.float32)
    samples = Samples(own, mirrored(means, own, chance).astype(np.float32), labels, CLASSES, None)
    monkeypatch.setattr(frozen, "_embedded", lambda *_, **__: None)
    monkeypatch.setattr(frozen, "_samples", lambda *_: samples)
    return frozen.mirror_helps(_Prepared(), None, _Job(), least=least)  # type: ignore[arg-type]


def test_mirror_images_that_say_something_new_help(monkeypatch):
    def as_good(means, own, chance):
        return means + chance.standard_normal(own.shape)

    assert helps(monkeypatch, as_good, least=WORTH)
    assert helps(monkeypatch, as_good, least=None)


def test_mirror_images_that_are_the_pictures_are_not_worth_their_time(monkeypatch):
    assert not helps(monkeypatch, lambda means, own, chance: own, least=WORTH)


def test_mirror_images_that_mislead_do_not_help(monkeypatch):
    def of_others(means, own, chance):
        return np.roll(means, 1, axis=0) + 0.3 * chance.standard_normal(own.shape)

    assert not helps(monkeypatch, of_others, least=WORTH)
    assert not helps(monkeypatch, of_others, least=None)
