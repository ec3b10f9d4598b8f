"""The page of `eyespot serve` in a real browser, against the real server in a process of its own."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chromium_browser import at_work


@pytest.fixture(scope="session")
def serving(chromium: str, warm_cache: Path) -> Any:
    """A context in which a server in a process of its own serves a run; gives its address."""
    return partial(served, cache=warm_cache)


@pytest.fixture(scope="session")
def colors(serving: Any, bundle: Path) -> Iterator[str]:
    """The address of a server of the model that knows colours."""
    with serving(bundle) as address:
        yield address


@pytest.fixture(scope="session")
def refusing(serving: Any, refusing_bundle: Path) -> Iterator[str]:
    """The address of a server of the model for which gray is no colour that it knows."""
    with serving(refusing_bundle) as address:
        yield address


@pytest.fixture(scope="session")
def squares(serving: Any, box_bundle: Path) -> Iterator[str]:
    """The address of a server of the detector that finds coloured squares."""
    with serving(box_bundle) as address:
        yield address


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """A function that makes something for all processes of these tests: `made_once(NAME, make)`.

    The first that asks calls `make(FOLDER)`, the others wait, and get a copy of what came out. Not to be changed.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, make: Callable[[Path], Any]) -> Any:
        folder, kept = shared / name, shared / f"{name}.pickle"
        try:
            folder.mkdir()
        except FileExistsError:
            _waited_for(kept)
        else:
            made: object = None
            try:
                made = make(folder)
            finally:  # who waits fails as well
                (shared / f"{name}.part").write_bytes(pickle.dumps(made))
                (shared / f"{name}.part").replace(kept)
        return pickle.loads(kept.read_bytes())

    return once


@pytest.fixture(scope="session")
def digits_run(warm_cache: Path, made_once: Callable[..., Any]) -> Any:
    """What `train` made of the embedded digits."""
    from eyespot.recipes.train import train

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return made_once("digits", lambda folder: train("digits", out=folder))


@pytest.fixture(scope="session")
def digits(serving: Any, digits_run: Any) -> Iterator[str]:
    """The address of a server of the embedded digits."""
    with serving(digits_run.run) as address:
        yield address


@pytest.fixture(scope="session")
def paints(serving: Any, bundle: Path) -> Iterator[str]:
    """The address of a server that paints, too."""
    from eyespot.styling import published

    if not published.is_installed():
        pytest.skip("needs the extra style")
    with serving(bundle, "--style") as address:
        yield address


@contextmanager
def served(run: Path, *options: str, cache: Path, **variables: str) -> Iterator[str]:
    """The address at which a server in a process of its own serves the run."""
    with at_work("serve", run, *options, says="Page", cache=cache, **variables) as address:
        yield address


def _waited_for(file: Path, *, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"the process that makes {file} does not end"
        time.sleep(0.1)
