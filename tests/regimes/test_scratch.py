"""From scratch: networks of several families learn drawn shapes, and what is written answers as what was trained."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize
from torch import nn

import eyespot
from eyespot import zoo
from eyespot.arithmetic.table import total
from eyespot.arithmetic.trace import trace
from eyespot.blocks import WithHeads, split
from eyespot.building.surgery import features_stage
from eyespot.bundle.files import read_bundle
from eyespot.data.copies import Hashed
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.pictures import read_image
from eyespot.errors import OptionError
from eyespot.heads.fit import folds_of
from eyespot.progress import silent
from eyespot.recipes.train import train
from eyespot.regimes import learned as ending
from eyespot.regimes.on_images import Images
from eyespot.regimes.plans import SCRATCH_FEW, SCRATCH_MANY, SCRATCH_NORMED
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.scratch_training import Making, network_for, out_of_fold
from eyespot.reporting.result import TrainResult
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import train_options
from eyespot.training import loop

KINDS = ("circle", "square")
LEARNED = {
    "lenet5_rgb": {"epochs": 8},
    "resnet20": {"epochs": 8, "batch": 16, "lr": 0.01},
    "nin_cifar10": {"epochs": 4, "batch": 4, "lr": 3e-4, "seed": 1},  # with others a ReLU at its end may begin dead
}
"""What each network needs to learn two shapes in seconds. Network in Network ends in no fully connected layer."""


@dataclass(frozen=True)
class Trained:
    """A run, and the network that it trained."""

    model: str
    result: TrainResult
    net: nn.Sequential


@pytest.fixture(scope="module")
def photos(draw, tmp_path_factory) -> Path:
    """Two classes in parts: 16, 4 and 15 pictures of each. Not to be changed."""
    folder = tmp_path_factory.mktemp("shapes") / "photos"
    for part, count, first in (("train", 16, 0), ("val", 4, 100), ("test", 15, 200)):
        draw(folder / part, count, first=first, kinds=KINDS)
    return folder


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


def learned(photos: Path, out: Path, model: str, **options) -> Trained:
    nets: list[nn.Sequential] = []
    as_trunk = ending.as_trunk

    def remembering(net, *args, **given):
        nets.append(net)
        return as_trunk(net, *args, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ending, "as_trunk", remembering)
        result = train(photos, model=model, regime="scratch", precision="fp32", out=out, **options)
    return Trained(model, result, nets[0].eval())


@pytest.fixture(scope="module", params=LEARNED)
def trained(request, photos, warm_cache, tmp_path_factory) -> Trained:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return learned(photos, tmp_path_factory.mktemp("runs"), request.param, **LEARNED[request.param])


def pictures(photos: Path) -> list[Path]:
    return sorted((photos / "test").rglob("*.png"))


def scores(net: nn.Sequential, run: str, files: list[Path]) -> torch.Tensor:
    """What the network itself says of the pictures, before the temperature, (N, outputs)."""
    preprocess = read_bundle(run).manifest.preprocess
    images = np.stack([read_image(file.read_bytes(), preprocess) for file in files])  # (N, H, W, C)
    x = (images - np.array(preprocess.mean)) / np.array(preprocess.scale)
    with torch.inference_mode():
        return net(torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float32)))


def answers(run: str, files: list[Path]) -> np.ndarray:
    """The bundle's probability of the second class, (N,)."""
    found = eyespot.predict(run, files)
    return np.array([{one.class_: one.probability for one in each.predictions}[KINDS[1]] for each in found])


# --- each network


def test_it_learns(trained):
    result = trained.result
    assert (result.regime, result.test.n, result.validation.n) == ("scratch", 30, 8)
    assert result.test.accuracy > 0.8
    assert read_bundle(result.run).manifest.regime == "scratch"


def test_its_bundle_answers_as_the_network_that_was_trained(trained, photos):
    files, run = pictures(photos), trained.result.run
    expected = torch.softmax(scores(trained.net, run, files) / trained.result.temperature, 1)[:, 1]
    np.testing.assert_allclose(answers(run, files), expected.numpy(), atol=1e-4)


def test_val_finds_the_accuracy_of_training(trained, photos):
    assert eyespot.val(trained.result.run, photos).accuracy == trained.result.test.accuracy


def test_the_summary_of_its_run_is_that_of_the_network(trained):
    found = eyespot.summary(trained.result.run)
    expected = total(trace(copy.deepcopy(trained.net).to("meta"), (3, 32, 32)))
    assert found.input == (3, 32, 32)
    assert (found.total.parameters, found.total.multiply_adds) == (expected.parameters, expected.multiply_adds)


def test_the_maps_of_its_run_are_those_of_the_network(trained, photos, tmp_path):
    stage = [name for name, _ in trained.net.named_children()][1]
    made = eyespot.feature_maps(trained.result.run, pictures(photos)[0], stage=stage, out=tmp_path / "maps.png")
    assert made.shape[0] == {"lenet5_rgb": 16, "resnet20": 16, "nin_cifar10": 192}[trained.model]


def test_its_report_says_how_it_was_trained(trained):
    report = Path(trained.result.report).read_text("utf-8")
    assert f"all of {read_bundle(trained.result.run).manifest.network.name}, from random weights" in report
    assert f"Adam, batches of {LEARNED[trained.model].get('batch', SCRATCH_FEW.batch)}" in report
    assert "had the lowest validation loss and is kept" in report


# --- options


def test_a_sigmoid_has_one_output_and_answers_as_the_network(photos, tmp_path):
    found = learned(photos, tmp_path, "lenet5_rgb", output="sigmoid", epochs=8)
    files = pictures(photos)
    logit = scores(found.net, found.result.run, files)
    assert logit.shape == (30, 1)
    expected = torch.sigmoid(logit[:, 0] / found.result.temperature)
    np.testing.assert_allclose(answers(found.result.run, files), expected.numpy(), atol=1e-4)
    assert found.result.test.accuracy > 0.8
    assert eyespot.summary(found.result.run).layers[-1].output == (1,)


@pytest.mark.parametrize("option", [{"output": "sigmoid"}, {"dropout": 0.5}], ids=str)
def test_what_needs_a_fully_connected_layer_at_the_end_is_refused_where_there_is_none(photos, tmp_path, option):
    (name,) = option
    said = f"the option {name} .*is for networks that end in a fully connected layer"
    with pytest.raises(OptionError, match=said):
        train(photos, model="nin_cifar10", out=tmp_path / "runs", **option)
    assert not (tmp_path / "runs").exists()


def test_dropout_trains_and_is_gone_from_the_bundle(photos, tmp_path):
    found = learned(photos, tmp_path, "lenet5_rgb", dropout=0.5, epochs=2)
    dropped = [module.p for module in found.net.modules() if isinstance(module, nn.Dropout)]
    assert dropped == [0.5]
    files = pictures(photos)
    expected = torch.softmax(scores(found.net, found.result.run, files) / found.result.temperature, 1)[:, 1]
    np.testing.assert_allclose(answers(found.result.run, files), expected.numpy(), atol=1e-4)
    assert b"Dropout" not in read_bundle(found.result.run).graph
    assert (
        eyespot.summary(found.result.run).total.parameters == eyespot.summary("lenet5_rgb", classes=2).total.parameters
    )


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_weights(photos, tmp_path):
    graphs = [
        read_bundle(train(photos, model="lenet5_rgb", out=tmp_path, epochs=1, seed=seed).run).graph
        for seed in (0, 0, 1)
    ]
    assert graphs[0] == graphs[1] != graphs[2]


def test_grey_pictures_have_one_channel_where_the_network_can_take_one(tmp_path):
    random = np.random.default_rng(0)
    for part, count in (("train", 4), ("val", 2), ("test", 15)):
        for kind, column in (("left", 4), ("right", 18)):
            (tmp_path / "bars" / part / kind).mkdir(parents=True)
            for number in range(count):
                image = random.integers(0, 80, (28, 28), dtype=np.uint8)
                image[:, column : column + 6] = 255
                Image.fromarray(image).save(tmp_path / "bars" / part / kind / f"{number}.png")
    result = train(tmp_path / "bars", model="resnet20", out=tmp_path, epochs=1)
    network = read_bundle(result.run).manifest.network
    channels = eyespot.summary(result.run).input[0]
    assert read_bundle(result.run).manifest.preprocess.channels == channels == network.arguments.get("channels", 3)


# --- what a training is made of


def making(name: str, tmp_path: Path, *, count: int, side: int, **options) -> Making:
    """A training of so many pictures of noise."""
    hashed = [
        Hashed(Picture(f"{number}.png", label="ab"[number % 2], part="train", data=b""), f"{number:032x}")
        for number in range(count)
    ]
    prepared = Prepared(
        DataSet("noise", tuple(each.picture for each in hashed), ("a", "b")), hashed, True, False, [], [], "0" * 32
    )
    chosen = train_options(**options)
    job = Job(chosen, RunFolder(chosen), None, tmp_path, "fp32", silent, Clock())
    network, preprocess = network_for(name, 2, chosen, gray=False)
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    images = Images(pixels, {each.content: row for row, each in enumerate(hashed)}, preprocess, prepared, 0)
    return Making(images, network, None, job)


@pytest.mark.parametrize("auxiliary", ["auto", "no"])
def test_googlenet_trains_with_its_auxiliary_heads_and_answers_without(tmp_path, auxiliary):
    made = making("googlenet", tmp_path, count=2, side=224, auxiliary=auxiliary, batch=2, smoothing=0.1)
    training, said = made.training(made.examples("train", None), None, SCRATCH_FEW)
    heads = tuple(zoo.heads("googlenet", classes=2))
    assert isinstance(training.net, WithHeads) == (auxiliary == "auto")
    assert said == (
        f", with auxiliary heads on {' and '.join(heads)} that are dropped afterwards" if auxiliary == "auto" else ""
    )
    before = {name: weight.clone() for name, weight in training.net.named_parameters()}
    next(training.run())
    still = [name for name, weight in training.net.named_parameters() if torch.equal(weight, before[name])]
    assert still == []  # the first step's rate is not zero
    assert any(name.startswith("heads.") for name in before) == (auxiliary == "auto")
    assert type(training.averaged) is nn.Sequential
    assert training.averaged.state_dict().keys() == zoo.create("googlenet", classes=2).state_dict().keys()


def test_out_of_fold_each_picture_is_compared_with_means_of_a_network_that_had_not_seen_it(tmp_path):
    made = making("lenet5_rgb", tmp_path, count=20, side=32, epochs=1)
    found = out_of_fold(made, ("train",), replace(SCRATCH_FEW, epochs=1, patience=None))
    pictures = made.images.prepared.hashed
    labels = np.arange(20) % 2
    fold = folds_of(labels, seed=0)
    rows, others = np.flatnonzero(fold == 1), np.flatnonzero(fold != 1)
    seen, unseen = (made.images.examples([pictures[row] for row in part], None) for part in (others, rows))
    training, _ = made.training(seen, None, replace(SCRATCH_FEW, epochs=1, patience=None))
    with loop.one_thread():
        list(training.run())
        np.testing.assert_allclose(found.answers.logits[0, rows], loop.scores(training.averaged, unseen), atol=1e-5)
        before, _ = split(training.averaged, after=features_stage(training.averaged))
        known, new = (normalize(loop.scores(before, each)) for each in (seen, unseen))
    means = [known[labels[others] == label].sum(axis=0) for label in (0, 1)]
    np.testing.assert_allclose(found.likeness.first[rows], cosine_similarity(new, means).max(axis=1), atol=1e-5)


def test_a_network_without_auxiliary_heads_is_trained_as_it_is(tmp_path):
    made = making("lenet5_rgb", tmp_path, count=4, side=32)
    training, said = made.training(made.examples("train", None), None, SCRATCH_FEW)
    assert type(training.net) is nn.Sequential
    assert said == ""


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [("resnet20_cifar", 4, SCRATCH_FEW), ("resnet20_cifar", 6_000, SCRATCH_NORMED), ("lenet5", 6_000, SCRATCH_MANY)],
)
def test_how_many_pictures_there_are_and_batch_norm_decide_how_a_network_trains(tmp_path, name, count, expected):
    assert making(name, tmp_path, count=count, side=32).defaults() is expected
