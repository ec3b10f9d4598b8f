"""The network, and the graph that it becomes."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from eyespot import zoo
from eyespot.detecting.network import (
    Detector,
    Finder,
    Maps,
    as_numbers,
    channels_of,
    first_weights,
    from_numbers,
)
from eyespot.detecting.places import COARSE, FINE, Places
from eyespot.engine.from_torch import module_to_onnx
from eyespot.engine.gate import BOXES, SCORES, check_graph
from eyespot.records import Preprocess

PREPROCESS = Preprocess(
    short_side=96, crop_hw=(64, 96), filter="bilinear", color="rgb", mean=(127.0,) * 3, scale=(128.0,) * 3,
    exact=False, fit="letterbox",
)  # fmt: skip


def made(strides: tuple[int, ...]) -> tuple[Maps, Detector, Places]:
    torch.manual_seed(0)
    maps = Maps(zoo.create("efficientnet_lite0").eval(), strides)
    detector = Detector(channels_of(maps.net, strides), classes=3)
    with torch.no_grad():
        first_weights(detector, maps(torch.randn(2, 3, 64, 96)))
    return maps, detector, Places((64, 96), strides)


def test_the_graph_answers_as_the_network(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    for strides in (COARSE, FINE):
        maps, detector, places = made(strides)
        graph = module_to_onnx(Finder(maps, detector, places), PREPROCESS, outputs=(BOXES, SCORES))
        ports = check_graph(graph)
        assert ports.outputs[BOXES].shape == (None, len(places.middles), 4)
        found = onnxruntime.InferenceSession(graph).run([BOXES, SCORES], {"images": images})
        with torch.no_grad():
            x = (torch.tensor(images).permute(0, 3, 1, 2).float() - 127) / 128
            logits, distances = detector(maps(x))
        assert np.allclose(found[0], places.boxes(distances).numpy(), atol=1e-2)
        assert np.allclose(found[1], logits.sigmoid().numpy(), atol=1e-4)


def test_first_layers_give_unit_variance_and_rare_scores() -> None:
    torch.manual_seed(0)
    maps = [7 + 5 * torch.randn(2, 4, 6, 272), torch.randn(2, 2, 3, 320)]
    detector = Detector((272, 320), classes=3)
    with torch.no_grad():
        first_weights(detector, maps)
        spreads = [float(lateral(each).std()) for lateral, each in zip(detector.laterals, maps, strict=True)]
        logits, _ = detector(maps)
    assert all(0.9 < spread < 1.1 for spread in spreads)
    assert 0.002 < float(logits.sigmoid().mean()) < 0.05


def test_weights_in_a_row_come_back() -> None:
    _, detector, _ = made(COARSE)
    channels = [lateral.weight.shape[1] for lateral in detector.laterals]
    again = from_numbers(as_numbers(detector), channels, 3)
    assert again is not None
    assert (as_numbers(again) == as_numbers(detector)).all()
    assert from_numbers(as_numbers(detector)[1:], channels, 3) is None


def test_pixels_of_the_finest_map_join_the_next_one() -> None:
    net = zoo.create("efficientnet_lite0").eval()
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        fine, middle, _ = Maps(net, FINE)(x)
        joined, _ = Maps(net, COARSE)(x)
    quarters = torch.nn.functional.pixel_unshuffle(fine.permute(0, 3, 1, 2), 2)
    assert joined.shape[-1] == 4 * fine.shape[-1] + middle.shape[-1]
    assert sorted(joined[0, 1, 2, :160].tolist()) == sorted(quarters[0, :, 1, 2].tolist())
    assert (joined[..., 160:] == middle).all()
