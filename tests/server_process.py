"""`eyespot serve` in a process of its own."""

from __future__ import annotations

import http.client
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

WAIT_SECONDS = 60


class Process:
    """`eyespot serve` on a free port, with what it says."""

    def __init__(self, run: Path, *options: str, cache: Path) -> None:
        command = [sys.executable, "-m", "eyespot", "serve", str(run), "--port", "0", *options]
        environment = {**os.environ, "EYESPOT_CACHE": str(cache)}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.said: list[str] = []
        self.port = int(self.line("Page").partition("#")[0].rstrip("/").rpartition(":")[2])
        self.line("Stop")

    def line(self, beginning: str) -> str:
        """The next line that begins so; those before it are passed over."""
        self.said.append(self.lines.get(timeout=WAIT_SECONDS))
        while not self.said[-1].startswith(beginning):
            self.said.append(self.lines.get(timeout=WAIT_SECONDS))
        return self.said[-1]

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        status = self.process.wait(WAIT_SECONDS)
        self._reader.join(WAIT_SECONDS)
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
