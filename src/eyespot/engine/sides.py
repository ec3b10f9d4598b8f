"""How long a picture's sides are, before and after it is resized into a letterbox, as a part of the graph."""

from __future__ import annotations

from eyespot.engine.gate import PICTURE
from eyespot.engine.graph_writer import GraphWriter


def sides_of_picture(make: GraphWriter) -> tuple[str, str]:
    """Height and width of the picture."""
    size = make.node("Shape", PICTURE)
    return make.node("Gather", size, make.whole(0)), make.node("Gather", size, make.whole(1))


def letterboxed_sides(make: GraphWriter, height: str, width: str, into_hw: tuple[int, int]) -> tuple[str, str]:
    """Height and width of the resized picture: `data.cropping.letterbox_size`."""
    into_height, into_width = (make.whole(side) for side in into_hw)
    wide, high = make.node("Mul", width, into_height), make.node("Mul", height, into_width)
    decides = make.node("Greater", make.node("Add", high, make.whole(1)), wide)  # the height
    across, down = (
        make.node("Max", make.whole(1), make.node("Div", make.node("Add", make.twice(other), side), make.twice(side)))
        for other, side in ((wide, height), (high, width))
    )  # rounded half up
    return make.node("Where", decides, into_height, down), make.node("Where", decides, across, into_width)
