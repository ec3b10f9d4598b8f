"""The deletion test tells a map that points at what matters from one that does not."""

from dataclasses import replace

import corner_network as made
import numpy as np
import pytest

from eyespot.explaining.deletion import DRAWS, deletion_test
from eyespot.explaining.heat import asking, heat_of
from eyespot.explaining.network import Network


@pytest.fixture(scope="module")
def network():
    return Network(made.bundle(), cache_folder=None)


@pytest.fixture(scope="module")
def heat(network):
    image = made.red_corner()
    return heat_of(network, image, network.answer(image), 0)


def test_hiding_the_corner_that_matters_ends_the_answer_and_hiding_others_does_not(network, heat):
    found = deletion_test(asking(network, 0), made.red_corner(), heat)
    assert (found.hidden, found.places, found.draws) == (13, 64, DRAWS)
    assert found.untouched == heat.probability
    assert found.strongest.mean < 0.2 < 0.8 < found.random.mean
    assert found.lower >= DRAWS - 1  # but for a draw of the corner's own colour
    assert found.confirmed
    assert "rests on what the heat map shows" in found.sentence
    for spread in (found.strongest, found.random):
        assert spread.low <= spread.mean <= spread.high


def test_a_map_that_points_elsewhere_is_found_out(network, heat):
    wrong = replace(heat, values=heat.values[::-1, ::-1].copy())
    found = deletion_test(asking(network, 0), made.red_corner(), wrong)
    assert found.strongest.mean == pytest.approx(found.untouched, abs=1e-6)
    assert (found.lower, found.confirmed) == (0, False)
    assert "do not rely on the heat map" in found.sentence


def test_it_is_the_same_every_time(network, heat):
    first, second = (deletion_test(asking(network, 0), made.red_corner(), heat) for _ in range(2))
    assert first == second


def test_a_map_without_any_heat_can_be_tested(network, heat):
    flat = replace(heat, values=np.zeros((3, 3), np.float32))
    assert deletion_test(asking(network, 0), made.red_corner(), flat).hidden == 2
