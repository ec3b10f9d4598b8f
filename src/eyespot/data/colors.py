"""Colours as a screen without a profile shows them: the profile that a picture carries is applied."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from PIL import ImageCms

MOST_PROFILE_BYTES = 2**22
"""Of an ICC profile; a printer's has one or two MB."""
MOST_KEPT = 16
"""Profiles whose tables of colours are kept; a folder of pictures has one or two."""
_OF_RGB = b"RGB "
"""How a profile's header names the colours that it is for (ICC.1, table 19)."""


def as_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image of mode RGB in sRGB, changed in place; as it is where the profile is sRGB's own, of no RGB, or damaged.

    profile: what the picture carries. Colours beyond sRGB are cut to it (relative colorimetric).
    """
    if not profile or len(profile) > MOST_PROFILE_BYTES or profile[16:20] != _OF_RGB:
        return image
    transform = _transform(profile)
    return transform.apply_in_place(image) if transform else image


@lru_cache(MOST_KEPT)
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """What changes colours of this profile to sRGB; None where nothing needs to, or can."""
    from PIL import ImageCms  # few pictures carry a profile other than sRGB's

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(own).lower():
            return None
        target = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(own, target, "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # odd metadata says nothing of the pixels
        return None
