"""The page of `eyespot serve` in a real browser, against the real server in a process of its own."""

from __future__ import annotations

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
def digits_run(trained_once: Callable[..., Any]) -> Any:
    """What `train` made of the embedded digits."""
    return trained_once("digits", "digits")


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
