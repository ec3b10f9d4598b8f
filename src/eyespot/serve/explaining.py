"""Heat maps and similar pictures, one at a time, so that they hold up nobody who asked only for an answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from eyespot.errors import RequestError, UnreadablePicture
from eyespot.recipes.explain import Explainer
from eyespot.serve.refusals import Busy

PLACES = 32
"""Pictures that may wait to be explained."""
MOST_EXPLAINED = 8
"""In one request: a heat map by occlusion may take seconds."""


class Explaining:
    """The one worker that explains, and its queue."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="eyespot-explain")
        self._taken = 0

    async def entries(
        self, explain: Explainer | None, data: bytes, likeliest: str, *, heat_map: bool, similar: int
    ) -> dict[str, Any]:
        """The entries `heat_map` and `similar`, as far as they are asked for and can be had. Raises Busy."""
        similar = similar if explain is not None and explain.similar else 0
        if explain is None or not (heat_map or similar):
            return {}
        if self._taken == PLACES:
            raise Busy
        self._taken += 1
        try:
            asked = partial(explain, data, likeliest, heat_map=heat_map, similar=similar)
            return await asyncio.get_running_loop().run_in_executor(self._pool, asked)
        except UnreadablePicture as error:
            raise RequestError(400, f"the picture {error.reason}") from error
        finally:
            self._taken -= 1

    def stop(self) -> None:
        """Ends the worker, once all is explained."""
        self._pool.shutdown()
