"""Files from the network: only what a person asked for, whole and the one that was meant, or not there at all.

What has come lies beside its place as NAME.part until all of it is there and was checked. A download that broke off
goes on from there if the server still has the same file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from eyespot.download.asking import Answer, asked
from eyespot.errors import CannotWrite, DownloadError, Stopped
from eyespot.files import make_folder, move
from eyespot.locks import FileLock
from eyespot.progress import Progress, announce
from eyespot.words import megabytes

TIMEOUT_SECONDS = 30
"""Without a byte."""
_ASK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True)
class Remote:
    """A published file."""

    url: str
    name: str
    """Under which it is kept."""
    sha256: str = ""
    """Whole or its first digits; empty where only its server tells it."""
    bytes: int | None = None
    """None where only its server tells."""
    rounded_by: int = 0
    """By how many bytes the published size may differ from the true one."""


def download(remote: Remote, folder: Path, progress: Progress, *, timeout: float = TIMEOUT_SECONDS) -> Path:
    """The file in `folder`, fetched whole, or not at all; there already, where another process fetched it just now.

    progress: told kilobytes. timeout: seconds without a byte.
    Raises DownloadError where there is no network, or what comes is not that file; CannotWrite; Stopped on Ctrl-C. What
    has come is kept, unless it is of another file, and the next call goes on from there.
    """
    make_folder(folder)
    path = folder / remote.name
    with _alone(path, progress):
        if not (path.is_file() and _is_meant(path, remote.sha256)):
            _fetch(remote, _Part(path), progress, timeout=timeout)
    return path


class _Part:
    """What has come of a file."""

    def __init__(self, whole: Path) -> None:
        self.whole = whole
        self.path = whole.with_name(f"{whole.name}.part")
        self._note = whole.with_name(f"{whole.name}.part.etag")

    @property
    def bytes(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def validator(self) -> str:
        """What the server said to tell the file from another one; empty where it cannot go on."""
        return self._note.read_text("utf-8") if self._note.is_file() and self.bytes else ""

    def begin(self, validator: str) -> None:
        """Nothing is there yet."""
        self.forget()
        self.path.touch()
        if validator:
            self._note.write_text(validator, "utf-8")

    def forget(self) -> None:
        self._note.unlink(missing_ok=True)  # first: nothing is to go on with what is left
        self.path.unlink(missing_ok=True)

    def place(self) -> None:
        """It is the whole file."""
        move(self.path, self.whole)
        self._note.unlink(missing_ok=True)

    def kept(self) -> str:
        """The end of a sentence on what stopped it."""
        if not self.validator:
            with suppress(OSError):
                self.forget()
            return "nothing was kept: try again, or get the file elsewhere"
        return f"{megabytes(self.bytes)} are kept, and the next try goes on from there"


def _fetch(remote: Remote, part: _Part, progress: Progress, *, timeout: float) -> None:
    try:
        with asked(
            remote.url, start=part.bytes if part.validator else 0, validator=part.validator, timeout=timeout
        ) as answer:
            _receive(remote, part, answer, progress)
        if not _is_meant(part.path, remote.sha256 or answer.sha256):
            part.forget()
            raise DownloadError(f"{remote.url} gave another file than the one that was published (its sha256)")
        part.place()
    except KeyboardInterrupt:
        raise Stopped(f"stopped while downloading {remote.name}: {part.kept()}") from None
    except DownloadError as error:
        raise DownloadError(f"{error}; {part.kept()}") from error
    except OSError as error:
        raise CannotWrite(
            f"{part.path} cannot be written ({error.strerror or error}): make room there; {part.kept()}"
        ) from error


def _receive(remote: Remote, part: _Part, answer: Answer, progress: Progress) -> None:
    """All the bytes that are missing, on the disk."""
    total = _total(remote, answer)
    have, whence = answer.start, f"from {urlsplit(remote.url).netloc} into {part.path.parent}"
    if have:
        announce(progress, f"Goes on     {remote.name}, at {megabytes(have)} of {megabytes(total)}, {whence}")
    else:
        announce(progress, f"Downloads   {remote.name}, {megabytes(total)}, {whence}")
    _require_room(part.path.parent, total - have)
    if not have:
        part.begin(answer.validator)
    step = f"downloading {remote.name}, {megabytes(total)}"
    with part.path.open("ab") as file:
        while have <= total and (chunk := answer.read()):
            file.write(chunk)
            have += len(chunk)
            progress(step, have // 1000, total // 1000)
        file.flush()
        os.fsync(file.fileno())
    if have < total - (0 if answer.total else 2 * remote.rounded_by):
        raise DownloadError(f"{remote.url} broke off after {have} of {total} bytes")
    if have > total:
        part.forget()
        raise DownloadError(f"{remote.url} gave more than the {total} bytes that the file has")


def _total(remote: Remote, answer: Answer) -> int:
    """How many bytes the file has, or has at most. Raises DownloadError where the server announces another size."""
    if answer.total is None and remote.bytes is None:
        raise DownloadError(f"{remote.url} does not say how large the file is")
    if answer.total is None or remote.bytes is None:
        return answer.total or (remote.bytes or 0) + remote.rounded_by
    if abs(answer.total - remote.bytes) > remote.rounded_by:
        about = "about " if remote.rounded_by else ""
        raise DownloadError(
            f"{remote.url} should have {about}{remote.bytes} bytes, and the server announces {answer.total}"
        )
    return answer.total


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CannotWrite(f"{folder} has room for {megabytes(free)}, and {megabytes(needed)} are needed: make room")


def _is_meant(path: Path, sha256: str) -> bool:
    """Whether a file has that SHA-256, as far as it is known."""
    if not sha256:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(sha256)


@contextmanager
def _alone(path: Path, progress: Progress) -> Iterator[None]:
    """Within it no other process fetches that file; before, one that does is waited for. Raises CannotWrite."""
    place, waits = path.with_name(f"{path.name}.lock"), False
    try:
        while (lock := FileLock.taken(place)) is None:
            if not waits:
                announce(progress, f"Waits       another process downloads {path.name}")
            waits = True
            make_folder(path.parent)  # somebody may have removed it
            time.sleep(_ASK_AGAIN_SECONDS)
    except OSError as error:
        raise CannotWrite(f"{place} cannot be written ({error.strerror or error}): allow it, or make room") from error
    try:
        yield
    finally:
        lock.let_go()
