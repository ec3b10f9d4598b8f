"""The studio at work in a process of its own, for benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Ask = Callable[..., Any]


@contextmanager
def studio_at_work(
    *arguments: str, folder: Path | None = None, **variables: str
) -> Iterator[tuple[Ask, subprocess.Popen[str]]]:
    """What asks the studio of a run or network, and its process. `ask.address` is the page's.

    folder: in which it is started. variables: of its environment.
    """
    environment = {**os.environ, **variables}
    command = [sys.executable, "-m", "eyespot", "studio", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stdout
        try:
            address = next(line.split()[-1] for line in process.stdout if line.startswith("Studio"))
            yield asking(address), process
        finally:
            process.terminate()


def asking(address: str) -> Ask:
    """Asks one of the studio's endpoints: JSON, or bytes where it gives floats."""

    def ask(name: str, *, body: bytes | None = None, **query: str) -> Any:
        request = urllib.request.Request(f"{address.partition('#')[0]}studio/{name}?{urlencode(query)}", body)
        for _ in range(50):
            try:
                with urllib.request.urlopen(request) as answer:
                    content = answer.read()
                    return json.loads(content) if "json" in answer.headers["content-type"] else content
            except urllib.error.URLError as error:  # it says where it is a moment before it listens there
                if not isinstance(error.reason, ConnectionRefusedError):
                    raise
                time.sleep(0.1)
        raise SystemExit("the studio does not answer")

    ask.address = address  # type: ignore[attr-defined]
    return ask
