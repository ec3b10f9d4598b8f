"""Small files that stand for much (`bomb_kinds.py`), through every verb: memory and seconds beside a run without them.

    python benchmarks/bombs.py
    python benchmarks/bombs.py --more FOLDER

Each picture is read alone in a process of its own, as for training. Then all of them lie among drawn pictures, and
`train`, `val`, `predict`, `embed` and `serve` go through them, beside the same verb on the drawn pictures alone. Each
list is given to `train` and to `predict`. Linux.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bomb_kinds
import measuring
import numpy as np
from measuring import at_most
from PIL import Image
from servers import begun

from eyespot import machine
from eyespot.building.backbone import OWN_PREPROCESS
from eyespot.data.pictures import read_image
from eyespot.errors import UnreadablePicture

MEMORY = at_most(600, "MB", "a bomb takes at most 600 MB above a run without")
SECONDS = at_most(5, "s", "a bomb takes at most 5 seconds")
NAMED = at_most(0, "files", "each is answered or named with its reason, and none stops the rest")
CLASSES = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (200, 50, 40)}


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--more", type=Path, help="a folder with more such files: those directly in it")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="files whose names hold one of these words")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound, bombs = draw(folder / "sound"), folder / "bombs"
        _in_a_process(written, bombs / "red", options)  # so that this one, which starts others, stays small
        os.environ[machine.CACHE_VARIABLE] = str(folder / "cache")
        run = trained(sound, folder)
        worst = [alone(path) for path in sorted((bombs / "red").iterdir())]
        lost, memory, seconds = verbs(sound, bombs, run, folder)
        _in_a_process(bomb_kinds.lists, folder / "lists")
        for path in sorted((folder / "lists").iterdir()):
            took, more = list_given(path, run, folder)
            worst.append((took, more))
    print(SECONDS.verdict(max(*(took for took, _ in worst), seconds)))
    print(MEMORY.verdict(max(*(more for _, more in worst), memory)))
    print(NAMED.verdict(lost))


def _in_a_process(work: Callable[..., object], *given: object) -> None:
    process = multiprocessing.get_context("fork").Process(target=work, args=given)
    process.start()
    process.join()


def draw(folder: Path, *, seed: int = 0) -> Path:
    chance = np.random.default_rng(seed)
    for name, color in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for number in range(10):
            pixels = np.clip(chance.normal(color, 40, (60, 80, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")
    return folder


def written(folder: Path, options: Any) -> None:
    """The bombs as files of one class."""
    folder.mkdir(parents=True)
    files = bomb_kinds.pictures()
    if options.more:
        files |= {
            path.name: path.read_bytes() for path in options.more.iterdir() if path.suffix in (".png", ".jpg", ".tif")
        }
    for name, data in files.items():
        if not options.only or any(word in name for word in options.only):
            (folder / name).write_bytes(data)
    print(f"{len(list(folder.iterdir()))} pictures", flush=True)


def trained(sound: Path, folder: Path) -> str:
    return str(measuring.train(sound, cache=folder / "cache", out=folder / "runs").result["run"])


def alone(path: Path) -> tuple[float, float]:
    """Seconds and MB that reading the file takes, in a process of its own."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_read, args=(path, there))
    process.start()
    there.close()
    try:
        seconds, megabytes, said = here.recv()
    except EOFError:
        seconds, megabytes, said = float("inf"), float("inf"), "the process died"
    process.join()
    print(
        f"{path.name:24} {path.stat().st_size / 1e6:7.2f} MB  {seconds:6.2f} s {megabytes:6.0f} MB  {said}", flush=True
    )
    return seconds, megabytes


def _read(path: Path, told: Any) -> None:
    data = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most so far is what is held now
    before, began = _kilobytes("VmRSS"), time.perf_counter()
    try:
        said = f"read: {read_image(data, OWN_PREPROCESS).shape}"
    except UnreadablePicture as error:
        said = error.reason
    told.send((time.perf_counter() - began, (_kilobytes("VmHWM") - before) / 1000, said))


def _kilobytes(key: str, process: int | str = "self") -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    assert found
    return int(found[1])


def verbs(sound: Path, bombs: Path, run: str, folder: Path) -> tuple[int, float, float]:
    """Files that were lost, and the most MB and seconds for each file, above the same verb without bombs."""
    names = {path.name for path in (bombs / "red").iterdir()}
    both = folder / "both"
    for place in (sound, bombs):
        for path in place.rglob("*.*"):
            target = both / path.relative_to(place)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    eyespot = [sys.executable, "-m", "eyespot"]
    commands: dict[str, Callable[[Path], list[str | Path]]] = {
        "train": lambda data: [*eyespot, "train", data, "--out", folder / "runs", "--json", "-q"],
        "val": lambda data: [*eyespot, "val", run, data, "--json", "-q"],
        "predict": lambda data: [*eyespot, "predict", run, data, "--json", "-q"],
        "embed": lambda data: [*eyespot, "embed", data, "--out", folder / "f.npz", "--overwrite", "--json", "-q"],
    }
    lost, memory, seconds = 0, 0.0, 0.0
    for number, (verb, command) in enumerate(commands.items(), start=1):
        others = draw(folder / f"sound-{verb}", seed=number)  # whose features are not stored, as those of bombs are not
        idle, _, idle_bytes = measuring.observed(command(others), cache=folder / "cache")
        took, printed, peak_bytes = measuring.observed(command(both), cache=folder / "cache")
        assert idle_bytes
        assert peak_bytes
        missing = names - _told_of(verb, json.loads(printed), folder)
        lost += len(missing)
        more, each = (peak_bytes - idle_bytes) / 1e6, (took - idle) / len(names)
        memory, seconds = max(memory, more), max(seconds, each)
        print(f"{verb}: {more:.0f} MB more than {idle_bytes / 1e6:.0f}; {each:.2f} s a file; lost: {sorted(missing)}")
    found = served(sound, bombs, run)
    return lost + found[0], max(memory, found[1]), max(seconds, found[2])


def _told_of(verb: str, said: Any, folder: Path) -> set[str]:
    """Names of pictures that were set aside, or used."""
    if verb == "predict":
        return {Path(each["picture"]).name for each in said}
    aside = {Path(each["picture"]).name for each in said["set_aside"]}
    if verb == "train":
        rows = Path(said["run"], "split.csv").read_text(encoding="utf-8").splitlines()
        return aside | {Path(row.split(",")[0]).name for row in rows}
    if verb == "embed":
        return aside | {Path(str(name)).name for name in np.load(folder / "f.npz")["pictures"]}
    return aside | ({path.name for path in (folder / "both/red").iterdir()} if said["n"] else set())


def served(sound: Path, bombs: Path, run: str) -> tuple[int, float, float]:
    """The same of the server, which is asked about each file, and about a sound one after it."""
    server = begun(["-m", "eyespot", "serve", run])
    good = next(sound.rglob("*.jpg")).read_bytes()
    lost, longest = 0, 0.0
    for _ in range(20):
        _asked(server, good)
    before = _kilobytes("VmHWM", server.process.pid)
    for path in sorted((bombs / "red").iterdir()):
        began = time.perf_counter()
        status = _asked(server, path.read_bytes())
        longest = max(longest, time.perf_counter() - began)
        lost += status not in (200, 400, 413, 415) or _asked(server, good) != 200
    more = (_kilobytes("VmHWM", server.process.pid) - before) / 1000
    server.stop()
    print(
        f"serve: {more:.0f} MB more than {before / 1000:.0f}; at most {longest:.2f} s a file; {lost} lost", flush=True
    )
    return lost, more, longest


def _asked(server: Any, data: bytes) -> int:
    connection = server.connection()
    try:
        connection.request("POST", "/predict", data, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
        return int(answer.status)
    except OSError:
        return 413  # it has said so while the rest was on its way
    finally:
        connection.close()


def list_given(path: Path, run: str, folder: Path) -> tuple[float, float]:
    """Seconds and MB that `train` and `predict` take for a list, above what the command takes for nothing."""
    nothing = folder / "nothing.csv"
    nothing.write_text("image_path,label\n", encoding="utf-8")
    worst = (0.0, 0.0)
    for words in (("train", path, "--out", folder / "runs", "-q"), ("predict", run, path, "-q")):
        idle = tuple(nothing if word == path else word for word in words)
        (few, least, _), (took, most, said) = (_ended(given, folder) for given in (idle, words))
        worst = (max(worst[0], took - few), max(worst[1], most - least))
        print(f"{path.name:24} {words[0]}: {took - few:6.2f} s {most - least:6.0f} MB  {said[:120]}", flush=True)
    return worst


def _ended(words: tuple[object, ...], folder: Path) -> tuple[float, float, str]:
    """Seconds, MB and the last line of a command, which may fail."""
    environment = {**os.environ, machine.CACHE_VARIABLE: str(folder / "cache")}
    command = [sys.executable, "-m", "eyespot", *map(str, words)]
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr
        said = process.stderr.read().decode(errors="replace").strip()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1) or "Traceback" in said:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}: {said[-500:]}")
    return time.perf_counter() - began, usage.ru_maxrss / 1000, (said.splitlines() or ["answered"])[-1]


if __name__ == "__main__":
    main()
