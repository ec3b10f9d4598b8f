"""One input asked, and what came of it: read, refused in a sentence, or a fault."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fuzz.kinds import Kind, chance_of, kinds

from eyespot.errors import EyespotError
from eyespot.names import printable

LONGEST_SENTENCE = 1500
"""Letters: that of a folder with the layouts that are read has some 900."""
BEFORE = "here"
"""The working folder of what reads, beside the input; nothing may come to lie in it."""


@dataclass(frozen=True)
class Outcome:
    """What came of one input."""

    kind: str
    seed: int
    number: int
    said: Literal["read", "refused", "fault"]
    words: str = ""
    """The sentence of what was refused; of a fault, what is wrong."""
    trace: str = ""
    seconds: float = 0.0
    """Of the processor: another program may keep a process waiting."""
    megabytes: float = 0.0

    @property
    def place(self) -> str:
        """Where the fault is: the same for inputs that meet the same one."""
        lines = re.findall(r'File "([^"]+)", line (\d+)', self.trace)
        ours = [f"{Path(file).name}:{line}" for file, line in lines if "eyespot" in file]
        words = re.sub(r"\d+", "N", self.words.split(":")[0][:60])
        return f"{self.kind}: {words} {ours[-1] if ours else ''}"


def ask(name: str, seed: int, number: int) -> Outcome:
    """What comes of an input, made anew in a folder of its own."""
    chance = chance_of(name, seed, number)
    return replace(judge(name, lambda folder: kinds()[name].write(chance, folder)), seed=seed, number=number)


def judge(name: str, write: Callable[[Path], Path]) -> Outcome:
    """What comes of the input that is written into a new folder, read as one of that kind."""
    kind = kinds()[name]
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as top:
        folder, here = Path(top, "input"), Path(top, BEFORE)
        folder.mkdir()
        here.mkdir()
        given = write(folder)
        before = dict(_contents(Path(top)))
        with chdir(here):
            said, words, trace, seconds, megabytes = _answer(kind, given)
        if dict(_contents(Path(top))) != before:
            said, words = "fault", "something was written or changed beside the input"
        elif said == "refused":
            wrong = against(words, kind, folder, given)
            said, words = ("fault", wrong) if wrong else (said, words)
    return Outcome(name, 0, 0, said, words, trace, seconds, megabytes)


def with_cost(outcome: Outcome) -> Outcome:
    """The same; a fault where it took more time or memory than inputs of its kind may."""
    kind, over = kinds()[outcome.kind], ""
    if outcome.seconds > kind.seconds:
        over = f"it took over {kind.seconds:.0f} s"
    elif outcome.megabytes > kind.megabytes:
        over = f"it took over {kind.megabytes} MB"
    return replace(outcome, said="fault", words=over) if over and outcome.said != "fault" else outcome


def against(sentence: str, kind: Kind, folder: Path, given: Path) -> str:
    """What is wrong with the sentence of an error; empty where nothing is."""
    if not sentence.strip() or len(sentence) > LONGEST_SENTENCE:
        return f"a sentence of {len(sentence)} letters: {sentence[:300]!r}"
    if printable(sentence) != sentence:
        return f"a sentence that cannot be shown: {sentence[:300]!r}"
    if re.search(r"Traceback|<class|object at 0x|\bErrno\b", sentence):
        return f"a sentence of a program's words: {sentence[:300]!r}"
    names = {given.name, given.stem, *(Path(name).name for name, _ in _contents(folder))}
    if kind.names_file and not any(printable(name) in sentence for name in names if name):
        return f"a sentence that names no file: {sentence[:300]!r}"
    return ""


def _answer(kind: Kind, given: Path) -> tuple[Literal["read", "refused", "fault"], str, str, float, float]:
    held, began = _begin_to_measure(), time.process_time()
    said: Literal["read", "refused", "fault"] = "read"
    words = trace = ""
    try:
        kind.read(given)
    except EyespotError as error:
        said, words = "refused", str(error)
    except (Exception, SystemExit) as error:
        said, words = "fault", f"{type(error).__name__}: {str(error)[:300]!r}"
        trace = "".join(traceback.format_exception(error, limit=-12))
    return said, words, trace, time.process_time() - began, _megabytes("VmHWM") - held


def _begin_to_measure() -> float:
    """MB that the process holds now, from where the most that it holds is counted; 0 where nothing tells."""
    if sys.platform == "linux":
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        except OSError:
            return float("inf")  # without that, the most so far would be that of another input
    return _megabytes("VmRSS")


def _megabytes(key: str) -> float:
    if sys.platform != "linux":
        return 0.0
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1000 if found else 0.0


def _contents(folder: Path) -> Iterator[tuple[str, object]]:
    """Every file, folder and link below, with what tells whether it was changed."""
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(above, name)
            if os.path.islink(path):
                yield path, os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    yield path, (os.stat(path).st_mode, hashlib.file_digest(file, "blake2b").digest())
            else:
                yield path, os.lstat(path).st_mode
