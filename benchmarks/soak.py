"""`eyespot serve` for ten minutes under clients of which some are hostile: no wrong answer, no failure, no leak.

    python benchmarks/soak.py RUN DATA

Clients ask about pictures of DATA, raw, in forms, several at a time, and by the Open Inference Protocol; each answer is
compared with that of the model in this process. One request in twenty is hostile: cut off, a bomb, no picture, too
large, a form or JSON that is none, too slow, or a connection that is dropped half-way. Each of those must be refused
with a status from 400 to 499 and one sentence, or find its connection closed. A valid request may be answered 503 where
the queue is full, and nothing else but 200. Memory is that of the server once it is warm, against its end.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import http.client
import json
import random
import socket
import statistics
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import measuring
import numpy as np
import servers
from measuring import at_least, at_most
from servers import Running

from eyespot.serve.classification import Probabilities
from eyespot.serve.service import Service

WRONG_BAR = at_most(0, "wrong", "no answer differs by more than 0.001 from that of the model in one process")
FAILED_BAR = at_most(0, "failed", "no valid request gets another status than 200, or 503 where the queue is full")
HOSTILE_BAR = at_most(0, "unfit", "every hostile request is refused with a status from 400 to 499 and a sentence")
MEMORY_BAR = at_most(5, "%", "memory stays flat within 5 %")
ANSWERED_BAR = at_least(1, "answered", "the soak is one")
CLOSE = 1e-3
HOSTILE = 0.05
CLIENTS = 8
WARM_SHARE = 0.2
"""Of the time, before memory is looked at: until then threads and engines take their buffers."""
SEED = 0


@dataclass(frozen=True)
class Known:
    """A picture and its right answer."""

    data: bytes
    probabilities: np.ndarray
    """(classes,)"""


@dataclass
class Tally:
    """What became of the requests of all clients."""

    valid: Counter[str] = field(default_factory=Counter)
    hostile: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder, or a bundle")
    parser.add_argument("data", type=Path, help="where pictures are looked for, at any depth")
    parser.add_argument("--seconds", type=float, default=600, help="of the soak (default 600)")
    parser.add_argument("--pictures", type=int, default=200, help="size of the sample (default 200)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    classes, known = answered(options)
    tally = Tally()
    with servers.served(servers.eyespot(options.run)) as server:
        memory = soak(server, known, classes, tally, seconds=options.seconds)
    report(tally, memory)


def answered(options: argparse.Namespace) -> tuple[tuple[str, ...], list[Known]]:
    """The classes, and pictures with the answers of the model in this process."""
    paths = sorted(path for path in options.data.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    random.Random(SEED).shuffle(paths)
    files = [path.read_bytes() for path in paths[: options.pictures]]
    service = Service(options.run, queue=len(files))
    try:
        answers = asyncio.run(service.batching.answers(files, service.served))
        pairs = zip(files, answers, strict=True)
        return service.served.classes, [
            Known(data, each.probabilities) for data, each in pairs if isinstance(each, Probabilities)
        ]
    finally:
        service.stop()


def soak(
    server: Running, known: Sequence[Known], classes: tuple[str, ...], tally: Tally, *, seconds: float
) -> list[tuple[float, int]]:
    """Lets the clients ask; gives the seconds since the start and the server's memory, bytes, once a second."""
    start = time.monotonic()
    clients = [
        threading.Thread(target=Client(server, known, classes, tally, seed).ask_until, args=(start + seconds,))
        for seed in range(CLIENTS)
    ]
    for each in clients:
        each.start()
    memory = []
    while any(each.is_alive() for each in clients):
        memory.append((time.monotonic() - start, server.memory_bytes()))
        time.sleep(min(1.0, seconds / 20))
    return memory


def report(tally: Tally, memory: Sequence[tuple[float, int]]) -> None:
    for name, counter in (("valid", tally.valid), ("hostile", tally.hostile)):
        print(f"{name}: " + ", ".join(f"{what} {count}" for what, count in sorted(counter.items())))
    for line in [*tally.wrong[:5], *tally.failed[:5], *tally.unfit[:5]]:
        print(f"  {line[:300]}")
    end = memory[-1][0]
    warm = [each for seconds, each in memory if WARM_SHARE * end <= seconds <= 2 * WARM_SHARE * end]
    last = [each for seconds, each in memory if seconds >= (1 - WARM_SHARE) * end]
    before, after = statistics.median(warm), statistics.median(last)
    print(f"memory: {before / 2**20:.1f} MB once warm, {after / 2**20:.1f} MB at the end")
    print(ANSWERED_BAR.verdict(tally.valid["200"]))
    print(WRONG_BAR.verdict(len(tally.wrong)))
    print(FAILED_BAR.verdict(len(tally.failed)))
    print(HOSTILE_BAR.verdict(len(tally.unfit)))
    print(MEMORY_BAR.verdict(100 * (after - before) / before))


class Client:
    """One client, with a connection of its own for as long as the server keeps it."""

    def __init__(
        self, server: Running, known: Sequence[Known], classes: tuple[str, ...], tally: Tally, seed: int
    ) -> None:
        self._server, self._known, self._classes, self._tally = server, known, classes, tally
        self._random = random.Random(seed)
        self._connection = server.connection()
        self._name = ""

    def ask_until(self, end: float) -> None:
        ways = (self._raw, self._raw, self._form, self._protocol)
        while time.monotonic() < end:
            if self._random.random() < HOSTILE:
                self._hostile()
            else:
                self._random.choice(ways)()
        self._connection.close()

    def _raw(self) -> None:
        known = self._random.choice(self._known)
        said = self._valid("raw", f"/predict?topk={len(self._classes)}", known.data, {"Content-Type": "image/jpeg"})
        if said is not None:
            self._compare(said["answers"][0]["predictions"], known)

    def _form(self) -> None:
        chosen = [self._random.choice(self._known) for _ in range(self._random.randint(1, 5))]
        parts = [each.data for each in chosen]
        content_type, body = form(parts)
        said = self._valid("form", f"/predict?topk={len(self._classes)}", body, {"Content-Type": content_type})
        if said is not None:
            for answer, known in zip(said["answers"], chosen, strict=True):
                self._compare(answer["predictions"], known)

    def _protocol(self) -> None:
        known = self._random.choice(self._known)
        data = [base64.b64encode(known.data).decode()]
        asked = {"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": [1], "data": data}]}
        said = self._valid("protocol", f"/v2/models/{self._model_name()}/infer", json.dumps(asked).encode(), {})
        if said is not None:
            found = np.array(said["outputs"][0]["data"])
            if np.abs(found - known.probabilities).max() > CLOSE:
                self._tally.wrong.append(f"protocol: {found.tolist()}, not {known.probabilities.tolist()}")

    def _model_name(self) -> str:
        if not self._name:
            self._connection.request("GET", "/model")
            self._name = json.loads(self._connection.getresponse().read())["name"]
        return self._name

    def _valid(self, way: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, list[dict]] | None:  # type: ignore[type-arg]
        try:
            self._connection.request("POST", path, body=body, headers=headers)
            response = self._connection.getresponse()
            status, content = response.status, response.read()
        except (http.client.HTTPException, OSError) as error:
            self._tally.failed.append(f"{way}: {error!r}")
            self._connection.close()
            return None
        self._tally.valid[str(status)] += 1
        if status == 200:
            said: dict[str, list[dict]] = json.loads(content)  # type: ignore[type-arg]
            return said
        if status != 503 or response.headers["retry-after"] is None:
            self._tally.failed.append(f"{way}: {status} {content!r}")
        return None

    def _compare(self, predictions: Sequence[dict[str, object]], known: Known) -> None:
        found = {each["class"]: each["probability"] for each in predictions}
        probabilities = np.array([found[name] for name in self._classes], float)
        if np.abs(probabilities - known.probabilities).max() > CLOSE:
            self._tally.wrong.append(f"{found}, not {known.probabilities.tolist()}")

    def _hostile(self) -> None:
        """A request that no server should take, over a connection of its own."""
        name, send = self._random.choice(list(ATTACKS.items()))
        try:
            with closing(self._server.connection(seconds=60)) as connection:
                refusal = send(connection, self._random.choice(self._known).data, self._random)
        except (http.client.HTTPException, OSError):
            refusal = "closed"
        self._tally.hostile[f"{name} {refusal[:3] if refusal[:3].isdigit() else refusal}"] += 1
        if refusal != "closed" and not refusal.startswith("4"):
            self._tally.unfit.append(f"{name}: {refusal}")


Attack = Callable[[http.client.HTTPConnection, bytes, random.Random], str]


def posted(
    connection: http.client.HTTPConnection, body: bytes, path: str = "/predict", kind: str = "image/jpeg"
) -> str:
    """Status and sentence; a status alone would not do."""
    connection.request("POST", path, body=body, headers={"Content-Type": kind})
    response = connection.getresponse()
    said = json.loads(response.read())
    fits = list(said) == ["error"] and "\n" not in said["error"] and "Traceback" not in said["error"]
    return f"{response.status} {said['error']}" if fits else f"no sentence: {said}"


def form(pictures: Sequence[bytes]) -> tuple[str, bytes]:
    content_type, last = servers.as_form(pictures[-1])
    boundary = content_type.partition("boundary=")[2].encode()
    firsts = [servers.as_form(each)[1].removesuffix(b"--" + boundary + b"--\r\n") for each in pictures[:-1]]
    return content_type, b"".join(firsts) + last


def bomb(side: int) -> bytes:
    """A PNG of some hundred bytes that claims so many pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**5)))
        + chunk(b"IEND", b"")
    )


def slow(connection: http.client.HTTPConnection, data: bytes, chance: random.Random) -> str:
    """Says that it will send a picture, sends a byte now and then, and goes after a few seconds."""
    connection.sock.sendall(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000\r\n\r\n")
    for byte in data[: chance.randint(1, 8)]:
        connection.sock.sendall(bytes([byte]))
        time.sleep(0.2)
    return "closed"


def dropped(connection: http.client.HTTPConnection, data: bytes, chance: random.Random) -> str:
    """Sends a part of a request, and is gone with a reset."""
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n\r\n"
    connection.sock.sendall(head.encode() + data[: chance.randint(0, len(data))])
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return "closed"


ATTACKS: dict[str, Attack] = {
    "empty": lambda connection, data, chance: posted(connection, b""),
    "cut off": lambda connection, data, chance: posted(connection, data[: int(len(data) * chance.uniform(0.01, 0.9))]),
    "text": lambda connection, data, chance: posted(connection, b"<html>" + data),
    "bomb": lambda connection, data, chance: posted(connection, bomb(60_000)),
    "false size": lambda connection, data, chance: posted(connection, bomb(5_000)),
    "too large": lambda connection, data, chance: posted(connection, data + bytes(21 * 2**20)),
    "no form": lambda connection, data, chance: posted(connection, data, kind="multipart/form-data; boundary=b"),
    "long header": lambda connection, data, chance: posted(
        connection, b"--b\r\nX: " + bytes(10**6), kind="multipart/form-data; boundary=b"
    ),
    "query": lambda connection, data, chance: posted(connection, data, "/predict?topk=1000000000000"),
    "no JSON": lambda connection, data, chance: posted(connection, data, "/v2/models/none/infer"),
    "other host": lambda connection, data, chance: host(connection, "evil.example"),
    "slow": slow,
    "dropped": dropped,
}


def host(connection: http.client.HTTPConnection, name: str) -> str:
    connection.request("GET", "/model", headers={"Host": name})
    response = connection.getresponse()
    return f"{response.status} {json.loads(response.read())['error']}"


if __name__ == "__main__":
    main()
