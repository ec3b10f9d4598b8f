"""Files from the network: only what a person asked for, and only the bytes that are expected."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import DownloadError
from eyespot.files import make_folder, write_chosen
from eyespot.progress import Progress
from eyespot.words import megabytes

TIMEOUT_SECONDS = 30
"""Without a byte."""
_CHUNK = 2**16
_AGAIN = "nothing was kept: try again, or get the file elsewhere"


@dataclass(frozen=True)
class Remote:
    """A published file."""

    url: str
    sha256: str
    bytes: int

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


def download(remote: Remote, folder: Path, progress: Progress) -> Path:
    """The file in `folder`, fetched whole, or not at all.

    progress: told kilobytes. Raises DownloadError where there is no network, or what comes is not that file;
    CannotWrite.
    """
    make_folder(folder)
    data = _fetched(remote, progress)
    if hashlib.sha256(data).hexdigest() != remote.sha256:
        raise DownloadError(f"{remote.url} gave another file than the one that eyespot knows (its sha256): {_AGAIN}")
    path = folder / remote.name
    write_chosen(path, data)
    return path


def _fetched(remote: Remote, progress: Progress) -> bytes:
    """As many bytes as the file has."""
    step = f"downloading {remote.name}, {megabytes(remote.bytes)}"
    data = bytearray()
    try:
        with urllib.request.urlopen(remote.url, timeout=TIMEOUT_SECONDS) as answer:
            _require_size(remote, answer.headers.get("Content-Length"))
            while chunk := answer.read(min(_CHUNK, remote.bytes + 1 - len(data))):
                data += chunk
                progress(step, len(data) // 1000, remote.bytes // 1000)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{remote.url} answered with the status {error.code}: {_AGAIN}") from error
    except http.client.IncompleteRead as error:
        raise DownloadError(_cut_off(remote, len(data) + len(error.partial))) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(
            f"{remote.url} cannot be fetched ({reason}): look whether this computer is online, or get the file "
            "elsewhere"
        ) from error
    if len(data) > remote.bytes:
        raise DownloadError(f"{remote.url} gave more than the {remote.bytes} bytes that the file has: {_AGAIN}")
    if len(data) < remote.bytes:
        raise DownloadError(_cut_off(remote, len(data)))
    return bytes(data)


def _require_size(remote: Remote, said: str | None) -> None:
    """Raises DownloadError where the server announces another size. said: by it; None where it says none."""
    if said is not None and said != str(remote.bytes):
        raise DownloadError(f"{remote.url} should have {remote.bytes} bytes, and the server announces {said}: {_AGAIN}")


def _cut_off(remote: Remote, got: int) -> str:
    return f"{remote.url} broke off after {got} of {remote.bytes} bytes: {_AGAIN}"
