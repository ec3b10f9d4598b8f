"""Pictures that are collected in the studio, and the training on them: what its server does of it."""

from __future__ import annotations

import errno
import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from eyespot.data.sources import open_data_set
from eyespot.errors import RequestError
from eyespot.studio import collected, training
from eyespot.studio.app import make_app
from eyespot.studio.collected import Collected, name_for


@pytest.fixture
def client(tmp_path) -> Iterator[TestClient]:
    """Of a studio in an empty folder, where no run is open."""
    with TestClient(make_app(None, tmp_path), base_url="http://127.0.0.1") as client:
        yield client


def picture(seed: int = 0, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)).save(file, kind)
    return file.getvalue()


def post(client: TestClient, name: str, content: bytes | None = None, /, **asked: str) -> Any:
    answer = client.post(f"/studio/{name}?{urlencode(asked)}", content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, name: str, content: bytes | None = None, /, **asked: str) -> tuple[int, str]:
    answer = client.post(f"/studio/{name}?{urlencode(asked)}", content=content)
    assert "\n" not in answer.json()["error"]
    return answer.status_code, answer.json()["error"]


def begun(client: TestClient, *classes: str) -> tuple[str, dict[str, str]]:
    """The id of a new data set, and those of its classes by name."""
    number = post(client, "new_data_set", name="fruit")["id"]
    return number, {name: post(client, "new_class", set=number, name=name)["id"] for name in classes}


def waited(asked: Callable[[], Any], *, until: Callable[[Any], bool]) -> Any:
    for _ in range(2400):
        said = asked()
        if until(said):
            return said
        time.sleep(0.05)
    pytest.fail("it does not come to an end")


def test_pictures_are_saved_as_they_were_sent_and_read_by_a_training(client, tmp_path):
    number, classes = begun(client, "pear", "苹果")
    for seed, kind in enumerate(["JPEG", "PNG", "WEBP"]):
        for of in classes.values():
            said = post(client, "collect", picture(seed, kind), set=number, **{"class": of})
    assert said["count"] == 3
    for name in classes:
        folder = tmp_path / "collected" / "fruit" / name
        assert sorted(each.name for each in folder.iterdir()) == ["0001.jpg", "0002.png", "0003.webp"]
        assert (folder / "0002.png").read_bytes() == picture(1, "PNG")
    data = open_data_set(tmp_path / "collected" / "fruit")
    assert (sorted(data.classes), len(data.pictures)) == (sorted(classes), 6)
    [summary] = client.get("/studio/data_sets").json()["sets"]
    assert {**summary, "id": ""} == {
        "id": "",
        "name": "fruit",
        "folder": "collected/fruit",
        "classes": 2,
        "pictures": 6,
    }


def test_a_removed_picture_is_kept_aside_and_its_number_is_not_used_again(client, tmp_path):
    number, classes = begun(client, "pear")
    at = {"set": number, "class": classes["pear"]}
    numbers = [post(client, "collect", picture(seed), **at)["picture"] for seed in range(3)]
    small = client.get(f"/studio/collected_picture?{urlencode({**at, 'picture': numbers[2]})}")
    assert Image.open(io.BytesIO(small.content)).size == (128, 128)
    assert post(client, "remove_picture", picture=numbers[2], **at)["pictures"] == [numbers[1], numbers[0]]
    post(client, "collect", picture(9), **at)
    place = tmp_path / "collected" / "fruit"
    assert (place / ".removed" / "pear" / "0003.jpg").read_bytes() == picture(2)
    assert sorted(each.name for each in (place / "pear").iterdir()) == ["0001.jpg", "0002.jpg", "0004.jpg"]
    assert client.get(f"/studio/collected_picture?{urlencode({**at, 'picture': numbers[2]})}").status_code == 404
    assert "not empty" in refused(client, "remove_class", **at)[1]


def test_what_was_collected_is_there_after_a_restart(client, tmp_path):
    number, classes = begun(client, "pear", "plum")
    post(client, "collect", picture(), set=number, **{"class": classes["plum"]})
    post(client, "remove_class", set=number, **{"class": classes["pear"]})
    with TestClient(make_app(None, tmp_path), base_url="http://127.0.0.1") as other:
        said = other.get(f"/studio/data_set?set={number}").json()
    assert [(each["name"], len(each["pictures"])) for each in said["classes"]] == [("plum", 1)]


@pytest.mark.parametrize("content", [b"", b"no picture", picture()[:90]])
def test_what_is_no_picture_is_refused_and_nothing_is_saved(client, tmp_path, content):
    number, classes = begun(client, "pear")
    status, said = refused(client, "collect", content, set=number, **{"class": classes["pear"]})
    assert status in {400, 415}, said
    assert not [*(tmp_path / "collected" / "fruit" / "pear").iterdir()]


def test_a_full_disk_loses_nothing(client, tmp_path, monkeypatch):
    number, classes = begun(client, "pear")
    at = {"set": number, "class": classes["pear"]}
    post(client, "collect", picture(0), **at)

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(collected, "write_whole", full)
        status, said = refused(client, "collect", picture(1), **at)
    assert (status, "No space left" in said, "kept" in said) == (507, True, True)
    assert [each.name for each in (tmp_path / "collected" / "fruit" / "pear").iterdir()] == ["0001.jpg"]
    post(client, "collect", picture(1), **at)
    assert (tmp_path / "collected" / "fruit" / "pear" / "0002.jpg").read_bytes() == picture(1)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (" ", "give the class a name"),
        ("a/b", "'a_b' would do"),
        ("../x", "would do"),
        ("..", "would do"),
        (".hidden", "'hidden' would do"),
        ("con", "'_con' would do"),
        ("a\nb", "would do"),
        ("x" * 81, "at most 80 letters"),
        ("test", "takes for something else"),
        ("Images", "takes for something else"),
        ("PEAR", "there is a class called 'pear' already"),
    ],
)
def test_a_name_that_is_no_folders_is_refused(typed, words):
    with pytest.raises(RequestError, match="class") as caught:
        name_for("class", typed, ["pear"])
    assert words in str(caught.value)


def test_names_of_all_languages_are_names():
    for name in ("pear", "苹果", "Äpfel", "3", "left hand"):
        assert name_for("class", f" {name} ", []) == name


@pytest.mark.parametrize(
    ("name", "asked", "status"),
    [
        ("new_class", {"set": "../../etc", "name": "x"}, 404),
        ("new_class", {"name": "x"}, 400),
        ("collect", {"set": "0" * 16, "class": "../x"}, 404),
        ("train", {"set": "/etc"}, 404),
        ("train", {"set": "0" * 16, "path": "/etc"}, 400),
        ("open", {"run": "/etc"}, 404),
        ("stop", {}, 409),
    ],
)
def test_only_ids_of_what_is_there_lead_anywhere(client, name, asked, status):
    assert refused(client, name, picture(), **asked)[0] == status


def test_a_link_leads_nowhere(client, tmp_path):
    number, _ = begun(client, "pear")
    (tmp_path / "elsewhere").mkdir()
    try:
        (tmp_path / "collected" / "fruit" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")
    said = client.get(f"/studio/data_set?set={number}").json()
    assert [each["name"] for each in said["classes"]] == ["pear"]


def test_a_training_does_not_begin_with_too_little(client):
    number, classes = begun(client, "pear")
    assert "at least 2" in refused(client, "train", set=number)[1]
    classes["plum"] = post(client, "new_class", set=number, name="plum")["id"]
    for seed in range(2):
        post(client, "collect", picture(seed), set=number, **{"class": classes["pear"]})
    assert "'plum' has no picture" in refused(client, "train", set=number)[1]
    post(client, "collect", picture(5), set=number, **{"class": classes["plum"]})
    assert "'plum' has 1 picture:" in refused(client, "train", set=number)[1]


TOLD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""As the command itself begins: whoever runs the tests may ignore Ctrl-C."""


@pytest.fixture
def stand_in(monkeypatch) -> Callable[[str], None]:
    """A function that has a Python program run in place of `eyespot train`."""

    def put(program: str) -> None:
        popen = training.subprocess.Popen
        monkeypatch.setattr(
            training.subprocess,
            "Popen",
            lambda command, **how: popen([command[0], "-c", f"{TOLD}\n{program}", *command[3:]], **how),
        )

    return put


@pytest.fixture
def ready(client) -> str:
    """The id of a data set that can be learned from."""
    number, classes = begun(client, "pear", "plum")
    for of in classes.values():
        for seed in range(2):
            post(client, "collect", picture(seed), set=number, **{"class": of})
    return number


def followed(client: TestClient) -> dict[str, Any]:
    return waited(lambda: client.get("/studio/training").json(), until=lambda said: said["state"] != "running")


MODEL = """
import pathlib, sys
run = pathlib.Path("runs", "train", sys.argv[-1].partition("=")[2])
(run / "bundle").mkdir(parents=True)
(run / "bundle" / "model.onnx").write_bytes(b"")
print(*sys.argv[1:])
"""


def test_the_lines_of_a_training_come_and_a_second_run_has_a_name_of_its_own(client, ready, stand_in):
    stand_in(MODEL)
    for name in ("fruit", "fruit-2"):
        assert post(client, "train", set=ready)["set"] == ready
        said = followed(client)
        assert said["state"] == "done", said
        assert said["run"]
        words = ["train", os.path.join("collected", "fruit"), "--out", "runs", f"--name={name}"]
        assert said["lines"][-1].split() == words
    assert client.get("/studio/training?after=1").json()["lines"] == said["lines"][1:]


def test_a_training_that_fails_says_why(client, ready, stand_in):
    stand_in("import sys; print('Used'); sys.exit('eyespot: the disk is full')")
    post(client, "train", set=ready)
    said = followed(client)
    assert (said["state"], said["error"], said["run"]) == ("failed", "the disk is full", None)


@pytest.mark.skipif(os.name == "nt", reason="there a training is ended, not told")
def test_a_training_is_stopped_by_ctrl_c_and_only_one_goes_on(client, ready, stand_in):
    stand_in("import time\ntry:\n  print('begins')\n  time.sleep(600)\nexcept KeyboardInterrupt: print('told')")
    post(client, "train", set=ready)
    waited(lambda: client.get("/studio/training").json(), until=lambda said: "begins" in said["lines"])
    assert refused(client, "train", set=ready) == (
        409,
        "a training goes on already: stop it, or wait until it is done",
    )
    post(client, "stop")
    said = followed(client)
    assert (said["state"], said["lines"][-1]) == ("stopped", "told")


def test_a_training_ends_with_the_studio(tmp_path, stand_in):
    stand_in("import time; time.sleep(600)")
    own = training.Training(tmp_path)
    Collected(tmp_path).make_set("fruit")
    own.start(tmp_path / "collected" / "fruit", "")
    own.close()
    assert own.state == "stopped"


@pytest.mark.parametrize("headers", [{"host": "eyespot.example"}, {"origin": "http://other.example"}])
def test_nobody_else_changes_anything(client, tmp_path, headers):
    assert client.post("/studio/new_data_set?name=x", headers=headers).status_code == 403
    assert not (tmp_path / "collected").exists()
