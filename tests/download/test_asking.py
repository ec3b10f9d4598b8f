"""Where a question leads, by which way, and who is believed."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from file_server import CONTENT, SHA256, Served, file_server, proxy

from eyespot.download.asking import asked, is_safe
from eyespot.errors import DownloadError

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def served() -> Iterator[Served]:
    with file_server() as found:
        yield found


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def fetched(url: str) -> tuple[bytes, str]:
    """The content, and its hash as far as it was told."""
    with asked(url, timeout=10) as answer:
        return b"".join(iter(answer.read, b"")), answer.sha256


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://download.pytorch.org/models/a.pth", True),
        ("http://127.0.0.1:8000/a", True),
        ("http://localhost/a", True),
        ("http://[::1]:80/a", True),
        ("http://download.pytorch.org/models/a.pth", False),
        ("http://127.0.0.1.evil.example/a", False),
        ("http://127.0.0.1@evil.example/a", False),
        ("file:///etc/passwd", False),
        ("ftp://127.0.0.1/a", False),
        ("https:///a", False),
        ("https://[1/a", False),
        ("models/a.pth", False),
    ],
)
def test_only_https_and_this_computer_are_asked(url, safe):
    assert is_safe(url) is safe
    if not safe:
        with pytest.raises(DownloadError, match="an address must begin with https://"):
            fetched(url)


def test_a_redirect_is_followed_and_its_hash_believed(served):
    served.redirects = {"/a": "/b", "/b": "/c"}
    served.redirect_headers = {"X-Linked-ETag": f'"{SHA256}"'}
    assert fetched(f"{served.address}/a") == (CONTENT, SHA256)
    assert [path for path, _, _ in served.asked] == ["/a", "/b", "/c"]


@pytest.mark.parametrize(
    "target", ["http://evil.example/a", "ftp://127.0.0.1/a", "file:///etc/passwd", "//evil.example/a", "https://[1/a"]
)
def test_a_redirect_out_of_https_is_not_followed(served, target):
    served.redirects = {"/a": target}
    with pytest.raises(DownloadError):
        fetched(f"{served.address}/a")
    assert len(served.asked) == 1


def test_a_circle_of_redirects_ends(served):
    served.redirects = {"/a": "/b", "/b": "/a"}
    with pytest.raises(DownloadError, match="answered with the status 302"):
        fetched(f"{served.address}/a")


@pytest.mark.parametrize("said", ["", "W/abc", SHA256[:40]])
def test_what_is_no_sha256_is_not_taken_for_one(served, said):
    served.headers = {"X-Linked-ETag": said}
    assert fetched(f"{served.address}/a") == (CONTENT, "")


def test_nothing_is_told_to_the_server_but_what_is_wanted(served):
    fetched(f"{served.address}/a")
    assert {name.lower(): value for name, value in served.seen[0].items()} == {
        "host": served.address.removeprefix("http://"),
        "user-agent": "eyespot",
        "accept-encoding": "identity",
        "connection": "close",
    }


# --- certificates and proxies

NAME = "weights.example"


@pytest.fixture
def certificate(tmp_path) -> Path:
    """Of `weights.example` and its key, in one file, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))])
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def https(served, certificate) -> Iterator[int]:
    """The port of a server that speaks TLS, and answers as `served` says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with file_server(served, tls=context) as found:
        yield int(found.address.rpartition(":")[2])


def test_a_certificate_is_verified(https, served, certificate, monkeypatch):
    with pytest.raises(DownloadError, match=r"the certificate of 127.0.0.1:\d+ is not trusted: .* SSL_CERT_FILE"):
        fetched(f"https://127.0.0.1:{https}/a")
    assert served.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetched(f"https://127.0.0.1:{https}/a") == (CONTENT, "")
    with pytest.raises(DownloadError, match=r"the certificate of localhost:\d+ is not trusted"):  # of another name
        fetched(f"https://localhost:{https}/a")


def test_a_proxy_is_asked_where_one_is_named(https, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with proxy(to=https) as (address, heard):
        monkeypatch.setenv("HTTPS_PROXY", address)
        assert fetched(f"https://{NAME}/a") == (CONTENT, "")
        assert [line.rpartition(" ")[0] for line in heard] == [f"CONNECT {NAME}:443"]
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert fetched(f"https://127.0.0.1:{https}/a") == (CONTENT, "")
        assert len(heard) == 1


def test_a_proxy_that_refuses_is_told(monkeypatch):
    with proxy(to=None) as (address, _):
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(DownloadError, match="407 Proxy Authentication Required"):
            fetched(f"https://{NAME}/a")
