"""What eyespot writes that is to be kept, and how each is looked through after its writer was killed."""

from __future__ import annotations

import hashlib
import importlib
import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from lives import Say
from PIL import Image

import eyespot
from eyespot.answering.detections import Detection, Detections
from eyespot.answering.labels import write_labels
from eyespot.auditing.outputs import JSON, audit_folder
from eyespot.auditing.result import LIST
from eyespot.bundle.exported import read_exported
from eyespot.bundle.files import (
    CHECKPOINTS,
    FOLDER,
    Bundle,
    find_bundle,
    place_bundle,
    read_bundle,
    write_bundle,
)
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.decisions import COLUMNS, read_decisions
from eyespot.data.store import Store
from eyespot.engine.compiled import keep, read_kept
from eyespot.events import EVENTS, Event, Events
from eyespot.exporting.web import ProvenSite
from eyespot.exporting.web_graph import web_graph
from eyespot.exporting.web_site import INDEX, site
from eyespot.files import write_whole
from eyespot.runs.folder import ARGS, RunFolder
from eyespot.runs.options import TrainOptions
from eyespot.runs.remembered import MOST, recall, remember
from eyespot.runs.tables import write_csv, write_json

EXPORTING: Any = importlib.import_module("eyespot.recipes.export")
"""The file, which `eyespot.export` is not: that is its function."""
KINDS = ("onnx", "openvino", "web")
OF_MODELS = ("model", *(f"export {kind}" for kind in KINDS))
WRITERS = ("store", "trainings", "cache", "lists", "events", "labels", "converted", *OF_MODELS)
CLASSES = ("cat", "dog")
BATCHES, LISTED = 6, 300


@dataclass(frozen=True)
class Model:
    """A trained model, and its exports: the content of the files by their names, by format."""

    bundle: Bundle
    exports: Mapping[str, Mapping[str, bytes]]

    @classmethod
    def of(cls, run: Path) -> Model:
        """Of a run that was exported into its own folder as ONNX and OpenVINO; the page's runtime is a stand-in."""
        bundle, files = read_bundle(run), {each.name: each.read_bytes() for each in (run / "export").iterdir()}
        onnx = {name: data for name, data in files.items() if name.endswith(".onnx")}
        openvino = {name: data for name, data in files.items() if name.endswith((".xml", ".bin"))}
        runtime = {"ort.mjs": b"// stands for a runtime", "ort-wasm-simd-threaded.wasm": bytes(200_000)}
        page = site(bundle, web_graph(bundle), runtime)
        return cls(bundle, {"onnx": onnx, "openvino": openvino, "web": page})


@dataclass(frozen=True)
class Writer:
    """One of those who write."""

    write: Callable[[Path, int, Say], None]
    """Does it once in a folder; its number decides what is written. Says what is kept from now on."""
    wrong: Callable[[Path, Sequence[str]], Iterator[str]]
    """What is wrong with that folder, which must hold all that was said."""
    together: bool = False
    """Whether others may write at the same time."""


def all_writers(models: tuple[Model, Model] | None) -> dict[str, Writer]:
    """By their names. models: two that take each other's place; None leaves those out that write models."""
    of_models = {}
    if models:
        of_models["model"] = Writer(_placing(models), _wrong_model(models))
        of_models |= {f"export {kind}": Writer(_exporting(models, kind), _wrong_export(models, kind)) for kind in KINDS}
    return {
        "store": Writer(_fill, _wrong_store, together=True),
        "trainings": Writer(_remember, _wrong_trainings),
        "cache": Writer(_keep, _wrong_cache, together=True),
        "lists": Writer(_list, _wrong_lists, together=True),
        "events": Writer(_begin_a_run, _wrong_run),
        "labels": Writer(_label, _wrong_labels),
        "converted": Writer(_convert, _wrong_converted),
        **of_models,
    }


# The store of features


def _batch(name: str) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(list(name.encode()))
    return {f"{name}-{n}": chance.random(chance.integers(1, 3000), np.float32) for n in range(chance.integers(1, 9))}


def _fill(folder: Path, number: int, say: Say) -> None:
    with Store(folder) as store:
        for each in range(BATCHES):
            say(f"begun {number}.{each}")
            store.put(_batch(f"{number}.{each}"))
            say(f"kept {number}.{each}")


def _wrong_store(folder: Path, said: Sequence[str]) -> Iterator[str]:
    told = [line.split() for line in said]
    kept = {name for word, name in told if word == "kept"}
    batches = {name: _batch(name) for name in sorted({name for _, name in told})}
    with Store(folder) as store:
        found = store.get([key for batch in batches.values() for key in batch])
        yield from store.notes
    for name, batch in batches.items():
        there = batch.keys() & found.keys()
        if name in kept and len(there) < len(batch):
            yield f"batch {name}: {len(there)} of {len(batch)} kept arrays are there"
        if len(there) not in (0, len(batch)):
            yield f"batch {name} is there in part"
        if any(not np.array_equal(found[key], batch[key]) for key in there):
            yield f"batch {name} has other numbers"


# A model in another's place, and its exports


def _placing(models: tuple[Model, Model]) -> Callable[[Path, int, Say], None]:
    def place(folder: Path, number: int, say: Say) -> None:
        bundle, draft = models[number % 2].bundle, folder / f".{FOLDER}.{number}"
        write_bundle(draft, bundle.manifest, bundle.graph)
        place_bundle(draft, folder / FOLDER)
        say(f"kept {number % 2}")

    return place


def _wrong_model(models: tuple[Model, Model]) -> Callable[[Path, Sequence[str]], Iterator[str]]:
    whole = [each.bundle.graph for each in models]

    def wrong(folder: Path, said: Sequence[str]) -> Iterator[str]:
        if find_bundle(folder) is None:
            if said:
                yield "the model is gone"
            return
        found = read_bundle(folder)
        if found.graph not in whole or found.manifest != models[whole.index(found.graph)].bundle.manifest:
            yield "it is none of the models that were written"

    return wrong


def _exporting(models: tuple[Model, Model], kind: str) -> Callable[[Path, int, Say], None]:
    """Exports as the recipe does, but for what is asked and compared before, which writes nothing."""

    def export(folder: Path, number: int, say: Say) -> None:
        recipe = EXPORTING
        files = models[number % 2].exports[kind]
        ordered = tuple(files[name] for name in sorted(files, key=lambda name: name.endswith(".bin")))
        recipe.onnx_file, recipe.openvino_files = lambda bundle: ordered[0], lambda bundle: ordered
        recipe.OnnxRuntime = recipe.runtime_files = recipe.pictures_to_compare = lambda *_, **__: None
        recipe.answers_of_run = lambda *_, **__: None
        recipe._Compared.proven = lambda self, contents, reference: recipe._Proven(contents, (), None)
        recipe._Compared.result = lambda self, proven, seconds: None
        recipe.draft_site = lambda *_: files
        recipe.compared_page = lambda *_: SimpleNamespace(part="test", notes=())
        recipe.prove_site = lambda *_: ProvenSite(dict(files), (), "fp16", None, ())
        eyespot.export(models[number % 2].bundle.folder, format=kind, out=folder, overwrite=True)
        say(f"kept {number % 2}")

    return export


def _wrong_export(models: tuple[Model, Model], kind: str) -> Callable[[Path, Sequence[str]], Iterator[str]]:
    """What other programs open must be whole: the file, the XML with its weights, the page with all that it loads."""
    wholes = [each.exports[kind] for each in models]
    opened = INDEX if kind == "web" else next(name for name in wholes[0] if name.endswith((".onnx", ".xml")))

    def wrong(folder: Path, said: Sequence[str]) -> Iterator[str]:
        if not (folder / opened).exists():
            if said and kind == "onnx":
                yield "the file is gone"
            return
        names = {name for whole in wholes for name in whole}
        found = {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}
        if found not in [dict(whole) for whole in wholes]:
            yield f"{opened} is there, and not all of its files, or of another model"
        elif kind != "web":
            read_exported(folder / opened)

    return wrong


# Trainings that are remembered


def _job(folder: Path, run: Path, decisions: dict[str, Any]) -> Any:
    told = SimpleNamespace(decisions=decisions, recall=decisions.update)
    return SimpleNamespace(
        cache_folder=folder, folder=SimpleNamespace(path=run), world=SimpleNamespace(size=1), clock=told
    )


def _training(number: int) -> tuple[dict[str, Any], bytes]:
    chance = random.Random(number)
    return {"tail": {"epochs": chance.randrange(99)}}, chance.randbytes(chance.randrange(1, 300_000))


def _remember(folder: Path, number: int, say: Say) -> None:
    decisions, weights = _training(number)
    run = folder / f"run-{number}"
    place = run / CHECKPOINTS / "tail"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"00000001-{hashlib.sha256(weights).hexdigest()}.safetensors").write_bytes(weights)
    say("begun")
    remember(_job(folder, run, decisions), f"key-{number}")
    say(f"kept {number}")
    shutil.rmtree(run)


def _wrong_trainings(folder: Path, said: Sequence[str]) -> Iterator[str]:
    """Whole is what recall takes; one that was kept may go only where `MOST` later ones are there."""
    kept = {int(line.split()[1]) for line in said if line.startswith("kept")}
    there = {int(each.name.split("-")[1]) for each in (folder / "trained").glob("key-*[0-9]")}
    for number in sorted(there | kept):  # in their order: who is recalled is of use
        decisions, weights = _training(number)
        found: dict[str, Any] = {}
        run = folder / "recalled"
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        if not recall(_job(folder, run, found), f"key-{number}"):
            if number in there or sum(other > number for other in there) < MOST:
                yield f"training {number} is gone"
            continue
        files = [each.read_bytes() for each in run.glob(f"{CHECKPOINTS}/*/*")]
        if found != decisions or files != [weights]:
            yield f"training {number} comes back as another"


# Files with a checksum in the cache


def _keep(folder: Path, number: int, say: Say) -> None:
    for each in range(BATCHES):
        name = f"{number}.{each}"
        keep(folder / f"{name}.blob", random.Random(name).randbytes(50_000))
        say(f"kept {name}")


def _wrong_cache(folder: Path, said: Sequence[str]) -> Iterator[str]:
    kept = {line.split()[1] for line in said}
    for name in kept | {each.stem for each in folder.glob("[0-9]*.blob")}:
        found = read_kept(folder / f"{name}.blob")
        if found != random.Random(name).randbytes(50_000) and (name in kept or found is not None):
            yield f"{name} is {'gone' if found is None else 'another'}"


# Lists of decisions, as an audit writes them


def _rows(number: int) -> list[tuple[str, ...]]:
    chance = random.Random(number)
    hashes = [f"{chance.randrange(16**32):032x}" for _ in range(LISTED)]
    return [(each, f"cat/{each[:8]}.jpg", "cat", "label doubtful", "dog", chance.choice("x ")) for each in hashes]


def _list(folder: Path, number: int, say: Say) -> None:
    with audit_folder(folder, "pets") as place:
        rows = _rows(number)
        write_csv(place / LIST, COLUMNS, rows)
        say(f"kept {number} {place.name}")
        write_json(place / JSON, {"number": number, "rows": rows})


def _wrong_lists(folder: Path, said: Sequence[str]) -> Iterator[str]:
    for _, number, name in map(str.split, said):
        wanted = {row[0] for row in _rows(int(number)) if row[5] == "x"}
        if set(read_decisions(folder / "audit" / name / LIST, classes=CLASSES).by_content) != wanted:
            yield f"the list of {name} is another"
    for path in folder.glob("audit/*/*"):
        if path.name == LIST and sum(1 for _ in path.open(encoding="utf-8")) != LISTED + 1:
            yield f"{path} is there in part"
        if path.name == JSON and len(json.loads(path.read_bytes())["rows"]) != LISTED:
            yield f"{path} is there in part"


# A run's own files: what it was asked, what happens


def _begin_a_run(folder: Path, number: int, say: Say) -> None:
    run = RunFolder(TrainOptions(out=folder, name="pets"))
    there = folder / "train" / "pets"
    if (there / "report.html").exists():
        run = RunFolder(TrainOptions(out=folder), there=there)
    with run.held():
        run.write_args({"version": "0", "data": "pets", "given": ["name"], "name": "pets", "number": number})
        write_whole(there / "report.html", b"<p>worth having")
        say("kept report")
        notes: list[str] = []
        events = Events(there, notes)
        for step in range(20):
            events.tell(Event("training", step=number * 100 + step, loss=step / 7))
            if not notes:  # else it has said that the file ends early
                say(f"told {number * 100 + step}")


def _wrong_run(folder: Path, said: Sequence[str]) -> Iterator[str]:
    there = folder / "train" / "pets"
    if "kept report" in said:
        json.loads((there / ARGS).read_bytes())
        if (there / "report.html").read_bytes() != b"<p>worth having":
            yield "the report is another"
    if (there / EVENTS).exists():
        Events(there)  # as the next life does
        steps = [json.loads(line)["step"] for line in (there / EVENTS).read_text("utf-8").splitlines()]
        told = {int(line.split()[1]) for line in said if line.startswith("told")}
        if missing := told - set(steps):
            yield f"events are gone: {sorted(missing)}"


# Boxes as texts, and in other formats


def _label(folder: Path, number: int, say: Say) -> None:
    chance = random.Random(number)

    def answered(name: str) -> Detections:
        boxes = tuple(
            Detection(class_=chance.choice(CLASSES), probability=0.5, xyxy=(n, n, n + chance.randrange(1, 9), n + 9.0))
            for n in range(chance.randrange(1, 30))
        )
        return Detections(picture=name, width=100, height=100, detections=boxes)

    answers = [answered(f"{n}.jpg") for n in range(20)]
    texts = {each.picture: each.picture.replace(".jpg", ".txt") for each in answers}
    write_labels(folder / f"labels-{number % 5}", answers, texts, CLASSES, overwrite=True)
    say(f"kept {number % 5}")


def _wrong_labels(folder: Path, said: Sequence[str]) -> Iterator[str]:
    """`data.yaml` is what makes the folder a data set: with it there is a text for every picture."""
    for place in folder.glob("labels-*"):
        texts = list(place.glob("[0-9]*.txt"))
        if (place / "data.yaml").exists() and len(texts) < 20:
            yield f"{place.name} is a data set with {len(texts)} of 20 texts"
        if any(len(line.split()) != 5 for each in texts for line in each.read_text().splitlines()):
            yield f"{place.name} has half a line"


def _convert(folder: Path, number: int, say: Say) -> None:
    cells = folder / "cells"
    if not cells.exists():
        with _whole(cells) as draft:
            for kind in ("images", "labels"):
                (draft / kind).mkdir()
            for n in range(12):
                Image.new("RGB", (40, 30), (20 * n, 99, 99)).save(draft / "images" / f"{n}.png")
                (draft / "labels" / f"{n}.txt").write_text(
                    "".join(f"0 0.5 0.5 0.{m} 0.25\n" for m in range(11, n + 12))
                )
            (draft / "data.yaml").write_text("names: [cat, dog]\n")
    out, old = folder / f"out-{number % 5}", folder / "old"
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    say("begun")
    eyespot.convert_boxes(cells, to=("yolo", "coco", "voc")[number % 3], out=out)
    say(f"kept {number % 5}")


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    draft = folder.with_name("draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    yield draft
    draft.rename(folder)


def _wrong_converted(folder: Path, said: Sequence[str]) -> Iterator[str]:
    for out in folder.glob("out-*"):
        boxes = sum(len(each.boxes) for each in read_boxes(out).pictures) if any(out.iterdir()) else 0
        if any(out.iterdir()) and boxes != sum(range(1, 13)):
            yield f"{out.name} has {boxes} boxes"
