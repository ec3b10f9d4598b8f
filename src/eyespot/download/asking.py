"""A question over HTTPS for a file, or for the rest of one; what goes wrong with it is said in sentences.

It is asked with urllib: that is there without another package, takes the system's proxies (`HTTPS_PROXY`, `NO_PROXY`)
and certificates, and hands out bytes as they come. huggingface_hub, for what lies there, would throw away what it has
when a download breaks off, follow redirects out of HTTPS, and send the user's token along.
"""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from eyespot.errors import DownloadError
from eyespot.names import brief

CHUNK = 2**18
"""Bytes that are read at a time, at most."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_LINKED = re.compile('"?([0-9a-f]{64})"?')
_CERTIFICATE = (
    "if your network has certificates of its own, name their file in SSL_CERT_FILE; on a Mac with Python from "
    "python.org, run its `Install Certificates.command`"
)


@dataclass(frozen=True)
class Answer:
    """What the server is about to send."""

    url: str
    """That was asked."""
    body: http.client.HTTPResponse
    start: int
    """At which byte of the file it begins: 0, or where it was asked to."""
    total: int | None
    """Bytes of the whole file; None where the server does not tell."""
    validator: str
    """What tells this file from another one later; empty where nothing does."""
    sha256: str
    """Of the file, where its publisher tells it on the way, as Hugging Face does; else empty."""
    timeout: float

    def read(self) -> bytes:
        """The next bytes, at most `CHUNK`; none at the end. Raises DownloadError."""
        with _in_words(self.url, self.timeout):
            return self.body.read1(CHUNK)


def is_safe(url: str) -> bool:
    """Whether what comes from there is what its server sends: over HTTPS, or from this computer."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(url)))


@contextmanager
def asked(url: str, *, start: int = 0, validator: str = "", timeout: float) -> Iterator[Answer]:
    """The file from byte `start` on; from 0 where the server has another file by now, or does not know parts.

    validator: of what is there of the file already. timeout: seconds without a byte. Raises DownloadError.
    """
    if not is_safe(url):
        raise DownloadError(f"{url} is not fetched: an address must begin with https://")
    with _in_words(url, timeout):
        answer = _answer(url, start, validator, timeout)
    try:
        yield answer
    finally:
        answer.body.close()


def _answer(url: str, start: int, validator: str, timeout: float) -> Answer:
    redirects = _Redirects(url)
    headers = {"User-Agent": "eyespot", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    request = urllib.request.Request(url, headers=headers)
    try:
        body = urllib.request.build_opener(redirects).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not start:
            raise
        error.close()  # more is here than the file has by now
        return _answer(url, 0, "", timeout)
    begins, total = _range(body)
    if begins not in (0, start):
        body.close()
        if not start:
            raise DownloadError(f"{url} answered with a part of the file, and all of it was asked for")
        return _answer(url, 0, "", timeout)
    sha256 = redirects.linked or _linked(body.headers)
    return Answer(url, body, begins, total, _validator(body.headers), sha256, timeout)


def _range(body: http.client.HTTPResponse) -> tuple[int, int | None]:
    """At which byte of the file a body begins, -1 where that is not clear; and bytes of the file, None if not told."""
    if body.status == http.HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(body.headers.get("Content-Range", ""))
        return (int(found[1]), int(found[2])) if found else (-1, None)
    length = body.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Goes on to other addresses that are safe, and keeps the hash that one of them told of the file."""

    def __init__(self, url: str) -> None:
        self._is_here = _is_here(url)
        self.linked = ""

    def http_error_302(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)  # type: ignore[arg-type] # typeshed's is narrower
        except (DownloadError, ValueError):
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        target = urljoin(req.full_url, newurl)
        if not is_safe(target) or (_is_here(target) and not self._is_here):
            raise DownloadError(f"{req.full_url} leads to {brief(target)}, which is not fetched: it is not https://")
        self.linked = self.linked or _linked(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _in_words(url: str, timeout: float) -> Iterator[None]:
    """What the network raises as DownloadError."""
    host = urlsplit(url).netloc
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answered with the status {error.code} ({brief(str(error.reason))})") from error
    except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: a redirect to what is no address
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            said = f"the certificate of {host} is not trusted: {_CERTIFICATE}"
        elif isinstance(reason, TimeoutError):
            said = f"nothing came from {host} for {timeout:g} s"
        else:
            said = f"{brief(str(reason))}: look whether this computer is online"
        raise DownloadError(f"{url} cannot be fetched: {said}") from error


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def _validator(headers: Message) -> str:
    """An ETag that stands for the very bytes, else a date."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified", "")


def _linked(headers: Message) -> str:
    """The SHA-256 that Hugging Face and its mirrors tell of a large file."""
    found = _LINKED.fullmatch(headers.get("X-Linked-ETag", ""))
    return found[1] if found else ""
