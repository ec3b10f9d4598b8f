"""A head on a larger network: tried where a time that was given is left, kept by the ladder's rule."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.data.groups import Series
from eyespot.regimes import fitting
from eyespot.regimes.answers import Answers
from eyespot.regimes.larger import MEASURING_SECONDS, ROOM, TAKES_MORE, Larger, try_larger
from eyespot.regimes.weighing import Climbed
from eyespot.runs.clock import Clock

PICTURES = 40
RESERVE = 4.0


def answers(right: int) -> Answers:
    pictures = [Hashed(Picture(f"{row}.png", label="a"), content=f"{row:08x}") for row in range(PICTURES)]
    logits = np.array([[1.0, 0.0] if row < right else [0.0, 1.0] for row in range(PICTURES)])
    return Answers(pictures, np.zeros(PICTURES, np.int64), logits[None])


def model(name: str) -> Any:
    return SimpleNamespace(
        regime="frozen",
        trunk=SimpleNamespace(network=SimpleNamespace(name=name)),
        prepared=SimpleNamespace(series=Series()),
    )


def tried(*, left: float, costs: dict[str, float], right: int = 40) -> tuple[bool, Climbed, Clock]:
    """What came of offering networks, in order, at the given prices in seconds; of PICTURES the best so far has 20
    right."""
    climbed, clock = Climbed(model("lite0"), answers(20), [], {}), Clock(left)
    offered = [
        Larger(name, lambda s=s: s, lambda name=name: (model(name), answers(right))) for name, s in costs.items()
    ]
    job: Any = SimpleNamespace(clock=clock)
    return try_larger(climbed, offered, job, reserve=RESERVE), climbed, clock


def test_one_that_is_better_takes_the_place_of_the_best():
    is_kept, climbed, _ = tried(left=1000, costs={"lite2": 20, "lite1": 10})
    assert is_kept
    assert climbed.best.trunk.network.name == "lite2"
    [rung] = climbed.rungs
    assert (rung.regime, rung.trained, rung.kept) == ("frozen", "the head alone, on lite2", True)
    assert rung.verdict.startswith("kept: 20 right that frozen had wrong")
    assert climbed.answers.accuracies == [1.0]


def test_one_that_is_not_is_discarded_and_no_other_is_tried():
    is_kept, climbed, _ = tried(left=1000, costs={"lite2": 20, "lite1": 10}, right=21)
    assert not is_kept
    assert [rung.verdict.partition(":")[0] for rung in climbed.rungs] == ["discarded"]
    assert climbed.best.trunk.network.name == "lite0"


def test_the_time_decides_which_is_tried_and_what_was_decided_stays():
    least = TAKES_MORE * RESERVE + ROOM * 20
    _, climbed, clock = tried(left=least - 1, costs={"lite2": 20, "lite1": 10})
    assert climbed.best.trunk.network.name == "lite1"
    assert (clock.known("frozen lite2: tried"), clock.known("frozen lite1: tried")) == (False, True)
    _, climbed, _ = tried(left=TAKES_MORE * RESERVE + MEASURING_SECONDS - 1, costs={"lite2": 0, "lite1": 0})
    assert not climbed.rungs


@pytest.mark.parametrize("each", [20, 4])
def test_it_is_tried_after_the_ladder_and_where_pictures_are_too_few_for_one(
    each, draw, shared_cache, tmp_path, monkeypatch
):
    monkeypatch.setattr(fitting, "LARGER", ("efficientnet_lite0",))  # as good as the first: the same
    monkeypatch.setattr("eyespot.regimes.ladder.Ladder._climb_on", lambda ladder: None)
    draw(tmp_path / "photos" / "train", each)
    draw(tmp_path / "photos" / "val", 10, first=100)
    result = eyespot.train(tmp_path / "photos", out=tmp_path, name="run", time=300)
    plain = eyespot.train(tmp_path / "photos", out=tmp_path, name="plain", regime="frozen")
    assert [(rung.regime, rung.kept) for rung in result.ladder] == [("frozen", True), ("frozen", False)]
    assert result.ladder[1].trained == "the head alone, on efficientnet_lite0"
    assert result.ladder[1].validation == result.ladder[0].validation
    assert read_bundle(result.run).graph == read_bundle(plain.run).graph


@pytest.mark.parametrize("options", [{"model": "efficientnet_lite0"}, {"regime": "partial"}, {"freeze": "stage7"}])
def test_where_a_network_or_a_regime_was_chosen_no_other_is_tried(
    options, ladder_photos, shared_cache, tmp_path, monkeypatch
):
    monkeypatch.setattr(fitting, "LARGER", ("efficientnet_lite0",))
    monkeypatch.setattr("eyespot.regimes.ladder.Ladder._climb_on", lambda ladder: None)
    result = eyespot.train(ladder_photos, out=tmp_path, time=300, **options)
    assert [rung.regime for rung in result.ladder] == ["frozen"]
