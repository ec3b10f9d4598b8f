"""The studio's list of runs: where none is open, and where one takes the place of another."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from eyespot.studio.app import make_app, make_app_of_training
from eyespot.studio.desk import Desk
from eyespot.studio.history import History
from eyespot.studio.lab_process import LabProcess
from eyespot.studio.lobby import NONE_OPEN
from eyespot.studio.same_run import OTHER_RUN
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


def test_a_page_of_another_run_gets_no_number_of_this_one(run, tmp_path):
    other = tmp_path / "runs" / "train" / "other"
    shutil.copytree(run, other)
    desk = Desk(opened(run))
    with TestClient(make_app(desk, tmp_path), base_url="http://127.0.0.1") as client:
        shown = client.get("/studio/network").json()["shown"]
        assert shown == client.get("/studio/lobby").json()["shown"] == desk.number
        assert client.get(f"/studio/confusion?part=val&shown={shown}").status_code == 200
        [listed] = client.get("/studio/runs").json()["runs"]
        client.post(f"/studio/open?run={listed['id']}")
        for address in ("confusion?part=val&", "network?", "history?", "kernels?layer=stage1.conv&", "labs?"):
            refused = client.get(f"/studio/{address}shown={shown}")
            assert (refused.status_code, refused.json()["error"]) == (412, OTHER_RUN)
        assert client.get("/studio/confusion?part=val").status_code == 200
        assert client.post(f"/studio/open?run={listed['id']}&shown={shown}").status_code == 412


def test_a_run_without_a_model_has_a_number_too(tmp_path):
    (tmp_path / "args.json").write_text("{}")
    with TestClient(make_app_of_training(History(tmp_path)), base_url="http://127.0.0.1") as client:
        shown = client.get("/studio/network").json()["shown"]
        assert shown == client.get(f"/studio/lobby?shown={shown}").json()["shown"]
        assert client.get("/studio/history?shown=0").status_code == 412


def test_a_lab_goes_on_when_another_run_is_opened(run, tmp_path):
    shutil.copytree(run, tmp_path / "runs" / "train" / "other")
    lab = LabProcess(tmp_path, (sys.executable, "-c", "import time; time.sleep(600)"))
    with TestClient(make_app(Desk(opened(run), lab), tmp_path), base_url="http://127.0.0.1") as client:
        client.post("/studio/lab_start?lab=chance&guess=1")
        [listed] = client.get("/studio/runs").json()["runs"]
        assert client.post(f"/studio/open?run={listed['id']}").status_code == 200
        told = client.get("/studio/lab_work").json()
        assert (told["state"], told["asked"]["lab"]) == ("running", "chance")
        client.post("/studio/lab_stop")
    assert lab.running is None
