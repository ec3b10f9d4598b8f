"""Who may ask: this computer's own programs and page, or whoever knows the token. Nobody else's page may.

A page of another site can make a browser send requests to a server on this computer. It is told by its Origin, and by
what the browser says in Sec-Fetch-Site; and where its own name was made to lead here (DNS rebinding), by the Host,
which then is no name of this computer.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from eyespot.errors import OptionError, RequestError

LEAST_TOKEN = 16
OPEN_PATHS = frozenset({"/", "/healthz", "/v2/health/live", "/v2/health/ready"})
OPEN_BELOW = "/page/"
"""The page's own files; it asks for the token."""
OWN_SITES = frozenset({b"same-origin", b"none"})
"""What browsers say in `Sec-Fetch-Site` of this server's own page, and of an address that a person typed."""
_KEY = b"authorization"
_OTHER_SITE = "the request comes from another site's page, which may not ask"


class Gate:
    """Decides about each request only by its head."""

    def __init__(self, token: str | None) -> None:
        """token: what clients must know; without one, only names of this computer itself are answered to."""
        self._token = None if token is None else token.encode()

    def check(self, scope: Any) -> None:
        """Raises RequestError if the request may not be answered."""
        hosts, origins, sites, keys = [], [], [], []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
            elif name == b"sec-fetch-site":
                sites.append(value)
            elif name == _KEY:
                keys.append(value)
        if len(hosts) != 1 or not (self._token or is_own_name(hosts[0])):
            raise RequestError(403, "the request's Host is no name of this computer: ask 127.0.0.1 or localhost")
        if not all(self._is_own(origin, scope["scheme"], hosts[0]) for origin in origins):
            raise RequestError(403, _OTHER_SITE)
        if any(site.lower() not in OWN_SITES for site in sites) and not _opens_page(scope):
            raise RequestError(403, _OTHER_SITE)
        if self._token and not _is_open(scope["path"]) and not self._has_token(keys):
            raise RequestError(401, "the server wants its token: send the header `Authorization: Bearer TOKEN`")

    def knows(self, scope: Any) -> bool:
        """Whether the request carries the token, where there is one."""
        return self._token is None or self._has_token([value for name, value in scope["headers"] if name == _KEY])

    def _is_own(self, origin: bytes, scheme: str, host: bytes) -> bool:
        """Whether the page came from here. With a token, a proxy that speaks HTTPS may stand before the server."""
        origin = origin.lower()
        schemes = {scheme, "https"} if self._token else {scheme}
        return any(origin == each.encode() + b"://" + host.lower() for each in schemes)

    def _has_token(self, keys: list[bytes]) -> bool:
        if self._token is None or len(keys) != 1:
            return False
        kind, _, given = keys[0].partition(b" ")
        return kind.lower() == b"bearer" and hmac.compare_digest(given.strip(), self._token)


def require_token(token: str | None, addresses: list[str]) -> None:
    """Raises OptionError if others could ask without a token, or with one that can be guessed.

    addresses: that the server listens on.
    """
    if token is not None and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable()):
        raise OptionError(
            f"the option token needs at least {LEAST_TOKEN} characters, all of them ASCII: python -c 'import secrets; "
            "print(secrets.token_urlsafe())' makes one"
        )
    open_ones = [address for address in addresses if not ipaddress.ip_address(address).is_loopback]
    if open_ones and token is None:
        raise OptionError(
            f"on the address {open_ones[0]} others can reach the server: give a token with --token or the variable "
            "EYESPOT_TOKEN, or leave out --host"
        )


def is_own_name(host: bytes) -> bool:
    """True for `localhost` and the loopback addresses, with any port, as a Host header has them."""
    name = _name(host.decode("latin-1").lower())
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """The host without its port; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _opens_page(scope: Any) -> bool:
    """Whether somebody follows a link to the page, from a mail, say: the page itself is no other site's to use."""
    headers = dict(scope["headers"])
    is_navigation = headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"
    return is_navigation and scope["method"] == "GET" and scope["path"] == "/"


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_BELOW)
