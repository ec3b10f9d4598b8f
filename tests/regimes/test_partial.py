"""The partial regime: the tail learns, nothing below the cut moves, and the bundle answers as the trained network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from eyespot import blocks
from eyespot.building.backbone import pretrained
from eyespot.building.surgery import with_head
from eyespot.bundle.files import read_bundle
from eyespot.errors import OptionError
from eyespot.evaluate.paired import Comparison
from eyespot.heads.head import Head
from eyespot.recipes.train import train
from eyespot.training.loop import Training

LATE = {"freeze": "stage7", "epochs": 2, "batch": 8}
"""Only the head trains: seconds."""


@pytest.fixture(scope="module")
def net(warm_cache):
    return pretrained(warm_cache)


@pytest.fixture(scope="module")
def run(draw, warm_cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for part, count in (("train", 8), ("val", 10), ("test", 12)):  # of val as many as may tell two models apart
        draw(folder / part, count, first={"train": 0, "val": 100, "test": 200}[part])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return folder, train(folder, out=tmp_path_factory.mktemp("runs"), name="partial", **LATE)


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


def initializers(graph: bytes) -> dict[str, np.ndarray]:
    model = onnx.load_from_string(graph)
    return {tensor.name.removeprefix("net."): numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_nothing_below_the_cut_moves_and_everything_behind_it_does(run, net):
    bundle = read_bundle(run[1].run)
    found, published = initializers(bundle.graph), net.state_dict()
    trunk, _ = blocks.split(net, after="stage7")
    frozen = [name for name in trunk.state_dict() if name in found]
    assert len(frozen) > 200
    assert all(np.array_equal(found[name], published[name].numpy()) for name in frozen)
    assert not np.array_equal(found["head.conv.weight"], published["head.conv.weight"].numpy())
    assert np.array_equal(found["head.norm.running_mean"], published["head.norm.running_mean"].numpy())


def test_the_report_and_the_manifest_say_what_was_trained(run):
    _, result = run
    assert result.regime == "partial"
    assert (result.validation.n, result.test.n) == (30, 36)
    assert result.test.accuracy > 0.8
    manifest = read_bundle(result.run).manifest
    assert manifest.regime == "partial"
    assert (manifest.unknown.n, manifest.unknown.fitted_on) == (30, "validation pictures")
    report = Path(result.report).read_text("utf-8")
    assert "everything after stage7" in report
    assert json.loads(Path(result.run, "args.json").read_text("utf-8"))["freeze"] == "stage7"
    assert len(Path(result.run, "results.csv").read_text("utf-8").splitlines()) == 1 + 1 + 2


def test_the_same_seed_gives_the_same_bits(run, tmp_path):
    folder, result = run
    again = train(folder, out=tmp_path, **LATE)
    assert read_bundle(again.run).graph == read_bundle(result.run).graph


def test_with_too_few_pictures_to_measure_the_tail_is_still_not_trained_on_them(draw, tmp_path, monkeypatch):
    monkeypatch.setattr(Comparison, "is_the_same", True)  # so few validation pictures would bear out nothing
    draw(tmp_path / "photos", 6)
    result = train(tmp_path / "photos", out=tmp_path, **LATE)
    assert result.out_of_fold is None
    trained_on = Path(result.run, "split.csv").read_text("utf-8").count(",train")
    assert read_bundle(result.run).manifest.data.trained_on == trained_on < 18


def test_ctrl_c_before_the_first_epoch_is_over_leaves_the_frozen_model(run, tmp_path, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Training, "run", interrupted)
    result = train(run[0], out=tmp_path, **LATE)
    assert result.regime == "frozen"
    assert any("stopped by you before one epoch of training everything after stage7" in n for n in result.notes)


def test_ctrl_c_later_leaves_the_weights_of_the_last_epoch(run, tmp_path, monkeypatch):
    whole = Training.run

    def interrupted(self):
        for step in whole(self):
            yield step
            if step.epoch:
                raise KeyboardInterrupt

    monkeypatch.setattr(Training, "run", interrupted)
    result = train(run[0], out=tmp_path, **LATE)
    assert result.regime == "partial"
    assert any("stopped by you after 3 of 6 steps" in note for note in result.notes)


def test_before_training_the_network_answers_as_backbone_and_head(net):
    random = np.random.default_rng(0)
    head = Head(((random.normal(size=(7, 1280)), np.zeros(7)), (random.normal(size=(3, 7)), np.ones(3))), "softmax")
    joined = with_head(net, head).eval()
    x = torch.from_numpy(random.normal(size=(2, 3, 224, 224)).astype(np.float32))
    features, _ = blocks.split(net.eval(), after="head.flat")
    with torch.inference_mode():
        expected = head.logits(features(x).numpy().astype(np.float64))
        np.testing.assert_allclose(joined(x).numpy(), expected, rtol=1e-4, atol=1e-3)


def test_activations_kept_on_the_way_to_features_give_the_same_bits_as_those_computed_by_themselves(
    run, warm_cache, tmp_path, monkeypatch
):
    monkeypatch.setattr(Comparison, "is_the_same", True)  # what so short a training spoils is kept, too
    results = {}
    for tapped in (True, False):
        cache = tmp_path / f"cache {tapped}"
        shutil.copytree(warm_cache / "graphs", cache / "graphs")
        monkeypatch.setenv("EYESPOT_CACHE", str(cache))
        if not tapped:
            monkeypatch.setattr("eyespot.regimes.featured.tap_for", lambda *_, **__: None)
        options = LATE | {"freeze": "stage5", "epochs": 1, "precision": "fp32"}  # in bf16 they are other bits, not kept
        results[tapped] = train(run[0], out=tmp_path, name=str(tapped), **options)
    assert read_bundle(results[True].run).graph == read_bundle(results[False].run).graph
    views = 2 if results[True].mirror else 1
    assert results[False].views_computed - results[True].views_computed == views * 24 + 30


@pytest.mark.parametrize("freeze", ["0", "9", "stage99", "stage6.b.body", "head", "1.5"])
def test_a_cut_that_is_not_there_is_named_in_one_sentence(run, tmp_path, freeze):
    with pytest.raises(OptionError, match="the option freeze cannot be"):
        train(run[0], out=tmp_path, freeze=freeze)
    assert not list(tmp_path.rglob("*.json"))


def test_a_window_needs_a_map(run, tmp_path):
    said = "the option cutmix puts a window into a map, and after head.flat there are features alone"
    with pytest.raises(OptionError, match=said):
        train(run[0], out=tmp_path, freeze="head.flat", cutmix=1, epochs=1)
    assert not list(tmp_path.rglob("*.json"))
