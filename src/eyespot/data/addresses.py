"""Addresses such as `s3://bucket/photos`: which are read, by which file system of fsspec, and what goes wrong there.

Nobody is asked for anything unless the user wrote such an address. Credentials are found by the libraries in their own
ways (`AWS_PROFILE`, `aws configure`, `gcloud auth`) and are never seen here.
"""

from __future__ import annotations

import os
import posixpath
import re
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urljoin, urlsplit

from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.errors import DataError, DownloadError, EyespotError, MissingExtra, NoPictures
from eyespot.names import brief, printable

KINDS = ("s3", "gs", "https", "http")
"""Beginnings of addresses that are read; the last from this computer alone."""
WEB = ("https", "http")
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):(/.*)", re.IGNORECASE | re.DOTALL)
_PATTERN = set("*?[")
SHARD_SUFFIX = ".tar"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
WAITS = (0.5, 2.0)
"""Seconds before a web server is asked again; the libraries of the others, s3fs and gcsfs, try several times."""
TIMEOUT_SECONDS = 30
"""Without a byte."""
CREDENTIALS = {
    "s3": "`aws configure`, AWS_PROFILE or AWS_ACCESS_KEY_ID; for a bucket that is open to all FSSPEC_S3_ANON=true",
    "gs": "`gcloud auth application-default login` or GOOGLE_APPLICATION_CREDENTIALS",
}
T = TypeVar("T")


def address_of(where: object) -> str | None:
    """The address that a text is, or a Path made of one, which has lost a slash; None for what is on this machine."""
    text = where.as_posix() if isinstance(where, Path) else str(where)
    found = _ADDRESS.match(text)
    if not found or os.path.exists(text):
        return None
    return f"{found[1].lower()}:{found[2] if found[2].startswith('//') else f'/{found[2]}'}"


def kind_of(address: str) -> str:
    """What an address begins with. Raises DataError for one that is not read."""
    kind, said = address.partition("://")[0], printable(address)
    if kind not in KINDS:
        raise DataError(
            f"{said} is an address of a kind that is not read: s3://, gs:// and https:// are, and what is on this "
            "machine by its path"
        )
    if not address.partition("://")[2].strip("/"):
        raise DataError(f"{said} names no bucket or server: give all of the address, such as s3://bucket/photos")
    if kind not in WEB:
        return kind
    parts = urlsplit(address)
    if "@" in parts.netloc or parts.query:
        raise DataError(
            f"{kind}://{parts.netloc.rpartition('@')[2]}{printable(parts.path)} was given with a password or a `?`, "
            "which may be a key: a run writes down where its pictures are, so give an address without, or download it"
        )
    if kind == "http" and parts.hostname not in _LOOPBACK:
        raise DataError(f"{said} is not fetched: an address must begin with https://")
    return kind


def is_web(address: str) -> bool:
    return address.partition("://")[0] in WEB


def is_pattern(address: str) -> bool:
    """Whether it stands for all that it fits; on the web `*` and `?` are letters like others."""
    return not is_web(address) and bool(_PATTERN & {*address})


def name_of(address: str) -> str:
    """The last part of an address."""
    last = posixpath.basename(address.rstrip("/"))
    return unquote(last) if is_web(address) else last


def suffix_of(address: str) -> str:
    return posixpath.splitext(address)[1].lower()


def above(address: str) -> str:
    """What the names of the pictures behind an address are told below: the folder, or that which holds the file."""
    if is_pattern(address):
        return posixpath.dirname(address[: min(address.find(each) for each in _PATTERN & {*address})])
    is_file = suffix_of(address) in {SHARD_SUFFIX, *PICTURE_SUFFIXES}
    return posixpath.dirname(address) if is_file else address.rstrip("/")


def opened(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there. Raises DataError; MissingExtra."""
    kind = kind_of(address)
    try:
        files = _file_system(kind, os.getpid())
    except ImportError:
        if kind == "gs":
            raise MissingExtra("gs:// (Google Cloud Storage)", extra="gcs") from None
        raise MissingExtra(f"{kind}://, pictures behind an address,", extra="cloud") from None
    return files, files._strip_protocol(address)


def asked(address: str, question: Callable[[], T]) -> T:
    """What the question gives, tried again where the answer breaks off.

    address: names it in errors. Raises NoPictures where nothing is there, DataError where it may not be read,
    DownloadError where nothing comes, OSError where it was changed.
    """
    for wait in (*(WAITS if kind_of(address) in WEB else ()), None):
        try:
            return question()
        except EyespotError:
            raise
        except Exception as error:  # of any of the libraries below fsspec, which share no class
            said = _in_words(address, _reason_of(address, error))
            if wait is None or not isinstance(said, DownloadError):
                raise said from error
        time.sleep(wait)
    raise AssertionError("the last try ends in an answer or an error")


class Changed(OSError):
    """A file that is another one than it was when it was listed."""

    def __init__(self) -> None:
        super().__init__("it was changed there since it was listed: run again")


def _reason_of(address: str, error: Exception) -> Exception:
    """Of a web server fsspec says that a file is not found, whatever went wrong when it asked for the size."""
    cause = error.__cause__
    return cause if is_web(address) and isinstance(error, FileNotFoundError) and isinstance(cause, Exception) else error


def _in_words(address: str, error: Exception) -> EyespotError | OSError:
    if isinstance(error, EyespotError):
        return error
    names = {each.__name__ for each in type(error).__mro__}
    status = getattr(error, "status", None) or getattr(error, "code", None)
    said, kind = printable(address), kind_of(address)
    if isinstance(error, Changed) or "FileExpired" in names or status == 412:
        return Changed()
    if isinstance(error, FileNotFoundError) or status == 404:
        return NoPictures(f"there is nothing at {said}: look whether bucket, folder and file are so spelled")
    if any("Credential" in name or "TokenRetrieval" in name or "SSO" in name for name in names):
        return DataError(f"{said} cannot be read without credentials, and none were found: {CREDENTIALS[kind]}")
    if isinstance(error, PermissionError) or status in (401, 403) or str(error).startswith("Forbidden"):  # gcsfs
        ways = f" ({CREDENTIALS[kind]})" if kind in CREDENTIALS else ""
        return DataError(f"{said} may not be read with the credentials found here: ask its owner, or use others{ways}")
    reason = brief(re.sub(r"\?[^\s\"']*", "", str(error)) or type(error).__name__, most=160)
    return DownloadError(
        f"{said} cannot be fetched, tried several times ({reason}): look whether this computer is online and run "
        "again; what has come is kept"
    )


@cache
def _file_system(kind: str, process: int) -> Any:
    """One for all threads, which share its listings; a forked process needs its own."""
    import fsspec

    options = {"client_kwargs": _client()} if kind in WEB else {}
    return fsspec.filesystem(kind, skip_instance_cache=True, **options)


def _client() -> dict[str, Any]:
    """How web servers are asked: by the system's proxies, no longer than there are bytes, and over https alone."""
    import aiohttp

    async def refuse_unsafe(_: object, __: object, sent: Any) -> None:
        target = urlsplit(urljoin(str(sent.url), sent.response.headers.get("Location", "")))
        if target.scheme != "https" and not {target.hostname, sent.url.host} <= {*_LOOPBACK}:
            to = f"{target.scheme}://{target.hostname}"
            raise DataError(f"{printable(str(sent.url))} leads to {to}, which is not fetched: it is not https://")

    redirects = aiohttp.TraceConfig()
    redirects.on_request_redirect.append(refuse_unsafe)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_SECONDS, sock_read=TIMEOUT_SECONDS)
    plain = {
        "headers": {"Accept-Encoding": "identity"},
        "auto_decompress": False,
    }  # what is packed may unfold to anything
    return {"trust_env": True, "timeout": timeout, "trace_configs": [redirects], **plain}
