"""An exported page asked in a real browser, Chromium or one of its kin, without a window: the last proof.

The page's own worker answers decoded pictures that a server on this computer hands it, one at a time; it answers that
server, and nobody else can be reached.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from eyespot.errors import MachineError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
FIRST_SECONDS, NEXT_SECONDS = 120.0, 60.0
"""For the browser to start and answer once, and for each picture after that."""
_ARGUMENTS = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_KINDS = {"html": "text/html", "js": "text/javascript", "mjs": "text/javascript", "wasm": "application/wasm"}
_PROOF = """<!doctype html><meta charset="utf-8"><p id="loading"></p><p id="trouble"></p><p id="kept"></p>
<script type="module">
import { fetchModel, outputsOf } from "./page/api.js";
const tell = (said) => fetch("answer", { method: "POST", body: JSON.stringify(said) });
try {
  await fetchModel();
  for (;;) {
    const asked = await fetch("picture");
    if (asked.status === 204) break;
    const [height, width] = ["X-Height", "X-Width"].map((name) => +asked.headers.get(name));
    const data = new Uint8Array(await asked.arrayBuffer());
    await tell({ outputs: await outputsOf({ data, width, height }) });
  }
} catch (error) {
  await tell({ error: error.message });
}
</script>"""
_NULL = subprocess.DEVNULL
T = TypeVar("T")


class NoBrowser(MachineError):
    """There is a browser, and it does not start, or ends."""


def find_browser() -> str | None:
    """The program of a browser of Chromium's kin; None where none is found."""
    named = next(filter(None, map(shutil.which, NAMES)), None)
    return named or next((place for place in PLACES if Path(place).is_file()), None)


def browser_version(program: str) -> str:
    """Its name and version, in its own words."""
    if sys.platform == "win32":  # there it would open a window instead
        return Path(program).stem
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=FIRST_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoBrowser(f"{program} does not start") from error
    return " ".join(said.stdout.split()[:2])


def asked_in_browser(
    program: str, site: Mapping[str, bytes], pictures: Iterable[tuple[T, np.ndarray]]
) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
    """What the page's graph gives for each picture (H, W, C), flat, by the outputs' names, with its tag, in order.

    site: the page's files. Raises NoBrowser where the browser does not start or ends; MachineError with what the page
    says where it cannot answer.
    """
    talk = _Talk(site)
    with _serving(talk) as address, _browsing(program, address) as process:
        seconds = FIRST_SECONDS
        for tag, picture in pictures:
            talk.pictures.put(picture)
            yield tag, _outputs(talk, process, seconds)
            seconds = NEXT_SECONDS
        talk.pictures.put(None)


@dataclass(frozen=True)
class _Talk:
    """What the server and the browser hand each other."""

    site: Mapping[str, bytes]
    base: str = field(default_factory=lambda: f"/{secrets.token_urlsafe()}/")
    """Begins every address: other programs of this computer cannot guess it."""
    pictures: queue.Queue[np.ndarray | None] = field(default_factory=queue.Queue)
    answers: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)


def _outputs(talk: _Talk, process: subprocess.Popen[bytes], seconds: float) -> dict[str, np.ndarray]:
    """The next answer; in slices, so that a browser that ended is noticed."""
    waited, step = 0.0, 0.5
    while True:
        try:
            said = talk.answers.get(timeout=step)
            break
        except queue.Empty:
            waited += step
        if process.poll() is not None:
            raise NoBrowser(f"the browser ended by itself (status {process.returncode})")
        if waited >= seconds:
            raise NoBrowser(f"the browser said nothing for {seconds:.0f} seconds")
    if "error" in said:
        raise MachineError(f"the page cannot answer in the browser: {said['error']}")
    return {name: np.array(values) for name, values in said["outputs"].items()}


@contextmanager
def _serving(talk: _Talk) -> Iterator[str]:
    """The address of the page of the proof."""

    class Handler(_Handler):
        of = talk

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{talk.base}proof.html"
    finally:
        talk.pictures.put(None)  # whoever waits for one goes on
        server.shutdown()
        server.server_close()


@contextmanager
def _browsing(program: str, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """The browser at that address, with a profile of its own."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    sandbox = ["--no-sandbox"] if is_root else []  # Chromium has none for root
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *_ARGUMENTS, *sandbox, f"--user-data-dir={profile}", address]
        try:
            process = subprocess.Popen(command, stdin=_NULL, stdout=_NULL, stderr=_NULL)
        except OSError as error:
            raise NoBrowser(f"{program} does not start ({error.strerror or error})") from error
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # the browser ended, and with it what it was told
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Hands out the site, the pictures, and takes the answers."""

    of: _Talk
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        base = self.of.base
        name = self.path.removeprefix(base) if self.path.startswith(base) else ""
        if name == "picture":
            self._picture(self.of.pictures.get())
        elif name == "proof.html":
            self._reply(200, _PROOF.encode(), {"Content-Type": _KINDS["html"]})
        elif name in self.of.site:
            kind = _KINDS.get(name.rpartition(".")[2], "application/octet-stream")
            self._reply(200, self.of.site[name], {"Content-Type": kind})
        else:
            self._reply(404, b"", {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == f"{self.of.base}answer":
            self.of.answers.put(json.loads(body))
        self._reply(204, b"", {})

    def _picture(self, picture: np.ndarray | None) -> None:
        if picture is None:
            self._reply(204, b"", {})
            return
        height, width = picture.shape[:2]
        self._reply(200, picture.tobytes(), {"X-Height": str(height), "X-Width": str(width)})

    def _reply(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content)), "Cache-Control": "no-store"}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # the browser is gone
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: standard error is the command's."""
