"""The studio's list of runs: where none is open, and where one takes the place of another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from eyespot.studio.app import make_app
from eyespot.studio.desk import Desk
from eyespot.studio.lobby import NONE_OPEN
from eyespot.studio.subject import opened


@pytest.fixture(scope="module")
def run(digits_run, tmp_path_factory) -> Path:
    """What `train` made of the embedded digits, in a folder of runs."""
    return Path(shutil.copytree(digits_run.run, tmp_path_factory.mktemp("home") / "runs/train/digits"))


@pytest.fixture
def client(tmp_path) -> Iterator[TestClient]:
    """Of a studio in an empty folder, where no run is open."""
    with TestClient(make_app(None, tmp_path), base_url="http://127.0.0.1") as client:
        yield client


def test_where_no_run_is_open_the_screens_say_so(client):
    for address in ("network", "own", "answer?picture=0"):
        answer = client.get(f"/studio/{address}")
        assert (answer.status_code, answer.json()["error"]) == (409, NONE_OPEN)
    assert client.get("/studio/lobby").json()["open"] is None
    assert client.get("/studio/runs").json()["runs"] == []
    assert client.get("/elsewhere").status_code == 404


def test_a_run_of_the_list_is_opened_in_place_of_another(run):
    with TestClient(make_app(None, run.parents[2]), base_url="http://127.0.0.1") as client:
        [listed] = client.get("/studio/runs").json()["runs"]
        assert (listed["name"], listed["network"], listed["state"]) == (run.name, "lenet5", "done")
        assert listed["low"] <= listed["value"] <= listed["high"]
        assert client.post(f"/studio/open?run={listed['id']}").json()["name"] == run.name
        assert client.get("/studio/lobby").json()["run"] == listed["id"]
        assert client.get("/studio/network").json()["network"] == "lenet5"
        assert client.get("/studio/nothing").status_code == 404
        assert client.post("/studio/network").status_code == 405


def test_a_run_that_cannot_be_opened_leaves_what_is_open(run, tmp_path):
    broken = tmp_path / "runs" / "train" / "broken"
    (broken / "bundle").mkdir(parents=True)
    (broken / "bundle" / "model.onnx").write_bytes(b"none")
    with TestClient(make_app(Desk(opened(run)), tmp_path), base_url="http://127.0.0.1") as client:
        [listed] = client.get("/studio/runs").json()["runs"]
        assert client.post(f"/studio/open?run={listed['id']}").status_code == 409
        assert client.get("/studio/lobby").json()["open"] == run.name
        assert client.get("/studio/network").json()["name"] == run.name
