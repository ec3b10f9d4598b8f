"""What the benchmarks of the server share: servers as processes, what they cost, requests over kept connections."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
START_SECONDS = 120
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: subprocess.Popen[str]
    port: int

    def cpu_seconds(self) -> float:
        """Processor time that it has taken, in all its threads and in the processes that decode for it."""
        return sum(_cpu_ticks(each) for each in self._processes()) / TICKS

    def memory_bytes(self) -> int:
        """Memory that it holds now, and those processes hold."""
        return sum(_pages(each) for each in self._processes()) * PAGE_BYTES

    def _processes(self) -> list[int]:
        own = self.process.pid
        children = [Path(f"/proc/{own}/task/{task}/children") for task in os.listdir(f"/proc/{own}/task")]
        return [own, *(int(child) for each in children for child in _text(each).split())]

    def connection(self, *, seconds: float = 60) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=seconds)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def stop(self) -> str:
        """Ends it with SIGTERM; what it said last."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=START_SECONDS)[0]
        if self.process.returncode not in (0, -signal.SIGTERM):  # uvicorn alone ends by the signal
            raise SystemExit(f"a server ended with status {self.process.returncode}")
        return said


def _cpu_ticks(process: int) -> int:
    """Of it, and of those of its children that have ended; 0 where it has gone."""
    fields = _text(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def _pages(process: int) -> int:
    fields = _text(Path(f"/proc/{process}/statm")).split()
    return int(fields[1]) if fields else 0


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:  # it has gone meanwhile
        return ""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def begun(command: Sequence[str | Path], **environment: str) -> Running:
    """The server that this command starts, with `--port PORT` behind it, once it answers."""
    port = free_port()
    told = [sys.executable, *map(str, command), "--port", str(port)]
    process = subprocess.Popen(
        told, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    running = Running(process, port)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.process.poll() is None:
        try:
            socket.create_connection((HOST, port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return running
    running.process.kill()
    raise SystemExit(f"no server came of {' '.join(told)}")


@contextmanager
def served(command: Sequence[str | Path], **environment: str) -> Iterator[Running]:
    """A server for as long as it is needed."""
    running = begun(command, **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def eyespot(run: Path, *options: str) -> list[str | Path]:
    """The command that serves a run."""
    return ["-m", "eyespot", "serve", run, *options]


def ask(connection: http.client.HTTPConnection, body: bytes, *, query: str = "") -> tuple[int, Any]:
    """Status and answer of `POST /predict` with one picture's bytes."""
    connection.request("POST", f"/predict{query}", body=body, headers={"Content-Type": "image/jpeg"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def as_form(picture: bytes) -> tuple[str, bytes]:
    """Content type and body of a form with one picture."""
    boundary = "eyespot-benchmark-boundary"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="picture.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return f"multipart/form-data; boundary={boundary}", head.encode() + picture + f"\r\n--{boundary}--\r\n".encode()


@dataclass(frozen=True)
class Load:
    """What a closed loop of clients got."""

    requests: int
    seconds: float
    failed: int
    p50_seconds: float
    p99_seconds: float
    client_cpu_seconds: float
    server_cpu_seconds: float

    @property
    def rate(self) -> float:
        """Requests a second, as they came."""
        return self.requests / self.seconds

    def rate_without_client(self, cores: int) -> float:
        """Requests a second, had the clients run on another machine: without their processor time."""
        return self.requests / (self.seconds - self.client_cpu_seconds / cores)


# Every thread reads all bodies once, and then sends one after the other.
_SCRIPT = """
local requests, next = {}, 0
init = function(arguments)
  for line in io.lines(arguments[1]) do
    local file = assert(io.open(line, "rb"))
    local headers = { ["Content-Type"] = arguments[2] }
    requests[#requests + 1] = wrk.format("POST", "/predict", headers, file:read("*a"))
    file:close()
  end
end
request = function()
  next = next % #requests + 1
  return requests[next]
end
done = function(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format("RESULT %d %f %d %f %f", summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


def loaded(server: Running, bodies: Sequence[bytes], *, content_type: str, clients: int, seconds: int) -> Load:
    """What `clients` get in that time, each with a connection of its own and one request at a time; wrk is their C."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "load.lua").write_text(_SCRIPT, encoding="utf-8")
        paths = [folder / f"{number}.body" for number in range(len(bodies))]
        for path, body in zip(paths, bodies, strict=True):
            path.write_bytes(body)
        (folder / "bodies").write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
        options = ["-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "-s", str(folder / "load.lua")]
        command = ["wrk", *options, f"http://{HOST}:{server.port}/predict", "--", str(folder / "bodies"), content_type]
        before = server.cpu_seconds()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            printed = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit("wrk failed: apt-get install wrk")
    fields = next(line for line in printed.splitlines() if line.startswith("RESULT ")).split()[1:]
    return Load(
        requests=int(fields[0]),
        seconds=float(fields[1]),
        failed=int(fields[2]),
        p50_seconds=float(fields[3]),
        p99_seconds=float(fields[4]),
        client_cpu_seconds=usage.ru_utime + usage.ru_stime,
        server_cpu_seconds=server.cpu_seconds() - before,
    )
