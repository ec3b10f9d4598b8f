"""A model exported as a page, in a real browser at a phone's size: its answers, how soon they come, without a network.

    python benchmarks/web.py RUN [--runtime FOLDER]

RUN is the run of a model that names classes, made of a folder with a test part. The page is exported, served by
`python -m http.server` below a path, and asked about the test part: once by pixels that eyespot decoded, once by the
files, which the browser decodes. It needs playwright and Chromium. FOLDER holds onnxruntime-web, else the cache does.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from playwright.sync_api import sync_playwright

from eyespot.bundle.files import Bundle, read_bundle
from eyespot.data.copies import Hashed
from eyespot.data.pictures import read_as_they_are
from eyespot.exporting.agreement import answers_of_bundle
from eyespot.progress import silent
from eyespot.recipes.export import export
from eyespot.runs.pictures import pictures_of_run

PHONE = {"width": 390, "height": 844}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
SIZE_BAR = measuring.at_most(20, "MB", "the page of the default network takes at most 20 MB")
SAME_BAR = measuring.at_least(1.0, "of the answers", "on the pixels that eyespot decodes every answer is the run's")
OWN_BAR = measuring.at_least(0.99, "of the answers", "on those that the browser decodes 99 in 100 are")
FIRST_BAR = measuring.at_most(8, "s", "the first answer comes within 8 s of a cold load")
NEXT_BAR = measuring.at_most(1, "s", "each picture after that takes at most 1 s (median)")
OFFLINE_BAR = measuring.at_least(1, "page", "after the first load it answers without a network")
ASK_PIXELS = """async ({ text, width, height }) => {
    const { outputsOf } = await import("./page/api.js");
    return await outputsOf({ data: Uint8Array.from(atob(text), (each) => each.charCodeAt(0)), width, height });
}"""
ANSWERED = """count => {
    const cards = [...document.querySelectorAll("#answer-list > li")];
    return cards.length === count && !cards.some((card) => card.ariaBusy);
}"""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", help="a run's folder")
    parser.add_argument("--runtime", help="a folder with onnxruntime-web")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, by whatever else runs", flush=True)
    bundle = read_bundle(options.run)
    pictures = pictures_of_run(options.run, bundle.manifest, data=None, parts=("test",)).hashed
    answers = answers_of_bundle(bundle, pictures, silent)
    expected = [bundle.manifest.classes[int(answers[number].probabilities.argmax())] for number in range(len(pictures))]
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "some" / "where"
        result = export(options.run, format="web", out=site, runtime=options.runtime)
        for check in result.checks:
            print(f"{check.runtime}: {check}")
        print(SIZE_BAR.verdict(result.bytes / 1e6), flush=True)
        with _served(Path(folder)) as address, sync_playwright() as started:
            browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            _measure(browser, f"{address}/some/where/", bundle, pictures, expected)
            browser.close()


def _measure(browser: Any, address: str, bundle: Bundle, pictures: Sequence[Hashed], expected: list[str]) -> None:
    context = browser.new_context(viewport=PHONE, reduced_motion="reduce", is_mobile=True, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(120_000)
    files = [str(each.picture.path) for each in pictures]
    started = time.perf_counter()
    page.goto(address)
    _answers(page, files[:1])
    print(FIRST_BAR.verdict(time.perf_counter() - started), flush=True)
    page.wait_for_selector("#kept:not([hidden])")
    seconds, own = [], []
    for file in files:
        begun = time.perf_counter()
        own += _answers(page, [file])
        seconds.append(time.perf_counter() - begun)
    slowest = max(seconds)
    print(f"a picture: median {statistics.median(seconds):.3f} s, slowest {slowest:.3f} s, with its heat map")
    print(NEXT_BAR.verdict(statistics.median(seconds)))
    given = list(_given_pixels(page, bundle, pictures))
    print(SAME_BAR.verdict(float(np.mean([a == b for a, b in zip(given, expected, strict=True)]))))
    print(OWN_BAR.verdict(float(np.mean([a == b for a, b in zip(own, expected, strict=True)]))))
    truth = [bundle.manifest.classes.index(str(each.picture.label)) for each in pictures]
    for name, found in (("the run", expected), ("the page", own)):
        right = np.mean([bundle.manifest.classes.index(each) == true for each, true in zip(found, truth, strict=True)])
        print(f"accuracy of {name}: {right:.4f} on {len(truth)} pictures")
    context.set_offline(True)
    page.reload()
    print(OFFLINE_BAR.verdict(float(_answers(page, files[:1]) == own[:1])), flush=True)
    context.close()


def _answers(page: Any, files: list[str]) -> list[str]:
    """The likeliest class of each, as the page shows it; all earlier answers are taken away."""
    page.wait_for_selector("#desk:not([hidden])")
    if page.is_visible("#clear-answers"):
        page.click("#clear-answers")
    page.set_input_files("#files", files)
    page.wait_for_function(ANSWERED, arg=len(files))
    return page.locator("#answer-list > li .bars li:first-child .name").all_inner_texts()


def _given_pixels(page: Any, bundle: Bundle, pictures: Sequence[Hashed]) -> Iterator[str]:
    """The likeliest class of each, of the pixels that eyespot decodes."""
    for each in pictures:
        [pixels] = read_as_they_are([each.picture.read()], bundle.manifest.preprocess)
        assert isinstance(pixels, np.ndarray)
        height, width = pixels.shape[:2]
        text = base64.b64encode(pixels.tobytes()).decode()
        found = page.evaluate(ASK_PIXELS, {"text": text, "width": width, "height": height})
        yield bundle.manifest.classes[int(np.argmax(found["probabilities"]))]


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address at which `python -m http.server` serves the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
