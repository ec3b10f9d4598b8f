"""A small picture while others take all that they can get: 1,000 slow connections, and pictures of 50 megapixels.

    python benchmarks/fairness.py RUN DATA

Three parties ask `eyespot serve`, each from an address of its own in 127.0.0.0/8 (Linux), and with `--together` from
one and the same. The slow one keeps 1,000 connections: half a head, a body with a wrong token, a body with the right
one, a byte every other second each; one that is closed comes again. The greedy one asks in a loop about six pictures of
50 megapixels, in one form, and about each by itself over six connections. The third asks about a small picture, over a
new connection and a kept one in turn. Its seconds count, from before it connects to the end of the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import io
import json
import random
import secrets
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import measuring
import numpy as np
import servers
from measuring import at_most
from PIL import Image

P99_BAR = at_most(1, "s", "another client's small picture is answered within 1 s (p99)")
FAILED_BAR = at_most(0, "failed", "each of its requests is answered, with 200")
CONNECTIONS, LARGE_PICTURES, MEGAPIXELS = 1000, 6, 50
SMALL, SLOW, GREEDY = "127.0.0.1", "127.0.0.2", "127.0.0.3"
PAUSE_SECONDS = 0.05
ALONE_SHARE = 0.15
"""Of the time, in which the small picture is asked about while nobody else is there."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder, or a bundle")
    parser.add_argument("data", type=Path, help="where a small picture is looked for, at any depth")
    parser.add_argument("--seconds", type=float, default=60, help="under load (default 60)")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help=f"of the slow one (default {CONNECTIONS})")
    parser.add_argument("--megapixels", type=int, default=MEGAPIXELS, help=f"of a large picture (default {MEGAPIXELS})")
    parser.add_argument("--together", action="store_true", help="all ask from one address")
    parser.add_argument("--side", choices=list(SIDES_OF_IT), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(asyncio.run(SIDES_OF_IT[options.side](options))))
        return
    print(measuring.heading(), flush=True)
    paths = sorted(path for path in options.data.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    picture, options.token = random.Random(0).choice(paths).read_bytes(), secrets.token_urlsafe()
    with servers.served(servers.eyespot(options.run, "--token", options.token)) as server:
        options.port = server.port
        alone = asked(options, picture, seconds=ALONE_SHARE * options.seconds)
        others = {name: begun(name, options) for name in SIDES_OF_IT}
        for each in others.values():
            assert each.stdout is not None
            each.stdout.readline()  # it has begun
        time.sleep(min(2.0, options.seconds / 4))
        beside = asked(options, picture, seconds=options.seconds)
        for name, process in others.items():
            print(f"{name}: {ended(process)}")
    report("alone", *alone)
    report("beside the others", *beside)
    print(P99_BAR.verdict(float(np.quantile(beside[0], 0.99))))
    print(FAILED_BAR.verdict(len(beside[1])))


def asked(options: argparse.Namespace, picture: bytes, *, seconds: float) -> tuple[list[float], list[str]]:
    """Seconds of each request about the small picture, and what went wrong."""
    taken, failed, kept = [], [], connection_of(options, SMALL)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        connection, start = (kept if number % 2 else connection_of(options, SMALL)), time.monotonic()
        try:
            status = posted(connection, options.token, picture, "image/jpeg")
        except (http.client.HTTPException, OSError) as error:
            status = repr(error)
            connection.close()
        taken.append(time.monotonic() - start)
        if status != 200:
            failed.append(str(status))
        if connection is not kept:
            connection.close()
        time.sleep(PAUSE_SECONDS)
    kept.close()
    return taken, failed


def connection_of(options: argparse.Namespace, source: str) -> http.client.HTTPConnection:
    place = SMALL if options.together else source
    return http.client.HTTPConnection(servers.HOST, options.port, timeout=120, source_address=(place, 0))


def posted(connection: http.client.HTTPConnection, token: str, body: bytes, kind: str) -> int:
    connection.request("POST", "/predict", body, {"Content-Type": kind, "Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    response.read()
    return response.status


async def slow(options: argparse.Namespace) -> dict[str, int]:
    """Keeps its connections for as long as it runs; how often each kind was closed."""
    counted: Counter[str] = Counter()
    end = started(options)
    await asyncio.gather(*(_slowly(options, number, end, counted) for number in range(options.connections)))
    return counted


async def _slowly(options: argparse.Namespace, number: int, end: float, counted: Counter[str]) -> None:
    body = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\nAuthorization: Bearer {}\r\n\r\n"
    heads = {"half a head": "GET /healthz HTTP/1.1\r\nX: ", "wrong token": body.format("x" * 20), "body": ""}
    heads["body"] = body.format(options.token)
    name = list(heads)[number % len(heads)]
    source = SMALL if options.together else SLOW
    await asyncio.sleep(number / options.connections)
    while time.monotonic() < end:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(servers.HOST, options.port, local_addr=(source, 0))
            counted[f"{name}, opened"] += 1
            writer.write(heads[name].encode())
            while time.monotonic() < end and not reader.at_eof():
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(65536), 2)
                writer.write(b"x")
            writer.close()
        await asyncio.sleep(1)


async def greedy(options: argparse.Namespace) -> dict[str, int]:
    """Asks about its large pictures, one request after the other over each connection; how each was answered."""
    counted: Counter[str] = Counter()
    pictures = [large(options.megapixels)] * LARGE_PICTURES
    end = started(options)
    counted["bytes of six"] = sum(map(len, pictures))
    bodies = [("six in a form", *form(pictures)), *(("one", "image/png", each) for each in pictures)]
    await asyncio.gather(*(asyncio.to_thread(_greedily, options, *each, end, counted) for each in bodies))
    return counted


def _greedily(
    options: argparse.Namespace, name: str, kind: str, body: bytes, end: float, counted: Counter[str]
) -> None:
    while time.monotonic() < end:
        try:
            with closing(connection_of(options, GREEDY)) as connection:
                counted[f"{name}, {posted(connection, options.token, body, kind)}"] += 1
        except (http.client.HTTPException, OSError):
            counted[f"{name}, closed"] += 1


def large(megapixels: int) -> bytes:
    """A picture of many pixels in few bytes."""
    file = io.BytesIO()
    Image.new("RGB", (1000, 1000 * megapixels), (40, 80, 160)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def form(pictures: list[bytes]) -> tuple[str, bytes]:
    content_type, last = servers.as_form(pictures[-1])
    end = b"--" + content_type.partition("boundary=")[2].encode() + b"--\r\n"
    return content_type, b"".join(servers.as_form(each)[1].removesuffix(end) for each in pictures[:-1]) + last


SIDES_OF_IT = {"slow": slow, "greedy": greedy}


def started(options: argparse.Namespace) -> float:
    """Says that it begins; when it is to end."""
    print("begun", flush=True)
    return time.monotonic() + float(options.seconds)


def begun(name: str, options: argparse.Namespace) -> subprocess.Popen[str]:
    told = ["--side", name, "--port", options.port, "--token", options.token, "--seconds", options.seconds + 5]
    told += [
        "--connections",
        options.connections,
        "--megapixels",
        options.megapixels,
        *(["--together"] if options.together else []),
    ]
    command = [sys.executable, __file__, options.run, options.data, *told]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    printed = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"a client ended with status {process.returncode}")
    return ", ".join(f"{what} {count}" for what, count in json.loads(printed).items())


def report(name: str, taken: list[float], failed: list[str]) -> None:
    p50, p99 = np.quantile(taken, (0.5, 0.99))
    print(f"{name}: {len(taken)} requests, half within {1e3 * p50:.1f} ms, 99 % within {1e3 * p99:.1f} ms", end="")
    print(f", longest {1e3 * max(taken):.0f} ms; failed: {dict(Counter(failed)) or 'none'}")


if __name__ == "__main__":
    main()
