"""What all processes of a run of the tests share: a folder, a cache, and what one of them makes for all."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def made_once(shared_folder: Path) -> Callable[..., Any]:
    """A function that makes something for all processes of a run of the tests: `made_once(NAME, make)`.

    The first that asks calls `make(FOLDER)`, the others wait, and get a copy of what came out. Not to be changed.
    """

    def once(name: str, make: Callable[[Path], Any]) -> Any:
        folder, kept = shared_folder / name, shared_folder / f"{name}.pickle"
        try:
            folder.mkdir()
        except FileExistsError:
            _wait_for(kept)
        else:
            made: object = None
            try:
                made = make(folder)
            finally:  # who waits fails as well
                (shared_folder / f"{name}.part").write_bytes(pickle.dumps(made))
                (shared_folder / f"{name}.part").replace(kept)
        return pickle.loads(kept.read_bytes())

    return once


@pytest.fixture(scope="session")
def warm_cache(shared_folder: Path) -> Path:
    """A cache folder that tests share: the network is converted into it once, and features stay."""
    folder = shared_folder / "warm-cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def trained_once(made_once: Callable[..., Any], warm_cache: Path) -> Callable[..., Any]:
    """A function that gives what `train` made, once for all processes: `trained_once(NAME, data, **options)`."""
    import eyespot

    def once(name: str, data: object, /, **options: object) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EYESPOT_CACHE", str(warm_cache))
            return made_once(name, lambda folder: eyespot.train(data, out=folder, **options))

    return once


def _wait_for(file: Path, *, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"the process that makes {file} does not end"
        time.sleep(0.1)
