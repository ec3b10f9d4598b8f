"""A model of several labels, from a list to its answers, as a person uses it."""

import base64
import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from click.testing import CliRunner
from html_page import Page
from PIL import Image
from starlette.testclient import TestClient

import eyespot
from eyespot.answering.multilabel import MultilabelModel
from eyespot.bundle.files import read_any_bundle
from eyespot.cli.main import main
from eyespot.cli.show_multilabel import trained
from eyespot.errors import BundleError, DataError, EyespotError, OptionError
from eyespot.multilabel.fit import answers_of_other_folds
from eyespot.serve.app import make_app
from eyespot.serve.multilabel import ServedMultilabel
from eyespot.serve.service import Service


def test_tells_what_is_there(labels_run: Any, labelled_photos: Path, shared_cache: Path) -> None:
    assert labels_run.classes == ("circle", "square", "triangle")
    train, val, test = (each.pictures for each in labels_run.parts)
    assert (train + val, test) == (40, 32)
    assert val > 0
    assert labels_run.out_of_fold is None
    assert labels_run.test.map.low < labels_run.test.map.value
    assert labels_run.test.map.value > 0.6
    [answer] = eyespot.predict(labels_run.run, labelled_photos.parent / "pictures" / "041.png", threshold=0)
    assert set(answer.labels) == set(labels_run.classes)
    model = eyespot.load(labels_run.run)
    assert isinstance(model, MultilabelModel)
    [own] = model.predict(labelled_photos.parent / "pictures" / "041.png")
    least = dict(zip(model.classes, model.manifest.thresholds, strict=True))
    assert set(own.labels) == {each.class_ for each in own.probabilities if each.probability >= least[each.class_]}


def test_val_measures_as_train_did(labels_run: Any, labelled_photos: Path, shared_cache: Path) -> None:
    result = eyespot.val(labels_run.run, labelled_photos)
    assert (result.part, result.pictures) == ("test", 32)
    assert result.map.value == pytest.approx(labels_run.test.map.value)
    assert [each.name for each in result.per_class] == list(labels_run.classes)


def test_files_of_the_run(labels_run: Any) -> None:
    run = Path(labels_run.run)
    assert json.loads((run / "result.json").read_text())["task"] == "multilabel"
    rows = list(csv.DictReader((run / "predictions.csv").read_text().splitlines()))
    assert {each["part"] for each in rows} == {"train", "val", "test"}
    assert len(rows) == 72
    page = Page((run / "report.html").read_text())
    text = " ".join(page.pieces)
    assert "Label by label" in text
    assert "Its surest mistakes" in text
    assert "pictures/045.png" in text  # whose label is wrong
    assert "Which go together" in text


def test_export_is_proven(labels_run: Any, labelled_photos: Path, shared_cache: Path, tmp_path: Path) -> None:
    result = eyespot.export(labels_run.run, out=tmp_path)
    assert [check.same == check.pictures for check in result.checks] == [True, True]
    picture = labelled_photos.parent / "pictures" / "050.png"
    [exported], [own] = eyespot.predict(result.files[0], picture), eyespot.predict(labels_run.run, picture)
    assert exported.labels == own.labels
    assert [each.probability for each in exported.probabilities] == pytest.approx(
        [each.probability for each in own.probabilities], abs=1e-3
    )
    with pytest.raises(OptionError, match="int8 is for models that name one class"):
        eyespot.export(labels_run.run, format="openvino", int8=True, out=tmp_path)


def test_explains_any_label(labels_run: Any, labelled_photos: Path, shared_cache: Path, tmp_path: Path) -> None:
    picture = labelled_photos.parent / "pictures" / "050.png"
    result = eyespot.explain(labels_run.run, picture, out=tmp_path / "why.png", class_="square")
    assert (result.class_, result.method, result.similar) == ("square", "class activation map", ())
    with pytest.raises(OptionError, match="the option similar is for models that name one class"):
        eyespot.explain(labels_run.run, picture, out=tmp_path / "two.png", similar=3)


def test_is_served(labels_run: Any, labelled_photos: Path, shared_cache: Path) -> None:
    picture = labelled_photos.parent / "pictures" / "050.png"
    [own] = eyespot.predict(labels_run.run, picture)
    with TestClient(make_app(Service(labels_run.run)), base_url="http://localhost:8000") as client:
        assert client.get("/model").json()["task"] == "multilabel"
        [answer] = client.post("/predict", content=picture.read_bytes()).json()["answers"]
        assert answer["labels"] == list(own.labels)
        assert [each["class"] for each in answer["probabilities"]] == list(labels_run.classes)
        [every] = client.post("/predict?threshold=0", content=picture.read_bytes()).json()["answers"]
        assert set(every["labels"]) == set(labels_run.classes)
        refused = client.post("/predict?topk=3", content=picture.read_bytes())
        assert (refused.status_code, "no parameter 'topk'" in refused.json()["error"]) == (400, True)


def test_the_command_line(labels_run: Any, labelled_photos: Path, shared_cache: Path, tmp_path: Path) -> None:
    picture, out = str(labelled_photos.parent / "pictures" / "050.png"), str(tmp_path / "answers.csv")
    said = CliRunner().invoke(main, ["predict", labels_run.run, picture, "--threshold", "0", "--csv", out])
    assert said.exit_code == 0, said.output
    assert "square 0." in said.output
    assert {row["class"] for row in csv.DictReader(Path(out).read_text().splitlines())} == set(labels_run.classes)
    said = CliRunner().invoke(main, ["val", labels_run.run, str(labelled_photos)])
    assert "mAP" in said.output
    assert "Macro F1" in said.output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"time": "5m"}, "no use for the option time"),
        ({"regime": "full"}, "the option regime cannot be 'full'"),
        ({"model": "lenet5"}, "stands on published weights, and it has none"),
        ({"model": "resnet19"}, "resnet19"),
        ({"exclude": "x.csv"}, "no use for the option exclude"),
        ({"class_weight": "none"}, "no use for the option class_weight"),
    ],
)
def test_options_without_a_use_are_named(
    labelled_photos: Path, tmp_path: Path, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(OptionError, match=sentence):
        eyespot.train(labelled_photos, out=tmp_path, **options)


@pytest.mark.parametrize("option", [{"topk": 2}, {"where": True}, {"refuse": 0.01}, {"draw": "out"}])
def test_options_of_predict_without_a_use_are_named(labels_run: Any, labelled_photos: Path, option: Any) -> None:
    with pytest.raises(OptionError, match=f"the option {next(iter(option))} is for other models"):
        eyespot.predict(labels_run.run, labelled_photos, **option)


def test_verbs_for_one_class_say_what_it_is(labels_run: Any, split_photos: Path, tmp_path: Path) -> None:
    other = shutil.copytree(labels_run.run, tmp_path / "other")
    with pytest.raises(OptionError, match="a model that gives pictures several labels, and only models"):
        eyespot.compare(labels_run.run, other)
    with pytest.raises(BundleError, match="a model that gives pictures several labels; this is for models"):
        eyespot.add(labels_run.run, split_photos)
    with pytest.raises(DataError, match="no list of labels, which this model is measured by"):
        eyespot.val(labels_run.run, split_photos)


def table(folder: Path, said: list[str]) -> Path:
    """A list of pictures of one color with these labels."""
    lines = ["image_path,labels"]
    for number, labels in enumerate(said):
        Image.fromarray(np.full((24, 24, 3), number * 7, np.uint8)).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{labels}")
    (folder / "t.csv").write_text("\n".join(lines))
    return folder / "t.csv"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (["a|b"] * 20, r"every picture of t to train on has the labels 'a\|b': there is nothing to tell apart"),
        (["a|b", "a", ""], "t has .* to train on: at least 10 are needed"),
    ],
)
def test_nothing_to_learn(tmp_path: Path, cache: Path, said: list[str], sentence: str) -> None:
    with pytest.raises(EyespotError, match=sentence):
        eyespot.train(table(tmp_path, said), out=tmp_path / "runs")


def test_few_pictures_are_cross_validated(tmp_path: Path, shared_cache: Path) -> None:
    said = ["a|b" if number % 2 else "a|once" if number == 4 else "" for number in range(24)]
    said[21:] = ["a|b|burst", "burst", "a|b|burst"]  # of one color all, they are one series
    path = table(tmp_path, said)
    (tmp_path / "copy.png").write_bytes((tmp_path / "3.png").read_bytes())
    path.write_text(path.read_text() + "\ncopy.png,a\n")
    groups = ["picture,group", *(f"{number}.png,{number // 3}" for number in range(24))]
    (tmp_path / "groups.csv").write_text("\n".join(groups))
    result = eyespot.train(path, out=tmp_path / "runs", group=tmp_path / "groups.csv", precision="fp32")
    assert result.series.named >= 22
    part_of = {
        row["picture"]: row["part"] for row in csv.DictReader((Path(result.run) / "split.csv").read_text().splitlines())
    }
    for first in range(6, 24, 3):
        assert len({part_of[f"{first + number}.png"] for number in range(3)}) == 1
    assert result.test is None
    assert result.out_of_fold.pictures == 23
    assert {each.picture for each in result.set_aside} == {"3.png", "copy.png"}
    assert result.set_aside[0].reason == "the same picture has two labels, 'a' and 'a|b': keep one"
    assert (
        "only one picture to train on has 'once': nothing can be learned of it, and it is never answered; add pictures"
        in result.notes
    )
    assert (
        "all pictures to train on with each of 'a', 'b' and 'burst', or all without it, are of one series, so nothing "
        "can be measured of it, and its probability is the same for every picture: add pictures that were taken apart, "
        "or give --group off where these were"
    ) in result.notes
    assert not any("no better than by guessing" in note for note in result.notes)
    burst = result.out_of_fold.per_class[result.classes.index("burst")]
    assert burst.ap.value == pytest.approx(3 / 23)  # a guess's, not that of near-copies
    [answer] = eyespot.predict(result.run, tmp_path / "22.png")
    assert not {"once", "burst"} & {*answer.labels}


def test_a_picture_s_own_labels_do_not_decide_what_is_reported_of_it() -> None:
    random = np.random.default_rng(0)
    truths, group = random.random((120, 2)) < 0.4, np.arange(120) // 3
    logits = (3 * truths + random.normal(size=(120, 2))).astype(np.float32)
    chances, said = answers_of_other_folds(logits, truths, group)
    turned = np.where(group[:, None] == 7, ~truths, truths)
    again, said_again = answers_of_other_folds(logits, turned, group)
    assert (again[group == 7] == chances[group == 7]).all()
    assert (said_again[group == 7] == said[group == 7]).all()
    assert (again != chances).any()


def test_what_a_model_of_several_labels_is_measured_by(labels_run: Any) -> None:
    with pytest.raises(
        DataError, match=r"measured by lists of several labels, which are read from files alone, not from"
    ):
        eyespot.val(labels_run.run, ([np.zeros((8, 8, 3), np.uint8)], ["circle"]))


def test_training_ends_with_what_comes_next(labels_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    trained(labels_run)
    said = [line[:12].strip() for line in capsys.readouterr().out.splitlines()]
    assert said[-5:] == ["See it", "Use it", "", "Better it", ""]


def test_a_model_shows_itself_in_a_notebook(labels_run: Any) -> None:
    model = eyespot.load(labels_run.run, eyespot.MultilabelModel)
    assert all(name in model._repr_html_() for name in model.classes)
    assert repr(model).startswith("<eyespot model")


def test_the_protocol_of_other_servers_has_its_answers(
    labels_run: Any, labelled_photos: Path, shared_cache: Path
) -> None:
    pictures = [labelled_photos.parent / "pictures" / f"0{number}.png" for number in (50, 51)]
    truth = eyespot.predict(labels_run.run, pictures)
    data = [base64.b64encode(each.read_bytes()).decode() for each in pictures]
    asked = {"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": [2], "data": data}]}
    with TestClient(make_app(Service(labels_run.run)), base_url="http://localhost:8000") as client:
        described = client.get("/v2/models/shapes").json()["outputs"]
        said = client.post("/v2/models/shapes/infer", json=asked).json()["outputs"]
    assert [(each["name"], each["datatype"], each["shape"]) for each in described] == [
        ("probabilities", "FP32", [-1, 3]),
        ("answered", "BOOL", [-1, 3]),
    ]
    probabilities, answered = ({**each, "data": np.reshape(each["data"], each["shape"])} for each in said)
    for row, each in enumerate(truth):
        least = [found.probability for found in each.probabilities]
        assert probabilities["data"][row] == pytest.approx(least, abs=1e-6)
        assert {name for name, is_so in zip(labels_run.classes, answered["data"][row], strict=True) if is_so} == {
            *each.labels
        }


def test_few_pictures_of_a_request_are_explained(labels_run: Any, labelled_photos: Path, shared_cache: Path) -> None:
    data = (labelled_photos.parent / "pictures" / "050.png").read_bytes()
    explain = Mock(side_effect=lambda picture, label, **asked: {"heat_map": {"class": label}}, similar=False)
    service = Service(labels_run.run, explain=lambda bundle: explain)
    with TestClient(make_app(service), base_url="http://localhost:8000") as client:
        assert client.get("/model").json()["heat_map"] is True
        files = [("a", ("a.png", data))] * 9
        refused = client.post("/predict?heat_map=1", files=files)
        assert (refused.status_code, refused.json()["error"]) == (
            413,
            "at most 8 pictures of a request are explained: send fewer",
        )
        [answer] = client.post("/predict?heat_map=1", content=data).json()["answers"]
        assert len(client.post("/predict?heat_map=0", files=files).json()["answers"]) == 9
    surest = max(answer["probabilities"], key=lambda each: each["probability"])["class"]
    assert answer["heat_map"] == {"class": surest}
    explain.assert_called_once_with(data, surest, heat_map=True, similar=0)


def test_how_well_labels_are_told_is_said_of_the_part_that_counts_most(labels_run: Any) -> None:
    bundle = read_any_bundle(labels_run.run)
    scores = bundle.manifest.test
    for left, part, words in (
        ({"out_of_fold": scores}, "out of fold", "each by heads that had not seen it"),
        ({"test": scores}, "test", "which it did not train on"),
        ({"validation": scores}, "validation", "which it did not train on"),
        ({}, None, ""),
    ):
        none = dict.fromkeys(("out_of_fold", "test", "validation"))
        manifest = bundle.manifest.model_copy(update={**none, **left})
        served = ServedMultilabel(replace(bundle, manifest=manifest), Mock(), "0", ())
        said = served.described()["measured"]
        if part is None:
            assert said is None
        else:
            assert (said["part"], said["map"]["value"]) == (part, scores.map.value)
            assert f"Measured on 32 pictures, {words}: mAP {scores.map.value:.3f}" in said["sentence"]
