"""A network that somebody wrote in torch is trained, measured, written and exported like any other."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import eyespot
from eyespot.building.own import Own
from eyespot.errors import EyespotError, NetworkError, OptionError


def small(classes=3, channels=3):
    torch.manual_seed(0)
    layers = (nn.Conv2d(channels, 8, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU())
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes))


class Written(nn.Module):
    """With a forward of its own."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 5, stride=4), nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))


@pytest.mark.parametrize("make", [small, Written])
def test_a_network_of_ones_own_becomes_a_run(make, split_photos, shared_cache, tmp_path):
    net = make()
    before = copy.deepcopy(net.state_dict())
    result = eyespot.train(split_photos, model=net, imgsz=64, epochs=2, out=tmp_path)
    assert (result.network, result.regime) == (f"own:{make.__name__.replace('small', 'Sequential')}", "scratch")
    assert result.validation.n == 12
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    [answer] = result.model.predict(split_photos / "test" / "circle" / "203.png")
    assert len(answer.predictions) == 3
    [exported] = eyespot.export(result.run, out=tmp_path / "out").files
    from_file, from_run = (each.probabilities(split_photos / "val") for each in (eyespot.load(exported), result.model))
    assert np.allclose(from_file, from_run, atol=0.02)
    with pytest.raises(NetworkError, match="holds a network that a program handed in"):
        eyespot.summary(result.run)


def test_what_is_written_answers_as_torch_does(split_photos, shared_cache, tmp_path):
    """A learning rate of next to nothing leaves the weights as they were: torch itself says what is right."""
    net = small().eval()
    result = eyespot.train(
        split_photos, model=net, imgsz=64, epochs=1, lr=1e-9, weight_decay=0, average=0, out=tmp_path
    )
    file = split_photos / "test" / "circle" / "203.png"
    preprocess = result.model.manifest.preprocess
    image = Image.open(file).resize((85, 64), Image.Resampling.BILINEAR).crop((10, 0, 74, 64))
    values = torch.tensor((np.asarray(image, np.float32) - preprocess.mean) / preprocess.scale, dtype=torch.float32)
    with torch.inference_mode():
        scores = net(values.permute(2, 0, 1)[None]) / result.temperature
    assert result.model.probabilities(file)[0] == pytest.approx(scores.softmax(1)[0].numpy(), abs=0.02)


def test_the_size_is_one_that_the_network_takes():
    fixed = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 24 * 24, 2))
    network, preprocess = Own.of(fixed).fitted(2, side=None, gray=False)
    assert network.name == "own:Sequential"
    assert (preprocess.crop_hw, preprocess.color) == ((28, 28), "gray")


WRONG = [
    (5, {}, "the option model cannot be int: give auto, a name"),
    (nn.Linear, {}, "is the class Linear: give a network of it"),
    (nn.Flatten(), {}, "the network has no weights"),
    (small(7), {}, "last weights are not those of 3 scores"),
    (nn.Sequential(*small(), nn.Softmax(1)), {}, "ends in Softmax, which eyespot adds itself"),
    (small(channels=2), {}, r"takes no images \(N, C, H, W\) of 64 x 64 or .* pixels \(Given groups=1"),
    (nn.Sequential(nn.Conv2d(3, 3, 3)), {}, r"gives scores of the shape \(2, 3, 62, 62\) for 2 images"),
    (small(), {"regime": "frozen"}, "the regime frozen needs published weights"),
    (small(), {"imgsz": 33}, "imgsz cannot be 33"),
    ("own:Sequential", {}, "is a network that a program handed in: hand it in again"),
]


@pytest.mark.parametrize(("model", "options", "said"), WRONG, ids=[said for *_, said in WRONG])
def test_what_cannot_be_trained_is_said_in_a_sentence(model, options, said, split_photos, shared_cache, tmp_path):
    with pytest.raises(EyespotError, match=said) as raised:
        eyespot.train(split_photos, model=model, out=tmp_path, **options)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, OptionError)


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        return self.fc(torch.special.i0(x.mean((2, 3))))


def test_a_layer_that_has_no_place_in_a_graph_is_said_before_training(split_photos, shared_cache, tmp_path):
    with pytest.raises(OptionError, match=re.escape("cannot be written as ONNX")):
        eyespot.train(split_photos, model=Branching(), out=tmp_path)
