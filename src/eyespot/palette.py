"""The colours that all our drawings share, as red, green and blue levels."""

from __future__ import annotations

Color = tuple[int, int, int]

INK: Color = (29, 34, 39)
"""Of lines and letters."""
PALE: Color = (222, 226, 230)
"""Of what lies behind: grids, the ground of a bar."""
TEAL: Color = (15, 106, 104)


def as_hex(color: Color) -> str:
    """As SVG writes it: `#1d2227`."""
    return f"#{bytes(color).hex()}"
