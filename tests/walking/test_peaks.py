"""The largest numbers of many images are those of walking through each of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eyespot import zoo
from eyespot.errors import NetworkError
from eyespot.walking.peaks import peaks
from eyespot.walking.walk import walk


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return zoo.create("lenet5", classes=10).eval()


@pytest.mark.parametrize("layer", ["input", "stage1.conv", "stage2.act", "stage2", "head.fc"])
def test_a_layers_largest_numbers_and_their_places_are_those_of_each_walk(net, layer):
    images = torch.randn(5, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    found = peaks(net, images, layer=layer)
    for number, image in enumerate(images):
        steps = walk(net, image).steps
        output = steps[layer if layer in steps else "stage2.pool"].output
        maps = output.reshape(len(output), -1).numpy()
        np.testing.assert_allclose(found.values[number], maps.max(1), rtol=1e-5)
        rows, columns = np.unravel_index(maps.argmax(1), output.shape[1:] or (1,) * 2) if output.dim() == 3 else (0, 0)
        np.testing.assert_array_equal(found.places[number, :, 0], rows)
        np.testing.assert_array_equal(found.places[number, :, 1], columns)
    assert found.values.shape == found.flat.shape == found.places.shape[:2]


def test_a_map_without_differences_is_flat(net):
    found = peaks(net, torch.zeros(2, 1, 32, 32), layer="input")
    assert found.flat.all()
    assert not peaks(net, torch.randn(2, 1, 32, 32), layer="input").flat.any()


def test_what_is_no_layer_is_told_and_no_hook_stays(net):
    for layer in ("stage9", ""):
        with pytest.raises(NetworkError, match="no layer"):
            peaks(net, torch.zeros(1, 1, 32, 32), layer=layer)
    peaks(net, torch.zeros(1, 1, 32, 32), layer="stage1.conv")
    assert net(torch.zeros(1, 1, 32, 32)).shape == (1, 10)
