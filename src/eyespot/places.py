"""Places in the studio: where it is reached, what stands behind the # of its address, the command that opens one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from eyespot.errors import OptionError
from eyespot.names import as_typed, brief
from eyespot.words import nearest

HOST, PORT = "127.0.0.1", 8765
"""Where the studio is reached unless another port is asked for."""
SCREENS = ("network", "playground", "errors", "labs", "kernels", "training", "runs", "collect")

Place = Mapping[str, object]
"""Such as {"screen": "errors", "part": "test"}: what the page keeps in its address."""


def fragment(place: Place) -> str:
    """`#screen=errors&part=test` for a place; nothing for an empty one."""
    return f"#{urlencode(place, quote_via=quote, safe=',')}" if place else ""


def place_of(text: str) -> dict[str, str]:
    """The place that a person names: a screen, or what stands behind the # of an address of the studio, or all of it.

    Raises OptionError for anything else.
    """
    said = text.rpartition("#")[2]
    named = {"screen": said} if "=" not in said else dict(_pairs(said))
    screen = named.get("screen", "network")
    if screen not in SCREENS:
        raise OptionError(
            f"the option at names a screen of the studio, or what stands behind the # of its address, not "
            f"{brief(repr(screen))}: {nearest(screen, SCREENS)}"
        )
    return named


def _pairs(said: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(said, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise OptionError(
            f"the option at cannot be {brief(repr(said))}: a place is a screen, such as errors, or NAME=VALUE with & "
            'between, in quotes, such as "layer=stage1.conv&map=0"'
        ) from None


@dataclass(frozen=True)
class InStudio:
    """A run, as the studio shows it."""

    run: str
    """The run's folder."""
    name: str
    """The model's, by which the page knows whether it is this one that is open."""

    def command(self, screen: str = "") -> str:
        """What is typed to open it, ready to be copied; at a screen, in the browser."""
        return f"eyespot studio {as_typed(self.run)}{f' --at {screen}' if screen else ''}"

    def address(self, **place: object) -> str:
        """Where a place is while the studio is open on the port that it has by itself."""
        return f"http://{HOST}:{PORT}/{fragment({'run': self.name, **place})}"
