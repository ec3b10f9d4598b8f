"""Labs in the studio: one at a time, in a process that is stopped as by Ctrl-C; nothing else of the disk is served."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient
from torch import nn

import eyespot
from eyespot.errors import RequestError
from eyespot.labs import catalogue
from eyespot.labs.definition import LANGUAGES
from eyespot.labs.figures import cells_of
from eyespot.labs.folder import OUTCOME
from eyespot.studio.app import make_app
from eyespot.studio.desk import Desk
from eyespot.studio.lab_data import data_of, own_data
from eyespot.studio.lab_models import NOT_OFFERED, models_for
from eyespot.studio.lab_process import Asked, LabProcess

NAME = "padding-edges"
ASKED = Asked(NAME, "digits", guess=1, seeds=3, time=None, lang="en")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs Ctrl-C for another process, and links")
COMMAND = '''
import pathlib, shutil, signal, sys, time

def write(folder, rounds, ended):
    """As a lab does that finished these rounds; the last one half."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{seed},x" for seed in range(rounds) for cell in range(CELLS)] + [f"{rounds},x"] * HALF
    (folder / "table.csv").write_text("\\n".join(["seed,arm", *rows]))
    text = (PREPARED / "outcome.json").read_text().replace('"ended": ""', f'"ended": "{ended}"')
    (folder / "outcome.json").write_text(text)
    return text.replace('"version": 1,', "", 1)

signal.signal(signal.SIGINT, signal.default_int_handler)
kind, CELLS, HALF, PREPARED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
[out] = [each.removeprefix("--out=") for each in sys.argv if each.startswith("--out=")]
pathlib.Path(out, "arguments").write_text("\\n".join(sys.argv[5:]))
folder = pathlib.Path(out, "lab", sys.argv[-2])
if kind == "refused":
    sys.exit("some line\\neyespot: runs/lab cannot be written (No space left on device): choose another place")
if kind == "broken":
    raise MemoryError
if kind == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
if kind != "done":
    try:
        write(folder, 1, "")
        time.sleep(600)
    except KeyboardInterrupt:
        if kind == "waits":
            print(write(folder, 1, "ctrl-c"))
        else:
            print("eyespot: stopped in the first round, which says nothing yet", file=sys.stderr)
        sys.exit(130)
print(write(folder, 3, ""))
'''
"""Stands for `eyespot lab`, which takes longer: it ends at once, or waits for Ctrl-C."""


@pytest.fixture(scope="module")
def prepared(warm_cache, tmp_path_factory) -> Path:
    """The folder that a real lab wrote."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        out = tmp_path_factory.mktemp("prepared")
        return Path(eyespot.lab(NAME, seeds=2, guess=1, lang="en", out=out).folder)


@pytest.fixture
def labs(prepared, tmp_path) -> Iterator[Callable[[str], LabProcess]]:
    """A function that gives a lab of some kind; what runs at the end is ended."""
    made, script, cells = [], tmp_path / "stands_for_it.py", len(cells_of(catalogue.find(NAME).lab))
    script.write_text(COMMAND, "utf-8")

    def make(kind: str) -> LabProcess:
        command = (sys.executable, str(script), kind, str(cells), str(cells - 1), str(prepared))
        made.append(LabProcess(tmp_path, command))
        return made[-1]

    yield make
    for each in made:
        each.end(seconds=0)


def client_of(process: LabProcess, bundle: Any = None) -> TestClient:
    desk = Desk(SimpleNamespace(bundle=bundle, name="open", net=nn.Sequential(nn.Conv2d(8, 4, 1))), process)
    return TestClient(make_app(desk), base_url="http://127.0.0.1")


def start(process: LabProcess, asked: Asked = ASKED) -> None:
    process.start(catalogue.find(asked.lab), asked, asked.data)


def waited(process: LabProcess, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    for _ in range(2400):
        told = process.told()
        if until(told):
            return told
        time.sleep(0.025)
    pytest.fail(f"it does not come to that: {told}")


def ended(told: dict[str, Any]) -> bool:
    return told["state"] not in {"running", "stopping"}


def bundle_of(folder: Path, **args: Any) -> Any:
    """What is asked of a run's bundle."""
    folder.mkdir(parents=True)
    (folder / "args.json").write_text(json.dumps({"command": "train", "data": "photos", **args}), "utf-8")
    return SimpleNamespace(folder=folder / "bundle", manifest=SimpleNamespace(data=SimpleNamespace(name="photos")))


def test_a_lab_is_done_and_its_outcome_is_shown(labs, tmp_path):
    process = labs("done")
    with client_of(process) as client:
        begun = client.post(f"/studio/lab_start?lab={NAME}&guess=1&seeds=3&time=30s&lang=en").json()
        assert (begun["state"], begun["of_rounds"]) == ("running", 3)
        told = waited(process, ended)
        assert (told["state"], told["result"], told["rounds"]) == ("done", NAME, 3)
        outcome = client.get(f"/studio/lab_outcome?result={NAME}").json()
        assert (outcome["lab"], outcome["guess"]) == (NAME, 1)
        heading, *rows = outcome["rows"]
        assert {len(row) for row in rows} == {len(heading)}
        assert "folder" not in outcome
        [lab] = [each for each in client.get("/studio/labs?lang=en").json()["labs"] if each["name"] == NAME]
        assert lab["kept"] == [{"result": NAME, "data": "digits", "seeds": 2, "language": "en"}]
    arguments = (tmp_path / "arguments").read_text("utf-8").split()
    assert arguments == [
        "--json",
        "--seeds=3",
        "--guess=1",
        "--lang=en",
        f"--out={tmp_path}",
        "--time=30s",
        "--",
        NAME,
        "digits",
    ]


@POSIX
def test_one_lab_at_a_time_and_stop_keeps_what_is_finished(labs):
    process = labs("waits")
    start(process)
    with client_of(process) as client:
        far = waited(process, lambda told: told["settings"] > 0)
        assert (far["rounds"], far["of_rounds"], far["settings"] < far["of"]) == (1, 3, True)
        other = client.post("/studio/lab_start?lab=shift&guess=1")
        assert other.status_code == 409
        assert f"the lab {NAME} is running: stop it, or wait" in other.json()["error"]
        assert client.post("/studio/lab_stop").json()["state"] in {"stopping", "stopped"}
        client.post("/studio/lab_stop")
        told = waited(process, ended)
        assert (told["state"], told["result"], told["said"]) == ("stopped", NAME, "")
        assert client.post("/studio/lab_start?lab=shift&guess=1").status_code == 200


@POSIX
def test_stopped_in_the_first_round_is_no_outcome(labs):
    process = labs("stops")
    start(process)
    waited(process, lambda told: told["settings"] > 0)
    process.stop()
    told = waited(process, ended)
    assert (told["state"], told["result"]) == ("stopped", None)
    assert told["said"] == "stopped in the first round, which says nothing yet"


@pytest.mark.parametrize(
    ("kind", "words"), [("refused", "runs/lab cannot be written (No space left on device)"), ("broken", "MemoryError")]
)
def test_a_lab_that_cannot_be_done_says_why_and_another_can_begin(labs, kind, words):
    process = labs(kind)
    start(process)
    told = waited(process, ended)
    assert (told["state"], told["result"]) == ("failed", None)
    assert told["said"].startswith(words)
    start(process)


@POSIX
@pytest.mark.parametrize(("kind", "state", "seconds"), [("waits", "stopped", 60), ("stubborn", "stopped", 0.2)])
def test_the_end_of_the_studio_ends_a_lab(labs, kind, state, seconds):
    process = labs(kind)
    start(process)
    waited(process, lambda told: told["settings"] > 0)
    process.end(seconds=seconds)
    told = process.told()
    assert (told["state"], process.running) == (state, None)
    assert (told["result"] is None) == (kind == "stubborn")
    process.end()


def test_a_program_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RequestError, match="cannot be started"):
        start(LabProcess(tmp_path, [str(tmp_path / "missing")]))


def test_the_command_itself_is_run(warm_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("EYESPOT_CACHE", str(warm_cache))
    process = LabProcess(tmp_path)
    start(process, replace(ASKED, lab="several-pools", guess=3))
    told = waited(process, ended)
    assert (told["state"], told["result"], told["said"]) == ("done", "several-pools", "")
    outcome = process.outcomes.read("several-pools")
    assert (outcome["answer"], outcome["right_guess"]) == ("not so", 3)
    assert b"<svg" in process.outcomes.plot("several-pools")


@POSIX
def test_a_report_is_served_alone_without_scripts(labs, prepared, tmp_path):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / NAME).symlink_to(prepared)
    copy = tmp_path / "lab" / f"{NAME}-2"
    copy.mkdir()
    for name in (OUTCOME, "report.html", "plot.svg"):
        (copy / name).write_bytes((prepared / name).read_bytes())
    with client_of(labs("done")) as client:
        report, plot = (client.get(f"/studio/lab_{each}?result={NAME}-2") for each in ("report", "plot"))
        assert report.headers["content-type"].startswith("text/html")
        assert plot.headers["content-type"] == "image/svg+xml"
        for answer in (report, plot):
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "sandbox" in policy
            assert "script" not in policy
        (copy / "plot.svg").unlink()
        (copy / "plot.svg").symlink_to(tmp_path / "stands_for_it.py")
        for address in (f"plot?result={NAME}-2", f"report?result={NAME}", f"report?result={NAME}-3"):
            assert client.get(f"/studio/lab_{address}").status_code == 404, address
        (copy / OUTCOME).write_text("{}", "utf-8")
        assert client.get(f"/studio/lab_report?result={NAME}-2").status_code == 404


def test_the_runs_own_data_are_taken_where_a_lab_takes_them(tmp_path):
    plain = bundle_of(tmp_path / "plain")
    assert (own_data(plain).name, own_data(plain).why, data_of("own", plain)) == ("photos", None, "photos")
    assert data_of("digits", plain) == "digits"
    assert own_data(None).why == "none"
    assert own_data(SimpleNamespace(folder=tmp_path / "alone" / "bundle")).why == "none"
    for number, (args, why) in enumerate(
        [
            ({"data": "digits"}, "digits"),
            ({"label_column": "kind"}, "options"),
            ({"layout": "class/part"}, "options"),
            ({"more": ["others"]}, "options"),
            ({"data": None}, "handed"),
        ]
    ):
        assert own_data(bundle_of(tmp_path / f"run{number}", **args)).why == why, args
    with pytest.raises(RequestError, match="take the digits"):
        data_of("own", bundle_of(tmp_path / "columns", label_column="kind"))


def test_every_lab_is_told_in_both_languages_and_no_verdict_is(labs):
    with client_of(labs("done")) as client:
        for language in LANGUAGES:
            told = client.get(f"/studio/labs?lang={language}").json()
            assert [each["name"] for each in told["labs"]] == [each.name for each in catalogue.every()]
            question = catalogue.find(NAME).lab.question.to(language)
            assert question in [each["question"] for each in told["labs"]]
            assert told["own"] == {"name": "", "why": "none"}
            assert not any({"answer", "verdict", "right_guess"} & each.keys() for each in told["labs"])


@pytest.mark.parametrize(
    ("method", "address", "status", "words"),
    [
        ("POST", "lab_start", 400, "the parameter lab is missing"),
        ("POST", "lab_start?lab=why-pol&guess=1", 400, "there is no lab 'why-pol': did you mean 'why-pool'"),
        ("POST", "lab_start?lab=why-pool", 400, "a lab begins with a guess"),
        ("POST", "lab_start?lab=why-pool&guess=4", 400, "from 1 to 3, not 4"),
        ("POST", "lab_start?lab=why-pool&guess=x", 400, "guess must be a number from 1"),
        ("POST", "lab_start?lab=why-pool&guess=1&seeds=0", 400, "seeds must be a number from 1 to 1000"),
        ("POST", "lab_start?lab=why-pool&guess=1&time=soon", 400, "a time such as 30s"),
        ("POST", "lab_start?lab=why-pool&guess=1&time=1s", 400, "at least 5 s"),
        ("POST", "lab_start?lab=why-pool&guess=1&lang=fr", 400, "en, zh"),
        ("POST", "lab_start?lab=why-pool&guess=1&data=/etc", 400, "data must be digits or own"),
        ("POST", "lab_start?lab=why-pool&guess=1&data=own", 404, "take the digits"),
        ("POST", "lab_start?lab=why-pool&guess=1&out=/etc", 400, "there is no parameter 'out'"),
        ("GET", "lab_start?lab=why-pool&guess=1", 405, "another method"),
        ("GET", "labs?lang=fr", 400, "en, zh"),
        ("GET", "lab_outcome", 400, "the parameter result is missing"),
        ("GET", "lab_outcome?result=why-pool", 404, "no outcome of a lab is kept as 'why-pool'"),
        ("GET", "lab_report?result=../../etc", 404, "no outcome of a lab is kept"),
        ("GET", "lab_plot?result=.", 404, "no outcome of a lab is kept"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(labs, method, address, status, words):
    process = labs("done")
    with client_of(process) as client:
        answer = client.request(method, f"/studio/{address}")
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert process.told() == {"state": "none"}


def test_another_sites_page_starts_nothing(labs):
    process = labs("done")
    with client_of(process) as client:
        address = f"/studio/lab_start?lab={NAME}&guess=1"
        assert client.post(address, headers={"origin": "http://other.example"}).status_code == 403
    assert process.running is None


def test_a_lab_looks_into_a_network_that_is_offered(labs, tmp_path):
    process, bundle = labs("done"), bundle_of(tmp_path / "run")
    with client_of(process, bundle) as client:
        told = client.get("/studio/labs").json()
        assert [each["name"] for each in told["labs"] if each["takes_model"]] == ["bottleneck"]
        assert list(told["models"].items())[:2] == [("efficientnet_lite0", "efficientnet_lite0"), ("own", "open")]
        for model in ("nothing", "/etc", str(bundle.folder)):
            refused = client.post("/studio/lab_start", params={"lab": "bottleneck", "guess": 1, "model": model})
            assert (refused.status_code, refused.json()["error"]) == (404, NOT_OFFERED)
        refused = client.post(f"/studio/lab_start?lab={NAME}&guess=1&model=own")
        assert "trains networks of its own" in refused.json()["error"]
        client.post("/studio/lab_start?lab=bottleneck&guess=1&model=own")
        waited(process, ended)
    assert f"--model={bundle.folder}" in (tmp_path / "arguments").read_text().splitlines()


def test_only_networks_that_narrow_are_offered(labs):
    desk = Desk(SimpleNamespace(bundle=None, name="lenet5", net=nn.Sequential(nn.Conv2d(1, 4, 1))), labs("done"))
    assert "own" not in models_for(desk.subject)
