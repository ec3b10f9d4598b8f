"""How a run went, as the studio tells it: from its files, while they grow, and of runs that have no model yet."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from eyespot.errors import BundleError, EyespotError, OptionError
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.events import EVENTS, Event, Events
from eyespot.records import Metric, Rung
from eyespot.runs.folder import RunLock
from eyespot.studio import history as following
from eyespot.studio.app import make_app, make_app_of_training
from eyespot.studio.desk import Desk
from eyespot.studio.history import History
from eyespot.studio.run import studio
from eyespot.studio.subject import has_no_model_yet, opened

RUNG = Rung(
    regime="partial",
    trained="the last stage",
    seconds=12.5,
    validation=Metric(accuracy=0.9, low=0.85, high=0.94, n=200),
    verdict="kept: better",
    kept=True,
)


@pytest.fixture(scope="module")
def run(digits_run) -> Path:
    """What `train` made of the embedded digits."""
    return Path(digits_run.run)


@pytest.fixture(autouse=True)
def _soon(monkeypatch) -> None:
    """A run is looked at often."""
    monkeypatch.setattr(following, "POLL_SECONDS", 0.005)


def told(folder: Path | None) -> list[dict[str, Any]]:
    """All messages on a run that has ended."""

    async def take() -> list[dict[str, Any]]:
        return [message async for message in History(folder).messages()]

    return asyncio.run(take())


def lines(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for message in messages if message["kind"] == "lines" for line in message["lines"]]


def copied(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "copy"))


def unfinished(tmp_path: Path) -> Path:
    """A run that has just begun."""
    folder = tmp_path / "young"
    folder.mkdir()
    (folder / "args.json").write_text("{}")
    return folder


def test_a_finished_run_tells_its_epochs_with_the_interval_of_evaluate(run):
    messages = told(run)
    assert [message["kind"] for message in messages] == ["run", "lines", "end"]
    assert (messages[0]["name"], messages[0]["is_running"]) == (run.name, False)
    epochs = [line for line in lines(messages) if line["epoch"]]
    assert [line["epoch"] for line in epochs] == [1, 2]
    n = json.loads((run / "result.json").read_text())["validation"]["n"]
    for line in epochs:
        expected = wilson_fraction(line["accuracy"], n)
        assert line["interval"] == [expected.low, expected.high, n]
    end = messages[-1]
    assert (end["state"], end["has_model"], end["regime"], end["kept"]) == ("done", True, "scratch", 2)


def test_a_run_is_followed_until_it_ends(tmp_path):
    folder = unfinished(tmp_path)
    lock, events = RunLock.taken(folder), Events(folder)
    heard: list[str] = []

    async def follow() -> None:
        async for message in History(folder).messages():
            heard.append(message["kind"])
            if message["kind"] == "run":
                assert message["is_running"]
                events.tell(Event("validation pictures", regime="full", n=40, worth=20.0))
                events.tell(Event("training", regime="full", step=1, epoch=1, loss=2.0, accuracy=0.5))
            elif len(heard) == 2:
                [line] = [line for line in message["lines"] if line["epoch"]]
                expected = wilson_fraction(0.5, 40, worth=20.0)
                assert line["interval"] == [expected.low, expected.high, 40]
                with (folder / EVENTS).open("ab") as file:
                    file.write(b'{"phase": "rung", "rung": ' + RUNG.model_dump_json().encode())  # half a line
                    file.flush()
                    await asyncio.sleep(0.05)
                    assert len(heard) == 2
                    file.write(b"}\n")
            elif len(heard) == 3:
                assert [line["rung"]["verdict"] for line in message["lines"]] == ["kept: better"]
                events.tell(Event("done", regime="full"))
            elif message["kind"] == "lines":
                lock.let_go()
            else:
                assert (message["state"], message["has_model"]) == ("done", False)

    asyncio.run(asyncio.wait_for(follow(), 60))
    assert heard == ["run", "lines", "lines", "lines", "end"]


def test_a_stream_ends_when_the_server_does(tmp_path):
    folder = unfinished(tmp_path)
    lock, history = RunLock.taken(folder), History(folder)

    async def follow() -> list[str]:
        heard = []
        async for message in history.messages():
            heard.append(message["kind"])
            history.stop()
        return heard

    assert asyncio.run(asyncio.wait_for(follow(), 60)) == ["run"]
    lock.let_go()


@pytest.mark.parametrize(("last", "state"), [("stopped", "stopped"), ("training", "broken")])
def test_how_a_run_ended(tmp_path, last, state):
    folder = unfinished(tmp_path)
    Events(folder).tell(Event(last))
    assert told(folder)[-1]["state"] == state


def test_lines_of_others_are_left_out_and_nothing_that_is_no_number_is_handed_on(tmp_path):
    folder = unfinished(tmp_path)
    (folder / EVENTS).write_text(
        'my remark\n[1]\n{"phase": 3}\n{"phase": "training", "step": true, "loss": NaN, "accuracy": "high"}\n'
        '{"phase": "training", "regime": "full", "step": 1, "epoch": 1, "accuracy": 7, "n": "many"}\n'
        '{"phase": "rung", "rung": {"regime": 1}}\n{"phase": "rung", "rung": "kept"}\n'
    )
    found = lines(told(folder))
    assert [(line["step"], line["loss"], line["accuracy"]) for line in found][:2] == [(None, None, None), (1, None, 7)]
    assert [line["rung"] for line in found] == [None] * 4
    assert all(line["interval"] is None for line in found)


def test_a_run_without_events_shows_its_table(run, tmp_path):
    folder = copied(run, tmp_path)
    (folder / EVENTS).unlink()
    messages = told(folder)
    epochs = lines(messages)
    assert [line["epoch"] for line in epochs] == [1, 2]
    assert [line["interval"] for line in epochs] == [line["interval"] for line in lines(told(run)) if line["epoch"]]
    assert messages[-1]["state"] == "done"


def test_no_interval_where_it_is_not_known_what_the_pictures_are_worth(run, tmp_path):
    folder = copied(run, tmp_path)
    (folder / EVENTS).unlink()
    said = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(said | {"series": {"series": 3}}))
    assert {line["interval"] for line in lines(told(folder))} == {None}


def test_the_ladder_of_the_result_is_told_and_damaged_files_are_no_end(run, tmp_path):
    folder = copied(run, tmp_path)
    said = json.loads((folder / "result.json").read_text())
    ladder = [RUNG.model_dump(mode="json"), {"regime": "odd"}]
    (folder / "result.json").write_text(json.dumps(said | {"ladder": ladder}))
    assert told(folder)[-1]["rungs"] == [RUNG.model_dump(mode="json")]
    (folder / "result.json").write_text("[{")
    (folder / "results.csv").write_bytes(b"\xff\xfe")
    end = told(folder)[-1]
    assert (end["state"], end["rungs"], end["kept"]) == ("done", [], None)


def test_what_is_no_run_has_no_history(tmp_path):
    assert told(None) == told(tmp_path) == [{"kind": "none"}]


def test_the_page_is_told_by_an_event_stream(run):
    with TestClient(make_app(Desk(opened(run))), base_url="http://127.0.0.1") as client:
        answer = client.get("/studio/history")
        assert answer.headers["content-type"].startswith("text/event-stream")
        messages = [json.loads(part.removeprefix("data: ")) for part in answer.text.split("\n\n") if part]
        assert messages == told(run)
        assert client.get("/studio/history?path=/etc").status_code == 400


def test_a_run_that_has_no_model_yet_shows_its_training_and_no_more(run, tmp_path):
    folder = copied(run, tmp_path)
    assert not has_no_model_yet(folder)
    assert not has_no_model_yet("lenet5")
    assert not has_no_model_yet(tmp_path)
    shutil.rmtree(folder / "bundle")
    assert has_no_model_yet(folder)
    with TestClient(make_app_of_training(History(folder)), base_url="http://127.0.0.1") as client:
        network = client.get("/studio/network").json()
        assert (network["name"], network["layers"]) == ("copy", [])
        assert '"kind": "end"' in client.get("/studio/history").text
        assert client.get("/").status_code == 200
        assert client.get("/studio/own").status_code == 404
    with pytest.raises(OptionError, match="no model yet"):
        studio(folder, ["a.png"])
    (folder / "args.json").unlink()
    with pytest.raises(BundleError, match="holds no finished model"):
        studio(folder)


def test_what_is_wrong_is_one_sentence(run):
    with pytest.raises(EyespotError):
        studio(run.parent / "missing")
