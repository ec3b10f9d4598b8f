"""A server for others in the network: what it opens, its address as a QR code, HTTPS, and nobody without the token."""

import hashlib
import http.client
import json
import re
import socket
import ssl
import sys

import pytest
import segno
from server_process import Process

from eyespot.errors import MachineError, MissingExtra, OptionError
from eyespot.serve import sharing
from eyespot.serve.options import ServeOptions
from eyespot.serve.run import Door, serve
from eyespot.serve.sharing import AS_BEFORE, HALVES, WHITE_ON_BLACK, certificate, qr_lines, who_reaches, with_token

TOKEN = "a-token-that-is-long-enough"
HERE = "localhost"
"""Which only this computer reaches, but which --share does not replace."""


@pytest.fixture
def started(warm_cache):
    servers = []

    def start(run, *options):
        servers.append(Process(run, *options, cache=warm_cache))
        return servers[-1]

    yield start
    for each in servers:
        each.end()
        each.process.stdout.close()
        each.process.stderr.close()


def test_nothing_is_shared_unless_it_is_asked_for():
    assert ServeOptions().settled() == ServeOptions(host="127.0.0.1", token=None)


def test_a_shared_server_has_an_address_in_the_network_and_a_new_token_each_time(monkeypatch):
    monkeypatch.setattr("eyespot.serve.options.address_in_network", lambda: "192.168.1.7")
    first, second = (ServeOptions(share=True).settled() for _ in range(2))
    assert first.host == second.host == "192.168.1.7"
    assert first.token != second.token
    assert len(first.token) >= 16
    given = ServeOptions(share=True, host="10.0.0.2", token=TOKEN).settled()
    assert (given.host, given.token) == ("10.0.0.2", TOKEN)


def test_finding_the_address_sends_nothing_and_is_a_sentence_without_a_network(monkeypatch):
    class Nowhere:
        def __init__(self, family, kind):
            assert kind == socket.SOCK_DGRAM  # to connect one sends nothing

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def connect(self, address):
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(sharing.socket, "socket", Nowhere)
    with pytest.raises(MachineError, match="this computer is in no network, so nobody else could reach the page"):
        sharing.address_in_network()


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "192.168.1.7"), ("::", "[2001:db8::7]"), ("127.0.0.1",) * 2])
def test_where_all_addresses_are_listened_on_that_in_the_network_is_shown(host, shown, monkeypatch):
    class Found:
        def __init__(self, family, kind):
            self.address = "192.168.1.7" if family == socket.AF_INET else "2001:db8::7"

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def connect(self, address):
            pass

        def getsockname(self):
            return self.address, 5

    class Listening:
        def getsockname(self):
            return host, 8000

    monkeypatch.setattr(sharing.socket, "socket", Found)
    door = Door([Listening()], ServeOptions(host=host, token=TOKEN, share=True), None)
    assert list(door.addresses) == [f"http://{shown}:8000/#token={TOKEN}"]


@pytest.mark.enable_socket
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_the_certificate_is_good_for_the_address_that_is_shown(bundle, started):
    server = started(bundle, "--https", "--share", "--host", "0.0.0.0")
    [address] = [line.split()[1] for line in server.said if line.startswith("Page")]
    host = address.removeprefix("https://").partition(":")[0]
    assert host != "0.0.0.0"
    trusting = ssl.create_default_context(cadata=ssl.get_server_certificate(("127.0.0.1", server.port)))
    with socket.create_connection((host, server.port), timeout=20) as found:
        trusting.wrap_socket(found, server_hostname=host).close()


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("192.168.1.7", "everybody in this computer's network who has the address above"),
        ("8.8.8.8", "everybody in the internet who has the address above"),
        ("0.0.0.0", "everybody in any network of this computer who has the address above"),
        ("127.0.0.1", "this computer alone"),
        ("fe80::1%eth0", "everybody in this computer's network who has the address above"),
    ],
)
def test_who_can_come_is_said(address, who):
    assert who_reaches(address) == who


def test_the_token_stands_behind_the_hash_where_no_server_gets_it():
    assert with_token("http://10.0.0.2:8000", "a b#c&d+e/f?") == "http://10.0.0.2:8000/#token=a%20b%23c%26d%2Be%2Ff%3F"


def test_the_lines_are_the_modules_of_the_code():
    text = "http://192.168.178.21:8000/#token=HGfANft0NjwhsLN9W4LclQ"
    pairs = {block: pair for pair, block in HALVES.items()}
    rows = []
    for line in qr_lines(text):
        assert line.startswith(WHITE_ON_BLACK)
        assert line.endswith(AS_BEFORE)
        halves = [pairs[each] for each in line[len(WHITE_ON_BLACK) : -len(AS_BEFORE)]]
        rows += [[top for top, _ in halves], [bottom for _, bottom in halves]]
    expected = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=4)]
    assert rows[: len(expected)] == expected
    assert not any(any(row) for row in rows[len(expected) :])


@pytest.mark.parametrize(("package", "extra"), [("segno", "serve"), ("cryptography", "https")])
def test_what_is_not_installed_is_said(package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"pip install 'eyespot\[{extra}\]'"):
        list(qr_lines("x")) if package == "segno" else certificate(["127.0.0.1"])


def test_an_option_that_serve_does_not_have_is_a_sentence(bundle):
    with pytest.raises(OptionError, match=r"serve has no option 'shared': did you mean 'share'\?"):
        serve(bundle, shared=True)


@pytest.mark.enable_socket
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_over_https_it_is_the_certificate_that_was_said_and_the_token_is_needed(bundle, started):
    server = started(bundle, "--https", "--share", "--host", HERE)
    said = server.said
    address = next(line for line in said if line.startswith("Page")).split()[1]
    assert re.fullmatch(rf"https://127\.0\.0\.1:{server.port}/#token=[\w-]{{22}}", address)
    shown = ssl.get_server_certificate(("127.0.0.1", server.port))
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()
    assert fingerprint in [line.strip().replace(":", "").lower() for line in said]
    trusting = ssl.create_default_context(cadata=shown)  # which knows this one alone, and checks the address
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusting, timeout=20)
    for headers, status in (({}, 401), ({"Authorization": f"Bearer {address.rpartition('=')[2]}"}, 200)):
        connection.request("GET", "/model", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, "error" in json.loads(answer.read())) == (status, status == 401)
    connection.close()
    assert any("Open to     this computer alone" in line for line in said)
