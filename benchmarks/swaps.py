"""200 models put in the served one's place under load, then 200 servers ended by SIGTERM under load.

    python benchmarks/swaps.py RUN DATA

Swaps: two copies of RUN's bundle, which differ in their temperature, take each other's place as training does it, and
SIGHUP tells the server. No request may fail, and each answer must be that of the model it names. Every tenth time a
damaged bundle comes between, which must change nothing.

Ends: each server gets SIGTERM at a random moment. It must end with status 0, and say that it accepted, and that it
answered, exactly as many requests as clients got whole answers. So a client whose connection was refused, or closed
before one byte of an answer came, had not been accepted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import onnx
import servers
from measuring import at_least, at_most
from onnx import numpy_helper
from servers import Running

import eyespot
from eyespot.bundle.files import FOLDER, GRAPH, place_bundle, read_bundle, sha256, write_bundle

FAILED_BAR = at_most(0, "failed", "no request fails while models are replaced")
WRONG_BAR = at_most(0, "wrong", "each answer is that of the model it names")
LOST_BAR = at_most(0, "lost", "SIGTERM loses no accepted request, and the server ends with status 0")
CLOSE = 1e-3
BAD_EACH = 10
SEED = 0


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder, or a bundle")
    parser.add_argument("data", type=Path, help="where pictures are looked for, at any depth")
    parser.add_argument("--swaps", type=int, default=200, help="models put in place (default 200)")
    parser.add_argument("--ends", type=int, default=200, help="servers ended (default 200)")
    parser.add_argument("--clients", type=int, default=8, help="that ask without a pause (default 8)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    paths = sorted(path for path in options.data.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    random.Random(SEED).shuffle(paths)
    with tempfile.TemporaryDirectory() as name:
        swaps(options, paths[:20], Path(name))
    ends(options, [path.read_bytes() for path in paths[:20]])


class Clients:
    """Threads that ask without a pause, each over a connection of its own."""

    def __init__(self, server: Running, pictures: Sequence[bytes], *, count: int) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        """The number of each picture, and what was said of it."""
        self.failed: list[str] = []
        """A status that is none, or an answer that broke off."""
        self.refused = 0
        """Requests of which the server had not taken anything."""
        self._server, self._pictures = server, pictures
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(count)]
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        self._stopped.set()
        for each in self._threads:
            each.join()

    def _ask(self, number: int) -> None:
        try:
            connection = self._server.connection()
        except OSError:
            self.refused += 1
            return
        while not self._stopped.is_set():
            number = (number + 1) % len(self._pictures)
            try:
                connection.request("POST", "/predict", body=self._pictures[number])
                response = connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.refused += 1
                break
            try:
                said = json.loads(response.read())
            except (http.client.HTTPException, OSError, ValueError) as error:
                self.failed.append(repr(error))
                break
            if response.status == 200:
                self.answers.append((number, said))
            else:
                self.failed.append(f"{response.status} {said}")
        connection.close()


def swaps(options: argparse.Namespace, paths: Sequence[Path], folder: Path) -> None:
    variants = [variant(options.run, folder / f"variant{number}", factor) for number, factor in enumerate((1.0, 1.5))]
    truths = {fingerprint(each): truth(each, paths) for each in variants}
    run = folder / "run"
    shutil.copytree(variants[0], run / FOLDER)
    with servers.served(servers.eyespot(run)) as server:
        clients = Clients(server, [path.read_bytes() for path in paths], count=options.clients)
        for number in range(1, options.swaps + 1):
            if number % BAD_EACH == 0:
                put(damaged(variants[number % 2], folder / "draft"), run, server)
                time.sleep(0.2)
            put(Path(shutil.copytree(variants[number % 2], folder / "draft")), run, server)
            until_served(server, fingerprint(variants[number % 2]))
        clients.stop()
    wrong = [said for number, said in clients.answers if not is_right(said, truths[said["fingerprint"]][number])]
    each = {name: sum(said["fingerprint"] == name for _, said in clients.answers) for name in truths}
    print(f"{options.swaps} swaps, {options.swaps // BAD_EACH} damaged bundles between them; answers by model: {each}")
    for line in [*clients.failed[:5], *map(str, wrong[:5])]:
        print(f"  {line[:300]}")
    print(FAILED_BAR.verdict(len(clients.failed) + clients.refused))
    print(WRONG_BAR.verdict(len(wrong)))
    print(at_least(2, "models", "both models answered").verdict(sum(count > 0 for count in each.values())))


def variant(run: Path, folder: Path, factor: float) -> Path:
    """A copy of the bundle whose temperature is so many times as high."""
    bundle = read_bundle(run)
    model = onnx.load_from_string(bundle.graph)
    [weight] = [each for each in model.graph.initializer if each.name == "classifier.fc1.weight"]
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) / np.float32(factor), weight.name))
    graph = model.SerializeToString(deterministic=True)
    write_bundle(folder, bundle.manifest.model_copy(update={"graph_sha256": sha256(graph)}), graph)
    return folder


def damaged(bundle: Path, folder: Path) -> Path:
    """A copy with one byte changed."""
    shutil.copytree(bundle, folder)
    content = bytearray((folder / GRAPH).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / GRAPH).write_bytes(content)
    return folder


def fingerprint(bundle: Path) -> str:
    return read_bundle(bundle).manifest.graph_sha256[:12]


def truth(bundle: Path, paths: Sequence[Path]) -> list[float]:
    """The highest probability of each picture, by the model in this process."""
    model = eyespot.load(bundle)
    return [model.predict(path, topk=1)[0].predictions[0].probability for path in paths]


def is_right(said: dict[str, Any], probability: float) -> bool:
    return abs(float(said["answers"][0]["predictions"][0]["probability"]) - probability) < CLOSE


def put(draft: Path, run: Path, server: Running) -> None:
    place_bundle(draft, run / FOLDER)
    server.process.send_signal(signal.SIGHUP)


def until_served(server: Running, name: str) -> None:
    deadline = time.monotonic() + servers.START_SECONDS
    connection = server.connection()
    while time.monotonic() < deadline:
        connection.request("GET", "/model")
        if json.loads(connection.getresponse().read())["fingerprint"] == name:
            connection.close()
            return
        time.sleep(0.02)
    raise SystemExit(f"the server does not take the model {name}")


def ends(options: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    chance, lost, answered, refused = random.Random(SEED), [], 0, 0
    for number in range(options.ends):
        server = servers.begun(servers.eyespot(options.run))
        clients = Clients(server, pictures, count=options.clients)
        time.sleep(chance.uniform(0.05, 1.0))
        said = server.stop()
        clients.stop()
        told = numbers(said)
        answered, refused = answered + len(clients.answers), refused + clients.refused
        if clients.failed or set(told) != {len(clients.answers)} or server.process.returncode:
            lost.append(
                f"{number}: accepted and answered {told}, clients got {len(clients.answers)}; {clients.failed[:3]}"
            )
    print(f"{options.ends} ends: {answered} requests answered, {refused} connections closed before they were accepted")
    for line in lost[:5]:
        print(f"  {line}")
    print(LOST_BAR.verdict(len(lost)))


def numbers(said: str) -> tuple[int, int]:
    """The requests that a server accepted, and those that it answered, in what it said last."""
    accepted, answered = re.findall(r"\d+", said.rpartition("Stopped")[2])
    return int(accepted), int(answered)


if __name__ == "__main__":
    main()
