"""How a model is served."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from eyespot.errors import OptionError
from eyespot.serve.batching import QUEUE
from eyespot.serve.clients import proxies_of
from eyespot.serve.sharing import address_in_network, new_token

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ServeOptions:
    """How a model is served."""

    host: str = LOOPBACK
    """The address to listen on."""
    port: int = 8000
    """0 is a free one."""
    token: str | None = None
    """What clients must know; needed where the address is not this computer's own."""
    queue: int = QUEUE
    """Pictures that may wait or be worked on."""
    decode_seconds: float = 5.0
    """That a picture may take to be decoded; the process that does it is ended then, and nothing else."""
    deadline: float = 60
    """Seconds for the answer to a request, once all of it has come."""
    proxy: str | None = None
    """Addresses of proxies before the server, whose word on their clients is believed."""
    style: bool = False
    """Whether photos are painted, too."""
    share: bool = False
    """Whether others in this computer's network may come, with a new token where none is given."""
    https: bool = False
    """Whether the server speaks HTTPS, with a certificate that this computer signs."""

    def __post_init__(self) -> None:
        if self.queue < 1:
            raise OptionError(f"the option queue must be at least 1, not {self.queue}")
        if not 0 < self.decode_seconds < math.inf:
            raise OptionError(f"the option decode_seconds must be more than 0, not {self.decode_seconds}")
        if not 0 < self.deadline < math.inf:
            raise OptionError(f"the option deadline must be more than 0 seconds, not {self.deadline:g}")
        proxies_of(self.proxies)
        if not 0 <= self.port < 2**16:
            raise OptionError(f"the option port must lie between 0 and {2**16 - 1}, not {self.port}")

    @property
    def proxies(self) -> list[str]:
        """The addresses that `proxy` has, each by itself."""
        return self.proxy.split(",") if self.proxy else []

    def settled(self) -> ServeOptions:
        """The same, with address and token where the server is shared. Raises MachineError without a network."""
        if not self.share:
            return self
        host = address_in_network() if self.host == LOOPBACK else self.host
        return replace(self, host=host, token=new_token() if self.token is None else self.token)
