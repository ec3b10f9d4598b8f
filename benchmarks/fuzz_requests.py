"""A million requests that no client means, and right answers between them. Run in pieces; a log keeps the count.

    python benchmarks/fuzz_requests.py RUN DATA --log FILE --count 50000

Heads, forms, JSON and pictures are damaged at random (`tests/fuzz/http_requests.py`), sent over raw sockets by several
clients, some bytes at a time, and what comes back is read as HTTP: no status of our own mistakes, every refusal a
sentence. Each client asks now and then about a whole picture, and the answer is compared with that of the model in this
process. Each piece goes on behind the last one in the log, with a server of its own, whose memory is that of it and its
workers once it is warm, against its end. A request that was answered wrongly is named by its number: `--first N --count
1` sends it again.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import random
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import measuring
import numpy as np
import servers
import soak
from measuring import at_least, at_most

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from fuzz.answers import answers_in, fault_of
from fuzz.http_requests import request

REQUESTS_BAR = at_least(1_000_000, "requests", "a million fuzzed requests")
FAULTS_BAR = at_most(0, "faults", "none is answered by a 5xx but 503, or by anything but a sentence")
WRONG_BAR = at_most(0, "wrong", "no whole request between them gets a wrong answer, or none")
MEMORY_BAR = at_most(5, "%", "the server's memory stays flat within 5 %")
CLIENTS = 32
VALID_EVERY = 20
SILENT_SECONDS = 2.0
"""After which nothing more is expected of a request that may be cut off."""
MORE_SECONDS = 0.05
"""The same behind a whole answer: what was sent may have been several requests."""
WARM_SHARE = 0.3
CLOSE = 1e-3


@dataclass
class Piece:
    """What became of some of the requests."""

    first: int
    count: int = 0
    valid: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    memory_percent: float = 0.0
    """By how much it grew."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder, or a bundle")
    parser.add_argument("data", type=Path, help="where small pictures are looked for, at any depth")
    parser.add_argument("--count", type=int, default=50_000, help="requests of this piece (default 50000)")
    parser.add_argument("--first", type=int, help="number of the first (default: behind the log's last)")
    parser.add_argument("--seed", type=int, default=0, help="decides the requests (default 0)")
    parser.add_argument("--pictures", type=int, default=20, help="size of the sample (default 20)")
    parser.add_argument("--log", type=Path, help="where pieces are kept")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    log = measuring.Log(options.log, seed=options.seed)
    before = log.runs("piece")
    first = sum(each["count"] for each in before) if options.first is None else options.first
    classes, known = soak.answered(options)
    start = time.monotonic()
    with servers.served(servers.eyespot(options.run)) as server:
        piece = fuzzed(server, known, classes, Piece(first), options)
        silent_or_ended = server.process.poll()
    if silent_or_ended is not None:
        piece.faults.append(f"the server ended with status {silent_or_ended}")
    print(f"{piece.count} requests from {piece.first} on in {time.monotonic() - start:.0f} s; {piece.valid} whole ones")
    print(", ".join(f"{status} {count}" for status, count in sorted(piece.statuses.items())))
    for line in [*piece.faults[:10], *piece.wrong[:10]]:
        print(f"  {line[:300]}")
    said = vars(piece) | {"statuses": dict(piece.statuses)}
    if options.first is None:
        log.add("piece", said)
    report([*before, said])


def report(pieces: Sequence[dict[str, object]]) -> None:
    print(REQUESTS_BAR.verdict(sum(each["count"] for each in pieces)))  # type: ignore[misc]
    print(FAULTS_BAR.verdict(sum(len(each["faults"]) for each in pieces)))  # type: ignore[arg-type]
    print(WRONG_BAR.verdict(sum(len(each["wrong"]) for each in pieces)))  # type: ignore[arg-type]
    print(MEMORY_BAR.verdict(max(each["memory_percent"] for each in pieces)))  # type: ignore[type-var]


def fuzzed(
    server: servers.Running,
    known: Sequence[soak.Known],
    classes: tuple[str, ...],
    piece: Piece,
    options: argparse.Namespace,
) -> Piece:
    """Lets the clients ask, and looks at the server's memory meanwhile."""
    numbers = iter(range(piece.first, piece.first + options.count))
    clients = [Client(server, known, classes, piece, options.seed, numbers) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=each.ask_all) for each in clients]
    for each in threads:
        each.start()
    memory: list[tuple[int, int]] = []
    while any(each.is_alive() for each in threads):
        memory.append((piece.count, with_workers(server.process.pid)))
        time.sleep(0.2)
    warm = [size for count, size in memory if WARM_SHARE <= count / options.count <= 2 * WARM_SHARE]
    last = [size for count, size in memory if count / options.count > 1 - WARM_SHARE]
    if warm and last:
        piece.memory_percent = 100 * (statistics.median(last) / statistics.median(warm) - 1)
        print(f"memory: {statistics.median(warm) / 2**20:.0f} MB once warm, {statistics.median(last) / 2**20:.0f} MB")
    return piece


def with_workers(pid: int) -> int:
    """Memory that a process and those it started hold now, bytes; pages that they share count once for each."""
    total = 0
    with suppress(OSError):
        total = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * servers.PAGE_BYTES
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(with_workers(int(child)) for child in children.read_text(encoding="utf-8").split())
    return total


class Client:
    """Sends requests, each over a connection of its own, and whole ones between them."""

    def __init__(
        self,
        server: servers.Running,
        known: Sequence[soak.Known],
        classes: tuple[str, ...],
        piece: Piece,
        seed: int,
        numbers: Iterator[int],
    ) -> None:
        self._server, self._known, self._classes, self._piece, self._seed = server, known, classes, piece, seed
        self._numbers, self._pictures = numbers, [each.data for each in known]

    def ask_all(self) -> None:
        while (number := next_of(self._numbers)) is not None:
            self._ask(number)
            if number % VALID_EVERY == 0:
                self._compare(self._known[number // VALID_EVERY % len(self._known)])

    def _ask(self, number: int) -> None:
        sent = request(number, self._pictures, seed=self._seed)
        try:
            found = received(self._server.port, sent, number)
            answers = list(answers_in(found, heads_only=_may_be_heads(sent)))
            faults = [fault for each in answers if (fault := fault_of(each)) is not None]
            statuses = [str(each.status) for each in answers] or ["closed"]
        except ValueError as error:
            faults, statuses = [str(error)], ["none"]
        with _LOCK:
            self._piece.count += 1
            self._piece.statuses.update(statuses)
            self._piece.faults += [f"request {number}: {fault}" for fault in faults]

    def _compare(self, known: soak.Known) -> None:
        try:
            with closing(self._server.connection()) as connection:
                status, said = servers.ask(connection, known.data, query=f"?topk={len(self._classes)}")
            found = {each["class"]: each["probability"] for each in said["answers"][0]["predictions"]}
            row = np.array([found[name] for name in self._classes])
            wrong = "" if np.abs(row - known.probabilities).max() <= CLOSE else f"{found}"
        except (http.client.HTTPException, OSError, KeyError) as error:
            status, wrong = 0, repr(error)
        with _LOCK:
            self._piece.valid += 1
            self._piece.wrong += [f"{status}: {wrong}"] if wrong and status != 503 else []


_LOCK = threading.Lock()


def next_of(numbers: Iterator[int]) -> int | None:
    with _LOCK:
        return next(numbers, None)


def received(port: int, sent: bytes, number: int) -> bytes:
    """What comes back until the connection is closed, or nothing comes any more."""
    chance, found = random.Random(number), b""
    with suppress(OSError), socket.create_connection((servers.HOST, port), timeout=60) as connection:
        cuts = sorted(chance.randrange(len(sent) + 1) for _ in range(chance.choice((0, 0, 1, 3))))
        for start, end in itertools.pairwise((0, *cuts, len(sent))):
            connection.sendall(sent[start:end])
        connection.settimeout(SILENT_SECONDS)
        with suppress(TimeoutError):
            while chunk := connection.recv(65536):
                found += chunk
                connection.settimeout(MORE_SECONDS if is_whole(found, sent) else SILENT_SECONDS)
    return found


def is_whole(found: bytes, sent: bytes) -> bool:
    with suppress(ValueError):
        return all(each.is_whole for each in answers_in(found, heads_only=_may_be_heads(sent)))
    return False


def _may_be_heads(sent: bytes) -> bool:
    return b"HEAD" in sent


if __name__ == "__main__":
    main()
