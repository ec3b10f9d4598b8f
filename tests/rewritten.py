"""Files that carry their own hash, changed by a test and vouched for again, as whoever means it would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx

from eyespot.bundle.exported import FILE_KEY
from eyespot.vouched import KEY, NO_HASH_YET, hash_of, read_json, with_hash


def vouched(said: dict[str, Any]) -> dict[str, Any]:
    """The same with the hash of all else; for JSON."""
    return {**said, KEY: hash_of(read_json(json.dumps(said).encode()))}


def change_manifest(folder: Path, **changes: object) -> None:
    """Changes the manifest of the bundle in `folder`, which vouches for itself again."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(vouched(json.loads(path.read_text("utf-8")) | changes)), encoding="utf-8")


def as_before(said: dict[str, Any], version: int) -> dict[str, Any]:
    """A manifest as it was in an earlier format, which carried no hash."""
    return {**{key: value for key, value in said.items() if key != KEY}, "format_version": version}


def vouched_onnx(model: onnx.ModelProto) -> bytes:
    """An exported model with the hash of all else."""
    [own] = (each for each in model.metadata_props if each.key == FILE_KEY)
    own.value = NO_HASH_YET
    return with_hash(model.SerializeToString(deterministic=True))
