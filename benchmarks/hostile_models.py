"""1,000 hostile models: each is refused in a sentence within 10 s and 1 GB, or answers; none reads what is not its.

    python benchmarks/hostile_models.py
    python benchmarks/hostile_models.py --models 50 --only bombs

Three small models are trained on drawn pictures: of classes, of boxes, of several labels. Of each there are a bundle
and two exports. `hostile_files.py` and `hostile_kinds.py` make hostile ones of them, at random from a seed: graphs that
ask for much, changed ones, files that lie, weights, networks that paint. Each is opened and asked in a process of its
own, which is held to memory and time. A file that was only damaged must answer as before if it answers at all. A model
whose author changed it may answer as he likes. The 10 s are from the first look at it until it is refused or has
answered. Opened files are watched. Linux.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.pool
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import hostile_files
import measuring
import numpy as np
import onnx  # noqa: F401 - before the processes that use it
from bombs import _kilobytes
from hostile_files import FAMILIES, Honest, Made
from measuring import at_most
from PIL import Image, ImageDraw

import eyespot
import eyespot.answering.detector
import eyespot.answering.multilabel
from eyespot import machine
from eyespot.errors import EyespotError

SECONDS, MEGABYTES = 10.0, 1000.0
HELD_BYTES = 6 * 2**30
"""What a process may have at most, so that the machine lives."""
MAKING_SECONDS = 60.0
BARS = {
    "late": at_most(0, "models", "each is refused or has answered within 10 seconds"),
    "large": at_most(0, "models", "each is refused or answers within 1 GB"),
    "died": at_most(0, "models", "none ends the process"),
    "without a sentence": at_most(0, "models", "each that is refused is refused in a sentence"),
    "otherwise": at_most(0, "models", "a file that was damaged never answers with another meaning"),
    "outside": at_most(0, "models", "none has another file read"),
}
ASKING_SECONDS = 90.0
_READ: list[str] = []


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--models", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="decides them (default 0)")
    parser.add_argument("--only", help="families whose names hold this word")
    parser.add_argument("--number", type=int, nargs="+", help="only these")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at a time (default one a core)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[machine.CACHE_VARIABLE] = str(folder / "cache")
        ready = _in_a_process(_trained, folder)
        numbers = [each for each in _numbers(options) if options.number is None or each in options.number]
        shares = [numbers[first :: options.processes] for first in range(options.processes)]
        with multiprocessing.pool.ThreadPool(options.processes) as pool:
            told = pool.map(lambda share: list(asked(share, ready, folder, options)), shares)
            found = [outcome for outcomes in told for outcome in outcomes]
    _tell(found)


def _numbers(options: Any) -> Iterator[int]:
    for number in range(options.models):
        if not options.only or options.only in family_of(number):
            yield number


def family_of(number: int) -> str:
    """The family of a model: of each thousand, as many as `FAMILIES` says, mixed."""
    names = [name for name, (count, _) in FAMILIES.items() for _ in range(count)]
    return names[number * 389 % len(names)]


@dataclass(frozen=True)
class Outcome:
    """What came of one."""

    number: int
    kind: str
    """`refused`, `answers`, `as before`, `not made`, or the name of a bar."""
    words: str
    seconds: float = 0.0
    megabytes: float = 0.0


@dataclass(frozen=True)
class Ready:
    """What every process knows."""

    models: dict[str, Honest]
    pictures: list[str]
    answers: dict[tuple[str, str], Any]
    """Of the honest models, by form and task."""


def asked(numbers: list[int], ready: Ready, folder: Path, options: Any) -> Iterator[Outcome]:
    """What came of each, in order; each has a process of its own."""
    for number in numbers:
        outcome = ask_one(number, options.seed, ready, folder)
        if outcome.kind in BARS or options.number:
            print(f"model {number} of seed {options.seed} ({family_of(number)}), {outcome}", flush=True)
        yield outcome


def ask_one(number: int, seed: int, ready: Ready, folder: Path) -> Outcome:
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_child, args=(number, seed, ready, folder, there))
    process.start()
    there.close()
    try:
        if not here.poll(MAKING_SECONDS):
            return Outcome(number, "not made", "its maker takes too long")
        made = here.recv()
        if made:
            return Outcome(number, "not made", made)
        if not here.poll(SECONDS + ASKING_SECONDS):
            return Outcome(number, "late", "says nothing", ASKING_SECONDS, _kilobytes("VmHWM", process.pid) / 1000)
        return here.recv()
    except EOFError:
        process.join()
        return Outcome(number, "died", f"the process ended with status {process.exitcode}")
    finally:
        process.kill()
        process.join()


def _child(number: int, seed: int, ready: Ready, folder: Path, told: Connection) -> None:
    """Makes a model and asks it."""
    inside = Path(tempfile.mkdtemp(dir=folder)) / "inside"
    inside.mkdir()
    os.chdir(inside.parent)
    resource.setrlimit(resource.RLIMIT_AS, (HELD_BYTES, HELD_BYTES))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    chance = random.Random(f"{seed} {number}")
    try:
        made = FAMILIES[family_of(number)][1](ready.models, inside, chance)
    except Exception as error:  # what cannot even be written harms nobody
        told.send(f"{type(error).__name__}: {str(error)[:200]}")
        return
    told.send("")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most so far is what is held now
    before, began = _kilobytes("VmRSS"), time.perf_counter()
    sys.addaudithook(_watch)
    kind, words = _judged(made, ready)
    seconds = time.perf_counter() - began
    megabytes = (_kilobytes("VmHWM") - before) / 1000
    outside = [each for each in _READ if not _is_ours(each, folder, inside)]
    if kind not in BARS:
        kind = "outside" if outside or (inside.parent / "executed").exists() else kind
        kind = "late" if seconds > SECONDS else "large" if megabytes > MEGABYTES else kind
    told.send(Outcome(number, kind, f"{words} {outside or ''}", seconds, megabytes))


def _judged(made: Made, ready: Ready) -> tuple[str, str]:
    try:
        answers = answered(made, ready.pictures)
    except EyespotError as error:
        said = str(error)
        is_sentence = "\n" not in said and 20 < len(said) < 1000 and said.isprintable()
        return ("refused" if is_sentence else "without a sentence"), said
    except BaseException:
        return "without a sentence", traceback.format_exc()[-600:].replace("\n", " | ")
    if not made.is_same:
        return "answers", str(answers)[:100]
    if answers == ready.answers[made.form, made.task]:
        return "as before", ""
    return "otherwise", str(answers)[:200]


def answered(made: Made, pictures: list[str]) -> Any:
    """What a model says, in full."""
    if made.form == "weights":
        net = eyespot.create("lenet5", weights=made.where)
        return [float(each.double().sum()) for each in net.state_dict().values()]
    if made.form == "network":
        from eyespot.building.named import bundle_with_weights
        from eyespot.bundle.files import read_bundle

        return len(bundle_with_weights(read_bundle(made.where)).state_dict())
    if made.form == "style":
        from eyespot.styling.fast import FastPainter

        sys.path.insert(0, str(made.where))
        return FastPainter(cache_folder=None).style_of(np.zeros((64, 64, 3), np.uint8)).tolist()
    return [repr(each) for each in eyespot.load(made.where).predict(pictures if made.is_same else pictures[:1])]


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and isinstance(arguments[1], str | None):
        _READ.append(arguments[0])


def _is_ours(path: str, folder: Path, inside: Path) -> bool:
    """Of the model's folder, the cache, the pictures, or Python's own, which reads its source to quote it."""
    found, sources = os.path.realpath(path), (Path(eyespot.__file__).parent, Path(__file__).parent)
    own = (inside, folder / "cache", folder / "pictures", sys.prefix, sys.base_prefix, *sources)
    return found.startswith((*map(str, own), "/proc/", "/sys/", "/dev/", "/usr/", "/etc/"))


def _trained(folder: Path) -> Ready:
    """The honest models, and what they say."""
    runs = {}
    for task, data in drawn(folder / "data").items():
        how = {"epochs": 40, "views": 4} if task == "detection" else {}
        runs[task] = eyespot.train(data, out=folder / "runs", name=task, imgsz=96, precision="fp32", **how).run
    models = {task: hostile_files.honest(run) for task, run in runs.items()}
    pictures = [str(path) for path in sorted((folder / "pictures").iterdir())]
    answers = {}
    for task, of in models.items():
        for form, files in of.forms.items():
            inside = folder / "honest" / task / form
            inside.mkdir(parents=True)
            where = hostile_files.place(inside, files, form)
            answers[form, task] = answered(Made(where, form, task, is_same=True), pictures)
    return Ready(models, pictures, answers)


def drawn(folder: Path) -> dict[str, Path]:
    """Data for each task: circles and squares, with their boxes, with several of them; and pictures to ask about."""
    chance = random.Random(0)
    pictures = folder.parent / "pictures"
    pictures.mkdir(parents=True)
    for number, size in enumerate(((96, 64), (64, 96), (900, 600))):
        _picture(size, ["circle"], chance)[0].save(pictures / f"{number}.png")
    for number in range(60):
        kind = ("circle", "square")[number % 2]
        part = ("train", "train", "train", "val", "test")[number % 5]
        image, boxes = _picture((96, 64), [kind], chance)
        for place in (folder / "classification" / part / kind, folder / "detection" / part / "images"):
            place.mkdir(parents=True, exist_ok=True)
            image.save(place / f"{number}.png")
        lines = [f"{label} {' '.join(f'{each:.4f}' for each in box)}" for label, box in boxes]
        (folder / "detection" / part / "labels").mkdir(parents=True, exist_ok=True)
        (folder / "detection" / part / "labels" / f"{number}.txt").write_text("\n".join(lines))
    (folder / "detection" / "data.yaml").write_text(
        "path: .\ntrain: train/images\nval: val/images\ntest: test/images\nnames: [circle, square]\n"
    )
    rows = ["image_path,circle,square"]
    (folder / "multilabel").mkdir()
    for number in range(60):
        kinds = [kind for kind in ("circle", "square") if chance.random() < 0.5]
        _picture((96, 64), kinds, chance)[0].save(folder / "multilabel" / f"{number}.png")
        rows.append(f"{number}.png,{int('circle' in kinds)},{int('square' in kinds)}")
    (folder / "multilabel" / "labels.csv").write_text("\n".join(rows))
    return {
        "classification": folder / "classification",
        "detection": folder / "detection",
        "multilabel": folder / "multilabel" / "labels.csv",
    }


def _picture(size: tuple[int, int], kinds: list[str], chance: random.Random) -> tuple[Image.Image, list[Any]]:
    width, height = size
    noise = Image.frombytes("L", size, chance.randbytes(width * height))
    image = noise.point(lambda level: 90 + level // 3).convert("RGB")
    pen, boxes = ImageDraw.Draw(image), []
    for place, kind in enumerate(kinds):
        left, top = 8 + 40 * place + chance.randint(0, 8), chance.randint(4, height - 36)
        box = (left, top, left + 28, top + 28)
        (pen.ellipse if kind == "circle" else pen.rectangle)(box, fill="firebrick" if kind == "circle" else "navy")
        boxes.append((int(kind == "square"), ((left + 14) / width, (top + 14) / height, 28 / width, 28 / height)))
    return image, boxes


def _in_a_process(work: Any, *given: Any) -> Any:
    """What comes of work that starts threads, which are not to be forked."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_sent, args=(there, work, *given))
    process.start()
    there.close()
    result = here.recv()
    process.join()
    return result


def _sent(there: Connection, work: Any, *given: Any) -> None:
    there.send(work(*given))


def _tell(found: list[Outcome]) -> None:
    by_family: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        by_family[family_of(each.number)][each.kind] += 1
    for family, counted in by_family.items():
        print(f"{family:32} {sum(counted.values()):5}  {dict(counted.most_common())}")
    made = [each for each in found if each.kind != "not made"]
    print(f"{len(made)} models of {len(found)}; the others could not be written")
    print(f"longest {max(each.seconds for each in made):.1f} s, most {max(each.megabytes for each in made):.0f} MB")
    for kind, bar in BARS.items():
        print(bar.verdict(sum(each.kind == kind for each in found)))


if __name__ == "__main__":
    main()
