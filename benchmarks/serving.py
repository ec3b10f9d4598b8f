"""`eyespot serve` under 16 clients against a plain server, and against what decoding, engine and HTTP allow.

    python benchmarks/serving.py RUN DATA

RUN is a frozen run on pictures such as those in DATA. Both servers get the same forms, one JPEG each, from wrk: 16
connections, each with its next request once the last one is answered. `plain_server.py` is the other side. wrk runs on
the same cores; its processor time is measured, and both figures are shown with and without it.

The limit: decoding alone makes D pictures a second on all cores, the engine alone E, and reading a request and writing
its answer takes the server H seconds of processor time, measured with a server whose workers answer without looking.
One after the other on all cores that is 1 / (1/D + 1/E + H/cores) requests a second.

Then one client alone: the time of a request, against `predict` in one process; and what going through the queue and its
workers adds to decoding and asking the engine in one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import servers
from measuring import at_least, at_most
from servers import Load, Running

import eyespot
from eyespot import machine
from eyespot.bundle.run import ClassAnswer
from eyespot.engine.run import BATCH, in_batches
from eyespot.serve.app import make_app
from eyespot.serve.batching import Batching
from eyespot.serve.classification import Probabilities
from eyespot.serve.pictures import read_sent
from eyespot.serve.process import Server
from eyespot.serve.run import listening
from eyespot.serve.service import Service

SPEED_BAR = at_least(10, "times", "16 clients get ten times the answers of a plain FastAPI and PyTorch server")
LIMIT_BAR = at_least(0.8, "of the limit", "the server reaches 0.8 of what decoding, engine and HTTP alone allow")
LONE_BAR = at_most(1.5, "times", "a lone request takes at most 1.5 times as long as predict in one process")
BATCHING_BAR = at_most(1.05, "times", "batching makes a lone request at most 5 % slower")
CLIENTS = 16
WARM_SECONDS = 2
SEED = 0
CLOSE = 1e-3
"""How far the servers' probabilities may lie from those of `predict`."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder of the regime frozen, or its bundle")
    parser.add_argument("data", type=Path, nargs="?", help="where pictures are looked for, at any depth")
    parser.add_argument("--pictures", type=int, default=200, help="size of the sample (default 200)")
    parser.add_argument("--seconds", type=int, default=20, help="of load in a round (default 20)")
    parser.add_argument("--runs", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--without-plain", action="store_true", help="leave the plain server out")
    parser.add_argument("--http-alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.http_alone:
        serve_without_looking(options.run, options.port)
        return
    print(measuring.heading(), flush=True)
    pictures = sample(options.data, options.pictures)
    under_load(options, pictures)
    alone(options, pictures)


def sample(folder: Path, count: int) -> list[bytes]:
    """JPEG files drawn at random."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    random.Random(SEED).shuffle(paths)
    return [path.read_bytes() for path in paths[:count]]


def under_load(options: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    """Prints what 16 clients get, and what they could get at most."""
    cores = machine.cores()
    forms = [servers.as_form(picture) for picture in pictures]

    def load(server: Running) -> Load:
        bodies, how = [body for _, body in forms], {"content_type": forms[0][0], "clients": CLIENTS}
        servers.loaded(server, bodies[:1], seconds=min(WARM_SECONDS, options.seconds), **how)
        return servers.loaded(server, bodies, seconds=options.seconds, **how)

    commands: dict[str, list[str | Path]] = {
        "eyespot": servers.eyespot(options.run),
        "HTTP alone": [__file__, options.run, "--http-alone"],
    }
    if not options.without_plain:
        commands["plain"] = [Path(__file__).with_name("plain_server.py"), options.run]
    require_right_answers(options.run, pictures[:32])
    limits = [limit_of(options.run, pictures) for _ in range(options.runs)]
    loads: dict[str, list[Load]] = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, command in commands.items():
            with servers.served(command) as server:
                loads[name].append(load(server))
    for name, each in loads.items():
        tell(name, each, cores)
    http = statistics.median(each.server_cpu_seconds / each.requests for each in loads["HTTP alone"])
    decoding = statistics.median(each[0] for each in limits)
    engine = statistics.median(each[1] for each in limits)
    limit = 1 / (1 / decoding + 1 / engine + http / cores)
    print(measuring.runs_line("decoding alone, D", [each[0] for each in limits], "pictures/s"))
    print(measuring.runs_line("engine alone, E", [each[1] for each in limits], "pictures/s"))
    print(f"{'HTTP alone, H':36} {1e3 * http:.3f} ms of processor time a request")
    print(f"{'limit':36} {limit:.4g} requests/s")
    reached = statistics.median(each.rate_without_client(cores) for each in loads["eyespot"])
    raw = statistics.median(each.rate for each in loads["eyespot"])
    print(f"{'reached':36} {reached / limit:.3f} of the limit; {raw / limit:.3f} with wrk's processor time")
    if "plain" in loads:
        plain = statistics.median(each.rate_without_client(cores) for each in loads["plain"])
        print(SPEED_BAR.verdict(reached / plain if plain else math.inf))
    print(LIMIT_BAR.verdict(reached / limit))


def tell(name: str, loads: Sequence[Load], cores: int) -> None:
    print(measuring.runs_line(f"{name}", [each.rate for each in loads], "requests/s"))
    print(
        measuring.runs_line("  without wrk's processor time", [each.rate_without_client(cores) for each in loads], "")
    )
    print(measuring.runs_line("  wrk's processor time", [each.client_cpu_seconds for each in loads], "s"))
    print(measuring.runs_line("  half of the requests within", [1e3 * each.p50_seconds for each in loads], "ms"))
    print(measuring.runs_line("  99 % of the requests within", [1e3 * each.p99_seconds for each in loads], "ms"))
    failed = sum(each.failed for each in loads)
    if failed:
        raise SystemExit(f"{name} failed {failed} requests")


def require_right_answers(run: Path, pictures: Sequence[bytes]) -> None:
    """Ends the benchmark where the server's answers are not those of the model in this process."""
    service = Service(run)
    try:
        found = asyncio.run(service.batching.answers(list(pictures), service.served))
        with servers.served(servers.eyespot(run)) as server, closing(server.connection()) as connection:
            for picture, truth in zip(pictures, found, strict=True):
                status, said = servers.ask(connection, picture, query="?topk=1")
                assert isinstance(truth, Probabilities)
                if (
                    status != 200
                    or abs(said["answers"][0]["predictions"][0]["probability"] - truth.probabilities.max()) > CLOSE
                ):
                    raise SystemExit(f"the server's answer is wrong: {said}")
    finally:
        service.stop()


def limit_of(run: Path, pictures: Sequence[bytes]) -> tuple[float, float]:
    """Pictures a second that all cores decode, and that the engine answers in whichever way is fastest."""
    service = Service(run)
    served, cores = service.served, machine.cores()
    with ThreadPoolExecutor(cores) as pool:

        def decode() -> list[np.ndarray]:
            return [each.image for each in pool.map(lambda data: read_sent(data, served.preprocess), pictures)]

        images = decode()
        batches = [
            np.stack(images[at : at + served.answering.most]) for at in range(0, len(images), served.answering.most)
        ]
        engine = eyespot.load(run).classifier.engine(BATCH)

        def in_small_batches() -> None:
            list(pool.map(lambda batch: served.answering.answers(batch, alone=False), batches))

        def in_large_batches() -> None:
            for _ in engine.stream(in_batches(enumerate(images), BATCH)):
                pass

        engine.run(np.stack(images[:1]))
        seconds = [measuring.seconds_of(way) for way in (in_small_batches, in_large_batches)]
        decoding = measuring.seconds_of(decode)
    service.stop()
    return len(pictures) / decoding, len(pictures) / min(seconds)


def alone(options: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    """Prints what one client waits for, and the same without a server."""
    few = list(pictures[: min(100, len(pictures))])
    paths = sorted(path for path in options.data.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    random.Random(SEED).shuffle(paths)
    model = eyespot.load(options.run)
    lone: dict[str, list[float]] = {"predict in one process": [], "request": []}
    with servers.served(servers.eyespot(options.run)) as server, closing(server.connection()) as connection:
        for _ in range(options.runs + 1):
            lone["predict in one process"].append(median_seconds(model.predict, paths[: len(few)]))
            lone["request"].append(median_seconds(lambda data: servers.ask(connection, data), few))
    for name, values in lone.items():
        print(measuring.runs_line(f"one client, {name}", [1e3 * each for each in values[1:]], "ms"))
    ratios = [asked / predicted for predicted, asked in zip(*lone.values(), strict=True)]
    print(LONE_BAR.verdict(statistics.median(ratios[1:])))
    print(BATCHING_BAR.verdict(cost_of_batching(options.run, few, rounds=options.runs)))


def cost_of_batching(run: Path, pictures: Sequence[bytes], *, rounds: int) -> float:
    """How many times as long a lone picture takes through the queue, as one that a thread decodes and asks about."""
    service = Service(run)
    served = service.served

    def plainly(data: bytes) -> list[ClassAnswer]:
        return served.answering.answers(read_sent(data, served.preprocess).image[None], alone=True)

    async def measure() -> list[float]:
        loop, ratios = asyncio.get_running_loop(), []
        with ThreadPoolExecutor(1) as pool:
            for _ in range(rounds + 1):
                seconds: dict[bool, list[float]] = {False: [], True: []}
                for data in pictures:
                    for queued in seconds:
                        start = time.perf_counter()
                        if queued:
                            await service.batching.answers([data], served)
                        else:
                            await loop.run_in_executor(pool, plainly, data)
                        seconds[queued].append(time.perf_counter() - start)
                ratios.append(statistics.median(seconds[True]) / statistics.median(seconds[False]))
        return ratios[1:]

    try:
        return statistics.median(asyncio.run(measure()))
    finally:
        service.stop()


def median_seconds(action: Callable[[Any], object], given: Sequence[Any]) -> float:
    return statistics.median(measuring.seconds_of(lambda each=each: action(each)) for each in given)


def serve_without_looking(run: Path, port: int) -> None:
    """A server that reads requests and writes answers, and knows nothing of the pictures."""
    service = Service(run)
    shares = np.full(len(service.served.classes), 1 / len(service.served.classes), np.float32)
    answer = Probabilities(shares, None, size_wh=(400, 533))

    async def answers(self: Batching, pictures: Sequence[object], *_: object) -> list[Probabilities]:
        return [answer] * len(pictures)

    service.batching.answers = answers.__get__(service.batching)  # type: ignore[method-assign]
    Server(make_app(service), started=lambda: None, hang_up=lambda: None).run(listening(servers.HOST, port, token=None))


if __name__ == "__main__":
    main()
