"""Servers of pages at work in processes of their own, for benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    with _at_work("studio", arguments, says="Studio", folder=folder, variables=variables) as (address, process):
        yield asking(address), process


@contextmanager
def server_at_work(*arguments: str) -> Iterator[str]:
    """The address of the page of `eyespot serve`."""
    with _at_work("serve", arguments, says="Page", folder=None, variables={}) as (address, _):
        yield address


@contextmanager
def _at_work(
    verb: str, arguments: Sequence[str], *, says: str, folder: Path | None, variables: Mapping[str, str]
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "eyespot", verb, *arguments, "--port", "0"]
    environment = {**os.environ, **variables}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stdout
        try:
            yield next(line.split()[-1] for line in process.stdout if line.startswith(says)), process
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
