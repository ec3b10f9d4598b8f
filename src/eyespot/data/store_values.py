"""An array as the store keeps it, with a checksum of its own, and the key that stands for where it comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

LAYOUT = 1  # of one value; a value of another layout is not there
DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
}

Array = npt.NDArray[Any]


def key_of(**parts: object) -> str:
    """A key, 40 hexadecimal digits: the same for the same parts in every process, another for any other.

    parts: what the value depends on, by name: text, numbers, booleans, None, lists, dicts with text keys, and pydantic
    records. A tuple counts as a list, a record as the dict of its fields. Others raise TypeError, NaN ValueError.
    """
    text = json.dumps(_plain(parts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode("ascii"), digest_size=20).hexdigest()


class Value(NamedTuple):
    """An array as it is stored: the columns of `entries` from `key` on, and the payload."""

    key: str
    layout: int
    dtype: str
    shape: str
    checksum: bytes
    data: bytes


def pack(key: str, array: Array) -> Value:
    name = array.dtype.name
    if name not in DTYPES:
        raise ValueError(f"the store keeps arrays of {', '.join(DTYPES)}; {key} has dtype {array.dtype}")
    shape = ",".join(map(str, array.shape))
    data = array.astype(DTYPES[name], copy=False).tobytes()
    return Value(key, LAYOUT, name, shape, _checksum(key, name, shape, data), data)


def unpack(value: Value) -> Array | None:
    """The array, read-only; None if it is not what was put, or of a layout this version does not know."""
    key, layout, dtype, shape, checksum, data = value
    if layout != LAYOUT or not isinstance(data, bytes) or _checksum(key, dtype, shape, data) != checksum:
        return None
    return np.ndarray([int(side) for side in shape.split(",") if side], DTYPES[dtype], buffer=data)


def _plain(part: object) -> object:
    """`part` with its records as dicts, and with nothing that JSON would write like something else."""
    if hasattr(part, "model_dump"):
        return _plain(part.model_dump(mode="json"))
    if isinstance(part, Mapping):
        for name in part:
            if not isinstance(name, str):  # JSON writes 1 and "1" alike
                raise TypeError(f"a part of a key has the name {name!r}; names must be text")
        return {name: _plain(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_plain(value) for value in part]
    return part


def _checksum(key: str, dtype: str, shape: str, data: bytes) -> bytes:
    digest = hashlib.blake2b(f"{key} {dtype} {shape} ".encode(), digest_size=16)
    digest.update(data)
    return digest.digest()
