"""A first visit to the studio: from the end of `eyespot train digits` to the numbers that made one number.

    python benchmarks/studio_first.py

The command that `train` names last is run, its address opened in Chromium, and what is chosen is found by the words
that can be seen: a place in a map of the first convolution, then the button that names its number. The clock runs from
the end of `train` until the products are in view. Each choice waits for a person to read what led to it. It needs
playwright and Chromium.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measuring
from chromium_pages import studio_at_work
from measuring import at_most
from playwright.sync_api import sync_playwright
from studio_page import ARGUMENTS

TIME_BAR = at_most(60, "s", "from the end of the training to what made a number, reading included")
CLICKS_BAR = at_most(2, "clicks", "lead there from the opened page")
WORDS_A_SECOND = 3
"""Of a slow reader: adults read silently about 4 (Brysbaert 2019, 10.1016/j.jml.2019.104047)."""
HINT = "Click anywhere in a map: below, you see which numbers made the number there."


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--epochs", type=int, help="of the training (default: those of eyespot train)")
    epochs = parser.parse_args().epochs
    print(measuring.heading(), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, by whatever else runs", flush=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        run = trained(Path(name), [] if epochs is None else ["--epochs", str(epochs)])
        begun = time.perf_counter()
        with studio_at_work(run, folder=Path(name)) as (ask, _):
            ask("network")  # it listens from now on
            page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US").new_page()
            page.goto(ask.address)
            clicks = led(page)
            took = time.perf_counter() - begun
        browser.close()
    print(TIME_BAR.verdict(took), flush=True)
    print(CLICKS_BAR.verdict(clicks), flush=True)


def trained(folder: Path, options: list[str]) -> str:
    """The run that the last lines of `eyespot train digits` say to look into."""
    command = [sys.executable, "-m", "eyespot", "train", "digits", *options]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    [line] = [line for line in said.splitlines() if "eyespot studio" in line]
    return shlex.split(line)[-1]


def led(page: Any) -> int:
    """How many clicks led to the products behind a number."""
    read(page, page.get_by_text(HINT))
    page.get_by_role("button", name=re.compile("conv, Convolution")).first.click(position={"x": 30, "y": 30})
    to_sum = page.get_by_role("button", name=re.compile("See the sum that makes it"))
    read(page, to_sum)
    to_sum.click()
    page.get_by_text("Their sum:").first.wait_for()
    return 2


def read(page: Any, words: Any) -> None:
    words.wait_for()
    page.wait_for_timeout(1000 * len(words.inner_text().split()) / WORDS_A_SECOND)


if __name__ == "__main__":
    main()
