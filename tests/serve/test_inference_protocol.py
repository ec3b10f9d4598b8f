"""The Open Inference Protocol v2: what its specification asks for, with the answers of `POST /predict`."""

import base64
import json
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from color_bundle import color_probabilities

import eyespot
from eyespot.data.pictures import read_image
from eyespot.errors import RequestError
from eyespot.serve import bodies, inference_protocol, pictures

INFER = "/v2/models/colors/infer"


def pictures_tensor(*files: bytes, **changes: object) -> dict[str, object]:
    data = [base64.b64encode(each).decode() for each in files]
    return {"name": "pictures", "datatype": "BYTES", "shape": [len(data)], "data": data} | changes


def images_tensor(images: np.ndarray, **changes: object) -> dict[str, object]:
    return {"name": "images", "datatype": "UINT8", "shape": list(images.shape), "data": images.tolist()} | changes


def test_server_health_and_model_say_what_the_protocol_asks_for(client, service):
    assert client.get("/v2").json() == {"name": "eyespot", "version": eyespot.__version__, "extensions": []}
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/colors/ready").json() == {"name": "colors", "ready": True}
    said = client.get("/v2/models/colors").json()
    assert (said["name"], said["versions"]) == ("colors", [service.served.fingerprint])
    assert {each["name"]: (each["datatype"], each["shape"]) for each in said["inputs"]} == {
        "pictures": ("BYTES", [-1]),
        "images": ("UINT8", [-1, 32, 32, 3]),
    }
    assert {each["name"]: (each["datatype"], each["shape"]) for each in said["outputs"]} == {
        "probabilities": ("FP32", [-1, 3]),
        "classes": ("BYTES", [-1]),
    }


@pytest.mark.parametrize("path", ["/v2/models/other", "/v2/models/other/ready"])
def test_another_model_is_not_there(client, path):
    assert client.get(path).status_code == 404
    assert client.post("/v2/models/other/infer", json={}).json()["error"].startswith("there is no model 'other'")


def test_pictures_in_base64_are_answered_as_by_predict(client, service, picture):
    files = [picture(), picture((30, 180, 60)), picture((20, 60, 220))]
    said = client.post(INFER, json={"id": "7", "inputs": [pictures_tensor(*files)]}).json()
    assert (said["id"], said["model_name"], said["model_version"]) == ("7", "colors", service.served.fingerprint)
    probabilities, classes = said["outputs"]
    assert (classes["datatype"], classes["shape"], classes["data"]) == ("BYTES", [3], ["red", "green", "blue"])
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP32", [3, 3])
    expected = [color_probabilities(read_image(each, service.served.preprocess)) for each in files]
    assert probabilities["data"] == pytest.approx(np.concatenate(expected), abs=1e-6)


def test_a_model_that_refuses_gives_its_likeness_too(refusing_client, picture):
    said = refusing_client.get("/v2/models/colors").json()
    assert {each["name"]: each["shape"] for each in said["outputs"]}["likeness"] == [-1]
    asked = {"inputs": [pictures_tensor(picture(), picture((128, 128, 128)))], "outputs": [{"name": "likeness"}]}
    [likeness] = refusing_client.post(INFER, json=asked).json()["outputs"]
    assert (likeness["datatype"], likeness["shape"]) == ("FP32", [2])
    assert likeness["data"][1] == pytest.approx(3**-0.5, abs=1e-2)  # like each of three colours
    assert likeness["data"][0] > likeness["data"][1]


@pytest.mark.parametrize("flat", [False, True])
def test_images_of_the_models_size_are_answered(client, flat):
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    data = images.ravel().tolist() if flat else images.tolist()
    asked = {"inputs": [images_tensor(images, data=data)], "outputs": [{"name": "probabilities"}]}
    [output] = client.post(INFER, json=asked).json()["outputs"]
    expected = np.concatenate([color_probabilities(each) for each in images])
    assert output["data"] == pytest.approx(expected, abs=1e-6)


IMAGE = np.zeros((1, 32, 32, 3), np.uint8)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([], "the request cannot be read"),
        ({}, "inputs: Field required"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [pictures_tensor(name="other")]}, "inputs.0.name"),
        ({"inputs": [pictures_tensor(b"x", datatype="UINT8")]}, "has the datatype BYTES"),
        ({"inputs": [pictures_tensor(b"x", shape=[2])]}, "the shape [n]"),
        ({"inputs": [pictures_tensor(b"x", data=["!"])]}, "pictures[0] is no base64"),
        ({"inputs": [pictures_tensor(b"x", data=[7])]}, "pictures[0] is no base64"),
        ({"inputs": [images_tensor(IMAGE, shape=[1, 32, 32])]}, "the shape [n, 32, 32, 3]"),
        ({"inputs": [images_tensor(IMAGE, shape=[1, 32, 31, 3])]}, "the shape [n, 32, 32, 3]"),
        ({"inputs": [images_tensor(IMAGE, data=[1, 2])]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=[256] * 3072)]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=[0.5] * 3072)]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=[[1, 2], [3]])]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=["a"] * 3072)]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=[True] + [0] * 3071)]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=[-1] + [0] * 3071)]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=[10**30] + [0] * 3071)]}, "whole numbers from 0 to 255"),
        ({"inputs": [images_tensor(IMAGE, data=[[0], *[0] * 3071])]}, "whole numbers from 0 to 255"),
        ({"inputs": [pictures_tensor(b"x")], "outputs": [{"name": "other"}]}, "outputs.0.name"),
    ],
)
def test_what_does_not_follow_the_protocol_is_refused(client, asked, words):
    refused = client.post(INFER, json=asked)
    assert refused.status_code == 400
    assert words in refused.json()["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 50_000, b"\xff", b'{"inputs": NaN}'])
def test_what_is_no_json_is_refused(client, body):
    assert client.post(INFER, content=body).status_code == 400


@pytest.mark.parametrize("mark", [b"[],", b"{},", b"0,"])
def test_more_values_than_pictures_have_are_refused_before_they_take_memory(client, mark):
    refused = client.post(INFER, content=b"[" + mark * (64 * 32 * 32 * 3 + 1001))
    assert refused.status_code == 413
    assert refused.json()["error"].startswith("the request has more values")


def test_the_largest_number_of_images_is_answered(client):
    images = np.zeros((64, 32, 32, 3), np.uint8)
    assert client.post(INFER, json={"inputs": [images_tensor(images)]}).status_code == 200


def test_a_body_is_no_longer_than_the_largest_picture_in_base64(client, monkeypatch):
    assert bodies.MOST_JSON_BYTES > pictures.MOST_BYTES * 4 // 3 + 1000
    monkeypatch.setattr(bodies, "MOST_JSON_BYTES", 2**20)
    for content in (bytes(2**20 + 1), iter([bytes(2**20), b"0"])):
        refused = client.post(INFER, content=content)
        assert refused.status_code == 413
        assert refused.json()["error"] == "the request has more than 1 MB: send fewer pictures"


def test_one_body_is_read_at_a_time(client, service, picture, monkeypatch):
    read, at_work, most_at_work = inference_protocol._read, [], []

    def watched(body, served):
        at_work.append(body)
        most_at_work.append(len(at_work))
        threading.Event().wait(0.01)  # long enough for another to come
        at_work.remove(body)
        return read(body, served)

    monkeypatch.setattr(inference_protocol, "_read", watched)
    asked = {"inputs": [pictures_tensor(picture())]}
    with ThreadPoolExecutor(4) as clients:
        statuses = list(clients.map(lambda _: client.post(INFER, json=asked).status_code, range(4)))
    assert (statuses, most_at_work) == ([200] * 4, [1] * 4)


def test_one_picture_that_cannot_be_read_is_named(client, picture):
    refused = client.post(INFER, json={"inputs": [pictures_tensor(picture(), b"text")]})
    assert refused.status_code == 415
    assert refused.json()["error"].startswith("pictures[1]: the picture is not a picture")


def test_too_many_pictures_are_refused(client):
    assert client.post(INFER, json={"inputs": [pictures_tensor(*[b"x"] * 65)]}).status_code == 413


def test_a_long_text_among_the_values_takes_no_memory_for_the_others(service):
    body = json.dumps({"inputs": [images_tensor(IMAGE, data=["a" * 10_000, *[""] * 3071])]}).encode()
    tracemalloc.start()
    with pytest.raises(RequestError, match="whole numbers from 0 to 255"):
        inference_protocol._read(body, service.served)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * len(body)


def test_a_picture_of_too_many_bytes_is_refused_before_it_is_unpacked(client, monkeypatch):
    monkeypatch.setattr(inference_protocol, "MOST_BYTES", 300)
    refused = client.post(INFER, json={"inputs": [pictures_tensor(bytes(310))]})
    assert refused.status_code == 413
    assert refused.json()["error"] == "the picture has more than 20 MB: send a smaller one"
    assert client.post(INFER, json={"inputs": [pictures_tensor(bytes(300))]}).status_code == 415


def test_where_no_place_is_free_a_request_is_to_come_again(client, service, picture, monkeypatch):
    monkeypatch.setattr(service.batching, "places", 0)
    refused = client.post(INFER, json={"inputs": [pictures_tensor(picture())]})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    monkeypatch.undo()
    assert client.post(INFER, json={"inputs": [pictures_tensor(picture())]}).status_code == 200
