"""A photo painted as a painting in one pass, for whoever asks. Needs the extra `style`, and no torch.

One thread paints, so that painting never takes all that predicting needs, and the networks are asked by nobody else.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from eyespot.errors import OptionError, RequestError
from eyespot.serve.paint_query import PAINTING, PHOTO, Asked, Pair
from eyespot.serve.pictures import small_sent
from eyespot.serve.turns import Turns
from eyespot.styling.colors import Pixels, grain_at, grain_between, with_colors_of, with_grain
from eyespot.styling.fast import FastPainter, Style
from eyespot.styling.options import LEAST_SIDE, Way
from eyespot.styling.painter import require_memory
from eyespot.styling.reading import LARGEST_PAINTING

PLACES = 8
"""Pictures that may wait to be painted."""
KEPT = 16
"""Styles that are kept, 100 numbers each, for whoever paints with the same painting again; no picture is."""
QUICKLY = 1
"""How hard a PNG is compressed: painted pictures are noisy, and become no smaller with more work."""


@dataclass(frozen=True)
class AtOnce:
    """A picture that was painted in one pass."""

    photo: Pixels
    """At the size of the result."""
    picture: Pixels
    """With the painting's colors, whatever is wanted."""
    most_grain: float
    """Of the pictures that are sent."""

    def png(self, picture: Pixels, wanted: Asked) -> bytes:
        """This or a later picture of the same photo as a file, with the photo's colors where they are wanted.

        picture: of any size; what is painted on the way to a finer one is smaller than the photo at first.
        """
        height, width = self.photo.shape[:2]
        if picture.shape != self.photo.shape:
            picture = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))
        picture = with_grain(picture, most=self.most_grain)
        if wanted.keep_colors:
            picture = with_colors_of(self.photo, picture)
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG", compress_level=QUICKLY)
        return file.getvalue()


class ServedPainter:
    """The networks that paint in one pass, and the thread that asks them."""

    def __init__(self, *, cache_folder: Path | None) -> None:
        """The networks are tried before they are served. Raises MissingExtra, WeightsError."""
        self._fast = FastPainter(cache_folder=cache_folder)
        black = np.zeros((LEAST_SIDE, LEAST_SIDE, 3), np.uint8)
        self._fast.painted(black, self._fast.style_of(black))
        self._turns = Turns("eyespot-paint", places=PLACES)
        self._styles: OrderedDict[tuple[bytes, int], tuple[Style, float]] = OrderedDict()

    def has_room(self, client: str) -> bool:
        """Whether a picture of this client is taken."""
        return self._turns.has_room(client)

    async def at_once(self, pair: Pair, wanted: Asked, client: str = "") -> tuple[AtOnce, bytes]:
        """The painted picture, and its PNG. Raises RequestError.

        client: who asks.
        """
        return await self._turns.do(client, partial(self._at_once, pair, wanted))

    async def painting(self, pair: Pair, client: str = "") -> Pixels:
        """The painting, for whoever looks at it in another way. Raises RequestError."""
        return await self._turns.do(client, partial(_read, pair.painting, LARGEST_PAINTING, PAINTING))

    def stop(self) -> None:
        """Ends the thread, once all is painted."""
        self._turns.stop()

    def _at_once(self, pair: Pair, wanted: Asked) -> tuple[AtOnce, bytes]:
        photo = _read(pair.photo, wanted.imgsz, PHOTO)
        require_room(photo, "fast")
        style, asked = self._looked_at(pair.painting, max(photo.shape[:2]))
        picture = self._fast.painted_in_part(photo, style, wanted.strength)
        painted = AtOnce(photo, picture, grain_between(photo, asked, wanted.strength))
        return painted, painted.png(painted.picture, wanted)

    def _looked_at(self, painting: bytes, side: int) -> tuple[Style, float]:
        """What the painting looks like, and its grain at that longer side: kept, since reading it anew is half of the
        work where it is a large file."""
        key = sha256(painting).digest(), side
        if key not in self._styles:
            pixels = _read(painting, LARGEST_PAINTING, PAINTING)
            self._styles[key] = self._fast.style_of(pixels), grain_at(pixels, side)
        self._styles.move_to_end(key)
        while len(self._styles) > KEPT:
            self._styles.popitem(last=False)
        return self._styles[key]


def require_room(photo: Pixels, way: Way) -> None:
    """Raises RequestError where painting takes more memory than there is."""
    try:
        require_memory(photo, way)
    except OptionError as error:
        raise RequestError(413, str(error).replace("--imgsz", "imgsz")) from error


def _read(data: bytes, side: int, called: str) -> Pixels:
    """A picture as `stylize` reads it. Raises RequestError if it cannot be read, or is too small."""
    pixels = small_sent(data, side, called=f"the {called}")
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise RequestError(
            400,
            f"the {called} would have {width} x {height} pixels, and painting takes at least {LEAST_SIDE} on each "
            f"side: send a larger one{', or ask for a larger imgsz' if called == PHOTO else ''}",
        )
    return pixels
