"""The full regime: everything learns but running statistics, and what is written answers as what was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import eyespot
from eyespot.building.backbone import pretrained
from eyespot.bundle.files import read_bundle
from eyespot.evaluate.paired import Comparison
from eyespot.recipes.train import train
from eyespot.training.loop import Training

QUICK = {"regime": "full", "mirror": "yes", "epochs": 1, "batch": 12, "average": 0.0}
"""Two steps."""


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.fixture(scope="module")
def run(split_photos, warm_cache, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        patch.setattr(Comparison, "is_the_same", True)  # two steps are no gain, nor could 12 pictures show one
        return train(split_photos, out=tmp_path_factory.mktemp("runs"), **QUICK)


def test_everything_moves_but_running_statistics(run, warm_cache):
    published = pretrained(warm_cache).state_dict()
    model = onnx.load_from_string(read_bundle(run.run).graph)
    found = {each.name.removeprefix("net."): numpy_helper.to_array(each) for each in model.graph.initializer}
    names = [name for name in published if name in found]
    still = {name for name in names if np.array_equal(found[name], published[name].numpy())}
    assert still == {name for name in names if name.endswith(("running_mean", "running_var"))}
    assert len(names) > 4 * len(still) / 2 > 100  # a convolution, a scale and a shift to each pair of them


def test_the_report_and_the_manifest_say_what_was_trained(run):
    assert (run.regime, run.regime_reason) == ("full", "it was asked for")
    assert (run.validation.n, run.test.n, run.mirror) == (12, 33, True)
    manifest = read_bundle(run.run).manifest
    assert (manifest.regime, manifest.data.trained_on) == ("full", 24)
    report = Path(run.report).read_text("utf-8")
    for said in (
        "efficientnet_lite0, full: it was asked for",
        "<dd>everything, beginning from published weights and a solved head</dd>",
        "<dt>Frozen</dt><dd>running statistics alone</dd>",
        "AdamW, batches of 12, one-cycle learning rate up to 4e-05",
        "<dd>1, the last is kept</dd>",
        "kept: it was asked for; ",
        "<dt>Augmentation</dt>",
    ):
        assert said in report, said
    assert len(Path(run.run, "results.csv").read_text("utf-8").splitlines()) == 1 + 1 + 1


def test_the_bundle_was_asked_and_answers_alike_in_a_new_place(run, split_photos):
    agreement = read_bundle(run.run).manifest.agreement
    assert agreement.n == 8
    assert agreement.largest_difference < 0.03
    assert eyespot.val(run.run, split_photos).accuracy == run.test.accuracy


def test_its_run_can_be_looked_into(run, split_photos, tmp_path):
    found = eyespot.summary(run.run)
    assert found.total.parameters == eyespot.summary("efficientnet_lite0", classes=3).total.parameters
    picture = next((split_photos / "test" / "circle").iterdir())
    made = eyespot.feature_maps(run.run, picture, stage="stage1", out=tmp_path / "maps.png")
    assert made.shape == (16, 112, 112)


def stopped_while(step: str):
    def progress(at: str, done: int, total: int) -> None:
        if at == step:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("step", ["decoding", "training"])
def test_ctrl_c_before_the_first_epoch_is_over_leaves_the_frozen_model(split_photos, split_run, tmp_path, step):
    result = train(split_photos, out=tmp_path, progress=stopped_while(step), **QUICK)
    assert result.regime == "frozen"
    assert any("stopped by you before" in note and "all is frozen" in note for note in result.notes)
    assert Path(result.report).is_file()


def test_a_picture_that_cannot_be_decoded_is_set_aside(draw, tmp_path, monkeypatch):
    monkeypatch.setattr(Training, "run", lambda self: iter(()))  # what matters comes before
    draw(tmp_path / "photos", 12)
    (tmp_path / "photos" / "circle" / "000.png").write_bytes(b"not a picture")
    result = train(tmp_path / "photos", out=tmp_path, **QUICK)
    assert [each.picture for each in result.set_aside] == ["circle/000.png"]
