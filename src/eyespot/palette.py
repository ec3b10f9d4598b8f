"""The colours that all our drawings share, as red, green and blue levels."""

from __future__ import annotations

Color = tuple[int, int, int]

INK: Color = (29, 34, 39)
"""Of lines and letters."""
PALE: Color = (222, 226, 230)
"""Of what lies behind: grids, the ground of a bar."""
GROUND: Color = (64, 70, 78)
"""Between the pictures of a sheet and below them: a color that zero has on no scale."""
TEAL: Color = (15, 106, 104)


def as_hex(color: Color) -> str:
    """As SVG writes it: `#1d2227`."""
    return f"#{bytes(color).hex()}"


BOXES: tuple[Color, ...] = (
    *((200, 60, 20), (20, 90, 180), (15, 125, 60), (150, 40, 150), (160, 100, 0), (0, 120, 130)),
    *((190, 30, 90), (90, 80, 200), (100, 110, 20), (120, 60, 30)),
)
"""Of boxes, by class: white letters can be read on each, and each can be seen on most pictures."""


def color_of(label: int) -> Color:
    """Of the boxes of a class; classes beyond the last color begin again."""
    return BOXES[label % len(BOXES)]
