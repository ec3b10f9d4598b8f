"""The studio in a real browser, against its server in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium_browser import at_work


@pytest.fixture(scope="session")
def digits_run(digits_run: Any) -> Path:
    """The folder of what two epochs made of the embedded digits."""
    return Path(digits_run.run)


@pytest.fixture(scope="session")
def studio(chromium: str, digits_run: Path, warm_cache: Path) -> Iterator[str]:
    """The address of the studio of that run."""
    with at_work("studio", digits_run, says="Studio", cache=warm_cache) as address:
        yield address


def shown(page: Any) -> None:
    """Waits until the page shows what its address names."""
    page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")
