"""`POST /predict`: the answers of the model in this process, to one picture and to several, in order."""

import io
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from color_bundle import color_probabilities, write_color_bundle
from PIL import Image
from starlette.testclient import TestClient

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.bundle.run import NO_ANSWER
from eyespot.data.pictures import read_image
from eyespot.evaluate.metrics import wilson
from eyespot.evaluate.verdict import RunScores
from eyespot.records import PartMetrics
from eyespot.reporting.report import results
from eyespot.serve import bodies, pictures
from eyespot.serve.app import make_app
from eyespot.serve.classification import ServedClassifier
from eyespot.serve.service import Service

GREEN, BLUE, GRAY = (30, 180, 60), (20, 60, 220), (130, 128, 126)


def test_a_raw_picture_gets_the_answer_that_numpy_works_out(client, service, picture):
    data = picture()
    said = client.post("/predict", content=data).json()
    expected = color_probabilities(read_image(data, service.served.preprocess))
    [answer] = said["answers"]
    assert answer["predictions"][0]["class"] == "red"
    found = {each["class"]: each["probability"] for each in answer["predictions"]}
    assert [found[name] for name in ("red", "green", "blue")] == pytest.approx(expected, abs=1e-6)
    assert (said["model"], said["fingerprint"]) == ("colors", service.served.fingerprint)
    assert (answer["picture"], answer["width"], answer["height"]) == (None, 48, 40)


def test_answers_are_those_of_predict_in_this_process(client, bundle, picture, tmp_path):
    for number in range(40):
        (tmp_path / f"{number:02}.png").write_bytes(picture((90 + number, 120, 130 - number), seed=number))
    paths = sorted(tmp_path.iterdir())
    expected = eyespot.load(bundle).predict(paths)
    said = client.post("/predict", files=[("p", (path.name, path.read_bytes())) for path in paths]).json()["answers"]
    assert [each["picture"] for each in said] == [path.name for path in paths]
    for found, truth in zip(said, expected, strict=True):
        assert [each["class"] for each in found["predictions"]] == [each.class_ for each in truth.predictions]
        assert [each["probability"] for each in found["predictions"]] == pytest.approx(
            [each.probability for each in truth.predictions], abs=1e-6
        )


def test_a_trained_model_is_served_with_the_answers_of_predict(split_run, split_photos, shared_cache):
    paths = sorted((split_photos / "test" / "circle").iterdir())[:3]
    model = eyespot.load(split_run.run)
    with TestClient(make_app(Service(split_run.run)), base_url="http://127.0.0.1") as client:
        for path in paths:
            [answer] = client.post("/predict?topk=3", content=path.read_bytes()).json()["answers"]
            [truth] = model.predict(path)
            assert [each["class"] for each in answer["predictions"]] == [each.class_ for each in truth.predictions]
            assert [each["probability"] for each in answer["predictions"]] == pytest.approx(
                [each.probability for each in truth.predictions], abs=1e-6
            )


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 3), ("?topk=1", 1), ("?topk=2&heat_map=0&similar=0", 2), ("?topk=4", 3), ("?topk=1000000", 3)],
)
def test_as_many_classes_are_named_as_asked_for(client, picture, query, count):
    [answer] = client.post(f"/predict{query}", content=picture()).json()["answers"]
    assert len(answer["predictions"]) == count


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("topk=0", "topk must be a number from 1 to 1000000, not '0'"),
        ("topk=1000001", "topk must be a number from 1 to 1000000"),
        ("topk=-1", "topk must be a number"),
        ("topk=²", "topk must be a number"),
        ("heat_map=yes", "heat_map must be a number from 0 to 1"),
        ("similar=13", "similar must be a number from 0 to 12"),
        ("url=http://example.org/a.jpg", "there is no parameter 'url'"),
        ("&".join(["topk=1"] * 20), "the query cannot be read"),
    ],
)
def test_another_query_is_refused_in_a_sentence(client, picture, query, words):
    refused = client.post(f"/predict?{query}", content=picture())
    assert refused.status_code == 400
    assert words in refused.json()["error"]


def test_a_picture_of_none_of_the_classes_is_not_known_and_its_probabilities_stay(
    client, refusing_client, refusing_bundle, picture, tmp_path
):
    for number, color in enumerate([GREEN, GRAY]):
        data = picture(color)
        [said] = refusing_client.post("/predict", content=data).json()["answers"]
        (tmp_path / f"{number}.png").write_bytes(data)
        [truth] = eyespot.load(refusing_bundle).predict(tmp_path / f"{number}.png")
        assert (said["known"], said["likeness"]) == (truth.known, pytest.approx(truth.likeness, abs=1e-6))
        assert said["known"] is (color == GREEN)
        [plain] = client.post("/predict", content=data).json()["answers"]
        assert said["predictions"] == plain["predictions"]
        assert (plain["known"], plain["likeness"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "entries"),
    [
        ("refuse=0", {"known": None}),
        ("refuse=0.1", {"known": False}),
        ("threshold=0.3", {"known": None, "sure": True}),
        ("threshold=0.9&refuse=0.05", {"known": False, "sure": False}),
        ("set=0.95", {"known": False, "set": ["red", "green", "blue"]}),
    ],
)
def test_a_request_says_what_is_refused_and_asks_for_sets(refusing_client, picture, query, entries):
    [said] = refusing_client.post(f"/predict?{query}", content=picture(GRAY)).json()["answers"]
    assert {key: said[key] for key in ("known", "sure", "set") if key in said} == entries


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("refuse=0.01", "refuse cannot be 0.01 for the model in this server: that takes 99 pictures"),
        ("refuse=0.3", "refuse cannot be 0.3: there are 0.1, 0.05, 0.02 and 0.01, and 0 for never"),
        ("set=2", "set must be a number from 0 to 1, not '2'"),
    ],
)
def test_what_the_model_cannot_promise_is_refused_in_a_sentence(refusing_client, picture, query, words):
    refused = refusing_client.post(f"/predict?{query}", content=picture())
    assert (refused.status_code, words in refused.json()["error"]) == (400, True)


def test_one_bad_picture_among_good_ones_is_named_and_the_others_are_answered(client, picture):
    files = [("a", ("good.png", picture(GREEN))), ("b", ("bad.png", b"text")), ("c", ("blue.png", picture(BLUE)))]
    said = client.post("/predict?topk=1", files=files)
    assert said.status_code == 200
    good, bad, blue = said.json()["answers"]
    assert good["predictions"][0]["class"] == "green"
    assert blue["predictions"][0]["class"] == "blue"
    assert bad["picture"] == "bad.png"
    assert bad["error"].startswith("the picture is not a picture")
    assert "predictions" not in bad


def test_the_size_is_that_of_the_upright_picture(client):
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.new("RGB", (64, 32)).save(file, "JPEG", exif=exif)
    [answer] = client.post("/predict", content=file.getvalue()).json()["answers"]
    assert (answer["width"], answer["height"]) == (32, 64)


@pytest.mark.parametrize("name", ["naïve “ü”.png", 'a"b.png', "x" * 400 + ".png"])
def test_a_files_name_comes_back_as_a_name(client, picture, name):
    [answer] = client.post("/predict", files={"a": (name, picture())}).json()["answers"]
    assert answer["picture"].replace("%22", '"') == name[: bodies.MOST_NAME]


def test_a_grey_model_draws(tmp_path, shared_cache, picture):
    service = Service(write_color_bundle(tmp_path / "gray", gray=True))
    with TestClient(make_app(service), base_url="http://[::1]:8000") as client:
        assert client.get("/model").json()["draws"] is True
        assert client.post("/predict", content=picture((120,))).json()["answers"][0]["predictions"]


def test_the_model_is_described(client, service):
    said = client.get("/model").json()
    assert said == {
        "name": "colors",
        "task": "classification",
        "classes": ["red", "green", "blue"],
        "network": "colors",
        "regime": "scratch",
        "side": 32,
        "color": "rgb",
        "draws": False,
        "framing": "mnist",
        "validation": None,
        "test": None,
        "small_test": None,
        "out_of_fold": None,
        "measured": None,
        "unknown": None,
        "sets": [],
        "heat_map": False,
        "similar": False,
        "fingerprint": service.served.bundle.manifest.graph_sha256[:12],
        "version": eyespot.__version__,
    }


@pytest.mark.parametrize("left_out", [(), ("test",), ("test", "out_of_fold"), ("test", "out_of_fold", "small_test")])
def test_the_page_says_of_accuracy_what_the_report_begins_with(bundle, left_out):
    overall = {
        name: wilson(right, 40) for right, name in enumerate(("test", "out_of_fold", "small_test", "validation"), 30)
    }
    parts = {name: PartMetrics(overall=each, per_class=(), cells=()) for name, each in overall.items()}
    parts = {**parts, "out_of_fold": overall["out_of_fold"]} | dict.fromkeys(left_out)
    read = read_bundle(bundle)
    manifest = read.manifest.model_copy(update=parts)
    said = ServedClassifier(replace(read, manifest=manifest), Mock(), "0", (), None).described()
    [first, *_] = results(RunScores(calibration=None, out_of_fold_detail=None, out_of_fold_reason="", **parts))
    assert {name: said["measured"][name] for name in overall["test"].model_dump()} == first.metric.model_dump()
    assert said["measured"]["sentence"] == first.sentence
    assert said["out_of_fold"] == (None if "out_of_fold" in left_out else overall["out_of_fold"].model_dump())


class Pointing:
    """Stands for what explains answers."""

    similar = True

    def __call__(self, picture, class_name, *, heat_map, similar):
        asked = {"heat_map": {"class": class_name, "bytes": len(picture)}} if heat_map else {}
        return asked | ({"similar": [{"class": "red", "similarity": 0.5, "jpeg": ""}] * similar} if similar else {})


def test_heat_map_and_similar_pictures_come_where_asked_for(bundle, shared_cache, picture):
    service = Service(bundle, explain=lambda bundle: Pointing())
    data = picture(GREEN)
    with TestClient(make_app(service), base_url="http://localhost") as client:
        said = client.get("/model").json()
        assert (said["heat_map"], said["similar"]) == (True, True)
        [answer] = client.post("/predict?heat_map=1&similar=2", content=data).json()["answers"]
        assert answer["heat_map"] == {"class": "green", "bytes": len(data)}
        assert len(answer["similar"]) == 2
        [answer] = client.post("/predict", content=data).json()["answers"]
        assert not {"heat_map", "similar"} & set(answer)


@pytest.mark.parametrize("query", ["heat_map=1", "similar=2"])
def test_few_pictures_of_a_request_are_explained(client, picture, query):
    files = [("a", ("a.png", picture()))] * 9
    refused = client.post(f"/predict?{query}", files=files)
    assert refused.status_code == 413
    assert refused.json() == {"error": "at most 8 pictures of a request are explained: send fewer"}
    assert client.post(f"/predict?{query}", files=files[:8]).status_code == 200
    assert client.post("/predict", files=files).status_code == 200


def test_a_model_that_cannot_explain_answers_without(client, picture):
    [answer] = client.post("/predict?heat_map=1&similar=3", content=picture()).json()["answers"]
    assert not {"heat_map", "similar"} & set(answer)


def test_a_picture_read_here_is_the_image_that_read_image_gives(picture, service):
    for format in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"):
        data = picture(size_wh=(90, 70), format=format)
        sized = pictures.read_sent(data, service.served.preprocess)
        assert np.array_equal(sized.image, read_image(data, service.served.preprocess))
        assert sized.picture_hw == (70, 90)


def test_a_picture_whose_answer_is_no_number_is_named_and_the_others_are_answered(tmp_path, shared_cache, picture):
    service = Service(write_color_bundle(tmp_path / "bundle", weight=1e38))
    red, green = picture((250, 0, 0)), picture((0, 250, 0))
    with TestClient(make_app(service), base_url="http://localhost") as client:
        alone = client.post("/predict", content=red)
        both = client.post("/predict", files=[("file", ("red.png", red)), ("file", ("green.png", green))])
    assert (alone.status_code, alone.json()) == (500, {"error": f"the picture {NO_ANSWER}"})
    assert both.status_code == 200
    first, second = both.json()["answers"]
    assert first == {"picture": "red.png", "error": f"the picture {NO_ANSWER}"}
    assert len(second["predictions"]) == 3
