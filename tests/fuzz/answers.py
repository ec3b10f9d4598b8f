"""What came back over a connection, taken apart as a strict client does it, and whether it may be so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*")
_TELLING = re.compile(r"Traceback|\.py\b|/home|/tmp|/root|0x[0-9a-f]{6}|object at")


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    is_whole: bool


def answers_in(received: bytes, *, heads_only: bool = False) -> Iterator[Said]:
    """Each answer, in order. Raises ValueError where that is no HTTP.

    heads_only: whether answers may have no body, as those to HEAD.
    """
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        found = _STATUS.fullmatch(lines[0])
        if found is None:
            raise ValueError(f"no status line: {received[:80]!r}")
        if not end:
            yield Said(int(found[1]), {}, b"", is_whole=False)
            return
        headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:])}
        status = int(found[1])
        if status == 100:
            received = rest
            continue
        if heads_only and (not rest or rest.startswith(b"HTTP/1.1 ")):
            yield Said(status, headers, b"", is_whole=True)
            received = rest
            continue
        length = headers.get(b"content-length", b"")
        if not length.isdigit():
            raise ValueError(f"an answer without its length: {head!r}")
        body, received = rest[: int(length)], rest[int(length) :]
        yield Said(status, headers, body, is_whole=len(body) == int(length))


def fault_of(said: Said) -> str | None:
    """Why an answer may not be so; None if it may."""
    if said.status >= 500 and said.status != 503:
        return f"status {said.status}: {said.body[:200]!r}"
    if not said.is_whole or said.status < 400 or not said.body:
        return None
    if said.status == 503 and b"retry-after" not in said.headers:
        return "a 503 does not say when to come back"
    try:
        sentence = json.loads(said.body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"no sentence: {said.body[:200]!r}"
    if "\n" in sentence or len(sentence) > 500 or _TELLING.search(sentence):
        return f"a sentence that tells too much: {sentence[:300]!r}"
    return None
