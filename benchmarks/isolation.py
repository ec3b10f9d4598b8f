"""Pictures that crash, hang or fill their decoder, sent without end: their senders are told, and nobody else notices.

    python benchmarks/isolation.py RUN DATA

`eyespot serve RUN` is started with a changed decoder (`tests/failing/`), at which JPEGs with a remark abort, loop for
ever or take all memory. Three clients send such pictures, one kind each, without a pause; another one asks about
pictures of DATA, and has its answers compared with those that came before. Each failing picture must be answered 400
with one sentence, one second after the deadline at the latest.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import measuring
import numpy as np
import servers
from measuring import at_most
from servers import Running

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from failing_pictures import KINDS, failing_path, failing_picture

SECONDS, DEADLINE, MARGIN = 60.0, 5.0, 1.0
PICTURES = 20
BARS = {
    "untold": at_most(0, "requests", "each sender of a failing picture is told, in time, in a sentence"),
    "wrong": at_most(0, "answers", "nobody else's answer is wrong or missing"),
    "p99": at_most(1.0, "s", "and 99 of 100 of them come within a second"),
}


@dataclass
class Told:
    """What became of the failing pictures."""

    said: Counter[str] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder, or a bundle")
    parser.add_argument("data", type=Path, help="where pictures are looked for, at any depth")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of the attack (default {SECONDS:.0f})")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    pictures = [path.read_bytes() for path in sorted(options.data.rglob("*.jpg"))[:PICTURES]]
    command = servers.eyespot(options.run, "--decode-seconds", f"{DEADLINE:g}")
    told = Told()
    with servers.served(command, PYTHONPATH=failing_path()) as server:
        alone, expected = ask_for(server, pictures, seconds=min(10.0, options.seconds))
        stop = threading.Event()
        attackers = [threading.Thread(target=attack, args=(server, kind, told, stop)) for kind in KINDS]
        for each in attackers:
            each.start()
        beside, answers = ask_for(server, pictures, seconds=options.seconds)
        stop.set()
        for each in attackers:
            each.join()
    wrong = sum(answer != known[0] for got, known in zip(answers, expected, strict=True) for answer in got)
    untold = len(told.late) + sum(count for said, count in told.said.items() if not said.startswith("400 the picture "))
    print(f"a picture alone: median {np.median(alone) * 1e3:.1f} ms, p99 {np.quantile(alone, 0.99) * 1e3:.1f} ms")
    print(f"beside failing ones: median {np.median(beside) * 1e3:.1f} ms, p99 {np.quantile(beside, 0.99) * 1e3:.1f} ms")
    for said, count in told.said.items():
        print(f"  {count} x {said}")
    print(BARS["untold"].verdict(untold))
    print(BARS["wrong"].verdict(wrong))
    print(BARS["p99"].verdict(float(np.quantile(beside, 0.99))))


def ask_for(server: Running, pictures: list[bytes], *, seconds: float) -> tuple[list[float], list[list[str]]]:
    """How long each request took, in seconds, and the answers to each picture."""
    took: list[float] = []
    answers: list[list[str]] = [[] for _ in pictures]
    connection, end = server.connection(), time.monotonic() + seconds
    while time.monotonic() < end:
        for number, picture in enumerate(pictures):
            began = time.perf_counter()
            status, answer = servers.ask(connection, picture)
            took.append(time.perf_counter() - began)
            answers[number].append(f"{status} {answer.get('answers', answer)}")
    return took, answers


def attack(server: Running, kind: str, told: Told, stop: threading.Event) -> None:
    connection, picture = server.connection(), failing_picture(kind)
    while not stop.is_set():
        began = time.perf_counter()
        try:
            status, answer = servers.ask(connection, picture)
            said = f"{status} {answer['error']}"
        except OSError as error:
            said, connection = f"{kind}: {error}", server.connection()
        told.said[said] += 1
        took = time.perf_counter() - began
        if took > DEADLINE + MARGIN:
            told.late.append(took)


if __name__ == "__main__":
    main()
