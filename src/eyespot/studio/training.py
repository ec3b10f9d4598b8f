"""A training that was begun in the studio: `eyespot train` in a process of its own, whose lines are followed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any, Literal

from eyespot.bundle.files import FOLDER
from eyespot.errors import RequestError
from eyespot.events import EVENTS
from eyespot.runs.folder import RUNS

OUT, MODEL = "runs", "model.onnx"
MOST_LINES, LAST_BYTES = 1000, 4096
STOP_SECONDS = 20.0
"""After Ctrl-C; whoever still works then is ended."""
_BEGIN = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('eyespot', run_name='__main__', alter_sys=True)"
)
"""`python -m eyespot`, which Ctrl-C ends also where the studio itself was begun by what ignores it, as nohup does."""
_GROUP: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"start_new_session": True}
)
"""A group of its own: Ctrl-C in the studio's terminal is told to it in order, by `close`."""
_CTRL_C = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT)
"""Windows knows no Ctrl-C for a group of its own."""
State = Literal["none", "running", "done", "stopped", "failed"]


class Training:
    """One at a time. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """folder: in which `runs` lies."""
        self._folder, self._lock = folder, threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.state: State = "none"
        self.lines: list[str] = []
        """What it said."""
        self.about: str | None = None
        """The id of what it learns from."""
        self._was_stopped = False
        self._run = folder

    @property
    def run(self) -> Path | None:
        """The run's folder, if a model lies in it."""
        return self._run if (self._run / FOLDER / MODEL).is_file() else None

    @property
    def error(self) -> str:
        """Why it failed, as it said at last; empty where it did not fail."""
        said = [each for each in self.lines if each.strip()] or ["it ended without a word"]
        return said[-1].removeprefix("eyespot: ") if self.state == "failed" else ""

    @property
    def phase(self) -> str:
        """What it does just now, as the run itself tells it; empty where it has told nothing."""
        try:
            with (self._run / EVENTS).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_BYTES))
                return str(json.loads(file.read().splitlines()[-1])["phase"])
        except (OSError, ValueError, IndexError, KeyError, TypeError):  # nothing, or a line that is being written
            return ""

    def start(self, data: Path, about: str) -> None:
        """Begins to train on a folder; the run has its name, or the first free one after it.

        about: the id of what it learns from. Raises RequestError where another training goes on, or none can begin.
        """
        with self._lock:
            if self.state == "running":
                raise RequestError(409, "a training goes on already: stop it, or wait until it is done")
            names = (data.name if number == 1 else f"{data.name}-{number}" for number in count(1))
            runs = self._folder / OUT / RUNS
            self._run = next(runs / name for name in names if not (runs / name).exists())
            where = data.relative_to(self._folder)
            command = ["train", str(where), "--out", OUT, f"--name={self._run.name}"]
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _BEGIN, *command],
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="backslashreplace",
                    env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                    **_GROUP,
                )
            except OSError as error:
                raise RequestError(500, f"the training cannot begin ({error.strerror or error})") from None
            self.state, self.about, self._was_stopped = "running", about, False
            self.lines = [f"$ eyespot {subprocess.list2cmdline(command)}"]
            self._reader = threading.Thread(target=self._follow, args=(self._process,), daemon=True)
            self._reader.start()

    def stop(self) -> None:
        """Tells it Ctrl-C. Raises RequestError where none goes on."""
        with self._lock:
            if self.state != "running" or self._process is None:
                raise RequestError(409, "no training goes on")
            self._was_stopped = True
            if self._process.poll() is None:
                self._process.send_signal(_CTRL_C)

    def close(self) -> None:
        """Ends it, and waits for that."""
        if self._process is None or self._reader is None or self.state != "running":
            return
        try:
            self.stop()
            self._process.wait(STOP_SECONDS)
        except (RequestError, subprocess.TimeoutExpired):
            self._process.kill()
        self._reader.join()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                if len(self.lines) < MOST_LINES:
                    self.lines.append(line.rstrip())
        status = process.wait()
        with self._lock:
            if self._was_stopped:
                self.state = "stopped"
            else:
                self.state = "done" if status == 0 and self.run else "failed"
