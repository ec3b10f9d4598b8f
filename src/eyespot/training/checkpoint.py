"""Checkpoints: all that a training run needs to go on, on disk whole or not at all, in two generations.

A checkpoint is one file of safetensors, `NUMBER-SHA256.safetensors`. It holds the tensors of a state by their numbers,
and the state's structure as JSON. The sha256 is that of the whole file: whatever happened to it, torn or changed by one
bit, it no longer answers to its name. Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from eyespot.errors import CheckpointError
from eyespot.files import remove_leftovers, write_whole

State = dict[str, Any]
"""Nested dicts, lists and tuples of None, bool, int, float, str, tensors and arrays. Keys are text or integers."""

VERSION = 1
"""Of the structure; a newer one is refused."""
GENERATIONS = 2
"""The newest, and the one before it, should the disk lose the newest."""
_NAME = re.compile(r"(\d{8,})-([0-9a-f]{64})\.safetensors")
_STRUCTURE = "structure"
"""The name of the JSON among the tensors: UTF-8 in a tensor of bytes, for safetensors' own header is limited."""
_INTEGERS = (torch.uint8, torch.int8, torch.uint16, torch.int16, torch.uint32, torch.int32, torch.uint64, torch.int64)
_DTYPES = {torch.bool, *_INTEGERS, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64}
"""What safetensors both writes and reads."""


@dataclass(frozen=True)
class Loaded:
    """What a folder of checkpoints gave."""

    state: State | None
    """Of the newest file that is whole; None where there is none."""
    skipped: tuple[str, ...]
    """Newer files that could not be used, each with its reason: not empty is worth a word to the user."""


@dataclass(frozen=True, order=True)
class _Generation:
    number: int
    sha256: str
    path: Path


def save(folder: Path, state: State) -> None:
    """Writes the state as the newest generation, and deletes all but two.

    folder: only for checkpoints, of one writer at a time; made if it is missing.
    state: tensors on any device, of any strides. It comes back equal to the bit, with contiguous tensors on the CPU;
        subclasses come back as what they derive from: an OrderedDict as a dict, a Parameter as a tensor.
    Raises CheckpointError where it cannot be written; then, and after an interrupt, earlier generations are whole.
    TypeError where the state holds something else.
    """
    data = _to_bytes(state)
    before = _generations(folder)
    number = before[0].number + 1 if before else 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)  # of a run that was killed while it saved
        write_whole(folder / f"{number:08}-{hashlib.sha256(data).hexdigest()}.safetensors", data)
        _sync(folder)
        for old in before[GENERATIONS - 1 :]:
            old.path.unlink(missing_ok=True)
    except OSError as error:
        kept = "; the checkpoint before it is whole: make room, then go on with --resume" if before else ""
        raise CheckpointError(
            f"The checkpoint of {len(data) / 1e6:.1f} MB cannot be written in {folder} "
            f"({error.strerror or error}){kept}."
        ) from error


def load(folder: Path) -> Loaded:
    """The newest state that is whole, and what had to be skipped. A folder that is not there holds none.

    Raises CheckpointError where a newer version of eyespot wrote it, or where the folder cannot be looked into.
    """
    skipped: list[str] = []
    for generation in _generations(folder):
        try:
            return Loaded(_read(generation), tuple(skipped))
        except OSError as error:
            skipped.append(f"{generation.path} cannot be read ({error.strerror or error})")
        except _Damaged:
            skipped.append(f"{generation.path} is torn or damaged")
    return Loaded(None, tuple(skipped))


def remove(folder: Path) -> None:
    """Deletes all checkpoints, and the folder where nothing else is in it. Raises CheckpointError where it cannot."""
    if not folder.is_dir():
        return
    try:
        for generation in reversed(_generations(folder)):  # the oldest first: interrupted, the newest is still there
            generation.path.unlink(missing_ok=True)
        remove_leftovers(folder)
        if not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise CheckpointError(f"The checkpoints in {folder} cannot be deleted: {error.strerror or error}.") from error


class _Damaged(Exception):
    """A file is not what its name says."""


def _generations(folder: Path) -> list[_Generation]:
    """The checkpoints in a folder by their names, the newest first."""
    try:
        paths = list(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise CheckpointError(f"The checkpoints in {folder} cannot be read: {error.strerror or error}.") from error
    named = [(_NAME.fullmatch(path.name), path) for path in paths]
    return sorted((_Generation(int(name[1]), name[2], path) for name, path in named if name), reverse=True)


def _read(generation: _Generation) -> State:
    data = generation.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != generation.sha256:
        raise _Damaged
    try:
        tensors = tensors_of(data)
        structure = json.loads(tensors.pop(_STRUCTURE).numpy().tobytes())
        version = structure["version"]
        if version <= VERSION:
            state: State = _decoded(structure["state"], tensors)
            return state
    except (SafetensorError, LookupError, TypeError, ValueError) as error:  # another's file under our name
        raise _Damaged from error
    raise CheckpointError(
        f"{generation.path} has version {version}, and this eyespot reads checkpoints up to version {VERSION}: "
        "pip install --upgrade eyespot"
    )


def _to_bytes(state: State) -> bytes:
    tensors: dict[str, Tensor] = {}
    structure = json.dumps({"version": VERSION, "state": _encoded(state, tensors, where="state")}).encode()
    return bytes_of(tensors | {_STRUCTURE: torch.frombuffer(bytearray(structure), dtype=torch.uint8)})


def _encoded(value: object, tensors: dict[str, Tensor], *, where: str) -> Any:
    """A value as JSON; every JSON object has one key, which says what it stands for. Tensors are put into `tensors`.

    where: the value's place in the state, for errors.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": struct.pack(">d", value).hex()}  # JSON has no infinity, and one NaN of many
    if isinstance(value, list | tuple):
        items = [_encoded(item, tensors, where=f"{where}[{place}]") for place, item in enumerate(value)]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, dict) and all(isinstance(key, str | int) for key in value):
        # In pairs, for JSON would make text of the integers by which optimisers know parameters.
        return {"dict": [[key, _encoded(item, tensors, where=f"{where}[{key!r}]")] for key, item in value.items()]}
    if isinstance(value, Tensor) and value.dtype in _DTYPES:
        return {"tensor": _put(value.detach(), tensors)}
    if isinstance(value, np.ndarray) and value.dtype.isnative and value.dtype.kind in "biufc" and value.itemsize <= 8:
        plain = value.astype(value.dtype.str, order="C")  # C has two names for eight bytes, PyTorch knows one
        return {"array": _put(torch.from_numpy(plain), tensors)}
    kind = f" of {value.dtype}" if isinstance(value, Tensor | np.ndarray) else ""
    raise TypeError(f"a checkpoint cannot keep {where}: it is a {type(value).__name__}{kind}")


def _put(tensor: Tensor, tensors: dict[str, Tensor]) -> str:
    """The name of a copy in `tensors`: safetensors wants each by itself, contiguous, without shared memory."""
    name = str(len(tensors))
    tensors[name] = tensor.to("cpu", copy=True, memory_format=torch.contiguous_format)
    return name


def _decoded(node: Any, tensors: dict[str, Tensor]) -> Any:
    """The value that `_encoded` made this JSON of."""
    if isinstance(node, list):
        return [_decoded(item, tensors) for item in node]
    if not isinstance(node, dict):
        return node
    [(kind, content)] = node.items()
    match kind:
        case "float":
            return struct.unpack(">d", bytes.fromhex(content))[0]
        case "tuple":
            return tuple(_decoded(item, tensors) for item in content)
        case "dict":
            return {key: _decoded(item, tensors) for key, item in content}
        case "tensor":
            return tensors[content]
        case "array":
            return tensors[content].numpy()
    raise _Damaged


def _sync(folder: Path) -> None:
    """Makes the names in a folder outlast a power failure, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
