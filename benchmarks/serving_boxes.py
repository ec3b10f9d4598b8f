"""How long one client waits for the boxes in a picture, from `eyespot serve`.

    python benchmarks/serving_boxes.py RUN PICTURE

RUN is a detector's run folder or bundle. The picture is sent again and again over one connection, resized before so
that its longer side has 512 pixels. The time is that of the whole request: reading, decoding, the engine, suppression,
the answer in JSON. Then the same with all boxes down to 0.05, as the page asks, and in parts, in this process.
"""

from __future__ import annotations

import argparse
import io
import statistics
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import measuring
import servers
from measuring import at_most
from PIL import Image

from eyespot.bundle.boxes import boxes_of
from eyespot.engine.gate import BOXES, SCORES
from eyespot.serve.detection import ServedDetector
from eyespot.serve.pictures import frame_sent
from eyespot.serve.service import Service

BAR = at_most(60, "ms", "detection of one picture of 512 px takes at most 60 ms in the server")
SIDE = 512
QUALITY = 95
WARM = 10
"""Requests before those that are timed."""
PAGE = "?threshold=0.05"


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a detector's run folder, or its bundle")
    parser.add_argument("picture", type=Path, help="a picture of any size")
    parser.add_argument("--requests", type=int, default=100, help="in a round (default 100)")
    parser.add_argument("--runs", type=int, default=3, help="rounds (default 3)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    data = resized(options.picture)
    lone, page = requested(options, data)
    for name, values in (("request", lone), ("request for the page", page), *in_parts(options, data)):
        print(measuring.runs_line(name, [1e3 * each for each in values], "ms"))
    print(BAR.verdict(1e3 * statistics.median(lone)))


def resized(path: Path) -> bytes:
    """The picture as a JPEG whose longer side has `SIDE` pixels."""
    with Image.open(path) as picture:
        factor = SIDE / max(picture.size)
        size = [max(1, round(side * factor)) for side in picture.size]
        file = io.BytesIO()
        picture.convert("RGB").resize((size[0], size[1])).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def requested(options: argparse.Namespace, data: bytes) -> tuple[list[float], list[float]]:
    """Seconds of a lone request, the median of each round: with the model's threshold, and with the page's."""
    found: dict[str, list[float]] = {"": [], PAGE: []}
    with servers.served(servers.eyespot(options.run)) as server, closing(server.connection()) as connection:

        def ask(query: str) -> None:
            status, said = servers.ask(connection, data, query=query)
            if status != 200 or "detections" not in said["answers"][0]:
                raise SystemExit(f"the server gives no boxes: {said}")

        for _ in range(WARM):
            ask("")
        for _ in range(options.runs):
            for query, values in found.items():
                values.append(median_seconds(lambda query=query: ask(query), options.requests))  # type: ignore[misc]
    return found[""], found[PAGE]


def in_parts(options: argparse.Namespace, data: bytes) -> list[tuple[str, list[float]]]:
    """What a request is made of, in this process and without HTTP: seconds of each part, the median of each round."""
    service = Service(options.run)
    served = service.served
    assert isinstance(served, ServedDetector)
    framed = frame_sent(data, served.preprocess)
    outputs = served.answering.outputs(framed.image[None], alone=True)
    parts: dict[str, Callable[[], object]] = {
        "  decoding and letterbox": lambda: frame_sent(data, served.preprocess),
        "  engine": lambda: served.answering.outputs(framed.image[None], alone=True),
        "  suppression": lambda: boxes_of(framed, outputs[BOXES][0], outputs[SCORES][0], served.cut),
    }
    rounds = range(options.runs)
    found = [(name, [median_seconds(part, options.requests) for _ in rounds]) for name, part in parts.items()]
    service.stop()
    return found


def median_seconds(action: Callable[[], object], times: int) -> float:
    return statistics.median(measuring.seconds_of(action) for _ in range(times))


if __name__ == "__main__":
    main()
