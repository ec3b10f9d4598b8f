"""Bundles on disk: a folder with `manifest.json` and `model.onnx`, written whole or not at all, read with suspicion.

Nothing in a bundle is ever executed: the manifest is validated, the graph is checked operator by operator.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from eyespot.bundle.manifest import Manifest
from eyespot.bundle.ports import require_answers, require_boxes, require_images
from eyespot.bundle.written_manifest import VOUCHED_SINCE, read_manifest, vouched_for
from eyespot.engine.gate import LARGEST_BYTES, check_graph
from eyespot.errors import BundleError, DataError
from eyespot.files import from_home, move, write_whole
from eyespot.names import printable
from eyespot.words import counted, nearest

if TYPE_CHECKING:
    from eyespot.bundle.detector_manifest import DetectorManifest
    from eyespot.bundle.multilabel_manifest import MultilabelManifest

FOLDER, MANIFEST, GRAPH = "bundle", "manifest.json", "model.onnx"
CHECKPOINTS = "checkpoints"
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic")
MOST_BESIDE = 1000
"""Folders among which a run is looked for whose name was typed wrong."""
LOOKED_AT = 20
"""Files of a folder, to see whether it holds pictures."""
FOREIGN = (".pt", ".pth", ".ckpt", ".safetensors", ".h5", ".keras", ".pb", ".tflite", ".pkl", ".joblib")
"""Endings under which other programs keep weights."""
REPLACED = f"{FOLDER}.replaced"
"""Beside a run's bundle for the moment in which a better one takes its place; read where that moment was the last."""
LARGEST_MANIFEST = 16 * 2**20
"""Bytes; enough for a million pictures, or for 20,000 classes."""
CLASS_BYTES, PICTURE_BYTES, CELL_BYTES = 320, 11, 18
"""What each class takes in a part that was measured, beside its name, each picture, and each that was measured on."""

READABLE_CLASSES = 100
"""The manifest of more is written without spaces, which would be most of it."""


@dataclass(frozen=True)
class Bundle:
    """A trained model, as read from disk."""

    folder: Path
    manifest: Manifest
    graph: bytes


@dataclass(frozen=True)
class DetectorBundle:
    """A trained detector, as read from disk."""

    folder: Path
    manifest: DetectorManifest
    graph: bytes


@dataclass(frozen=True)
class MultilabelBundle:
    """A trained model of several labels per picture, as read from disk."""

    folder: Path
    manifest: MultilabelManifest
    graph: bytes


Naming = Bundle | MultilabelBundle
"""What gives a probability for each class."""
AnyBundle = Naming | DetectorBundle
"""Whatever its task is."""
M = TypeVar("M", "Manifest", "DetectorManifest", "MultilabelManifest")


def write_bundle(folder: Path, manifest: Manifest, graph: bytes) -> Bundle:
    """The bundle, on disk in `folder`."""
    return Bundle(folder, _write(folder, manifest, graph), graph)


def write_detector(folder: Path, manifest: DetectorManifest, graph: bytes) -> DetectorBundle:
    """The same of a detector."""
    return DetectorBundle(folder, _write(folder, manifest, graph), graph)


def write_multilabel(folder: Path, manifest: MultilabelManifest, graph: bytes) -> MultilabelBundle:
    """The same of a model of several labels."""
    return MultilabelBundle(folder, _write(folder, manifest, graph), graph)


def _write(folder: Path, manifest: M, graph: bytes) -> M:
    """The manifest comes last: without it the folder is no bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / GRAPH, graph)
    return write_manifest(folder, manifest)


def require_manifest_fits(name: str, classes: Sequence[str], *, pictures: int, held_out: int) -> None:
    """Raises DataError, before any work, if a model of this many classes and pictures could not be read again.

    name: of the data; held_out: how many of the pictures are measured on.
    """
    in_words = sum(len(each.encode("utf-8", "replace")) for each in classes)
    size = 2 * CLASS_BYTES * len(classes) + 3 * in_words + PICTURE_BYTES * pictures + CELL_BYTES * held_out
    if size > LARGEST_MANIFEST:
        raise DataError(
            f"{name} has {len(classes):,} classes and {counted(pictures, 'picture')}: what is known of their "
            f"model takes {size / 2**20:.0f} MB, and at most {LARGEST_MANIFEST / 2**20:.0f} MB are read: leave out some"
        )


def write_manifest(folder: Path, manifest: M) -> M:
    """The manifest as the bundle in `folder` has it from now on: of the newest format, with its hash, and to be read by
    people unless classes are many."""
    indent = 2 if len(manifest.classes) <= READABLE_CLASSES else None
    written = vouched_for(manifest)
    write_whole(folder / MANIFEST, (written.model_dump_json(indent=indent) + "\n").encode())
    return written


def read_bundle(where: str | Path) -> Bundle:
    """The bundle in a run folder, in its `bundle` folder, or in a copy of only that.

    Raises BundleError: nothing there, damaged, unsafe, from a newer version, or a detector's.
    """
    bundle = read_any_bundle(where)
    if not isinstance(bundle, Bundle):
        raise BundleError(f"{bundle.folder} holds {what_holds(bundle)}; this is for models that name classes")
    return bundle


def what_holds(bundle: AnyBundle) -> str:
    """What a bundle holds, in words."""
    if isinstance(bundle, DetectorBundle):
        return "a detector, which gives boxes"
    several = isinstance(bundle, MultilabelBundle)
    return "a model that gives pictures several labels" if several else "a model that names one class"


def read_any_bundle(where: str | Path) -> AnyBundle:
    """The same, whatever the model's task is."""
    folder = _find(where)
    data = read_file(folder / MANIFEST, most_bytes=LARGEST_MANIFEST)
    manifest = read_manifest(data, str(folder / MANIFEST), again="copy the bundle again")
    graph = read_file(folder / GRAPH, most_bytes=LARGEST_BYTES)
    if sha256(graph) != manifest.graph_sha256:
        raise BundleError(f"{folder / GRAPH} is not the file that {MANIFEST} describes: copy the bundle again, whole")
    ports = check_graph(graph)
    require_images(folder, manifest, ports)
    if manifest.task == "detection":
        require_boxes(folder, manifest, ports)
        return DetectorBundle(folder, manifest, graph)
    require_answers(folder, manifest, ports)
    if manifest.task == "multilabel":
        return MultilabelBundle(folder, manifest, graph)
    return Bundle(folder, manifest, graph)


def notes_on(*bundles: AnyBundle) -> tuple[str, ...]:
    """That nothing vouches for what they say, for each that was written before manifests carried a hash."""
    return tuple(
        f"{printable(str(each.folder))} is of format {each.manifest.format_version}, which carries no hash of its "
        "names and numbers: damage to them goes unnoticed"
        for each in bundles
        if each.manifest.format_version < VOUCHED_SINCE
    )


def sha256(data: bytes | memoryview) -> str:
    """The hash by which a manifest knows its graph."""
    return hashlib.sha256(data).hexdigest()


def find_bundle(path: Path) -> Path | None:
    """The bundle that `path` is, or that the run folder `path` holds; None if there is none. May raise OSError."""
    return next((each for each in (path, path / FOLDER, path / REPLACED) if (each / MANIFEST).is_file()), None)


def place_bundle(draft: Path, folder: Path) -> None:
    """Makes the finished `draft` the bundle in `folder`; one that is there goes, and at every moment there is one."""
    replaced = folder.with_name(REPLACED)
    if (replaced / MANIFEST).is_file() and not (folder / MANIFEST).is_file():
        move(replaced, folder)  # as a run that was killed left it
    shutil.rmtree(replaced, ignore_errors=True)
    if folder.exists():
        move(folder, replaced)
    move(draft, folder)
    shutil.rmtree(replaced, ignore_errors=True)


def _find(where: str | Path) -> Path:
    try:
        path = from_home(where)
        found = find_bundle(path)
        if found is not None:
            return found
        exists, is_file = path.exists(), path.is_file()
    except OSError as error:  # no permission, too long a name
        raise BundleError(f"there is no model to be read at {where}: {_reason(error)}") from error
    if not exists:
        what_to_do = "give a run folder such as runs/train/NAME, or its bundle"
        raise BundleError(
            f"there is no model at {path}: {nearest(path.name, _runs_beside(path), otherwise=what_to_do)}"
        )
    if is_file and path.suffix.lower() in (".onnx", ".xml"):
        raise BundleError(
            f"{path} is only a model's file, and this needs the run that it was exported from: give that folder, such "
            "as runs/train/NAME"
        )
    run = next((each for each in list(path.parents)[:3] if find_bundle(each) is not None), None)
    if run is not None:
        raise BundleError(f"{path} holds no finished model by itself, it is a part of one: give {run}")
    if is_file and path.suffix.lower() in FOREIGN:
        raise BundleError(
            f"{path} holds weights as other programs write them, and no model of eyespot: train one that begins with "
            f"them (eyespot train DATA --model NAME --weights {path}), and give its run folder"
        )
    if any((each / CHECKPOINTS).is_dir() for each in (path, *list(path.parents)[:3])):
        raise BundleError(f"{path} is of a run that has no model yet: go on with it first (eyespot train --resume RUN)")
    raise BundleError(
        f"{path} holds no finished model ({FOLDER}/{MANIFEST} is missing): give a run folder such as runs/train/NAME"
        f"{'; the run comes first, and then the pictures' if _is_picture(path) else ''}"
    )


def _runs_beside(path: Path) -> list[str]:
    """The names of the runs in the folder in which `path` would be."""
    folders = islice(path.parent.iterdir(), MOST_BESIDE) if path.parent.is_dir() else ()
    return [each.name for each in folders if find_bundle(each) is not None]


def _is_picture(path: Path) -> bool:
    """Whether it is a picture by its name, or a folder with one, or with folders that have one."""
    folders = (path, *(each for each in path.iterdir() if each.is_dir())) if path.is_dir() else ()
    names = (path.name, *(each.name for folder in folders for each in islice(folder.iterdir(), LOOKED_AT)))
    return any(name.lower().endswith(PICTURES) for name in names)


def read_file(path: Path, *, most_bytes: int) -> bytes:
    """What an ordinary file holds. Raises BundleError if it cannot be read, or has more bytes than that.

    A link is none: in a model from elsewhere it could point to any file of this machine.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for, a device never ends
            raise BundleError(f"{path} cannot be read: it is not an ordinary file")
        if status.st_size > most_bytes:
            raise BundleError(f"{path} has {status.st_size} bytes, more than a bundle's may have ({most_bytes})")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
