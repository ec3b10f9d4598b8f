"""Python programs in processes of their own that begin where the imports are done.

Imports take longer than most of what a test asks of a program. A process does them once, and is forked for each
program: what one does to its environment, folder, signals or modules ends with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from unmeasured import unmeasured

CHILD = Path(__file__).with_name("forking_child.py")
ALONE = ("torch", "onnxscript", "sklearn.linear_model", "scipy.optimize", "eyespot.recipes.train", "eyespot.cli.main")
"""What takes long to import and starts no thread, which a fork would lose. OpenVINO and ONNX Runtime start some."""
SECONDS = 300

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@contextmanager
def programs(*, imported: Sequence[str] = ALONE) -> Iterator[Run]:
    """A function that runs a program to its end, as `subprocess.run` does: `run(["-m", "eyespot", "info"], env=...)`.

    Where the system cannot fork, each begins with its imports.
    """
    if not hasattr(os, "fork"):
        yield _from_nothing
        return
    command = [sys.executable, str(CHILD), *imported]
    told = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    env = {**unmeasured(), "PYTHONUTF8": "1"}
    with TemporaryDirectory() as own, subprocess.Popen(command, env=env, **told) as parent:
        yield partial(_forked, parent, Path(own))
        assert parent.stdin is not None
        parent.stdin.close()


def _forked(
    parent: subprocess.Popen[str],
    own: Path,
    words: Sequence[object],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str],
) -> Done:
    files = {name: own / name for name in ("printed", "complained")}
    asked = {
        "words": [*map(str, words)],
        "folder": str(cwd or Path.cwd()),
        "environment": dict(env),
        "seconds": SECONDS,
        **{name: str(file) for name, file in files.items()},
    }
    assert parent.stdin is not None
    assert parent.stdout is not None
    print(json.dumps(asked), file=parent.stdin, flush=True)
    status = int(parent.stdout.readline())
    said = [file.read_text("utf-8") for file in files.values()]
    for file in files.values():
        file.unlink()  # what a child of the program still writes is not read as another one's
    return Done([*words], status, *said)


def _from_nothing(words: Sequence[object], *, cwd: Path | None = None, env: Mapping[str, str]) -> Done:
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
    )
