"""The signature is the pooled map, and asking for it changes no bit of the features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.blocks import chain, split
from eyespot.building.backbone import OWN_PREPROCESS
from eyespot.building.surgery import features_stage
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.gate import FEATURES, SIGNATURE, check_graph
from eyespot.engine.run import Engine, available_precisions
from eyespot.engine.signature import only_signature, with_signature


@pytest.fixture(scope="module")
def net() -> torch.nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return zoo.create("efficientnet_lite0").eval()


def graph_of(net: torch.nn.Sequential, side: int) -> bytes:
    preprocess = OWN_PREPROCESS.model_copy(update={"short_side": side, "crop_hw": (side, side)})
    return to_onnx(split(net, after=features_stage(net))[0], preprocess)


def images(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, side, side, 3), dtype=np.uint8)


def run(graph: bytes, side: int, precision="fp32") -> dict[str, np.ndarray]:
    return Engine(graph, image_hwc=(side, side, 3), precision=precision, batch=4).run(images(side))


@pytest.mark.parametrize(("side", "size", "stride"), [(224, 5, 3), (96, 3, 1), (448, 10, 6)])
def test_it_is_the_map_after_stage_5_pooled_to_four_places_a_side(net, side, size, stride):
    found = run(with_signature(graph_of(net, side), image_side=side), side)[SIGNATURE]
    x = torch.from_numpy((images(side) - 127.5) / 127.5).float().permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = torch.nn.functional.avg_pool2d(split(net, after="stage5")[0](x), size, stride).numpy()
    assert found.shape == expected.shape == (4, 112, 4, 4)
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.std())


def test_no_bit_of_the_features_changes_in_any_precision(net):
    graph = graph_of(net, 224)
    for precision in available_precisions():
        both = run(with_signature(graph, image_side=224), 224, precision)
        assert np.array_equal(both[FEATURES], run(graph, 224, precision)[FEATURES])
        alone = run(only_signature(graph, image_side=224), 224, precision)
        assert np.array_equal(both[SIGNATURE], alone[FEATURES])
        assert set(alone) == {FEATURES}


def test_the_part_that_gives_only_the_signature_is_small_and_passes_the_gate(net):
    graph = graph_of(net, 224)
    small = only_signature(graph, image_side=224)
    assert len(small) < 0.3 * len(graph)
    check_graph(small)
    check_graph(with_signature(graph, image_side=224))


def test_a_network_whose_maps_never_get_smaller_than_a_16th_has_one_too():
    """A map of 4 x 4 places, each of which is one number of the signature."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = chain(
            stem=nn.Conv2d(3, 6, 16, stride=16),
            stage1=chain(conv=nn.Conv2d(6, 12, 1, bias=False), norm=nn.BatchNorm2d(12), act=nn.ReLU()),
            head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()),
        ).eval()
    preprocess = OWN_PREPROCESS.model_copy(update={"short_side": 64, "crop_hw": (64, 64)})
    found = run(with_signature(to_onnx(net, preprocess), image_side=64), 64)[SIGNATURE]
    x = torch.from_numpy((images(64) - 127.5) / 127.5).float().permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = net.stem(x).numpy()
    assert found.shape == expected.shape == (4, 6, 4, 4)
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.std())
