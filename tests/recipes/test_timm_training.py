"""Networks of timm, and of a person's own file, are trained in every regime, and answer like any other."""

from __future__ import annotations

import re
import textwrap

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from starlette.testclient import TestClient
from timm_twin import pictures
from twins import lively

import eyespot
from eyespot.building.named import bundle_with_weights
from eyespot.building.own import Own
from eyespot.bundle.files import read_bundle
from eyespot.cli.main import main
from eyespot.data.pictures import read_image
from eyespot.errors import EyespotError, OptionError
from eyespot.evaluate.paired import Comparison
from eyespot.serve.app import make_app
from eyespot.serve.service import Service

NAMES = ("test_resnet", "test_convnext", "test_efficientnet")
SIDE = 64


@pytest.fixture(scope="module")
def hub(timm, tmp_path_factory):
    """A download cache as timm leaves it, with random weights."""
    folder = tmp_path_factory.mktemp("hub")
    for name in NAMES:
        torch.manual_seed(0)
        theirs = lively(timm.create_model(name), pictures(SIDE, 3))
        place = folder / f"models--{theirs.pretrained_cfg['hf_hub_id'].replace('/', '--')}" / "snapshots" / "abc"
        place.mkdir(parents=True)
        save_file(theirs.state_dict(), place / "model.safetensors")
    return folder


@pytest.fixture
def downloaded(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))


@pytest.fixture
def kept(monkeypatch):
    """One epoch is no gain, nor could 12 pictures show one: what was asked for is kept all the same."""
    monkeypatch.setattr(Comparison, "is_the_same", True)


REGIMES = [("test_resnet", "frozen"), ("test_convnext", "partial"), ("test_efficientnet", "full")]


@pytest.mark.parametrize(("name", "regime"), [*REGIMES, ("test_resnet", "scratch")])
def test_it_is_trained_exported_and_served_as_it_answers_in_torch(
    name, regime, downloaded, kept, split_photos, shared_cache, tmp_path
):
    epochs = {} if regime == "frozen" else {"epochs": 1}
    result = eyespot.train(split_photos, model=f"timm:{name}", regime=regime, imgsz=SIDE, out=tmp_path, **epochs)
    assert (result.network, result.regime) == (f"timm:{name}", regime)
    picture = split_photos / "test" / "circle" / "203.png"
    answered = result.model.probabilities(picture)[0]
    assert answered == pytest.approx(in_torch(result, picture), abs=0.02)  # as far as bf16 goes
    if regime != "partial":  # what follows takes seconds, and knows no regime
        return
    [exported] = eyespot.export(result.run, out=tmp_path / "out").files
    assert eyespot.load(exported).probabilities(picture)[0] == pytest.approx(answered, abs=0.02)
    with TestClient(make_app(Service(result.run)), base_url="http://localhost:8000") as client:
        [said] = client.post("/predict?topk=3", content=picture.read_bytes()).json()["answers"]
    assert {each["class"]: each["probability"] for each in said["predictions"]} == pytest.approx(
        dict(zip(result.classes, answered, strict=True)), abs=0.02
    )
    assert eyespot.explain(result.run, picture, out=tmp_path / "heat.png").method


def in_torch(result, picture):
    """What the network of the run's bundle answers in PyTorch."""
    bundle = read_bundle(result.run)
    preprocess = bundle.manifest.preprocess
    image = read_image(picture.read_bytes(), preprocess)
    values = torch.tensor((image - np.array(preprocess.mean)) / np.array(preprocess.scale), dtype=torch.float32)
    with torch.inference_mode():
        logits = bundle_with_weights(bundle).eval()(values.permute(2, 0, 1)[None])
    return (logits / bundle.manifest.temperature).softmax(1)[0].numpy()


def test_a_stage_of_its_own_is_where_it_is_cut(downloaded, kept, split_photos, shared_cache, tmp_path):
    options = {"model": "timm:test_convnext", "imgsz": SIDE, "epochs": 1, "out": tmp_path}
    result = eyespot.train(split_photos, freeze="stage2", **options)
    assert result.regime == "partial"
    with pytest.raises(OptionError, match=r"freeze cannot be 'stage9': .* has no stage 'stage9'"):
        eyespot.train(split_photos, freeze="stage9", **options)
    with pytest.raises(OptionError, match="lies inside 'stage2'"):
        eyespot.train(split_photos, freeze="stage2.blocks", **options)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("timm:vit_tiny_patch16_224", "no convolutional network"),
        ("timm:resnet1", "did you mean 'timm:resnet"),
        ("timm:resnet18.a1_in1k", "timm:resnet18.a1_in1k are not on this .* timm:resnet18 --download` gets these"),
    ],
)
def test_what_cannot_be_trained_is_said_at_once(model, said, downloaded, split_photos, shared_cache, tmp_path):
    with pytest.raises(EyespotError, match=said) as raised:
        eyespot.train(split_photos, model=model, out=tmp_path)
    assert "\n" not in str(raised.value)


def test_networks_are_weighed_on_ones_own_pictures(downloaded, split_photos, shared_cache):
    models = ["efficientnet_lite0", "timm:test_resnet", "timm:resnet18"]
    found = eyespot.benchmark(split_photos, models=models)
    assert {each.model for each in found.models} == {"efficientnet_lite0", "timm:test_resnet"}
    [missing] = found.missing
    assert (missing.model, "--download` gets these" in missing.reason) == ("timm:resnet18", True)
    best, other = found.models
    assert best.accuracy.accuracy >= other.accuracy.accuracy
    assert (best.accuracy.n, best.behind, best.p) == (24, None, None)
    assert other.behind.value == pytest.approx(other.accuracy.accuracy - best.accuracy.accuracy)
    assert min(best.bytes, other.bytes) > 100_000
    assert best.model in found.sentence


def test_the_command_weighs_networks_in_a_table(downloaded, split_photos, shared_cache):
    done = CliRunner().invoke(
        main, ["benchmark", str(split_photos), "--models", "efficientnet_lite0,timm:test_resnet,timm:resnet18"]
    )
    assert done.exit_code == 0, done.stderr
    assert re.search(r"efficientnet_lite0 +\d\.\d{3}  \d\.\d{3} to \d\.\d{3}", done.stdout)
    assert "Not tried" in done.stdout
    assert "Verdict" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"models": ["efficientnet_lite0", "resnet1"]}, "no network 'resnet1'"),
        ({"models": ["lenet5"]}, "lenet5 has no published weights"),
        ({"models": ["timm:resnet18"]}, "are not on this computer"),
        (
            {"models": ["efficientnet_lite0"], "pictures": "there"},
            "the option pictures is for the speed of one network",
        ),
    ],
)
def test_networks_that_cannot_be_weighed_are_said(options, said, downloaded, split_photos, shared_cache):
    with pytest.raises(EyespotError, match=said):
        eyespot.benchmark(split_photos, **options)


NET = """
from torch import nn

def build(classes):
    return nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(8, classes))

def fixed():
    return build(3)

def failing(classes):
    raise RuntimeError("no\\nsuch")

def none(classes):
    return None
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "my_net.py").write_text(textwrap.dedent(NET))
    return tmp_path / "my_net.py"


@pytest.mark.parametrize("function", ["", ":build", ":fixed"])
def test_a_network_from_a_file_is_trained_where_its_code_may_run(function, file, split_photos, shared_cache, tmp_path):
    own = Own.of_code(f"{file}{function}")
    result = eyespot.train(split_photos, model=own, imgsz=SIDE, epochs=1, out=tmp_path / "runs")
    assert (result.network, result.regime) == (f"own:my_net.py{function.replace(':', '.')}", "scratch")
    assert len(result.model.predict(split_photos / "test" / "circle" / "203.png")) == 1


def test_without_leave_no_line_of_it_runs(file, split_photos, shared_cache, tmp_path):
    file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(OptionError, match=rf"all of {re.escape(str(file))} would run with your rights.*--allow-code"):
        eyespot.train(split_photos, model=f"{file}:build", out=tmp_path)
    (tmp_path / "options.yaml").write_text("allow-code: true\n")
    done = CliRunner().invoke(main, ["train", str(split_photos), "--config", str(tmp_path / "options.yaml")])
    assert "no option 'allow-code'" in done.stderr
    done = CliRunner().invoke(main, ["train", str(split_photos), "--model", "resnet18", "--allow-code"])
    assert "is for a model that is code, as --model my_net.py:build" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("my_net.py:other", "has no function other"),
        ("my_net.py:failing", "failing in .* failed: RuntimeError: no"),
        ("my_net.py:none", "gives NoneType: let it return a network"),
        ("other.py", "there is no file"),
    ],
)
def test_code_that_gives_no_network_is_said(model, said, file, split_photos, shared_cache, tmp_path):
    with pytest.raises(OptionError, match=said) as raised:
        eyespot.train(split_photos, model=Own.of_code(str(tmp_path / model)), out=tmp_path)
    assert "\n" not in str(raised.value)
