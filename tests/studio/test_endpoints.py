"""The studio's server: its numbers are the network's, its answers those of predict, and nobody else reaches it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from eyespot.answering.model import load
from eyespot.errors import DataError, EyespotError, NetworkError, OptionError
from eyespot.studio.app import make_app
from eyespot.studio.desk import MOST_PICTURES, Desk
from eyespot.studio.run import studio
from eyespot.studio.subject import opened

ROOT = Path(__file__).parents[2]
OWN = {"host": "127.0.0.1"}


@pytest.fixture(scope="module")
def run(digits_run) -> str:
    """What `train` made of the embedded digits."""
    return digits_run.run


@pytest.fixture(scope="module")
def client(run) -> Iterator[TestClient]:
    with TestClient(make_app(Desk(opened(run))), base_url="http://127.0.0.1") as client:
        yield client


def png(seed: int = 0, side: int = 28) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)).save(file, "PNG")
    return file.getvalue()


def laid(client: TestClient, seed: int = 0) -> dict[str, Any]:
    return client.post("/studio/pictures", content=png(seed)).json()


def floats(client: TestClient, address: str) -> np.ndarray:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<f4")


def test_its_answer_is_that_of_predict(client, run):
    names = client.get("/studio/network").json()["classes"]
    for seed in range(5):
        [said] = load(run).predict(png(seed), topk=len(names))
        expected = {each.class_: each.probability for each in said.predictions}
        answer = laid(client, seed)
        assert dict(zip(names, answer["probabilities"], strict=True)) == pytest.approx(expected, abs=1e-5)
        assert answer["known"] == said.known
        assert client.get(f"/studio/answer?picture={answer['picture']}").json()["known"] == said.known


def test_a_layers_maps_are_those_of_the_network_one_layer_after_the_other(client, run):
    number = laid(client)["picture"]
    shapes = {each["name"]: each["output"] for each in client.get("/studio/network").json()["layers"]}
    whole = floats(client, f"/studio/maps?picture={number}&layers=stage1.conv,head.fc")
    one, other = np.split(whole, [np.prod(shapes["stage1.conv"])])
    assert len(other) == np.prod(shapes["head.fc"])
    some = floats(client, f"/studio/maps?picture={number}&layers=stage1.conv&first=2&count=3")
    np.testing.assert_array_equal(some, one.reshape(shapes["stage1.conv"])[2:5].ravel())
    image = Image.open(io.BytesIO(client.get(f"/studio/image?picture={number}").content))
    seen = floats(client, f"/studio/maps?picture={number}&layers=input")
    preprocess = opened(run).preprocess
    np.testing.assert_allclose(seen, (np.asarray(image).ravel() - preprocess.mean[0]) / preprocess.scale[0], atol=1e-6)


def test_the_number_behind_a_place_and_its_kernel(client):
    number = laid(client)["picture"]
    cell = client.get(f"/studio/value?picture={number}&layer=stage2.conv&place=7,3,4").json()
    maps = floats(client, f"/studio/maps?picture={number}&layers=stage2.conv").reshape(16, 10, 10)
    assert cell["value"] == maps[7, 3, 4]
    assert cell["sum"] == pytest.approx(cell["value"], abs=1e-5 * float(np.abs(maps).max()))
    kernel = floats(client, "/studio/kernels?layer=stage2.conv&map=7").reshape(6, 5, 5)
    np.testing.assert_allclose([part["kernel"] for part in cell["parts"]], kernel)


def test_the_answer_without_a_map(client):
    number = laid(client)["picture"]
    said = client.get(f"/studio/without?picture={number}&layer=stage2.conv&map=3").json()
    assert np.sum(said["before"]) == pytest.approx(1, abs=1e-5)
    assert np.sum(said["after"]) == pytest.approx(1, abs=1e-5)
    assert said["before"] != said["after"]


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("answer", 400, "the parameter picture is missing"),
        ("answer?picture=0", 404, "not on the desk any more"),
        ("answer?picture=../../etc/passwd", 404, "not on the desk any more"),
        ("maps?picture={0}&layers=stage9", 404, "no layer 'stage9'"),
        ("maps?picture={0}&layers=" + ",".join(["stage1.conv"] * 65), 400, "at most 64 layers"),
        ("maps?picture={0}&layers=stage1.conv&count=0", 400, "count must be a number from 1"),
        ("value?picture={0}&layer=stage9&place=0,0,0", 404, "no layer 'stage9'"),
        ("value?picture={0}&layer=stage2.conv&place=16,0,0", 404, "has no place"),
        ("value?picture={0}&layer=stage2.conv&place=1", 404, "has no place"),
        ("value?picture={0}&layer=stage2.conv&place=x", 400, "place must be a number"),
        ("kernels?layer=stage2.act", 404, "has no kernels"),
        ("kernels?layer=stage2.conv&map=16", 400, "map must be a number from 0 to 15"),
        ("without?picture={0}&layer=input&map=0", 400, "the image itself"),
        ("without?picture={0}&layer=stage1.conv&map=6", 400, "map must be a number from 0 to 5"),
        ("answer?picture={0}&path=/etc", 400, "there is no parameter 'path'"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(client, address, status, words):
    answer = client.get(f"/studio/{address.format(laid(client)['picture'])}")
    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.mark.parametrize("content", [b"", b"no picture", png()[:60]])
def test_a_picture_that_is_none_is_told(client, content):
    answer = client.post("/studio/pictures", content=content)
    assert answer.status_code in {400, 415}
    assert "\n" not in answer.json()["error"]


def test_the_oldest_picture_leaves_the_desk(run):
    desk = Desk(opened(run))
    first = desk.lay(np.zeros((32, 32, 1), np.uint8))
    for number in range(1, MOST_PICTURES + 1):
        desk.lay(np.full((32, 32, 1), number, np.uint8))
    with pytest.raises(EyespotError, match="not on the desk any more"):
        desk.image(first)


@pytest.mark.parametrize("headers", [{"host": "eyespot.example"}, OWN | {"origin": "http://other.example"}])
def test_other_sites_and_names_are_refused(client, headers):
    assert client.get("/studio/network", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e%2fapp.py", "/page/words", "/page/other.js"])
def test_no_other_file_is_served(client, path):
    assert client.get(path).status_code == 404


def test_the_page_has_a_policy_and_only_files_that_are_there(client):
    page = client.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    for name in ("main.js", "studio.css", "en.js", "zh.js", "strokes.js", "eyespot.svg"):
        assert client.get(f"/page/{name}").status_code == 200


def test_both_languages_have_the_same_words_with_the_same_blanks():
    words = []
    for language in ("en", "zh"):
        text = (ROOT / f"src/eyespot/studio/page/words/{language}.js").read_text("utf-8")
        found = dict(re.findall(r'^  "(.+?)":\s*"(.*)",$', text, re.MULTILINE))
        words.append({key: sorted(re.findall(r"\{\w+\}", value)) for key, value in found.items()})
    assert words[0] == words[1]
    assert len(words[0]) > 50
    used = "".join(path.read_text("utf-8") for path in (ROOT / "src/eyespot/studio/page").glob("*.*"))
    families = ("made.", "kind.", "screen.")
    assert [key for key in words[0] if not key.startswith(families) and f'"{key}"' not in used] == []


def test_a_network_of_the_catalogue_answers_by_its_own_layers():
    subject = opened("efficientnet_lite0")
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    answer = subject.answer(image)
    assert (answer["known"], len(answer["probabilities"])) == (None, 1000)
    assert np.sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("network", "pictures", "options", "kind", "words"),
    [
        ("resnet2", [], {}, NetworkError, "did you mean"),
        ("lenet5", [], {}, EyespotError, "no published weights"),
        (None, ["missing.png"], {}, DataError, "missing.png"),
        (None, [], {"port": 70_000}, OptionError, "port"),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_sentence(run, network, pictures, options, kind, words):
    with pytest.raises(kind, match=words):
        studio(network or run, pictures, **options)
