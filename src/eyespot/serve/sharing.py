"""A server for others in the room: its address in the network, a QR code of that, and a certificate of its own.

The token travels in the address's fragment, which browsers send to no server: no log has it, and no proxy sees it.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from urllib.parse import quote

from eyespot.errors import MachineError, MissingExtra

DAYS = 30
"""That a certificate is valid."""
ELSEWHERE = {4: (socket.AF_INET, ("192.0.2.1", 9)), 6: (socket.AF_INET6, ("2001:db8::1", 9))}
"""Of each version of IP an address that is nobody's (RFC 5737 and 3849). Nothing is sent there; the system says by
which of its own it would be."""
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
LIGHT, DARK = 0, 1
HALVES = {(LIGHT, LIGHT): "█", (LIGHT, DARK): "▀", (DARK, LIGHT): "▄", (DARK, DARK): " "}
"""Two rows of a QR code in a line of text, drawn in white on black."""
WHITE_ON_BLACK, AS_BEFORE = "\x1b[38;5;231;48;5;16m", "\x1b[0m"
MARGIN = 4
"""Light modules around a code, as ISO 18004 wants them."""


@dataclass(frozen=True)
class Certificate:
    """What a server shows of itself over TLS, made by this computer and signed by nobody else."""

    context: ssl.SSLContext
    fingerprint: str
    """SHA-256 of the certificate, as browsers show it."""


def new_token() -> str:
    """A token that nobody guesses: 128 bits, in letters that an address may have."""
    return secrets.token_urlsafe(16)


def address_in_network() -> str:
    """This computer's address in its network. Raises MachineError where it is in none."""
    address = _own_address(4)
    if ipaddress.ip_address(address).is_loopback:
        raise MachineError(
            "this computer is in no network, so nobody else could reach the page: join the network that the others are "
            "in, or give the address to listen on with --host"
        )
    return address


def reached_at(address: str) -> str:
    """Where a server is reached that listens on that address: one for all of them stands for that in the network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return _own_address(ip.version) if ip.is_unspecified else address


def _own_address(version: int) -> str:
    """This computer's address in its network; that of itself alone where it is in none."""
    family, elsewhere = ELSEWHERE[version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as found:
            found.connect(elsewhere)
            return str(found.getsockname()[0])
    except OSError:
        return LOOPBACK[version]


def who_reaches(address: str) -> str:
    """Who can reach a server that listens on that address, in words."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.is_unspecified:
        return "everybody in any network of this computer who has the address above"
    if ip.is_loopback:
        return "this computer alone"
    network = "this computer's network" if ip.is_private else "the internet"
    return f"everybody in {network} who has the address above"


def with_token(address: str, token: str) -> str:
    """The page's address, with which it knows the token."""
    return f"{address}/#token={quote(token, safe='')}"


def qr_lines(text: str) -> Iterator[str]:
    """The lines of a QR code that a terminal shows, in white on black. Raises MissingExtra."""
    try:
        import segno
    except ImportError as error:
        raise MissingExtra("a QR code", extra="serve") from error
    rows = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=MARGIN)]
    for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=[LIGHT] * len(rows[0])):
        halves = (HALVES[top, bottom] for top, bottom in zip(upper, lower, strict=True))
        yield f"{WHITE_ON_BLACK}{''.join(halves)}{AS_BEFORE}"


def certificate(addresses: list[str]) -> Certificate:
    """A new certificate for these addresses of this computer, and for its own name. Raises MissingExtra.

    Its key is never kept: it lies on the disk, for nobody else to read, only while it is loaded.
    """
    key, signed, fingerprint = _signed(addresses)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.touch(mode=0o600)
        file.write_bytes(key + signed)
        context.load_cert_chain(file)
    return Certificate(context, fingerprint)


def _signed(addresses: list[str]) -> tuple[bytes, bytes, str]:
    """A key and its certificate as PEM, and the certificate's fingerprint."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
    except ImportError as error:
        raise MissingExtra("HTTPS", extra="https", otherwise="without --https the page is there, too") from error
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "eyespot")])
    ips = [ipaddress.ip_address(each.partition("%")[0]) for each in (*addresses, "127.0.0.1", "::1")]
    names = [x509.DNSName("localhost"), *(x509.IPAddress(each) for each in dict.fromkeys(ips))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return private, signed.public_bytes(pem), signed.fingerprint(hashes.SHA256()).hex(":").upper()
