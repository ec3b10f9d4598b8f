"""Who asks. Clients are told apart by their address, and those of this computer by their connection."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from eyespot.errors import OptionError

KEY = "eyespot.client"
"""Where a request's scope has its client."""
NETWORK_BITS = 64
"""Of an IPv6 address elsewhere: the rest is chosen by whoever has the network, from 2 ** 64 addresses."""


@dataclass(eq=False, slots=True)
class Client:
    """Who sent one request, and how far it has come."""

    name: str = ""
    """Requests under the same name take turns as one client's."""
    is_whole: bool = True
    """Whether all of the request has come."""
    is_gone: bool = False
    """Whether nobody waits for the answer any more."""
    _task: asyncio.Task[Any] | None = field(default=None, repr=False)

    def begin(self) -> None:
        """Called in the task that answers the request."""
        self._task = asyncio.current_task()

    def end(self) -> None:
        """Called when it is answered."""
        self._task = None

    def leave(self) -> None:
        """Called when nobody waits for the answer any more: what is being done for it ends."""
        self.is_gone = True
        if self._task is not None:
            self._task.cancel()


def client_of(scope: Any) -> Client:
    """Who sent the request; one without a name where no server of ours took it."""
    client: Client | None = scope.get(KEY)
    return Client() if client is None else client


def place_of(host: str, here: str = "") -> str:
    """What a client's connections are counted by: its address, or the network that is all its own.

    here: the server's own address, whose neighbors have an address each.
    """
    try:
        address, own = (
            ipaddress.ip_address(host.partition("%")[0]),
            ipaddress.ip_address(here.partition("%")[0] or "::"),
        )
    except ValueError:
        return host
    if not isinstance(address, ipaddress.IPv6Address) or address.is_link_local or address.is_loopback:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    bits = 128 - NETWORK_BITS
    is_near = own.version == 6 and int(address) >> bits == int(own) >> bits
    return str(address) if is_near else f"{ipaddress.IPv6Address(int(address) >> bits << bits)}/{NETWORK_BITS}"


def is_here(place: str) -> bool:
    """Whether that is this computer, all of whose programs have one address."""
    try:
        return ipaddress.ip_address(place).is_loopback
    except ValueError:
        return False


def forwarded_for(headers: Iterable[tuple[bytes, bytes]], proxies: frozenset[str]) -> str | None:
    """Whom a proxy names in `X-Forwarded-For`: the last that is no proxy itself, for whatever stands before that its
    client may have written. None where it names nobody."""
    said = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
    for each in reversed(said.split(",")):
        try:
            place = place_of(str(ipaddress.ip_address(each.strip())))
        except ValueError:
            return None
        if place not in proxies:
            return place
    return None


def proxies_of(addresses: Iterable[str]) -> frozenset[str]:
    """The proxies that an option names. Raises OptionError for what is no address."""
    try:
        return frozenset(str(ipaddress.ip_address(each.strip())) for each in addresses)
    except ValueError as error:
        raise OptionError(f"the option proxy names the address of a proxy, such as 10.0.0.5: {error}") from error
