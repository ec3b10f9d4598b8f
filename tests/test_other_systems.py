"""Nothing is Linux only by accident: commands run under the rules of Windows and macOS, as far as Linux can have them.

These are no runs on those systems. See `other_systems.py` for what is simulated.
"""

from __future__ import annotations

import ast
import io
import json
import ntpath
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
from other_systems import as_on_windows

import eyespot
from eyespot import files, machine, names
from eyespot.bundle.files import place_bundle
from eyespot.cli import show
from eyespot.data.store import FILE_NAME, Store
from eyespot.errors import OptionError
from eyespot.records import SetAside
from eyespot.runs.folder import RunFolder, RunLock, is_worked_on
from eyespot.runs.options import train_options

ONLY_SOMEWHERE = {
    *("fork", "sched_getaffinity", "getuid", "geteuid", "setpriority", "posix_fallocate", "sysconf", "uname", "mkfifo"),
    *("SIGHUP", "SIGKILL", "SIGUSR1", "SIGALRM", "fcntl", "resource", "pwd", "msvcrt", "multiprocessing", "killpg"),
}
LOOKED_AT = {
    ("machine.py", "sched_getaffinity"),
    ("machine.py", "sysconf"),
    ("room.py", "posix_fallocate"),
    ("process.py", "SIGHUP"),
    ("painting_in_steps.py", "setpriority"),
    ("apart_worker.py", "setpriority"),
    ("apart_worker.py", "fcntl"),
    ("apart_child.py", "resource"),
    ("process.py", "resource"),
    ("own_limits.py", "sysconf"),
    ("own_limits.py", "resource"),
    ("locks.py", "fcntl"),
    ("locks.py", "msvcrt"),
    ("web_browser.py", "geteuid"),
}
"""Where it stands behind a question whether it is there."""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the rules of others are simulated on Linux")


def nodes_of(words: str) -> Iterator[tuple[str, ast.AST]]:
    """All that Python sees in those of our files that match, each with the file's name."""
    for path in (Path(__file__).parents[1] / "src").rglob("*.py"):
        text = path.read_text("utf-8")
        if re.search(words, text):
            yield from ((path.name, node) for node in ast.walk(ast.parse(text)))


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """The rules of Windows, during this test."""
    as_on_windows(monkeypatch)


# --- what the sources use


def test_what_only_some_systems_have_stands_behind_a_question():
    used = set()
    for file, node in nodes_of(rf"\b({'|'.join(ONLY_SOMEWHERE)})\b"):
        found = [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.Import):
            found = [each.name for each in node.names]
        if isinstance(node, ast.ImportFrom):
            found = [str(node.module).partition(".")[0]]
        used |= {(file, name) for name in found if name in ONLY_SOMEWHERE}
    assert used - LOOKED_AT == set()


def test_every_text_is_read_and_written_in_an_encoding_that_is_named():
    """Windows takes cp1252 else."""
    found = nodes_of(r"\b(open|read_text|write_text|fdopen|TextIOWrapper)\(")
    assert [f"{file}:{node.lineno}" for file, node in found if isinstance(node, ast.Call) and _opens_text(node)] == []


def _opens_text(call: ast.Call) -> bool:
    """Whether it opens a text without saying in which encoding."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if any(each.arg == "encoding" for each in call.keywords):
        return False
    if name in ("read_text", "write_text"):
        return len(call.args) < (1 if name == "read_text" else 2)
    if name == "open" and isinstance(function, ast.Name):
        mode = call.args[1] if len(call.args) > 1 else None
        return not (isinstance(mode, ast.Constant) and "b" in str(mode.value))
    return name in ("fdopen", "TextIOWrapper")


# --- a run under the rules of Windows


@linux_only
@pytest.mark.usefixtures("windows")
def test_a_run_from_beginning_to_end(split_photos, shared_cache, tmp_path):
    run = eyespot.train(split_photos, out=tmp_path / "runs")
    again = eyespot.train(split_photos, out=tmp_path / "runs")
    assert [Path(each.run).name for each in (run, again)] == ["photos", "photos-2"]
    one, two = (Path(each.run, "bundle/model.onnx").read_bytes() for each in (run, again))
    assert one == two
    assert [path for path in tmp_path.rglob(".*")] == []  # nothing half written, no lock
    found = eyespot.predict(run.run, [split_photos / "test"])
    assert len(found) == 33
    assert eyespot.val(run.run, split_photos).accuracy == run.test.accuracy
    assert eyespot.export(run.run, format="openvino").files
    assert [each.state for each in eyespot.list_runs(tmp_path / "runs")] == ["done", "done"]


@linux_only
@pytest.mark.usefixtures("windows")
def test_training_in_steps_is_killed_and_goes_on(split_photos, shared_cache, tmp_path, monkeypatch):
    from eyespot.regimes import run_training as running

    monkeypatch.setattr(running, "CHECKPOINT_SECONDS", 0.0)

    def kill(step: str, done: int, total: int) -> None:
        if (step, done) == ("training", 4):
            raise KeyError("stands for a kill")

    options = {"model": "lenet5", "epochs": 2, "batch": 8, "imgsz": 32}
    with pytest.raises(KeyError):
        eyespot.train(split_photos, out=tmp_path, name="a", progress=kill, **options)
    assert Path(eyespot.train(resume=tmp_path / "train/a").report).is_file()


@linux_only
@pytest.mark.usefixtures("windows")
def test_a_lock_is_one_persons_and_goes(tmp_path):
    first = RunLock.taken(tmp_path)
    assert first is not None
    assert RunLock.taken(tmp_path) is None
    assert is_worked_on(tmp_path)
    first.let_go()
    assert list(tmp_path.iterdir()) == []
    assert not is_worked_on(tmp_path)


@linux_only
@pytest.mark.usefixtures("windows")
def test_a_file_that_is_read_just_now_is_replaced_a_moment_later(tmp_path):
    file = tmp_path / "args.json"
    files.write_whole(file, b"1")
    reader = file.open("rb")
    threading.Timer(0.15, reader.close).start()
    files.write_whole(file, b"2")
    assert reader.closed
    assert file.read_bytes() == b"2"


@linux_only
@pytest.mark.usefixtures("windows")
def test_a_file_that_stays_open_is_an_error_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "WAITS", (0.0,))
    file = tmp_path / "args.json"
    file.write_bytes(b"1")
    with file.open("rb"), pytest.raises(PermissionError):
        files.write_whole(file, b"2")
    assert (file.read_bytes(), len(list(tmp_path.iterdir()))) == (b"1", 1)


@linux_only
@pytest.mark.usefixtures("windows")
def test_a_damaged_store_is_set_aside(tmp_path):
    with Store(tmp_path) as store:
        store.put({"a": np.zeros(4096, np.float32)})
    (tmp_path / FILE_NAME).write_bytes(b"x" * 9000)
    with Store(tmp_path) as store:
        store.put({"a": np.ones(2, np.float32)})
        assert "was damaged" in store.notes[0]
        assert store.get(["a"])["a"].tolist() == [1, 1]
        store.clear()


@linux_only
@pytest.mark.usefixtures("windows")
def test_a_bundle_takes_the_place_of_one_that_is_read_just_now(split_run, tmp_path):
    folder, draft = tmp_path / "bundle", tmp_path / "draft"
    for each in (folder, draft):
        shutil.copytree(Path(split_run.run, "bundle"), each)
    reader = (folder / "model.onnx").open("rb")
    threading.Timer(0.15, reader.close).start()
    place_bundle(draft, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@linux_only
@pytest.mark.usefixtures("windows")
def test_the_machine_is_asked_for_nothing_that_is_not_there():
    assert machine.cores() == os.cpu_count()
    assert machine.memory_bytes() is None


# --- names


@pytest.mark.parametrize("name", ["CON", "nul", "Aux.txt", "COM1", "lpt9.tar.gz", "con .x", "COM²", "CONIN$"])
def test_a_device_of_windows_is_no_name(name):
    assert names.as_folder_name(name) == f"_{name}"
    with pytest.raises(OptionError, match=r"the option name cannot be .*such as CON"):
        train_options(name=name)


@pytest.mark.parametrize("name", ["console", "COM10", "nulls", "a.con", "kon", "lpt"])
def test_what_only_looks_like_one_is(name):
    assert names.as_folder_name(name) == name
    assert train_options(name=name).name == name


@pytest.mark.parametrize("name", ["photos.", "photos ", " photos", "a:b", "a" * 201, "猫" * 67])
def test_what_windows_would_change_or_not_take_is_no_name(name):
    assert names.as_folder_name(name) != name
    with pytest.raises(OptionError, match="the option name cannot be"):
        train_options(name=name)


@pytest.mark.parametrize("name", ["photos", "a" * 255, "猫" * 85, "CON", "c:\\data\\x", "a/b", "...", "", "tab\there"])
def test_every_name_becomes_one_of_any_system(name):
    made = names.as_folder_name(name)
    assert 0 < len(made.encode()) <= names.MOST_BYTES + 1
    assert ntpath.basename(made) == made == os.path.basename(made)
    assert not PureWindowsPath(made).is_reserved()
    assert made == made.strip(" .")


def test_two_runs_on_a_folder_with_the_longest_name(tmp_path):
    """A number comes behind the name, and has room."""
    first, second = (RunFolder(train_options(out=tmp_path)) for _ in range(2))
    with first.held(), second.held():
        for each in (first, second):
            each.name_after(names.as_folder_name("a" * 255))
        assert [each.path.name for each in (first, second) if each.path] == ["a" * 200, "a" * 200 + "-2"]


# --- what a console takes


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "utf-8"])
def test_json_is_json_in_every_encoding(monkeypatch, encoding):
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding=encoding, errors="backslashreplace"))
    show.json_or(True, SetAside(picture="é猫😀", reason="x"), print)
    sys.stdout.flush()
    assert json.loads(file.getvalue().decode(encoding))["picture"] == "é猫😀"


def test_json_and_words_are_said_in_a_pipe_of_windows(split_run, tmp_path, draw):
    encoding = "cp1252"
    draw(tmp_path / "é猫😀", 1, kinds=["circle"])
    command = [sys.executable, "-m", "eyespot", "predict", split_run.run, "é猫😀", "--json"]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    [answer] = json.loads(done.stdout.decode(encoding))
    assert answer["picture"] == "é猫😀/circle/000.png"
    done = subprocess.run(command[:-1], cwd=tmp_path, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith("é\\u732b\\U0001f600/circle/000.png: circle".encode(encoding))
