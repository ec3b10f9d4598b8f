"""From nothing to a live answer on the studio's page: classes by name, a camera, dropped pictures, a training.

    python benchmarks/studio_collect.py

In Chromium, whose camera is a film of drawn circles: three classes are named; 20 pictures of circles are taken by that
camera with the button held, 20 squares and 20 triangles are dropped; "Train" is pressed; and the trained network
answers what the camera sees. The network's converted form is in the cache, as on every machine after its first
training. It needs playwright and Chromium.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from chromium_pages import studio_at_work
from measuring import at_least, at_most
from PIL import Image
from playwright.sync_api import sync_playwright
from studio_page import ARGUMENTS, SETTLED

import eyespot

ALL_BAR = at_most(90, "s", "from the empty page to a live answer, with 3 classes of 20 pictures each")
OWN_BAR = at_most(20, "s", "of which eyespot itself takes, from the button Train to a live answer")
SAVED_BAR = at_least(60, "pictures", "every picture is on disk, in a folder for each class")
RIGHT_BAR = at_least(90, "%", "of the live answers name what the camera sees")
ANSWERS = 20
FILM, SIDES, SECONDS_OF_A_PICTURE = "camera.y4m", (320, 240), 0.2
PATIENCE = 1_200_000
DROP = """(card, files) => {
    const dataTransfer = new DataTransfer();
    for (const [name, text] of files)
        dataTransfer.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
    card.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--pictures", type=int, default=20, help="of each class (default 20)")
    each = parser.parse_args().pictures
    print(measuring.heading(), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, by whatever else runs", flush=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        folder = Path(name)
        eyespot.sample("shapes", folder)
        classes = {path.name: sorted(path.iterdir()) for path in sorted((folder / "photos").iterdir()) if path.is_dir()}
        filmed, *dropped = classes
        film(folder / FILM, classes[filmed])
        arguments = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        arguments += [f"--use-file-for-fake-video-capture={folder / FILM}"]
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=[*ARGUMENTS, *arguments])
        cache = measuring.converted_trunk(folder / "cache")
        (folder / "home").mkdir()
        with studio_at_work(folder=folder / "home", EYESPOT_CACHE=str(cache)) as (ask, _):
            ask("lobby")  # it listens from now on
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(PATIENCE)
            begun = time.perf_counter()
            page.goto(f"{ask.address}#screen=collect&lang=en")
            page.wait_for_function(SETTLED)
            collect(page, filmed, {name: classes[name][:each] for name in dropped}, each)
            told("pictures collected", collected := time.perf_counter() - begun)
            page.click("#train-start")
            page.wait_for_selector("#live-bars .first")
            told("a live answer", whole := time.perf_counter() - begun)
            print(page.locator("#live-figure").inner_text(), flush=True)
            print(ALL_BAR.verdict(whole), flush=True)
            print(OWN_BAR.verdict(whole - collected), flush=True)
            print(SAVED_BAR.verdict(len([*(folder / "home" / "collected").glob("*/*/*.*")])), flush=True)
            print(RIGHT_BAR.verdict(100 * right(page, filmed)), flush=True)
        browser.close()


def film(path: Path, pictures: list[Path]) -> None:
    """A film in which each picture is seen for a moment, at 10 frames a second, 4:2:0."""
    width, height = SIDES
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420mpeg2\n".encode())
        for each in pictures:
            with Image.open(each) as picture:
                frame = picture.convert("RGB").resize((height, height)).convert("YCbCr")
            wide = Image.new("YCbCr", SIDES, frame.getpixel((1, 1)))
            wide.paste(frame, ((width - height) // 2, 0))
            light, *colors = wide.split()
            planes = [light, *(color.resize((width // 2, height // 2)) for color in colors)]
            data = b"".join(np.asarray(plane).tobytes() for plane in planes)
            file.write((b"FRAME\n" + data) * round(10 * SECONDS_OF_A_PICTURE))


def collect(page: Any, filmed: str, dropped: dict[str, list[Path]], each: int) -> None:
    """each: how many pictures of a class."""
    page.fill("#collect-name", "shapes")
    page.keyboard.press("Enter")
    for name in (filmed, *dropped):
        page.fill("#collect-class", name)
        page.keyboard.press("Enter")
        card(page, name).wait_for()
    page.click("#camera-toggle")
    take = card(page, filmed).locator(".take")
    take.hover()
    page.mouse.down()
    shots = card(page, filmed).get_by_text("Pictures: ")
    while int(shots.inner_text().split()[-1]) < each:
        page.wait_for_timeout(20)
    page.mouse.up()
    for name, pictures in dropped.items():
        card(page, name).evaluate(
            DROP, [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in pictures]
        )
    for name in dropped:
        card(page, name).get_by_text(f"Pictures: {each}", exact=True).wait_for()


def card(page: Any, name: str) -> Any:
    return page.locator(".class", has=page.get_by_role("heading", name=name, exact=True))


def right(page: Any, filmed: str) -> float:
    """Share of the live answers that name what the camera shows."""
    answers = []
    for _ in range(ANSWERS):
        answers.append(page.locator("#live-bars .first .name").inner_text() == filmed)
        page.wait_for_timeout(350)
    return float(np.mean(answers))


def told(what: str, seconds: float) -> None:
    print(f"{what} after {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
