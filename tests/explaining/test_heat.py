"""Heat maps lie where the answer comes from: exactly for a linear head, found by hiding for others."""

import corner_network as made
import numpy as np
import pytest

from eyespot.engine.last_map import LinearHead
from eyespot.explaining.heat import activation_map, heat_of, with_hidden
from eyespot.explaining.network import Network


def test_the_map_is_the_weighted_sum_of_the_channels():
    random = np.random.default_rng(0)
    maps, weight = random.normal(size=(5, 3, 4)).astype(np.float32), random.normal(size=(2, 5)).astype(np.float32)
    found = activation_map(maps, LinearHead(weight, np.zeros(2, np.float32)), 1)
    expected = [[sum(weight[1, k] * maps[k, y, x] for k in range(5)) for x in range(4)] for y in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_its_mean_and_the_bias_are_the_score_behind_the_probability(temperature):
    network = Network(made.bundle(temperature=temperature), cache_folder=None)
    image = made.red_corner()
    answer = network.answer(image)
    heats = [heat_of(network, image, answer, index) for index in range(2)]
    scores = [heat.values.mean() + network.head.bias[heat.class_index] for heat in heats]
    difference = (scores[0] - scores[1]) / temperature
    assert difference == pytest.approx(np.log(answer.probabilities[0] / answer.probabilities[1]), abs=1e-4)


@pytest.mark.parametrize(("averaged", "method"), [(True, "class activation map"), (False, "occlusion")])
def test_where_one_corner_matters_the_map_is_warm_there_and_nowhere_else(averaged, method):
    network = Network(made.bundle(averaged=averaged), cache_folder=None)
    image = made.red_corner()
    heat = heat_of(network, image, network.answer(image), 0)
    assert (heat.method, heat.class_) == (method, "red corner")
    assert heat.probability > 0.9
    side = len(heat.values)
    patch = 0 if averaged else side // 4 - 1  # what hides a part of the corner reaches so much further
    reach = made.CORNER * side // made.PLACES + patch
    assert np.unravel_index(heat.values.argmax(), heat.values.shape) < (reach, reach)
    elsewhere = heat.values.copy()
    elsewhere[:reach, :reach] = 0
    assert np.abs(elsewhere).max() < 1e-6 < heat.values[0, 0]
    assert "'red corner'" in heat.sentence


def test_what_occlusion_finds_is_what_a_brute_force_twin_finds():
    network = Network(made.bundle(averaged=False), cache_folder=None)
    image = made.red_corner()
    answer = network.answer(image)
    found = heat_of(network, image, answer, 0).values
    side, length, pixels = 16, 4, made.SIDE // 16
    color = np.rint(image.reshape(-1, 3).mean(0)).astype(np.uint8)
    drops = [[[] for _ in range(side)] for _ in range(side)]
    for top in range(side - length + 1):
        for left in range(side - length + 1):
            hidden = image.copy()
            hidden[top * pixels : (top + length) * pixels, left * pixels : (left + length) * pixels] = color
            drop = answer.probabilities[0] - network.answer(hidden).probabilities[0]
            for y in range(top, top + length):
                for x in range(left, left + length):
                    drops[y][x].append(drop)
    np.testing.assert_allclose(found, [[np.mean(each) for each in row] for row in drops], atol=1e-5)


def test_places_are_hidden_whole_also_where_they_do_not_divide_the_side():
    image = np.zeros((10, 7, 1), np.uint8)
    places = np.zeros((3, 2), bool)
    places[0, 0] = places[2, 1] = True
    hidden = with_hidden(image, places, np.array([9], np.uint8))[..., 0]
    assert (hidden[:4, :4] == 9).all()
    assert (hidden[7:, 4:] == 9).all()
    assert (hidden == 9).sum() == 4 * 4 + 3 * 3
    assert not image.any()
