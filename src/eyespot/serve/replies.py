"""Responses in JSON. An error's is one sentence, with neither a path nor a line of code."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Response

from eyespot.errors import RequestError

RETRY_SECONDS, LONG_RETRY_SECONDS = 1, 10
"""When to ask again: a server that is busy, and one that does what only one client at a time can have."""
_HEADERS = {
    401: {"www-authenticate": "Bearer"},
    429: {"retry-after": str(LONG_RETRY_SECONDS)},
    503: {"retry-after": str(RETRY_SECONDS)},
}


def as_json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with the value as JSON."""
    return json_bytes(json.dumps(value).encode(), status=status, headers=headers)


def json_bytes(content: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with what is JSON already."""
    return Response(content, status_code=status, headers=headers, media_type="application/json")


def refusal(error: RequestError) -> Response:
    """What a client is told that gets no answer."""
    return as_json({"error": str(error)}, status=error.status, headers=_HEADERS.get(error.status))
