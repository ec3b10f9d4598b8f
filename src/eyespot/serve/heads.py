"""The head of a request, checked before anything is made of it: one that others could read otherwise is refused.

The parser refuses most: two lengths, a length with an encoding, folded or forbidden headers, a line without its end.
What is left are requests that a proxy before this server may see an end in at another place (RFC 9112, 6.1 and 11.2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

VERSIONS = frozenset({"1.0", "1.1"})
CHUNKED = b"chunked"


def why_refused(version: str, target: bytes, headers: Sequence[tuple[bytes, bytes]], *, is_upgrade: bool) -> str | None:
    """What is wrong with a head, in a sentence; None for nothing.

    target: as the first line has it. headers: names in lower case. is_upgrade: whether another protocol is asked for.
    """
    lengths, encodings = 0, 0
    for name, value in headers:
        if name == b"content-length":
            lengths += 1
        elif name == b"transfer-encoding":
            encodings += 1
            if value.strip().lower() != CHUNKED:
                return "the only Transfer-Encoding that is read is `chunked`"
    if version not in VERSIONS:
        return f"the server speaks HTTP/1.1, not HTTP/{version}"
    if not target.startswith(b"/"):
        return "the request's target must begin with a slash: this server is no proxy"
    if encodings and version == "1.0":
        return "a request of HTTP/1.0 has no Transfer-Encoding: send its Content-Length"
    if lengths + encodings > 1:
        return "the request has more than one Content-Length or Transfer-Encoding: send one"
    if is_upgrade and lengths + encodings:
        return "the server speaks HTTP/1.1 alone: send what has a body without the header Upgrade"
    return None


def refusal(sentence: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The answer to what is no request, as bytes.

    headers: that all answers have.
    """
    content = json.dumps({"error": sentence}).encode()
    own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content)), (b"connection", b"close")]
    lines = (b"%b: %b\r\n" % each for each in (*headers, *own))
    return b"".join([b"HTTP/1.1 400 Bad Request\r\n", *lines, b"\r\n", content])
