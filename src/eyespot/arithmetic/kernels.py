"""Kernels that have a name, as data, and the edge kernel for any angle.

All are meant for cross-correlation, which lays them on the picture as they are printed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import OptionError
from eyespot.words import nearest

Rows = tuple[tuple[float, ...], ...]

KERNELS: Mapping[str, Rows] = MappingProxyType(
    {
        # The edge kernels of courses: bright on the left or above, dark on the right or below, gives positive values.
        "vertical": ((1, 0, -1), (1, 0, -1), (1, 0, -1)),
        "horizontal": ((1, 1, 1), (0, 0, 0), (-1, -1, -1)),
        # Derivatives: positive where it grows brighter to the right (x) or downwards (y), as in OpenCV and scipy.
        # Prewitt: "Object Enhancement and Extraction", in Picture Processing and Psychopictorics, 1970.
        "prewitt-x": ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1)),
        "prewitt-y": ((-1, -1, -1), (0, 0, 0), (1, 1, 1)),
        # Sobel, Feldman: "A 3x3 Isotropic Gradient Operator for Image Processing", Stanford AI Project, 1968.
        "sobel-x": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
        "sobel-y": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
        # Scharr: "Optimale Operatoren in der Digitalen Bildverarbeitung", thesis, Heidelberg, 2000; in whole numbers.
        "scharr-x": ((-3, 0, 3), (-10, 0, 10), (-3, 0, 3)),
        "scharr-y": ((-3, -10, -3), (0, 0, 0), (3, 10, 3)),
        # The sum of the second differences; the Gaussian as the binomial 1 2 1 in both directions.
        # Gonzalez, Woods: "Digital Image Processing", 4th edition, 2018, sections 3.5 and 3.6.
        "laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
        "gaussian": ((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),
        "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
        # Custom in paint programs: the picture plus its slope from upper left to lower right, as if lit from there.
        "emboss": ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    }
)

_CLEAN = 15
"""Digits kept, so that the cosine of a right angle is 0 and 90 degrees are the vertical kernel exactly."""


def named_kernel(name: str) -> NDArray[np.float64]:
    """The kernel (H, W) of that name, or for a number the edge kernel of that many degrees.

    Raises OptionError for an unknown name, with near ones.
    """
    if name in KERNELS:
        return np.array(KERNELS[name], dtype=np.float64)
    with suppress(ValueError):  # it is no number
        if np.isfinite(float(name)):
            return edge_kernel(float(name))
    raise OptionError(
        f"there is no kernel {name!r}: {nearest(name.lower(), KERNELS)}; or give degrees, a file (.csv, .txt, .npy), "
        "or a matrix '1 0 -1; 1 0 -1'"
    )


def edge_kernel(degrees: float) -> NDArray[np.float64]:
    """The kernel (3, 3) that answers most to an edge at an angle: sin(angle) * vertical + cos(angle) * horizontal.

    degrees: from the edge that lies flat (0, the horizontal kernel), anticlockwise to the one that stands (90, the
        vertical kernel). At 180 degrees more, bright and dark change places.
    Source: a derivative in any direction is such a sum of two. Freeman, Adelson: "The Design and Use of Steerable
        Filters", IEEE Transactions on Pattern Analysis and Machine Intelligence 13(9), 1991, equation 3.
    """
    angle = np.deg2rad(degrees % 360)
    vertical, horizontal = np.array(KERNELS["vertical"]), np.array(KERNELS["horizontal"])
    kernel: NDArray[np.float64] = np.round(np.sin(angle) * vertical + np.cos(angle) * horizontal, _CLEAN) + 0.0
    return kernel  # without + 0.0, some zeros were negative
