"""The deletion test tells a map that points at what matters from one that does not."""

from dataclasses import replace

import corner_network as made
import numpy as np
import pytest

from eyespot.explaining.deletion import MOVED, SHARES, _moves, deletion_test
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
    assert (found.hidden, found.places, found.draws) == (13, 64, MOVED)
    assert found.untouched == heat.probability
    assert found.strongest.mean < 0.2 < 0.7 < found.random.mean
    assert (found.confirmed, found.verdict) == (True, "rests on the map")
    assert found.gap > 1
    assert "rests on what the heat map shows" in found.sentence
    for spread in (found.strongest, found.random):
        assert spread.low <= spread.mean <= spread.high


def test_a_map_that_points_elsewhere_is_found_out(network, heat):
    wrong = replace(heat, values=heat.values[::-1, ::-1].copy())
    found = deletion_test(asking(network, 0), made.red_corner(), wrong)
    assert found.strongest.mean == pytest.approx(found.untouched, abs=1e-6)
    assert not found.confirmed
    assert found.verdict == "rests elsewhere"
    assert "do not rely on the heat map" in found.sentence


def test_of_every_place_that_the_map_could_lie_at_it_is_confirmed_at_few(network, heat):
    """One in twenty, and those beside the right one, which hide much of the same."""
    found = [
        deletion_test(asking(network, 0), made.red_corner(), replace(heat, values=np.roll(heat.values, move, (0, 1))))
        for move in [(down, across) for down in range(0, 8, 2) for across in range(0, 8, 2)]
    ]
    assert found[0].confirmed
    assert sum(each.confirmed for each in found) <= 2


def test_an_answer_that_holds_whatever_fifth_is_hidden_is_no_reason_to_distrust_the_map(heat):
    """Something that is everywhere: hiding a fifth of it costs a little, wherever that is."""

    def ask(images):
        return (1 - 0.3 * float((image == (0, 0, 200)).all(axis=2).mean()) for image in images)

    everywhere = np.full((64, 64, 3), (0, 0, 200), np.uint8)
    found = deletion_test(ask, everywhere, heat)
    assert (found.verdict, found.confirmed) == ("holds", False)
    assert found.sentence.startswith("The answer held whatever fifth was hidden, with 0.700 at least: more than one")
    assert "do not rely" not in found.sentence


def test_what_saturates_as_a_probability_still_falls_in_logits(heat):
    """0.99999 that becomes 0.999 looks the same, and has lost two of five digits."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)

    def ask(images):
        for image in images:
            share = float((image[:16, :16] == noise[:16, :16]).all(axis=2).mean())
            yield 1 - 10 ** (-3 - 2 * share)

    corner = np.zeros((8, 8), np.float32)
    corner[:2, :2] = 1
    found = deletion_test(ask, noise, replace(heat, values=corner))
    assert found.strongest.mean > 0.99
    assert found.confirmed


def test_the_curve_is_asked_in_one_go_and_of_rising_shares(network, heat):
    calls = []

    def ask(images):
        calls.append(list(images))
        return asking(network, 0)(calls[-1])

    found = deletion_test(ask, made.red_corner(), heat)
    assert len(calls) == 1
    assert [step.share for step in found.curve] == list(SHARES) == sorted(SHARES)
    assert found.curve[-1].strongest < found.untouched


@pytest.mark.parametrize(("places", "moves"), [((7, 7), MOVED), ((3, 3), 8), ((1, 12), 11), ((4, 4), 15)])
def test_maps_are_moved_in_different_ways_and_none_stays(places, moves):
    found = _moves(places, np.random.default_rng(0)).tolist()
    assert len(found) == len({tuple(move) for move in found}) == moves
    assert [0, 0] not in found


def test_it_is_the_same_every_time(network, heat):
    first, second = (deletion_test(asking(network, 0), made.red_corner(), heat) for _ in range(2))
    assert first == second


def test_a_map_without_any_heat_can_be_tested(network, heat):
    flat = replace(heat, values=np.zeros((3, 3), np.float32))
    assert deletion_test(asking(network, 0), made.red_corner(), flat).hidden == 2
