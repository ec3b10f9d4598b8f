"""A served detector: the boxes of the model in this process, by `/predict` and by the Open Inference Protocol."""

import base64
import io

import numpy as np
import pytest
from box_bundle import IOU, MOST, THRESHOLD, squares, write_box_bundle
from color_bundle import write_color_bundle
from PIL import Image
from starlette.testclient import TestClient

import eyespot
from eyespot.bundle.run import NO_ANSWER
from eyespot.data.levels import FLAT_NOTE
from eyespot.errors import BundleError
from eyespot.serve import bodies, pictures
from eyespot.serve.app import make_app
from eyespot.serve.service import Service
from eyespot.serve.swap import Watcher

INFER = "/v2/models/squares/infer"
RED, GREEN, BLUE = (250, 0, 0), (0, 220, 0), (0, 0, 200)


def scene(*colors: tuple[int, int, int], size_wh: tuple[int, int] = (192, 128), **save: object) -> bytes:
    """A black picture with squares of these colors in its upper row, from the left."""
    image = Image.new("RGB", size_wh)
    side = size_wh[1] // 2
    for number, color in enumerate(colors):
        image.paste(color, (number * side, 0, number * side + side, side))
    file = io.BytesIO()
    image.save(file, **{"format": "PNG", **save})
    return file.getvalue()


def detections(client: TestClient, data: bytes, query: str = "") -> list[dict]:
    [answer] = client.post(f"/predict{query}", content=data).json()["answers"]
    return answer["detections"]


def test_a_picture_gets_the_boxes_that_numpy_works_out(boxes_client, detector):
    image = np.zeros((64, 96, 3), np.uint8)
    image[:32, 32:64] = RED
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    said = boxes_client.post("/predict", content=file.getvalue()).json()
    assert (said["model"], said["fingerprint"]) == ("squares", detector.served.fingerprint)
    [answer] = said["answers"]
    assert (answer["picture"], answer["width"], answer["height"]) == (None, 96, 64)
    [box] = answer["detections"]
    boxes, scores = squares(image)
    assert box["class"] == "red"
    assert box["probability"] == pytest.approx(scores[1, 0], abs=1e-6)
    assert box["xyxy"] == pytest.approx(np.clip(boxes[1], 0, [96, 64, 96, 64]))


def test_answers_are_those_of_predict_in_this_process(boxes_client, box_bundle, picture, tmp_path):
    sizes = [(40 + 7 * number, 150 - 3 * number) for number in range(20)]
    for number, size_wh in enumerate(sizes):
        (tmp_path / f"{number:02}.png").write_bytes(picture((90, 130, 110), size_wh=size_wh, seed=number))
    paths = sorted(tmp_path.iterdir())
    options = {"threshold": 0.3, "iou": 0.2, "max_boxes": 7}
    expected = eyespot.load(box_bundle).predict(paths, **options)
    query = "&".join(f"{name}={value}" for name, value in options.items())
    files = [("p", (path.name, path.read_bytes())) for path in paths]
    said = boxes_client.post(f"/predict?{query}", files=files).json()["answers"]
    assert sum(len(each["detections"]) for each in said) > 20
    for found, truth in zip(said, expected, strict=True):
        assert (found["picture"], found["width"], found["height"]) == (
            truth.picture.rpartition("/")[2],
            truth.width,
            truth.height,
        )
        named = [each.model_dump(by_alias=True) for each in truth.detections]
        assert [each["class"] for each in found["detections"]] == [each["class"] for each in named]
        for one, other in zip(found["detections"], named, strict=True):
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-6)
            assert one["xyxy"] == pytest.approx(other["xyxy"], abs=0.02)


def test_a_trained_detector_is_served_with_the_boxes_of_predict(detector_run, boxed_photos, shared_cache):
    paths = sorted((boxed_photos / "test" / "images").iterdir())
    expected = eyespot.load(detector_run.run).predict(paths, threshold=0.05)
    with TestClient(make_app(Service(detector_run.run)), base_url="http://127.0.0.1") as client:
        found = [detections(client, path.read_bytes(), "?threshold=0.05") for path in paths]
    assert sum(map(len, found)) > 0
    for boxes, truth in zip(found, expected, strict=True):
        assert [each["class"] for each in boxes] == [each.class_ for each in truth.detections]
        for one, other in zip(boxes, truth.detections, strict=True):
            assert one["probability"] == pytest.approx(other.probability, abs=1e-5)
            assert one["xyxy"] == pytest.approx(other.xyxy, abs=0.02)


def test_a_lower_threshold_only_adds_boxes_after_the_others(boxes_client):
    """So that whoever has the boxes from 0.05 on has those from any higher threshold on, too."""
    data = scene(RED, GREEN, (0, 0, 90))
    few, many = (detections(boxes_client, data, f"?threshold={at}&max_boxes=100") for at in (0.7, 0.05))
    assert 0 < len(few) < len(many)
    assert many[: len(few)] == few


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?threshold=0.8", 2),
        ("?threshold=8e-1", 2),
        ("?threshold=.80", 2),
        ("?threshold=1", 0),
        ("?max_boxes=1", 1),
        ("?max_boxes=1000&iou=1", 3),
        ("?iou=0.5&threshold=0.5&max_boxes=2", 2),
    ],
)
def test_boxes_are_those_that_were_asked_for(boxes_client, query, count):
    assert len(detections(boxes_client, scene(RED, GREEN, BLUE), query)) == count


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("threshold=1.1", "threshold must be a number from 0 to 1, not '1.1'"),
        ("threshold=-0.1", "threshold must be a number from 0 to 1"),
        ("threshold=nan", "threshold must be a number from 0 to 1"),
        ("threshold=inf", "threshold must be a number from 0 to 1"),
        ("threshold=", "threshold must be a number from 0 to 1"),
        ("threshold=0,5", "threshold must be a number from 0 to 1"),
        ("threshold=1_0", "threshold must be a number from 0 to 1"),
        ("threshold=²", "threshold must be a number from 0 to 1"),
        ("threshold=0." + "1" * 5000, "threshold must be a number from 0 to 1"),
        ("threshold=1e999999999", "threshold must be a number from 0 to 1"),
        ("iou=2", "iou must be a number from 0 to 1"),
        ("max_boxes=0", "max_boxes must be a number from 1 to 1000"),
        ("max_boxes=1001", "max_boxes must be a number from 1 to 1000"),
        ("max_boxes=1.5", "max_boxes must be a number from 1 to 1000"),
        ("topk=3", "there is no parameter 'topk': there are threshold, iou, max_boxes"),
        ("&".join(["iou=1"] * 20), "the query cannot be read"),
    ],
)
def test_another_query_is_refused_in_a_sentence(boxes_client, query, words):
    refused = boxes_client.post(f"/predict?{query}", content=scene(RED))
    assert refused.status_code == 400
    assert words in refused.json()["error"]
    assert len(refused.json()["error"]) < 200


def test_boxes_lie_in_the_upright_picture(boxes_client):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    data = scene(RED, size_wh=(128, 64), format="JPEG", quality=95, exif=exif)
    [answer] = boxes_client.post("/predict?threshold=0.1", content=data).json()["answers"]
    assert (answer["width"], answer["height"]) == (64, 128)
    [box] = answer["detections"]
    assert box["xyxy"] == [0, 0, 64, 72]  # a square of the image is as wide as all of the picture


def test_a_picture_of_one_color_has_a_note(boxes_client):
    [answer] = boxes_client.post("/predict", content=picture_of(RED)).json()["answers"]
    assert answer["note"] == FLAT_NOTE
    assert len(answer["detections"]) == MOST


def picture_of(color: tuple[int, int, int], size_wh: tuple[int, int] = (96, 64)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size_wh, color).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("size_wh", [(1, 1), (3000, 1), (1, 3000), (4000, 3000)])
def test_pictures_of_any_shape_are_answered(boxes_client, size_wh):
    for box in detections(boxes_client, picture_of(RED, size_wh)):
        left, top, right, bottom = box["xyxy"]
        assert 0 <= left <= right <= size_wh[0]
        assert 0 <= top <= bottom <= size_wh[1]


def test_the_detector_is_described(boxes_client, detector):
    said = boxes_client.get("/model").json()
    test = said.pop("test")
    measured = said.pop("measured")
    assert said == {
        "name": "squares",
        "task": "detection",
        "classes": ["red", "green", "blue"],
        "colors": ["#c83c14", "#145ab4", "#0f7d3c"],
        "network": "squares",
        "width": 96,
        "height": 64,
        "color": "rgb",
        "threshold": THRESHOLD,
        "iou": IOU,
        "max_boxes": MOST,
        "validation": None,
        "fingerprint": detector.served.fingerprint,
        "version": eyespot.__version__,
    }
    assert test == {
        "map50": {"value": 0.83, "low": 0.787, "high": 0.87},
        "map50_95": {"value": 0.47, "low": 0.44, "high": 0.5},
        "precision": 0.741,
        "recall": 0.822,
        "pictures": 72,
        "boxes": 967,
    }
    assert {key: measured[key] for key in test} == test
    assert measured["part"] == "test"
    assert measured["sentence"].startswith("Measured on 72 test pictures with 967 boxes, which it had never seen")
    assert boxes_client.get("/healthz").json()["fingerprint"] == detector.served.fingerprint


def test_what_was_not_measured_is_not_said(tmp_path, shared_cache):
    assert Service(write_box_bundle(tmp_path / "bundle")).described()["measured"] is None


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "holds no picture"),
        (b"hello", 415, "is not a picture"),
        (b"\xff\xd8\xff", 400, "is cut off"),
        (b"P6\n99999999 99999999\n255\n", 413, "the picture"),
        (b"P6\n10000 5001\n255\n", 413, "more than the 50 megapixels"),
        (scene(RED, size_wh=(400, 300))[:300], 400, "is cut off"),
    ],
)
def test_what_is_no_picture_is_refused_before_it_is_decoded(boxes_client, data, status, words):
    refused = boxes_client.post("/predict", content=data)
    assert (refused.status_code, list(refused.json())) == (status, ["error"])
    assert words in refused.json()["error"]
    assert detections(boxes_client, scene(RED))


def test_a_picture_of_too_many_bytes_is_refused(boxes_client):
    refused = boxes_client.post("/predict", content=b"\xff\xd8\xff" + bytes(pictures.MOST_BYTES))
    assert refused.status_code == 413
    assert "more than 20 MB" in refused.json()["error"]


def test_a_bad_picture_among_good_ones_is_named(boxes_client):
    files = [("a", ("good.png", scene(GREEN))), ("b", ("bad.png", b"text"))]
    good, bad = boxes_client.post("/predict", files=files).json()["answers"]
    assert [each["class"] for each in good["detections"]] == ["green"]
    assert bad["picture"] == "bad.png"
    assert bad["error"].startswith("the picture is not a picture")


def test_a_picture_whose_answer_is_no_number_is_refused_and_the_others_are_answered(tmp_path, shared_cache):
    service = Service(write_box_bundle(tmp_path / "bundle", weight=6e38))
    spoiled, fine = scene(RED), scene()
    with TestClient(make_app(service), base_url="http://localhost") as client:
        alone = client.post("/predict", content=spoiled)
        first, second = client.post("/predict", files=[("a", ("a.png", spoiled)), ("b", ("b.png", fine))]).json()[
            "answers"
        ]
        protocol = client.post(INFER, json={"inputs": [tensor_of(spoiled)]})
    assert (alone.status_code, alone.json()) == (500, {"error": f"the picture {NO_ANSWER}"})
    assert first == {"picture": "a.png", "error": f"the picture {NO_ANSWER}"}
    assert second["detections"] == []
    assert protocol.json() == {"error": f"pictures[0]: the picture {NO_ANSWER}"}


def test_a_detector_whose_answers_are_no_numbers_is_not_served(tmp_path, shared_cache):
    with pytest.raises(BundleError, match="its answers are no numbers; copy it again"):
        Service(write_box_bundle(tmp_path / "bundle", weight=float("nan")))


def test_metrics_count_a_detectors_pictures(boxes_client):
    boxes_client.post("/predict", content=scene(RED))
    said = boxes_client.get("/metrics").text
    assert 'eyespot_pictures_total{outcome="answered"} 1.0' in said
    assert 'eyespot_model{fingerprint="' in said


def test_a_classifier_and_a_detector_take_each_others_place(tmp_path, shared_cache):
    run, said = tmp_path / "run", []
    write_color_bundle(run / "bundle")
    service = Service(run)
    watcher = Watcher(service, say=said.append)
    data = scene(RED, GREEN, BLUE)

    def entries() -> set[str]:
        with TestClient(make_app(Service(run)), base_url="http://localhost") as client:
            return set(client.post("/predict", content=data).json()["answers"][0])

    def task() -> str:
        watcher.look()
        watcher.look()
        return service.described()["task"]

    assert task() == "classification"
    write_box_bundle(run / "bundle")
    assert task() == "detection"
    assert "detections" in entries()
    write_box_bundle(run / "bundle", weight=float("nan"))
    assert task() == "detection"
    assert said[-1].startswith("Refused     a new model: ")
    write_color_bundle(run / "bundle", sharpness=3)
    assert task() == "classification"
    assert "predictions" in entries()


def test_a_request_ends_with_boxes_though_a_classifier_takes_the_detectors_place(tmp_path, shared_cache, monkeypatch):
    from eyespot.serve import predicting

    read = predicting.read_pictures
    write_box_bundle(tmp_path / "bundle")
    service = Service(tmp_path)
    watcher = Watcher(service, say=lambda words: None, try_first=lambda bundle: None)

    async def read_then_replace(*arguments):
        sent = await read(*arguments)
        write_color_bundle(tmp_path / "bundle")
        watcher.look(again=True)
        return sent

    monkeypatch.setattr(predicting, "read_pictures", read_then_replace)
    with TestClient(make_app(service), base_url="http://localhost") as client:
        assert len(detections(client, scene(RED))) == 1
    assert service.described()["task"] == "classification"


def tensor_of(*files: bytes) -> dict[str, object]:
    data = [base64.b64encode(each).decode() for each in files]
    return {"name": "pictures", "datatype": "BYTES", "shape": [len(data)], "data": data}


def test_the_protocol_describes_boxes(boxes_client):
    said = boxes_client.get("/v2/models/squares").json()
    assert {each["name"]: (each["datatype"], each["shape"]) for each in said["inputs"]} == {
        "pictures": ("BYTES", [-1]),
        "images": ("UINT8", [-1, 64, 96, 3]),
    }
    assert {each["name"]: (each["datatype"], each["shape"]) for each in said["outputs"]} == {
        "boxes": ("FP32", [-1, -1, 4]),
        "scores": ("FP32", [-1, -1]),
        "labels": ("BYTES", [-1, -1]),
        "counts": ("INT64", [-1]),
    }


def test_the_protocol_gives_a_row_of_boxes_for_each_picture(boxes_client):
    files = [scene(RED, GREEN), scene(), scene(BLUE)]
    said = boxes_client.post(INFER, json={"inputs": [tensor_of(*files)]}).json()
    outputs = {each["name"]: each for each in said["outputs"]}
    assert {name: each["shape"] for name, each in outputs.items()} == {
        "boxes": [3, 2, 4],
        "scores": [3, 2],
        "labels": [3, 2],
        "counts": [3],
    }
    arrays = {name: np.reshape(each["data"], each["shape"]) for name, each in outputs.items()}
    assert arrays["counts"].tolist() == [2, 0, 1]
    assert arrays["labels"].tolist() == [["red", "green"], ["", ""], ["blue", ""]]
    for row, (data, count) in enumerate(zip(files, arrays["counts"], strict=True)):
        named = detections(boxes_client, data)
        assert arrays["boxes"][row, :count].tolist() == [each["xyxy"] for each in named]
        assert arrays["scores"][row, :count].tolist() == [each["probability"] for each in named]
        assert not arrays["boxes"][row, count:].any()
        assert not arrays["scores"][row, count:].any()


def test_the_protocol_takes_images_and_answers_in_their_pixels(boxes_client):
    image = np.zeros((1, 64, 96, 3), np.uint8)
    image[0, 32:, 64:] = GREEN
    asked = {"inputs": [{"name": "images", "datatype": "UINT8", "shape": list(image.shape), "data": image.tolist()}]}
    asked["outputs"] = [{"name": "labels"}, {"name": "boxes"}]
    labels, boxes = boxes_client.post(INFER, json=asked).json()["outputs"]
    assert (labels["name"], labels["data"], labels["shape"]) == ("labels", ["green"], [1, 1])
    assert boxes["data"] == [60, 28, 96, 64]


def test_pictures_without_boxes_have_empty_tensors(boxes_client):
    said = boxes_client.post(INFER, json={"inputs": [tensor_of(scene(), scene())]}).json()
    assert {each["name"]: (each["shape"], each["data"]) for each in said["outputs"]} == {
        "boxes": ([2, 0, 4], []),
        "scores": ([2, 0], []),
        "labels": ([2, 0], []),
        "counts": ([2], [0, 0]),
    }


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([{"name": "probabilities"}], "outputs.0.name: there are boxes, scores, labels and counts"),
        ([{"name": "boxes"}] * 5, "outputs: there are only boxes, scores, labels and counts"),
        ([{"name": "boxes"}] * 9, "outputs"),
    ],
)
def test_outputs_that_a_detector_lacks_are_refused(boxes_client, outputs, words):
    refused = boxes_client.post(INFER, json={"inputs": [tensor_of(scene(RED))], "outputs": outputs})
    assert refused.status_code == 400
    assert words in refused.json()["error"]


def test_a_request_has_no_more_pictures_than_others(boxes_client):
    refused = boxes_client.post(INFER, json={"inputs": [tensor_of(*[b"x"] * (bodies.MOST_PICTURES + 1))]})
    assert refused.status_code == 413
