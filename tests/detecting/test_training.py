"""A detector's training: it ends by itself, and goes on from any state to the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eyespot.data.boxes.records import BoxedPicture, Boxes
from eyespot.data.data_set import Picture
from eyespot.detecting.maps import MapFile, Mapped, packed
from eyespot.detecting.places import Places
from eyespot.detecting.training import DetectorPlan, DetectorTraining
from eyespot.regimes.run_training import seconds_per_step
from eyespot.training.plan import Step

PLACES = Places((64, 64), (16, 32))
SHAPES = {"map16": (4, 4, 6), "map32": (2, 2, 5)}
PICTURES, BATCH, STEPS = 6, 4, 5
"""Two steps see all pictures, the second of them only two."""


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[Mapped]:
    """Maps drawn at random, and a box in each picture."""
    random, file = np.random.default_rng(0), MapFile(SHAPES, PICTURES, tmp_path)
    pictures = []
    for number in range(PICTURES):
        file.write(number, packed({name: random.normal(0, 1, shape) for name, shape in SHAPES.items()}))
        boxes = Boxes(np.array([[8.0, 8, 40, 40]]), np.array([number % 2]), np.array([False]), np.array([False]))
        pictures.append(BoxedPicture(Picture(f"{number}.png"), 64, 64, boxes, f"{number:016x}"))
    yield Mapped(pictures, 1, file, [], 0, [])
    file.close()


def training(mapped: Mapped) -> DetectorTraining:
    return DetectorTraining(mapped, PLACES, 2, DetectorPlan(STEPS, batch=BATCH), seed=0)


def weights(made: DetectorTraining) -> dict[str, Any]:
    return {name: value.clone() for name, value in made.averaged.state_dict().items()}


def test_it_ends_by_itself_and_an_epoch_has_the_mean_loss_of_its_steps(mapped: Mapped) -> None:
    made = training(mapped)
    steps: list[Step] = list(made.run())
    assert [step.number for step in steps] == [1, 2, 3, 4, 5]
    assert [step.epoch.number if step.epoch else None for step in steps] == [None, 1, None, 2, 3]
    losses = [step.loss for step in steps]
    means = [np.mean(losses[:2]), np.mean(losses[2:4]), losses[4]]
    assert [epoch.train_loss for epoch in made.epochs] == pytest.approx(means)
    assert (made.step, list(made.run())) == (STEPS, [])


@pytest.mark.parametrize("stopped", [1, 2, 3])
def test_it_goes_on_from_a_state_to_the_same_bits(mapped: Mapped, stopped: int) -> None:
    whole, first, second = training(mapped), training(mapped), training(mapped)
    list(whole.run())
    for step in first.run():
        if step.number == stopped:
            break
    state = first.state()
    second.restore(state)
    list(second.run())
    expected, found = weights(whole), weights(second)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert [epoch.train_loss for epoch in second.epochs] == [epoch.train_loss for epoch in whole.epochs]
    assert state["step"] == stopped


def test_a_training_shorter_than_what_is_timed_is_timed_whole(mapped: Mapped) -> None:
    made: list[DetectorTraining] = []

    def make() -> DetectorTraining:
        made.append(training(mapped))
        return made[0]

    assert seconds_per_step(make, few=True, steps=2 * STEPS) > 0
    assert made[0].step == STEPS
