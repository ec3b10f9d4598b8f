"""Heat maps and similar pictures, one at a time and for each client in turn: they hold up no other answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from eyespot.errors import RequestError, UnreadablePicture
from eyespot.recipes.explain import Explainer
from eyespot.serve.turns import Turns

PLACES = 32
"""Pictures that may wait to be explained."""
MOST_EXPLAINED = 8
"""In one request: a heat map by occlusion may take seconds."""


class Explaining:
    """The one worker that explains, as a client asks it."""

    def __init__(self, turns: Turns | None = None, client: str = "") -> None:
        self._turns = Turns("eyespot-explain", places=PLACES) if turns is None else turns
        self._client = client

    def asked_by(self, client: str) -> Explaining:
        """The same for another client, who has turns of its own."""
        return Explaining(self._turns, client)

    async def entries(
        self, explain: Explainer | None, data: bytes, likeliest: str, *, heat_map: bool, similar: int
    ) -> dict[str, Any]:
        """The entries `heat_map` and `similar`, as far as they are asked for and can be had. Raises Busy."""
        similar = similar if explain is not None and explain.similar else 0
        if explain is None or not (heat_map or similar):
            return {}
        try:
            return await self._turns.do(
                self._client, partial(explain, data, likeliest, heat_map=heat_map, similar=similar)
            )
        except UnreadablePicture as error:
            raise RequestError(400, f"the picture {error.reason}") from error

    def stop(self) -> None:
        """Ends the worker, once all is explained."""
        self._turns.stop()
