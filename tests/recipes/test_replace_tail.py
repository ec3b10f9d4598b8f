"""New layers after a cut: they learn, the bundle holds them, and a mistake in them is a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

import eyespot
from eyespot.blocks import split
from eyespot.building.backbone import pretrained
from eyespot.bundle.files import read_bundle
from eyespot.data.pictures import read_image
from eyespot.errors import OptionError
from eyespot.recipes.train import train
from eyespot.regimes import learned

TAIL = {"freeze": "stage6", "replace_tail": "conv 3x3 16, pool, fc 8"}
QUICK = {"epochs": 6, "batch": 8, "precision": "fp32"}


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.fixture(scope="module")
def trained(split_photos, warm_cache, tmp_path_factory):
    """A run with a new tail, and the whole network that was trained."""
    nets: list[nn.Sequential] = []
    as_trunk = learned.as_trunk

    def remembering(net, *args, **given):
        nets.append(net)
        return as_trunk(net, *args, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        patch.setattr(learned, "as_trunk", remembering)
        result = train(split_photos, out=tmp_path_factory.mktemp("runs"), **TAIL, **QUICK)
    return result, nets[0].eval()


@pytest.fixture(scope="module")
def found(trained) -> dict[str, np.ndarray]:
    """The tensors of the bundle's graph."""
    model = onnx.load_from_string(read_bundle(trained[0].run).graph)
    return {each.name.removeprefix("net."): numpy_helper.to_array(each) for each in model.graph.initializer}


def test_it_learns_and_says_what_was_trained(trained):
    result, _ = trained
    assert result.regime == "partial"
    assert result.test.accuracy > 0.6
    network = read_bundle(result.run).manifest.network
    assert (network.name, network.cut, network.tail) == ("efficientnet_lite0", *TAIL.values())
    report = Path(result.report).read_text("utf-8")
    assert "everything after stage6, beginning from new layers at random" in report
    assert "everything up to stage6, with all running statistics" in report


def test_nothing_below_the_cut_moves_and_new_layers_learn_their_own_statistics(found, warm_cache):
    trunk, behind = split(pretrained(warm_cache), after="stage6")
    kept = {name: tensor for name, tensor in trunk.state_dict().items() if "num_batches" not in name}
    assert all(np.array_equal(found[name], tensor.numpy()) for name, tensor in kept.items())
    assert not found.keys() & behind.state_dict().keys()
    assert found["new1.conv.weight"].shape == (16, 192, 3, 3)
    assert np.abs(found["new1.norm.running_mean"]).min() > 0


def test_the_bundle_answers_as_the_network_that_was_trained(trained, split_photos):
    result, net = trained
    files = sorted((split_photos / "test").rglob("*.png"))[::4]
    preprocess = read_bundle(result.run).manifest.preprocess
    images = np.stack([read_image(file.read_bytes(), preprocess) for file in files])  # (N, H, W, C)
    x = (images - np.array(preprocess.mean)) / np.array(preprocess.scale)
    with torch.inference_mode():
        logits = net(torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float32)))
    expected = torch.softmax(logits / result.temperature, 1).numpy()
    for each, row in zip(eyespot.predict(result.run, files), expected, strict=True):
        answer = {one.class_: one.probability for one in each.predictions}
        np.testing.assert_allclose([answer[name] for name in result.classes], row, atol=1e-3)


def test_the_summary_of_its_run_shows_the_new_layers(trained):
    layers = {each.name: each for each in eyespot.summary(trained[0].run).layers}
    assert [name for name in layers if name.startswith(("stage7", "head.conv"))] == []
    assert layers["new1.conv"].output == (16, 7, 7)
    assert layers["new1.pool"].output == (16, 3, 3)
    assert [layers[name].parameters for name in ("new1.conv", "new_head.fc1")] == [16 * 192 * 9, 16 * 8 + 8]
    assert list(layers.values())[-1].output == (3,)


def test_the_maps_of_a_new_layer_can_be_seen(trained, split_photos, tmp_path):
    picture = next((split_photos / "test" / "circle").iterdir())
    made = eyespot.feature_maps(trained[0].run, picture, stage="new1", out=tmp_path / "maps.png")
    assert made.shape == (16, 3, 3)


@pytest.mark.parametrize(
    ("freeze", "layers"),
    [
        ("stage6.b", "avgpool, dropout 0.2"),
        ("head.act", "pool"),
        ("head.flat", "fc 4"),
    ],
)
def test_every_cut_takes_a_new_tail_and_its_run_can_be_looked_into(split_photos, tmp_path, freeze, layers):
    result = train(split_photos, out=tmp_path, freeze=freeze, replace_tail=layers, epochs=1, batch=8)
    assert eyespot.summary(result.run).layers[-1].output == (3,)
    picture = next((split_photos / "test" / "circle").iterdir())
    made = eyespot.feature_maps(result.run, picture, stage="new_head.fc", out=tmp_path / "maps.png")
    assert made.shape == (3, 1, 1)
    assert eyespot.predict(result.run, picture)[0].predictions


def test_a_new_tail_may_end_in_a_sigmoid(draw, tmp_path):
    draw(tmp_path / "photos" / "train", 6, kinds=("circle", "square"))
    draw(tmp_path / "photos" / "val", 15, first=100, kinds=("circle", "square"))
    options = {"freeze": "stage7", "replace_tail": "fc 4", "output": "sigmoid", "epochs": 2, "batch": 4}
    result = train(tmp_path / "photos", out=tmp_path, **options)
    answers = eyespot.predict(result.run, tmp_path / "photos" / "val")
    assert all(sum(one.probability for one in each.predictions) == pytest.approx(1) for each in answers)
    assert eyespot.summary(result.run).layers[-1].output == (1,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"replace_tail": "fc 8"}, "needs the stage after which the new layers come: give freeze, too"),
        ({"freeze": "stage6", "replace_tail": "cnov 3x3 16"}, r"there is no layer 'cnov'; did you mean 'conv'\?"),
        ({"freeze": "stage6", "replace_tail": "conv 3x3"}, "cannot have 'conv 3x3': give an odd kernel and 1 to 4096"),
        (
            {"freeze": "stage6", "replace_tail": "fc 8, pool"},
            "cannot have 'pool 2x2' after 'fc 8', which leaves no",
        ),
        ({"freeze": "stage6", "replace_tail": "pool 3, pool 3"}, "where the map is 2x2"),
        ({"freeze": "head.flat", "replace_tail": "pool"}, "after this cut there are 1280 features and no maps"),
        ({"freeze": "stage6", "replace_tail": "conv 3x3 4096, conv 5x5 4096"}, "at most 100,000,000 are possible"),
        ({"freeze": "stage9", "replace_tail": "fc 8"}, "the option freeze cannot be 'stage9': .* did you mean"),
        ({"freeze": "head", "replace_tail": "fc 8"}, "the option freeze cannot be 'head'"),
        ({"freeze": "stage6", "replace_tail": "fc 8", "head": (16, 8)}, "replace_tail: .* fc 16, fc 8"),
        ({"freeze": "stage6", "replace_tail": "fc 8", "regime": "full"}, "freeze is for the regime partial"),
    ],
    ids=str,
)
def test_a_mistake_is_one_sentence_and_leaves_nothing_behind(split_photos, split_run, tmp_path, options, said):
    with pytest.raises(OptionError, match=said) as caught:
        train(split_photos, out=tmp_path / "runs", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()
