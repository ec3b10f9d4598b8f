"""The training pictures that are most like a picture: `similar.npz` in a run's folder, and the nearest in it.

The file lies beside the bundle, never in it: a model that is handed on shall not carry a person's pictures unasked. It
is read with suspicion all the same, member by member: fixed names, types and shapes, nothing compressed, no pickle.
"""

from __future__ import annotations

import io
import math
import stat
import struct
import tokenize
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from eyespot.errors import BundleError
from eyespot.files import write_whole
from eyespot.names import quoted

FILE = "similar.npz"
VERSION = 1
MOST_PICTURES = 1_000
MOST_SIMILAR = 12
"""Pictures shown beside one that is explained."""
LARGEST_FILE = 2**27
"""Bytes: 1,000 pictures of 4,096 features and 20 kB each take a fifth of it."""
LARGEST_THUMBNAIL = 2**16
MOST_FEATURES = 2**16
_JPEG = b"\xff\xd8\xff"
_LONGEST_HEADER = 1_000
_DAMAGE = (
    *(ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, MemoryError),
    *(SyntaxError, tokenize.TokenError),  # numpy parses an array's header as Python
    *(struct.error, zipfile.BadZipFile),
)
"""What reading a damaged archive or array raises."""
_MEMBERS: dict[str, tuple[str, int]] = {
    "version": ("<i8", 0),
    "graph": ("|u1", 1),
    "features": ("<f2", 2),
    "classes": ("<i4", 1),
    "thumbnails": ("|u1", 1),
    "offsets": ("<i8", 1),
}
"""Each array's type and number of axes."""


@dataclass(frozen=True)
class Near:
    """A training picture, and how alike it is."""

    class_index: int
    similarity: float
    """The cosine of the angle between the features: 1 for the same direction."""
    jpeg: bytes


@dataclass(frozen=True)
class Similar:
    """Some of the pictures that a model was trained on."""

    features: NDArray[np.float16]
    """(n, D), each of length 1."""
    classes: NDArray[np.int32]
    """(n,), as the bundle counts them."""
    thumbnails: tuple[bytes, ...]
    """JPEG."""

    def nearest(self, features: NDArray[np.float32], count: int) -> list[Near]:
        """The pictures most like one with these features (D,), the most similar first.

        Raises BundleError if those that are kept have another length: no network gave both.
        """
        kept = self.features.shape[1]
        if kept != len(features):
            raise BundleError(
                f"{FILE} is damaged (its features have {kept} numbers, the network's {len(features)}): remove it, and "
                "it is made again"
            )
        length = float(np.linalg.norm(features)) or 1.0
        alike = self.features.astype(np.float32) @ (features / length)  # (n,)
        order = np.argsort(-alike, kind="stable")[:count]
        return [Near(int(self.classes[n]), float(alike[n].clip(-1, 1)), self.thumbnails[n]) for n in order]


def similar_of(features: NDArray[np.float32], classes: Sequence[int], thumbnails: Sequence[bytes]) -> Similar:
    """The same in the form that is kept. features: (n, D), of any length."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    normalised = (features / np.where(lengths > 0, lengths, 1)).astype(np.float16)
    return Similar(normalised, np.array(classes, np.int32), tuple(thumbnails))


def write_similar(path: Path, similar: Similar, *, graph_sha256: str) -> None:
    """Writes the file, whole or not at all. graph_sha256: of the bundle that the features come from."""
    ends = np.cumsum([0, *map(len, similar.thumbnails)], dtype=np.int64)
    file = io.BytesIO()
    np.savez(
        file,
        version=np.int64(VERSION),
        graph=_bytes_of(graph_sha256),
        features=similar.features,
        classes=similar.classes,
        thumbnails=np.frombuffer(b"".join(similar.thumbnails), np.uint8),
        offsets=ends,
    )
    write_whole(path, file.getvalue())


def read_similar(path: Path, *, graph_sha256: str, classes: int) -> Similar | None:
    """What the file holds; None if there is none, or if it belongs to another model or version.

    classes: of the bundle. Raises BundleError if the file is not what `write_similar` writes.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
            raise BundleError(f"{path} is no file of eyespot's, or larger than one can be: remove it")
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return _parsed(data, graph_sha256, classes)
    except _DAMAGE as error:
        raise BundleError(f"{path} is damaged ({quoted(error)}): remove it, and it is made again") from error


def _parsed(data: bytes, graph_sha256: str, classes: int) -> Similar | None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        version = _member(archive, "version")
        if version != VERSION or not np.array_equal(_member(archive, "graph"), _bytes_of(graph_sha256)):
            return None
        arrays = {name: _member(archive, name) for name in ("features", "classes", "thumbnails", "offsets")}
    count = len(arrays["classes"])
    offsets = arrays["offsets"]
    _require(1 <= count <= MOST_PICTURES and len(arrays["features"]) == count and len(offsets) == count + 1, "lengths")
    _require(1 <= arrays["features"].shape[1] <= MOST_FEATURES, "number of features")
    _require(bool(np.isfinite(arrays["features"]).all()), "features")
    _require(bool(((arrays["classes"] >= 0) & (arrays["classes"] < classes)).all()), "classes")
    sizes = np.diff(offsets)
    whole = offsets[0] == 0 and offsets[-1] == len(arrays["thumbnails"])
    _require(bool(whole and (sizes > 0).all() and (sizes <= LARGEST_THUMBNAIL).all()), "offsets")
    every = arrays["thumbnails"].tobytes()
    thumbnails = tuple(every[start:stop] for start, stop in pairwise(offsets))
    _require(all(each.startswith(_JPEG) for each in thumbnails), "thumbnails")
    return Similar(arrays["features"], arrays["classes"], thumbnails)


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array of the archive, whose size is known to be its shape's before any memory is taken for it."""
    info = archive.getinfo(f"{name}.npy")
    _require(info.compress_type == zipfile.ZIP_STORED and info.file_size <= LARGEST_FILE, name)
    content = io.BytesIO(archive.read(info))
    _require(npy.read_magic(content) == (1, 0), name)
    shape, fortran, dtype = npy.read_array_header_1_0(content, max_header_size=_LONGEST_HEADER)
    kind, axes = _MEMBERS[name]
    left = content.getbuffer().nbytes - content.tell()
    _require(dtype == np.dtype(kind) and not fortran and len(shape) == axes, name)
    _require(min((0, *shape)) >= 0 and math.prod(shape) * dtype.itemsize == left, name)
    return np.frombuffer(content.read(), dtype).reshape(shape)


def _bytes_of(hexadecimal: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(hexadecimal), np.uint8)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"its {what} cannot be right")
