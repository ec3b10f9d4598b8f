"""Another bundle in the served one's place is served from then on; a bad one changes nothing."""

import shutil
import threading

import pytest
from color_bundle import color_probabilities, write_color_bundle
from starlette.testclient import TestClient

from eyespot.bundle.files import place_bundle, read_bundle
from eyespot.data.pictures import read_image
from eyespot.errors import BundleError
from eyespot.serve import swap, trial
from eyespot.serve.app import make_app
from eyespot.serve.service import Service
from eyespot.serve.swap import Watcher, state_of

UNTRIED = {"try_first": lambda bundle: None}
"""A trial takes a second, and has its own tests."""


@pytest.fixture
def run(tmp_path):
    """A run folder whose bundle may be replaced."""
    write_color_bundle(tmp_path / "run" / "bundle")
    return tmp_path / "run"


@pytest.fixture
def served(run, shared_cache):
    return Service(run)


@pytest.fixture
def said():
    return []


@pytest.fixture
def watcher(served, said):
    return Watcher(served, say=said.append, **UNTRIED)


def look_twice(watcher):
    """Files count as at rest once two looks have found them alike."""
    watcher.look()
    watcher.look()


def replace(run, **how):
    """What training does when a better model is there."""
    draft = write_color_bundle(run / "draft", **how)
    place_bundle(draft, run / "bundle")


def test_a_replaced_bundle_is_served(run, served, watcher, said, picture):
    replace(run, sharpness=3, name="better")
    look_twice(watcher)
    data = picture()
    with TestClient(make_app(served), base_url="http://localhost") as client:
        answer = client.post("/predict", content=data).json()
    expected = color_probabilities(read_image(data, served.served.preprocess), sharpness=3)
    found = {each["class"]: each["probability"] for each in answer["answers"][0]["predictions"]}
    assert [found[name] for name in ("red", "green", "blue")] == pytest.approx(expected, abs=1e-6)
    assert (answer["model"], answer["fingerprint"]) == ("colors", served.served.fingerprint)
    assert len(said) == 1
    assert said[0].startswith("Serving     another model")


def test_what_has_not_changed_is_not_read_again(watcher, said, served):
    before = served.served
    look_twice(watcher)
    watcher.look(again=True)
    assert (served.served, said) == (before, [])


def test_a_file_that_was_only_touched_changes_nothing(run, watcher, said, served):
    before = served.served
    (run / "bundle" / "manifest.json").touch()
    look_twice(watcher)
    assert (served.served, said) == (before, [])


def damage_graph(bundle):
    with (bundle / "model.onnx").open("r+b") as file:
        file.seek(100)
        file.write(b"damage")


def damage_manifest(bundle):
    (bundle / "manifest.json").write_text("{")


@pytest.mark.parametrize("damage", [damage_graph, damage_manifest])
def test_a_bad_bundle_never_replaces_a_good_one(run, served, watcher, said, damage):
    before = served.served
    damage(run / "bundle")
    look_twice(watcher)
    look_twice(watcher)
    assert served.served is before
    assert len(said) == 1
    assert said[0].startswith("Refused     a new model: ")
    replace(run, sharpness=3)
    look_twice(watcher)
    assert served.served is not before


def test_a_bundle_that_answers_no_numbers_never_replaces_a_good_one(run, served, watcher, said):
    before = served.served
    replace(run, weight=float("nan"))
    look_twice(watcher)
    assert served.served is before
    assert "its answers are no numbers" in said[0]


def test_a_bundle_that_fails_its_trial_never_replaces_a_good_one(run, served, said, monkeypatch):
    """It would hang, or take all memory, in this process."""
    monkeypatch.setattr(trial, "_COMMAND", "import os; os.abort()")
    watcher, before = Watcher(served, say=said.append), served.served
    replace(run, sharpness=3)
    look_twice(watcher)
    assert served.served is before
    assert "ended the process that tried it" in said[0]
    monkeypatch.undo()
    monkeypatch.setenv("EYESPOT_CACHE", str(run.parent / "cache"))
    replace(run, sharpness=4)
    look_twice(watcher)
    assert served.served is not before
    assert "another model" in said[1]


def test_a_bundle_that_is_being_copied_is_waited_for(run, served, watcher, said, tmp_path):
    better = write_color_bundle(tmp_path / "better", sharpness=3)
    before = served.served
    shutil.copy(better / "model.onnx", run / "bundle" / "model.onnx")
    watcher.look()
    shutil.copy(better / "manifest.json", run / "bundle" / "manifest.json")
    watcher.look()
    assert (served.served, said) == (before, [])
    watcher.look()
    assert served.served is not before


def test_a_bundle_that_is_gone_is_served_on(run, served, watcher, said):
    before = served.served
    shutil.rmtree(run / "bundle")
    look_twice(watcher)
    assert (served.served, said) == (before, [])


def test_the_moment_in_which_a_bundle_is_replaced_changes_nothing(run, served, watcher, said):
    (run / "bundle").rename(run / "bundle.replaced")
    look_twice(watcher)
    assert said == []
    assert state_of(run) is not None


def test_a_link_that_leads_to_another_run_is_followed(tmp_path, shared_cache, said):
    for name, sharpness in (("first", 8.0), ("second", 3.0)):
        write_color_bundle(tmp_path / name / "bundle", sharpness=sharpness)
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "first")
    service = Service(link)
    watcher = Watcher(service, say=said.append, **UNTRIED)
    before = service.served
    link.unlink()
    link.symlink_to(tmp_path / "second")
    look_twice(watcher)
    assert service.served is not before


def test_a_request_ends_on_the_model_it_began_with(run, served, watcher, picture, monkeypatch):
    """The model is replaced while the request is between its start and its answer."""
    from eyespot.serve import predicting

    read = predicting.read_pictures
    first = served.served

    async def read_then_replace(*arguments):
        sent = await read(*arguments)
        replace(run, sharpness=3)
        look_twice(watcher)
        return sent

    monkeypatch.setattr(predicting, "read_pictures", read_then_replace)
    data = picture()
    with TestClient(make_app(served), base_url="http://localhost") as client:
        said = client.post("/predict", content=data).json()
    assert served.served is not first
    assert said["fingerprint"] == first.fingerprint
    expected = color_probabilities(read_image(data, first.preprocess))
    assert said["answers"][0]["predictions"][0]["probability"] == pytest.approx(max(expected), abs=1e-6)


def test_the_thread_looks_by_itself_and_when_told(run, served, said):
    told = threading.Event()
    watcher = Watcher(served, say=lambda words: (said.append(words), told.set()), look_seconds=0.01, **UNTRIED)
    watcher.start()
    replace(run, sharpness=3)
    assert told.wait(30)
    watcher.stop()
    told.clear()
    patient = Watcher(served, say=lambda words: (said.append(words), told.set()), look_seconds=1000, **UNTRIED)
    patient.start()
    replace(run, sharpness=4)
    patient.look_now()
    assert told.wait(30)
    patient.stop()
    assert len(said) == 2


def test_the_thread_looks_on_where_nobody_hears_what_it_says(run, served, capfd):
    told = threading.Semaphore(0)

    def say(words):
        told.release()
        raise BrokenPipeError

    watcher = Watcher(served, say=say, look_seconds=1000, **UNTRIED)
    watcher.start()
    for sharpness in (3, 4):
        replace(run, sharpness=sharpness)
        watcher.look_now()
        assert told.acquire(timeout=30)
    watcher.stop()
    assert served.served.bundle.manifest == read_bundle(run).manifest
    assert capfd.readouterr().err.count("Traceback") == 2


def test_a_bundle_whose_loading_fails_in_a_way_nobody_foresaw_never_replaces_a_good_one(
    run, served, watcher, said, monkeypatch, capfd
):
    def broken(bundle):
        raise ValueError("no such primitive")

    before = served.served
    monkeypatch.setattr(served, "load", broken)
    replace(run, sharpness=3)
    look_twice(watcher)
    assert served.served is before
    assert said == ["Refused     a new model: it failed. The one before is still served"]
    assert "no such primitive" in capfd.readouterr().err
    assert b'eyespot_swaps_total{outcome="refused"} 1.0' in served.measured()


def test_a_new_bundle_that_nothing_vouches_for_is_noted(run, served, watcher, said, monkeypatch):
    monkeypatch.setattr(swap, "notes_on", lambda bundle: [f"{bundle.manifest.name} is of format 1"])
    replace(run, name="older")
    look_twice(watcher)
    assert said[1:] == ["Note        older is of format 1"]


def test_a_server_that_stops_while_a_bundle_is_tried_says_nothing_of_it(run, served, said):
    def try_first(bundle):
        watcher.stop()  # which ends a trial
        raise BundleError("it gave no answer")

    watcher, before = Watcher(served, say=said.append, try_first=try_first), served.served
    replace(run, sharpness=3)
    look_twice(watcher)
    assert (served.served, said) == (before, [])


def test_a_folder_that_may_not_be_looked_at_holds_no_bundle_at_the_moment(run, served, watcher, said, monkeypatch):
    def forbidden(path):
        raise PermissionError

    before = served.served
    monkeypatch.setattr(swap, "find_bundle", forbidden)
    replace(run, sharpness=3)
    look_twice(watcher)
    assert (state_of(run), served.served, said) == (None, before, [])
    monkeypatch.undo()
    look_twice(watcher)
    assert served.served is not before
