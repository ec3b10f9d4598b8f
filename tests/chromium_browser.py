"""Chromium for the tests of pages: a browser for a module's tests, and pages in it that complain of nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from visits import DESKTOP

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream"),
)


EXPECTED = ("the server responded with a status of", "net::ERR_CONNECTION_REFUSED")
"""What the browser says of answers that the page tells in words of its own."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is."""
    pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or pytest.skip("chromium is missing: apt-get install chromium")


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
    assert [each for each in complaints if not any(words in each for words in EXPECTED)] == []


@contextmanager
def at_work(
    verb: str,
    run: Path | None,
    *options: str,
    says: str,
    cache: Path,
    folder: Path | None = None,
    **variables: str,
) -> Iterator[str]:
    """The address at which `eyespot VERB` answers in a process of its own.

    run: None names none. says: how the line begins that ends with the address. folder: in which it is started.
    """
    named = [] if run is None else [str(run)]
    server = subprocess.Popen(
        [sys.executable, "-m", "eyespot", verb, *named, "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "EYESPOT_CACHE": str(cache), "PYTHONUNBUFFERED": "1", **variables},
    )
    assert server.stdout
    try:
        yield next(line.split()[-1] for line in server.stdout if line.startswith(says))
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
