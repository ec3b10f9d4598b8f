"""What the rows of the failure zoo stand on: their record, folders of pictures, eyespot as a process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from measuring import RSS_BYTES

from eyespot import machine

CLASSES = ("circle", "square", "triangle")
TRAIN, VAL = 10, 5
"""Pictures of each class in the parts of a row's folder."""
SECONDS = 180
Who = Literal["teacher", "student", "engineer"]


class Missed(Exception):
    """A row's criterion does not hold; says what happened instead."""


def must(holds: object, otherwise: str) -> None:
    """Raises Missed with these words unless it holds."""
    if not holds:
        raise Missed(otherwise)


@dataclass(frozen=True)
class Case:
    """What a row has prepared: for eyespot, and the same for others."""

    data: Path
    odd: tuple[str, ...] = ()
    """The files that it is about, below `data`."""
    readings: dict[str, Path] = field(default_factory=dict)
    """Ways to read a picture, in words, each with a PNG of what is seen then."""


@dataclass(frozen=True)
class Row:
    """Something that goes wrong, and what is to come of it."""

    name: str
    what: str
    who: Who
    """Whom it meets most."""
    holds: str
    """When the row passes, so that a program can tell."""
    prepare: Callable[[Ground, Path], Case]
    """Makes its files in an empty folder."""
    act: Callable[[Ground, Case], str]
    """What eyespot did, in a few words. Raises Missed where the criterion does not hold."""
    ask: str = "not run"
    """What others are asked to do with the same files, see `failure_zoo_peers.py`; or why they are not asked."""


@dataclass(frozen=True)
class Said:
    """A command that has ended."""

    status: int
    out: str
    err: str
    peak_bytes: int | None

    @property
    def json(self) -> Any:
        """What `--json` printed."""
        must(self.status == 0, f"status {self.status}: {self.sentence}")
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """What it said went wrong; of a traceback the last line."""
        lines = [line for line in self.err.splitlines() if line.strip()] or ["nothing was said"]
        if any(line.startswith("Traceback") for line in lines):
            return f"a traceback: {lines[-1]}"
        return next((line for line in lines if line.startswith("eyespot: ")), lines[-1]).removeprefix("eyespot: ")

    def refused(self, *words: str) -> str:
        """The sentence. Raises Missed where it did not end with status 1 or 2 and one sentence that has these words."""
        must(self.status in (1, 2), f"status {self.status}: {self.out[-200:]}")
        must("Traceback" not in self.err, self.sentence)
        must(all(word in self.err for word in words), f"the sentence lacks {', '.join(words)}: {self.sentence}")
        return self.sentence


class Ground:
    """A folder with the sample pictures and a model of them, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def sample(self) -> Path:
        """photos/ with 80 pictures of each class, new/ and cells/ with boxes."""
        place = self.folder / "sample"
        must(self.eyespot("sample", "shapes", place).status == 0, "there is no sample")
        return place

    @cached_property
    def run(self) -> Path:
        """A model of the three shapes."""
        self.train(self.sample / "photos", "--out", self.folder / "model", "--name", "shapes")
        return self.folder / "model" / "train" / "shapes"

    def photos(self, label: str) -> list[Path]:
        return sorted((self.sample / "photos" / label).iterdir(), key=lambda path: (len(path.name), path.name))

    def parts(self, data: Path, *, train: int = TRAIN, val: int = VAL, classes: Sequence[str] = CLASSES) -> Path:
        """A folder with train/ and val/, each with a folder for each class. classes: what the three are called."""
        for label, called in zip(CLASSES, classes, strict=True):
            photos = self.photos(label)
            for part, some in (("train", photos[:train]), ("val", photos[train : train + val])):
                place = data / part / called
                place.mkdir(parents=True)
                for path in some:
                    shutil.copyfile(path, place / path.name)
        return data

    def eyespot(
        self, *command: object, env: dict[str, str] | None = None, cwd: Path | None = None, before: Sequence[str] = ()
    ) -> Said:
        """The command line, as a person types it. before: what stands before it, such as another program."""
        told = [*before, sys.executable, "-m", "eyespot", *map(str, command)]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(told, stdout=out, stderr=err, cwd=cwd or self.folder, env=self.environment(env))
            status, peak = waited(process, SECONDS)
            texts = [(each.seek(0), each.read().decode("utf-8", "replace"))[1] for each in (out, err)]
        return Said(status, texts[0], texts[1], peak)

    def begun(self, *command: object) -> subprocess.Popen[str]:
        """The same, still at work."""
        told = [sys.executable, "-m", "eyespot", *map(str, command)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            told, stdout=pipe, stderr=pipe, text=True, cwd=self.folder, env=self.environment(), start_new_session=True
        )

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        return {**os.environ, machine.CACHE_VARIABLE: str(self.folder / "cache"), "NO_COLOR": "1", **(more or {})}

    def train(self, data: Path, *options: object) -> Any:
        """What `train --json` printed, of the frozen regime unless the options say another."""
        chosen = () if "--regime" in options else ("--regime", "frozen")
        out = () if "--out" in options else ("--out", tempfile.mkdtemp(dir=self.folder))
        return self.eyespot("train", data, *chosen, *options, *out, "--json", "--quiet").json

    def predict(self, *pictures: Path) -> list[Any]:
        """The answers of the model of shapes."""
        answers: list[Any] = self.eyespot("predict", self.run, *pictures, "--json").json
        return answers

    def agrees(self, odd: Path, plain: Path, within: float = 0.05) -> str:
        """Both pictures have the same probabilities, but for what saving them changed. Raises Missed."""
        first, second = self.predict(odd, plain)
        must(not first["set_aside"], f"set aside: {first['set_aside']}")
        likely = [{each["class"]: each["probability"] for each in one["predictions"]} for one in (first, second)]
        most = max(abs(likely[0].get(name, 0.0) - likely[1].get(name, 0.0)) for name in CLASSES)
        must(most <= within, f"the probabilities differ by {most:.2f}")
        return f"the same answer, probabilities within {most:.2f}"


def waited(process: subprocess.Popen[Any], seconds: float) -> tuple[int, int | None]:
    """Status and peak memory of a process that has at most so long. Raises Missed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if sys.platform == "win32":
            if process.poll() is not None:
                return process.returncode, None
        else:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, usage.ru_maxrss * RSS_BYTES
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise Missed(f"it had not ended after {seconds:.0f} s")


def state_of(data: Path) -> dict[str, str]:
    """Every file of a folder with its bytes' hash and time: what changes when somebody changes it."""
    files = (each for each in sorted(data.rglob("*")) if each.is_file())
    return {
        each.relative_to(data).as_posix(): f"{hashlib.sha256(each.read_bytes()).hexdigest()} {each.stat().st_mtime_ns}"
        for each in files
    }


def set_aside(result: Any) -> dict[str, str]:
    """Reasons by the name of the file."""
    return {each["picture"]: each["reason"] for each in result["set_aside"]}


def only_those(result: Any, odd: Iterable[str], *, of: int, word: str = "") -> str:
    """The reason of the first. Raises Missed where others were set aside, or not all others were used.

    of: pictures in all. word: what the reasons have in them.
    """
    wanted = list(odd)
    found = set_aside(result)
    must(found.keys() == set(wanted), f"set aside were {sorted(found) or 'none'}")
    must(result["pictures"]["used"] == of - len(wanted), f"{result['pictures']['used']} of {of} pictures were used")
    must(all(word in reason for reason in found.values()), f"the reason given is: {sorted(found.values())[0]}")
    return f"{wanted[0]} {found[wanted[0]]}"


def noted(result: Any, *words: str) -> str:
    """The note that has these words. Raises Missed where there is none."""
    found = next((note for note in result["notes"] if all(word in note for word in words)), None)
    must(found is not None, f"no note has {', '.join(words)}: {result['notes']}")
    return str(found)


IN_PARTS = len(CLASSES) * (TRAIN + VAL)
"""Pictures of a row's folder."""
