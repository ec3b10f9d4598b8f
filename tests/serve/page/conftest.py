"""The page of `eyespot serve` in a real browser, against the real server in a process of its own."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from visits import DESKTOP

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream"),
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is."""
    pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or pytest.skip("chromium is missing: apt-get install chromium")


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


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A browser. It ends with the module: while it is there, its event loop runs, and no other may."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens a page of a server. What the browser complains of fails the test."""
    contexts, complaints = [], []

    def open_page(
        address: str, *, viewport: Any = DESKTOP, then: Callable[[Any], None] | None = None, **options: Any
    ) -> Any:
        contexts.append(browser.new_context(viewport=viewport, reduced_motion="reduce", **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        if then:
            then(page)
        go(page, address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in complaints if "the server responded with a status of" not in each] == []


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
    server = subprocess.Popen(
        [sys.executable, "-m", "eyespot", "serve", str(run), "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "EYESPOT_CACHE": str(cache), "PYTHONUNBUFFERED": "1", **variables},
    )
    assert server.stdout
    try:
        yield next(line.split()[1] for line in server.stdout if line.startswith("Page"))
    finally:
        server.terminate()
        server.communicate()


def go(page: Any, address: str) -> None:
    """Opens the address. The server says where it is a moment before it listens there."""
    from playwright.sync_api import Error

    for _ in range(100):
        try:
            page.goto(address)
            return
        except Error as error:
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            page.wait_for_timeout(100)
    pytest.fail(f"nobody listens at {address}")


def _waited_for(file: Path, *, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"the process that makes {file} does not end"
        time.sleep(0.1)
