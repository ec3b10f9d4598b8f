"""Networks beside each other: which differences are more than chance, and how they are said."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from eyespot.cli import show_networks
from eyespot.data.copies import Hashed
from eyespot.data.groups import Series
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.recipes.backbones import BackbonesResult, _results
from eyespot.regimes.answers import Answers

PICTURES = [Hashed(None, f"{number:02}") for number in range(40)]


def tried(model: str, right: int, milliseconds: float) -> SimpleNamespace:
    """A network that has the first so many of 40 pictures right."""
    logits = np.zeros((1, 40, 2), np.float32)
    logits[0, :right, 0], logits[0, right:, 1] = 1, 1
    return SimpleNamespace(
        model=model,
        answers=Answers(PICTURES, np.zeros(40, np.int64), logits),
        fitted=SimpleNamespace(prepared=SimpleNamespace(series=Series())),
        accuracy=wilson_fraction(right / 40, 40),
        seconds=1.0,
        milliseconds=milliseconds,
        bytes=1_000_000,
    )


@pytest.fixture
def found():
    models = tuple(_results([tried("large", 38, 9.0), tried("small", 37, 3.0), tried("poor", 10, 1.0)]))
    rest = {"missing": (), "set_aside": (), "notes": (), "seconds": 1.0}
    return BackbonesResult(data="photos", pictures=40, classes=2, models=models, **rest)


def test_a_difference_is_what_a_network_has_more_than_the_best(found):
    best, near, far = found.models
    assert (best.behind, best.p) == (None, None)
    assert (near.behind.value, near.is_behind) == (pytest.approx(-1 / 40), False)
    assert (far.behind.value, far.is_behind) == (pytest.approx(-28 / 40), True)
    assert far.behind.high < 0 < near.behind.high
    assert far.p == pytest.approx(3 * 2 * 0.5 * 2**-28)  # Holm: three pairs; mid-p: half of 28 of 28, both ways
    assert found.sentence == "chance may explain what large and small differ by; the fastest of them is small"


def test_the_table_says_it_in_points(found):
    printed = CliRunner().invoke(show_networks.click.command()(lambda: show_networks.weighed(found))).output
    assert re.search(r"large +0\.950", printed)
    assert "-2.5 points, may be chance (p 0.5)" in printed
    assert "-70.0 points, worse (p < 0.0001)" in printed
