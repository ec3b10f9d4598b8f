"""A lab in a process of its own, `eyespot lab`: one at a time, and stopped as Ctrl-C stops it.

So its finished rounds are kept whatever happens here, and what it writes is what the command writes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eyespot.errors import RequestError
from eyespot.labs.catalogue import Found
from eyespot.labs.result import LabResult
from eyespot.studio.lab_outcomes import LabOutcomes
from eyespot.studio.lab_watch import Watch

OUT = Path("runs")
"""Where `eyespot lab` puts labs."""
COMMAND = (sys.executable, "-m", "eyespot", "lab")
STOP_SECONDS = 30.0
"""For the report of what is finished, when the studio ends."""
CTRL_C = 130
"""The status of a command that was stopped."""
MOST_SAID = 500
"""Letters of a sentence."""


@dataclass(frozen=True)
class Asked:
    """What a lab is asked."""

    lab: str
    data: str
    """`digits`, or `own` for the run's own data."""
    guess: int
    seeds: int
    time: str | None
    lang: str
    model: str | None = None
    """The network that is looked into, as a page calls it; None for the lab's own choice."""


class _Job:
    """A lab that runs, or has ended."""

    def __init__(self, asked: Asked, watch: Watch, process: subprocess.Popen[str]) -> None:
        self.asked, self.watch, self.process = asked, watch, process
        self.began, self.seconds = time.monotonic(), 0.0
        self.stopping = False
        self.result: str | None = None
        self.ended = ""
        """"done", "stopped" or "failed"; empty while it runs."""
        self.said = ""
        """Why there is no result."""
        self.listener = threading.Thread(target=self._listen, name="eyespot-lab", daemon=True)
        self.listener.start()

    def stop(self) -> None:
        """Has it stop, once: a second Ctrl-C would break off the report of what is finished."""
        if self.stopping or self.ended:
            return
        self.stopping = True
        with suppress(OSError):  # it has just ended
            if sys.platform == "win32":  # which ends it at once: its table is kept, and the same lab goes on from there
                self.process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                self.process.send_signal(signal.SIGINT)

    def _listen(self) -> None:
        output, errors = self.process.communicate()
        self.seconds = time.monotonic() - self.began
        try:
            result = LabResult.model_validate_json(output)
        except ValidationError:
            lines = [each.strip() for each in errors.splitlines() if each.strip()] or ["it said nothing of why"]
            self.said = lines[-1].removeprefix("eyespot: ")[:MOST_SAID]
            self.ended = "stopped" if self.stopping or self.process.returncode == CTRL_C else "failed"
        else:
            self.result = Path(result.folder).name
            self.ended = "stopped" if result.ended == "ctrl-c" else "done"


class LabProcess:
    """The lab that runs, or ran last. Safe to use from several threads."""

    def __init__(self, out: Path = OUT, command: Sequence[str] = COMMAND) -> None:
        """out: the folder in which `lab/NAME` is made. command: to which the lab, its data and options are added."""
        self.outcomes = LabOutcomes(out)
        self._out, self._command = out, command
        self._lock = threading.Lock()
        self._job: _Job | None = None

    @property
    def running(self) -> str | None:
        """The name of the lab that runs."""
        job = self._job
        return job.asked.lab if job and not job.ended else None

    def start(self, found: Found, asked: Asked, data: str, model: str | None = None) -> None:
        """Starts a lab. data, model: as `eyespot lab` takes them. Raises RequestError while another one runs."""
        with self._lock:
            if self.running:
                raise RequestError(409, f"the lab {self.running} is running: stop it, or wait until it is done")
            watch = Watch(self._out, found, seeds=asked.seeds)
            try:
                process = _begun([*self._command, *_arguments(asked, data, model, self._out)])
            except OSError as error:
                raise RequestError(500, f"the lab cannot be started ({error.strerror or error})") from None
            self._job = _Job(asked, watch, process)

    def stop(self) -> None:
        """Stops the lab that runs, as Ctrl-C does; nothing where none runs."""
        with self._lock:
            if self._job:
                self._job.stop()

    def end(self, *, seconds: float = STOP_SECONDS) -> None:
        """Stops the lab and waits for it. seconds: after which it is killed; its table stays."""
        job = self._job
        if job is None:
            return
        try:
            self.stop()
            job.listener.join(seconds)
        finally:
            job.process.kill()  # nothing where it has ended
            job.listener.join()

    def told(self) -> dict[str, Any]:
        """What is asked, how far it is, and what came of it, as JSON."""
        job = self._job
        if job is None:
            return {"state": "none"}
        done = job.watch.done()
        return {
            "state": job.ended or ("stopping" if job.stopping else "running"),
            "asked": asdict(job.asked),
            **asdict(done),
            "seconds": round(job.seconds or time.monotonic() - job.began, 1),
            "result": job.result,
            "said": job.said,
        }


def _arguments(asked: Asked, data: str, model: str | None, out: Path) -> list[str]:
    limit = [f"--{name}={value}" for name, value in (("time", asked.time), ("model", model)) if value]
    given = [f"--seeds={asked.seeds}", f"--guess={asked.guess}", f"--lang={asked.lang}", f"--out={out}", *limit]
    return ["--json", *given, "--", asked.lab, data]


def _begun(command: list[str]) -> subprocess.Popen[str]:
    """The process, in a group of its own: Ctrl-C in the studio's terminal reaches it once, by `end`."""
    paths = os.pathsep.join(each for each in sys.path if each)
    alone: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        alone = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        **alone,
    )
