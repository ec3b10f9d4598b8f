"""Bundles on disk: a folder with `manifest.json` and `model.onnx`, written whole or not at all, read with suspicion.

Nothing in a bundle is ever executed: the manifest is validated, the graph is checked operator by operator.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from eyespot.bundle.manifest import FORMAT_VERSION, Manifest
from eyespot.engine.gate import check_graph
from eyespot.errors import BundleError
from eyespot.files import write_whole

FOLDER, MANIFEST, GRAPH = "bundle", "manifest.json", "model.onnx"
MOST_BYTES = 2**31
"""Larger files than this are no bundle's: ONNX itself ends there."""


@dataclass(frozen=True)
class Bundle:
    """A trained model, as read from disk."""

    folder: Path
    manifest: Manifest
    graph: bytes


def write_bundle(folder: Path, manifest: Manifest, graph: bytes) -> Bundle:
    """The bundle, on disk in `folder`. The manifest comes last: without it the folder is no bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / GRAPH, graph)
    write_whole(folder / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
    return Bundle(folder, manifest, graph)


def read_bundle(where: str | Path) -> Bundle:
    """The bundle in a run folder, in its `bundle` folder, or in a copy of that alone.

    Raises BundleError: nothing there, damaged, unsafe, or from a newer version.
    """
    folder = _find(Path(where).expanduser())
    manifest = _read_manifest(folder / MANIFEST)
    graph = _read(folder / GRAPH)
    if hashlib.sha256(graph).hexdigest() != manifest.graph_sha256:
        raise BundleError(f"{folder / GRAPH} is not the file that {MANIFEST} describes: copy the bundle again, whole")
    check_graph(graph)
    return Bundle(folder, manifest, graph)


def sha256(data: bytes) -> str:
    """The hash by which a manifest knows its graph."""
    return hashlib.sha256(data).hexdigest()


def _find(where: Path) -> Path:
    for folder in (where, where / FOLDER):
        if (folder / MANIFEST).is_file():
            return folder
    if not where.exists():
        raise BundleError(f"there is no model at {where}: give a run folder such as runs/train/NAME, or its bundle")
    raise BundleError(
        f"{where} holds no finished model ({FOLDER}/{MANIFEST} is missing): give a run folder such as runs/train/NAME"
    )


def _read_manifest(path: Path) -> Manifest:
    try:
        content = json.loads(_read(path))
    except ValueError as error:
        raise BundleError(f"{path} is damaged ({error}): copy the bundle again") from error
    except RecursionError:
        raise BundleError(f"{path} is damaged (it is nested too deeply): copy the bundle again") from None
    version = content.get("format_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BundleError(
            f"{path} has format version {version}; this eyespot reads up to {FORMAT_VERSION}: "
            "pip install --upgrade eyespot"
        )
    try:
        return Manifest.model_validate_json(json.dumps(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "the whole file"
        raise BundleError(f"{path} is not a valid manifest: {where}: {first['msg']}") from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BundleError(f"{path} is larger than any bundle's file can be")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}") from error
