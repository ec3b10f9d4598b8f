"""Bytes over a socket, as a client of any kind would send them."""

from __future__ import annotations

import socket

WAIT_SECONDS = 60


def all_of(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionError:
        pass
    return received
