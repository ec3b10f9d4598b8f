"""What `serve` asks of the system: addresses, ports, open files; and what it says of them."""

from __future__ import annotations

import errno
import os
import socket
import sys
from types import SimpleNamespace

import pytest
import uvicorn

from eyespot.bundle.files import read_bundle
from eyespot.data.decoding import apart
from eyespot.errors import MachineError, OptionError
from eyespot.serve import process, run, sharing
from eyespot.serve.options import ServeOptions
from eyespot.serve.process import OPEN_FILES
from eyespot.serve.run import Door, listening, serve

pytestmark = pytest.mark.enable_socket
INFINITY = 2**64 - 1


def test_a_host_that_no_computer_can_have_is_a_sentence():
    with pytest.raises(OptionError, match=r"the option host cannot be 'x+': this computer has no such address"):
        listening("x" * 64, 0, token=None)  # a part of a name has 63 letters at most


def test_where_one_of_a_hosts_addresses_is_taken_none_is_kept(monkeypatch):
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        found = [(socket.AF_INET, 0, 0, "", (host, port)) for host in ("127.0.0.1", "127.0.0.2")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **how: found)
        with pytest.raises(MachineError, match=f"port {port} of two is in use: stop what listens there, or give ano"):
            listening("two", port, token=None)
        with socket.create_server(("127.0.0.1", port)):
            pass  # free again


def test_a_server_of_ipv6_leaves_the_port_of_ipv4_to_others():
    try:
        [listener] = listening("::1", 0, token=None)
    except OptionError:
        pytest.skip("this computer has no IPv6")
    with listener:
        assert listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
        address = Door([listener], ServeOptions(), None).addresses
        assert list(address) == [f"http://[::1]:{listener.getsockname()[1]}"]


def test_a_port_that_only_an_administrator_may_use_is_a_sentence(monkeypatch):
    def forbidden(family, address):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(run, "_bound", forbidden)
    with pytest.raises(MachineError, match="port 80 may not be used by everybody: give one from 1024 on with --port"):
        listening("127.0.0.1", 80, token=None)


def test_what_else_the_system_refuses_is_no_port_in_use(bundle, shared_cache, monkeypatch):
    async def full(server, sockets):
        await server.lifespan.startup()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(uvicorn.Server, "startup", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        serve(bundle, port=0, say=lambda words: None)
    assert not apart.is_always, "its processes have ended"


def test_a_bundle_that_nothing_vouches_for_is_noted_when_it_is_served(bundle):
    read = read_bundle(bundle)
    old = SimpleNamespace(folder=bundle, manifest=read.manifest.model_copy(update={"format_version": 1}))
    door = Door([], ServeOptions(), None)
    said = []
    for each in (read, old):
        service = SimpleNamespace(name="colors", served=SimpleNamespace(classes=("a", "b"), bundle=each), painter=None)
        said.append(list(run._introduction(service, "runs/one", door)))
    assert said[0] == [("Serving", "colors, 2 classes, from runs/one"), ("Stop", "Ctrl-C")]
    [(_, note)] = [each for each in said[1] if each not in said[0]]
    assert "is of format 1, which carries no hash of its names and numbers" in note


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"decode_seconds": 0}, "the option decode_seconds must be more than 0, not 0"),
        ({"decode_seconds": float("nan")}, "the option decode_seconds must be more than 0, not nan"),
        ({"deadline": float("inf")}, "the option deadline must be more than 0 seconds, not inf"),
    ],
)
def test_times_that_cannot_be_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        ServeOptions(**options)


@pytest.mark.parametrize(
    ("soft", "hard", "asked"),
    [
        (256, INFINITY, [(OPEN_FILES, INFINITY)]),
        (256, OPEN_FILES - 1, [(OPEN_FILES - 1, OPEN_FILES - 1)]),
        (OPEN_FILES, INFINITY, []),
        (INFINITY, INFINITY, []),
    ],
)
def test_as_many_open_files_are_asked_for_as_connections_need_and_may_be_had(soft, hard, asked, monkeypatch):
    heard = []
    limits = SimpleNamespace(RLIMIT_NOFILE=7, RLIM_INFINITY=INFINITY, getrlimit=lambda which: (soft, hard))
    limits.setrlimit = lambda which, wanted: heard.append(wanted)
    monkeypatch.setitem(sys.modules, "resource", limits)
    process._ask_for_open_files()
    assert heard == asked


def test_a_system_without_such_limits_is_served_on_all_the_same(request, monkeypatch):
    """Windows has none."""
    monkeypatch.setitem(sys.modules, "resource", None)
    connection = request.getfixturevalue("connect")()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_the_address_in_the_network_is_the_one_that_the_system_would_send_from(monkeypatch):
    monkeypatch.setattr(sharing, "_own_address", {4: "192.168.1.7", 6: "2001:db8::7"}.get)
    assert sharing.address_in_network() == "192.168.1.7"
