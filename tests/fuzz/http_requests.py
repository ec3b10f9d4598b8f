"""Requests that no client means: heads, forms, JSON and pictures damaged at random, and the framing around them.

Each is made of its number alone, so that one which a server answers wrongly can be sent again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PRI", b"get", b"")
PATHS = (
    *(b"/", b"/predict", b"/model", b"/healthz", b"/metrics", b"/v2", b"/v2/health/live", b"/v2/models/colors/infer"),
    *(b"/page/main.js", b"/page/../app.py", b"/page/%2e%2e%2fapp.py", b"//evil/", b"/paint", b"/paint/finer", b"*"),
    *(b"/%00", b"/v2/models/%2f..%2f/infer", b"http://evil/predict", b"/predict/", b"/" + b"a" * 9000, b"/%ff%fe", b""),
)
QUERIES = (
    *(
        b"",
        b"topk=1",
        b"topk=0",
        b"topk=-1",
        b"topk=99999999999",
        b"topk=1e3",
        b"topk=%00",
        b"topk=",
        b"topk",
        b"&" * 50,
    ),
    *(b"heat_map=1", b"similar=3", b"refuse=0.01", b"threshold=nan", b"set=0.95", b"set=2", b"a=b", b"topk=1&topk=2"),
    *(b"threshold=" + b"9" * 400, b"strength=0.5", b"%", b"topk=\xd9\xa3", b"threshold=0.5&iou=0.5", b"x" * 3000),
)
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/11", b"http/1.1", b"")
HEADERS = (
    *(b"Host: evil.example", b"Host: localhost", b"Host:", b"Origin: http://evil.example", b"Origin: null"),
    *(b"Sec-Fetch-Site: cross-site", b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: 99999999999999"),
    *(b"Content-Length: -1", b"Content-Length: 1, 1", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip"),
    *(
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding : chunked",
        b"Connection: close",
        b"Connection: Upgrade",
    ),
    *(b"Upgrade: h2c", b"Upgrade: websocket", b"Expect: 100-continue", b"Expect: x", b"Authorization: Bearer x"),
    *(b"Content-Type: multipart/form-data", b"Content-Type: multipart/form-data; boundary=" + b"b" * 300),
    *(b"Content-Type: application/json", b"Content-Encoding: gzip", b"Range: bytes=0-1", b"If-None-Match: *", b"X: \0"),
    *(
        b" folded",
        b"\tfolded",
        b"no colon",
        b": no name",
        b"X:" + b"x" * 9000,
        b"\xff: \xff",
        b"Cookie: a=b",
        b"TE: gzip",
    ),
    *(b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-Host: evil", b"Forwarded: for=1.2.3.4", b"X\r: a", b"Trailer: Host"),
)
ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"")
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**70, "", "x", "\ud800", [], {}, [[]], [None], {"a": 1}, "A" * 5000, float("nan")),
    *([1] * 300, [[[[1]]]], "pictures", "images", "BYTES", "UINT8", ["AAAA"], ["!"], [""], float("inf"), 10**400),
)
BOUNDARY = b"fuzz-boundary"
MOST_BYTES = 400_000
"""Of one request: more would test the network."""


def request(number: int, pictures: Sequence[bytes], *, seed: int = 0) -> bytes:
    """One request, or what was meant to be one.

    pictures: whole files, small ones.
    """
    chance = Random(f"http {seed} {number}")
    kind = chance.choices((_raw, _form, _infer, _asked), (4, 4, 4, 3))[0]
    made = kind(chance, pictures)
    if chance.random() < 0.15:
        made = damaged(chance, made)
    if chance.random() < 0.05:
        made += request(number + 10**9, pictures, seed=seed)
    return made[:MOST_BYTES]


def damaged(chance: Random, data: bytes) -> bytes:
    """The bytes, some of them changed, doubled, cut out, or replaced by others."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(len(changed) + 1)
        much = chance.choice((1, 1, 2, 4, 16, 300))
        way = chance.randrange(5)
        if way == 0:
            changed[at : at + much] = chance.randbytes(min(much, len(changed) - at))
        elif way == 1:
            del changed[at : at + much]
        elif way == 2:
            changed[at:at] = changed[at : at + much]
        elif way == 3:
            changed[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\r\n\r\n", b"\x7f\xff\xff\xff"))
        elif chance.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def _raw(chance: Random, pictures: Sequence[bytes]) -> bytes:
    return _post(chance, b"/predict", b"image/jpeg", _picture(chance, pictures))


def _form(chance: Random, pictures: Sequence[bytes]) -> bytes:
    parts = []
    for _ in range(chance.choice((0, 1, 1, 2, 3, 8, 70))):
        name = chance.choice((b"a.png", b'"', b"\0", b"../a", b"\xff", b"a" * 400, b"a\r\nX: y", "ä".encode(), b""))
        head = b'Content-Disposition: form-data; name="photo"; filename="' + name + b'"'
        more = [chance.choice(HEADERS) for _ in range(chance.choices((0, 1, 12), (85, 13, 2))[0])]
        parts.append(b"\r\n".join([b"--" + BOUNDARY, head, *more, b"", _picture(chance, pictures)[:20_000]]))
    parts.append(b"--" + BOUNDARY + chance.choice((b"--\r\n", b"--\r\n", b"--", b"", b"\r\n")))
    path = chance.choice((b"/predict", b"/predict", b"/predict", b"/paint", b"/paint/finer"))
    return _post(chance, path, b"multipart/form-data; boundary=" + BOUNDARY, b"\r\n".join(parts))


def _infer(chance: Random, pictures: Sequence[bytes]) -> bytes:
    data: Any = [
        base64.b64encode(_picture(chance, pictures)[:20_000]).decode() for _ in range(chance.choice((0, 1, 1, 3)))
    ]
    asked: Any = {"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": [len(data)], "data": data}]}
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        asked = _with_other(chance, asked)
    text = json.dumps(asked)
    way = chance.randrange(12)
    if way == 0:
        text = chance.choice("[{") * chance.choice((10, 5000, 100_000))
    elif way == 1:
        text = text[: chance.randrange(len(text))]
    elif way == 2:
        text = f"{text}{chance.choice((',', ']', text, chr(0), '//', ' '))}"
    body = text.encode(chance.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig")), "surrogatepass")
    return _post(chance, b"/v2/models/colors/infer", b"application/json", body)


def _asked(chance: Random, pictures: Sequence[bytes]) -> bytes:
    body = _picture(chance, pictures)[:5000] if chance.random() < 0.3 else b""
    length = b"Content-Length: %d" % len(body)
    return _head(chance, chance.choice(METHODS), chance.choice(PATHS), [length] if body else []) + body


def _with_other(chance: Random, value: Any) -> Any:
    """The value with one of its parts replaced, taken out or doubled."""
    if chance.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return chance.choice(VALUES)
    if isinstance(value, list):
        place = chance.randrange(len(value))
        return [*value[:place], _with_other(chance, value[place]), *value[place + chance.randrange(2) :]]
    key = chance.choice(list(value))
    if chance.random() < 0.15:
        return {name: each for name, each in value.items() if name != key}
    if chance.random() < 0.15:
        return {**value, chance.choice(("id", "parameters", "outputs", "x")): chance.choice(VALUES)}
    return {**value, key: _with_other(chance, value[key])}


def _picture(chance: Random, pictures: Sequence[bytes]) -> bytes:
    data = chance.choice(pictures)
    way = chance.randrange(10)
    if way < 4:
        return damaged(chance, data)
    if way == 4:
        return data[: chance.randrange(len(data) + 1)]
    if way == 5:
        other = chance.choice(pictures)
        return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]
    if way == 6:
        return chance.choice((b"", b"\0", b"hello", b"<svg/>", b"%PDF-1.7", b"\xff\xd8\xff", chance.randbytes(500)))
    return data


def _post(chance: Random, path: bytes, kind: bytes, body: bytes) -> bytes:
    headers = [b"Content-Type: " + kind]
    if chance.random() < 0.25:
        headers.append(b"Transfer-Encoding: chunked")
        body = _chunked(chance, body)
    else:
        wrong = chance.choice((-5, -1, 1, 1000)) if chance.random() < 0.1 else 0
        headers.append(b"Content-Length: %d" % (len(body) + wrong))
    method = chance.choice(METHODS) if chance.random() < 0.05 else b"POST"
    return _head(chance, method, path, headers) + body


def _head(chance: Random, method: bytes, path: bytes, headers: list[bytes]) -> bytes:
    query = chance.choice(QUERIES) if chance.random() < 0.15 else b""
    version = chance.choice(VERSIONS) if chance.random() < 0.03 else b"HTTP/1.1"
    lines = [method + b" " + path + (b"?" + query if query else b"") + b" " + version, b"Host: localhost", *headers]
    for _ in range(chance.choices((0, 1, 3, 40), (70, 20, 8, 2))[0]):
        lines.insert(chance.randint(0 if chance.random() < 0.02 else 1, len(lines)), chance.choice(HEADERS))
    if chance.random() < 0.02:
        del lines[chance.randrange(len(lines))]
    end: Callable[[], bytes] = (lambda: chance.choice(ENDS)) if chance.random() < 0.02 else lambda: b"\r\n"
    return b"".join(line + end() for line in lines) + b"\r\n"


def _chunked(chance: Random, body: bytes) -> bytes:
    pieces, at = [], 0
    while at < len(body) and len(pieces) < 50:
        much = chance.choice((1, 7, 100, 5000, len(body)))
        piece = body[at : at + much]
        size = b"%x" % (len(piece) + (chance.choice((-1, 1)) if chance.random() < 0.01 else 0))
        remark = chance.choice((b"", b"", b"", b";a=b", b";" + b"x" * 3000, b" "))
        pieces.append(size + remark + b"\r\n" + piece + (b"" if chance.random() < 0.01 else b"\r\n"))
        at += much
    trailer = chance.choice((b"", b"", b"Host: evil\r\n", b"Content-Length: 3\r\n", b"X: " + b"y" * 9000 + b"\r\n"))
    return b"".join(pieces) + chance.choice((b"0\r\n", b"0\r\n", b"0\r\n", b"0;a\r\n", b"")) + trailer + b"\r\n"
