"""A file behind an address, read whole or in blocks; what comes is kept on disk, within a bound.

It is kept in a `Store` of its own: bounded, the least recently used goes first, whole or not there, for all processes.
The caches of fsspec (`simplecache`, `filecache`, `blockcache`) know no bound, and what a killed process leaves there
may count as whole. A key holds the address and what tells the file's version there: what was changed is fetched anew,
and nothing else is.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, cast

import numpy as np

from eyespot import machine
from eyespot.data.addresses import Changed, asked, is_web, opened
from eyespot.data.data_set import MOST_BYTES, Picture
from eyespot.data.store import Store
from eyespot.data.store_file import FILE_NAME, FILE_SHARE, FILE_SLACK
from eyespot.data.store_values import key_of
from eyespot.errors import DataError, EyespotError, NoPictures, StoreError
from eyespot.names import printable

BLOCK = 2**20
"""Bytes of an archive that are fetched at a time."""
MOST_AHEAD = 8
"""Blocks that are fetched together where one is read after the other."""
RECENT = 16
"""Blocks that stand in memory."""
CONNECTIONS = 16
"""At a time: an answer takes long to begin, and a store of objects gives many at once."""
MOST_TOGETHER = 2**25
"""Bytes of pictures that are fetched together, and stand in memory."""
VERSIONS = ("ETag", "etag", "generation", "Content-MD5", "LastModified", "Last-Modified", "updated", "mtime")
"""By which file systems tell one version of a file from the next, the surest first."""


@dataclass(frozen=True)
class RemoteFile:
    """One file behind an address."""

    url: str
    size: int
    """Bytes."""
    version: str = ""
    """What tells it from what may lie there later; empty where nothing does, and nothing is kept."""

    def __str__(self) -> str:
        return self.url

    def read(self) -> bytes:
        """Its content. OSError where it is gone, changed or too large; DownloadError where it does not come."""
        [content] = read_ranges([self.whole])
        if isinstance(content, OSError):
            raise content
        return content

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """The file to be read at any place, a block at a time."""
        return cast(BinaryIO, io.BufferedReader(_Blocks(self)))

    @property
    def whole(self) -> Range:
        return Range(self, 0, self.size)


class Range(NamedTuple):
    """Some bytes of a file."""

    file: RemoteFile
    start: int
    stop: int


def version_in(said: Mapping[str, Any]) -> str:
    """What tells a file's version in what its file system says of it."""
    return next((str(said[key]) for key in VERSIONS if said.get(key)), "")


def kept_bytes(*, clear: bool) -> int:
    """Bytes that were fetched and are kept; with `clear`, that were. Raises StoreError."""
    if not (_folder() / FILE_NAME).exists():
        return 0
    kept = _kept()
    return 0 if kept is None else (kept.clear() if clear else kept.size()).bytes


def read_each(pictures: Sequence[Picture]) -> Iterator[bytes | OSError]:
    """The bytes of each picture, in order, or why it cannot be read; several of those behind an address at a time."""
    start = 0
    while start < len(pictures):
        together = _together(islice(pictures, start, None))
        if together:
            yield from read_ranges(together)
        else:
            try:
                yield pictures[start].read()
            except OSError as error:
                yield error
        start += max(1, len(together))


def read_ranges(ranges: Sequence[Range]) -> list[bytes | OSError]:
    """What each holds, or why it cannot be read: from disk, or fetched, several at a time, and kept there.

    Raises DownloadError, DataError where no further range would come either.
    """
    keys = [key_of(url=each.file.url, version=each.file.version, start=each.start, stop=each.stop) for each in ranges]
    kept = _kept()
    found: dict[int, bytes | OSError] = {}
    with suppress(StoreError):
        there = kept.get(keys) if kept else {}
        found = {number: there[key].tobytes() for number, key in enumerate(keys) if key in there}
    missing = [number for number in range(len(ranges)) if number not in found]
    with ThreadPoolExecutor(max(1, min(CONNECTIONS, len(missing)))) as pool:
        fetched = dict(zip(missing, pool.map(_try_fetch, [ranges[number] for number in missing]), strict=True))
    new = {keys[n]: data for n, data in fetched.items() if isinstance(data, bytes) and ranges[n].file.version}
    with suppress(StoreError):
        if kept and new:
            kept.put({key: np.frombuffer(data, np.uint8) for key, data in new.items()})
    for content in fetched.values():
        if isinstance(content, EyespotError):
            raise content
    found |= {number: content for number, content in fetched.items() if not isinstance(content, EyespotError)}
    return [found[number] for number in range(len(ranges))]


def _together(pictures: Iterable[Picture]) -> list[Range]:
    """The first of these that lie behind addresses, as many as may stand in memory."""
    ranges: list[Range] = []
    held = 0
    for picture in pictures:
        if not isinstance(picture.member, RemoteFile):
            break
        held += picture.member.size
        if ranges and held > MOST_TOGETHER:
            break
        ranges.append(picture.member.whole)
    return ranges


def _try_fetch(wanted: Range) -> bytes | OSError | EyespotError:
    if wanted.stop - wanted.start > MOST_BYTES:
        return OSError(errno.EFBIG, f"it has more than the {MOST_BYTES // 2**20} MB that are read")
    file = wanted.file
    files, path = opened(file.url)
    try:
        return asked(file.url, lambda: _part(files, path, wanted)) if wanted.stop > wanted.start else b""
    except NoPictures:
        return FileNotFoundError(errno.ENOENT, "it is not there any more")
    except (OSError, EyespotError) as error:
        return error


def _part(files: Any, path: str, wanted: Range) -> bytes:
    """The bytes of the very version that was listed: s3fs asks for it by its ETag, and so are web servers."""
    file, count = wanted.file, wanted.stop - wanted.start
    is_strong = file.version.startswith('"')
    how = {"size": file.size, "headers": {"If-Match": file.version} if is_strong else {}} if is_web(file.url) else {}
    with files.open(path, "rb", cache_type="none", **how) as opened_file:
        if not how and version_in(opened_file.details) != file.version:
            raise Changed
        opened_file.seek(wanted.start)
        try:
            data = bytes(opened_file.read(count))
        except ValueError as error:  # more came than was asked for
            if how and "range requests" in str(error):
                raise DataError(f"the server of {printable(file.url)} gives no parts of files: download it") from error
            raise
    if len(data) != count:
        raise EOFError(f"{len(data):,} of {count:,} bytes came")
    return data


class _Blocks(io.RawIOBase):
    """A file that is fetched in blocks, more of them at a time the longer it is read from one place on."""

    def __init__(self, file: RemoteFile) -> None:
        self._file, self._size, self._at, self._row = file, file.size, 0, 0
        self._held: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        number, start = divmod(self._at, BLOCK)
        part = self._block(number)[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _block(self, number: int) -> bytes:
        if number not in self._held:
            self._row = self._row + 1 if number - 1 in self._held else 0
            ahead = min(MOST_AHEAD, max(1, 2**self._row // 2))  # 1, 1, 2, 4, 8
            starts = [each * BLOCK for each in range(number, number + ahead) if each * BLOCK < self._size]
            ranges = [Range(self._file, start, min(start + BLOCK, self._size)) for start in starts]
            is_alone = len(ranges) == 1 and self._file.version
            blocks = [_recent(ranges[0])] if is_alone else _whole_blocks(ranges)
            self._held = dict(enumerate(blocks, start=number))
        return self._held[number]


@lru_cache(maxsize=RECENT)
def _recent(block: Range) -> bytes:
    """The content of a block, which the next pictures of its archive are in, too."""
    return _whole_blocks([block])[0]


def _whole_blocks(blocks: Sequence[Range]) -> list[bytes]:
    """The content of each. OSError."""
    contents = read_ranges(blocks)
    for content in contents:
        if isinstance(content, OSError):
            raise content
    return [content for content in contents if isinstance(content, bytes)]


def _kept() -> Store | None:
    """Where what was fetched is kept; None where nothing can be."""
    return _store(_folder(), machine.most_remote_bytes())


def _folder() -> Path:
    return machine.cache_folder() / "remote"


@cache
def _store(folder: Path, most: int) -> Store | None:
    """most: bytes of its file, which may be somewhat larger than what it holds."""
    try:
        return Store(folder, max_bytes=max(0, int((most - FILE_SLACK) / FILE_SHARE)))
    except StoreError:
        return None
