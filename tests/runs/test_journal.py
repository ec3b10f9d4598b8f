"""`args.json`: written whenever something is decided, once the run has a folder."""

from __future__ import annotations

import json

import eyespot
from eyespot.runs.clock import Clock
from eyespot.runs.folder import ARGS, RunFolder
from eyespot.runs.journal import Journal
from eyespot.runs.options import train_options


def test_every_decision_is_on_disk_at_once_with_what_was_asked(tmp_path):
    options = train_options(out=tmp_path, name="run", seed=3)
    folder = RunFolder(options)
    journal = Journal(folder, data="photos", options=options)
    clock = Clock(60, spent=5, replays=None, journal=journal)
    clock.write_down()  # there is no folder yet
    with folder.held():
        journal.fingerprint = "f" * 32
        clock.decide("epochs", lambda: 4)
        clock.correct("epochs", 3)
        said = json.loads((tmp_path / "train" / "run" / ARGS).read_bytes())
    assert (said["command"], said["version"], said["data"]) == ("train", eyespot.__version__, "photos")
    assert (said["seed"], said["given"]) == (3, ["name", "out", "seed"])
    assert (said["fingerprint"], said["decisions"], said["replays"]) == ("f" * 32, {"epochs": 3}, None)
    assert 5 <= said["spent_seconds"] < 60
    assert said == journal.entries(clock.decided) | {"spent_seconds": said["spent_seconds"]}
