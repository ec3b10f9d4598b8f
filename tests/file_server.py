"""Servers on this computer that hand out a file as the world's servers do, and as bad ones do."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Served:
    """What a server does; a test changes it while it runs."""

    content: bytes = CONTENT
    announced: int | None = -1
    """Content-Length; -1 for the true one, None for none."""
    sent: int | None = None
    """Bytes of an answer after which the connection ends; None for all."""
    status: int = 200
    etag: str | None = '"one"'
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    content_range: str = ""
    """Said in place of the true one."""
    redirects: dict[str, str] = field(default_factory=dict)
    """Path: where it leads to."""
    redirect_headers: dict[str, str] = field(default_factory=dict)
    waits: threading.Event | None = None
    """Waited for after what is sent."""
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """Path, Range and If-Range of every request."""
    seen: list[dict[str, str]] = field(default_factory=list)
    """The headers of every request."""
    address: str = ""


@contextmanager
def file_server(served: Served | None = None, *, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """A server on a free port that does what is said. tls: it speaks HTTPS."""
    served = served or Served()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # whoever asked hung up, or trusts nobody
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        if served.waits:
            served.waits.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers["Range"], self.headers["If-Range"]))
            served.seen.append(dict(self.headers))
            if self.path in served.redirects:
                self._send(302, {"Location": served.redirects[self.path], **served.redirect_headers})
                return
            start = self._start()
            body = served.content[start:]
            headers = dict(served.headers)
            if served.etag:
                headers["ETag"] = served.etag
            if served.announced is not None:
                headers["Content-Length"] = str(len(body) if served.announced == -1 else served.announced)
            if start or served.content_range:
                last = len(served.content)
                headers["Content-Range"] = served.content_range or f"bytes {start}-{last - 1}/{last}"
            if start >= len(served.content):
                self._send(416, {"Content-Length": "0"})
                return
            self._send(206 if "Content-Range" in headers else served.status, headers)
            self._write(body if served.sent is None else body[: served.sent])

        def _start(self) -> int:
            """Where it is to begin, as RFC 9110 says: from 0 where the file is another one by now."""
            asked, same = self.headers["Range"], self.headers["If-Range"]
            known = (served.etag, served.headers.get("Last-Modified"))
            if not asked or not served.ranges or (same and same not in known):
                return 0
            return int(asked.removeprefix("bytes=").removesuffix("-"))

        def _send(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _write(self, body: bytes) -> None:
            with suppress(OSError):  # whoever asked may have gone
                self.wfile.write(body)
                self.wfile.flush()
                if served.waits:
                    served.waits.wait()

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler


@contextmanager
def proxy(*, to: int | None) -> Iterator[tuple[str, list[str]]]:
    """The address of a proxy that leads every CONNECT to that port of this computer, None to refuse it; and the first
    lines it heard."""
    heard: list[str] = []

    def serve(client: socket.socket) -> None:
        with client:
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += client.recv(2**16)
            heard.append(asked.split(b"\r\n")[0].decode())
            if to is None:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", to)) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_pour, args=(server, client), daemon=True)
                back.start()
                _pour(client, server)
                back.join()

    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:  # it is closed
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(2**16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
