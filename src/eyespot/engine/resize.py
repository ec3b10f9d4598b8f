"""The resize and the crop of `data.pictures` as a part of the graph, so that a model takes pictures of any size.

Pillow resizes with two products of matrices, along the rows and along the columns, in whole numbers: a weight is
counted in steps of 2 to the power of -22, and after each product comes a rounding to 8 bits. So does this, with
matrices that the graph computes from the picture's size. An engine's own resize is none of Pillow's: OpenVINO leaves
out the antialiasing without a word.

A 32-bit float holds whole numbers only up to 2 to the power of 24. So weights come in two halves of 11 bits, each with
a product of its own, and the sums are put together without ever leaving that range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from eyespot.engine.gate import INPUT, PICTURE
from eyespot.engine.graph_writer import GraphWriter
from eyespot.engine.sides import letterboxed_sides, sides_of_picture
from eyespot.records import MOST_RESIZED_PIXELS, WINDOW_STEPS, Preprocess

HALF = 2**11
"""Of a weight's steps: 1 is HALF * HALF of them."""
_HALF_BY_HALF = (2**3, 2**4, 2**4)
"""HALF in factors."""
_BASE, _DIGITS = 2**5, 5
"""Of the numbers that are multiplied digit by digit: a resized side is shorter than BASE^DIGITS pixels."""
_PREFIX = "resize"


def with_resize(graph: bytes, preprocess: Preprocess) -> bytes:
    """The graph with one input `picture`, uint8 (H, W, C) of any size, in place of `images`; all outputs have N = 1.

    graph: ONNX with the input `images`, uint8 (N, height, width, C).
    preprocess: the size, the crop and the filter.
    """
    model = onnx.load_from_string(graph)
    before = _resize(preprocess, model)
    merged = compose.merge_models(before, model, io_map=[(f"{_PREFIX}.{INPUT}", INPUT)])
    merged.producer_name = model.producer_name
    del merged.opset_import[1:]  # both parts' are named
    onnx.checker.check_model(merged)
    return bytes(merged.SerializeToString(deterministic=True))


def _resize(preprocess: Preprocess, model: onnx.ModelProto) -> onnx.ModelProto:
    """A model of its own from `picture` to the image (1, height, width, C), uint8."""
    make = _Graph(_PREFIX)
    crop_height, crop_width = preprocess.crop_hw
    height, width = sides_of_picture(make)
    picture = make.node("Transpose", make.node("Cast", PICTURE, to=TensorProto.FLOAT), perm=[2, 0, 1])  # (C, H, W)
    fit = _letterbox if preprocess.fit == "letterbox" else _crop
    x = fit(make, picture, height, width, preprocess)  # (C, crop_height, crop_width)
    x = make.node("Transpose", x, perm=[1, 2, 0])  # (crop_height, crop_width, C)
    x = make.node("Unsqueeze", x, make.whole([0]))
    image = make.node("Cast", x, to=TensorProto.UINT8, output=f"{_PREFIX}.{INPUT}")
    shapes: dict[str, list[str | int]] = {
        PICTURE: ["H", "W", preprocess.channels],
        image: [1, crop_height, crop_width, preprocess.channels],
    }
    ports = [helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(make.nodes, "resize", ports[:1], ports[1:], make.constants)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _crop(make: _Graph, picture: str, height: str, width: str, preprocess: Preprocess) -> str:
    """The centre crop of the resized picture; both (C, H, W)."""
    crop_height, crop_width = preprocess.crop_hw
    fits = make.fits(height, width, preprocess) if preprocess.exact else ""
    down = make.side(height, width, preprocess, crop_height, fits)
    across = make.side(width, height, preprocess, crop_width, fits)
    return make.resized(picture, down, across, either_first=preprocess.exact)


def _letterbox(make: _Graph, picture: str, height: str, width: str, preprocess: Preprocess) -> str:
    """All of the resized picture at the top left, and the filling; both (C, H, W)."""
    resized = letterboxed_sides(make, height, width, preprocess.crop_hw)
    down, across = (
        make.letterboxed(side, *shape, preprocess)
        for side, shape in zip((height, width), zip(resized, preprocess.crop_hw, strict=True), strict=True)
    )
    x = make.resized(picture, down, across, either_first=True)
    filling = make.constant(np.array(preprocess.filling, np.float32)[:, None, None])  # (C, 1, 1)
    for side, into, shape in zip(resized, preprocess.crop_hw, ((-1, 1), (1, -1)), strict=True):
        place = make.constant(np.arange(into, dtype=np.int64).reshape(shape))
        x = make.node("Where", make.node("Greater", side, place), x, filling)
    return x


@dataclass(frozen=True)
class _Side:
    """What the graph knows of one side of the picture, by the names of its values."""

    high: str
    """What each of the picture's pixels gives to each of the crop's, (crop, side): the higher half of the steps."""
    low: str
    lost: str
    """By how much it is longer than its resized self, pixels."""


@dataclass(frozen=True)
class _Places:
    """Where the crop's pixels lie among those of the picture along one side, by the names of whole numbers."""

    first: str
    """The picture's pixel from which places are counted."""
    begin: str
    """How far from it the crop begins, in steps of which a pixel of the picture has 2 * grain."""
    step: str
    """Half a pixel of the crop, in those steps."""
    grain: str
    lost: str
    """By how much the side is longer than its resized self, pixels."""


class _Graph(GraphWriter):
    """The operators of the resize."""

    def resized(self, picture: str, down: _Side, across: _Side, *, either_first: bool) -> str:
        """(C, H, W) to (C, crop_height, crop_width).

        either_first: as Pillow does it, which begins with the columns where that is less work; else with the rows.
        """
        x = self.columns_resized(self.rows_resized(picture, across), down)
        if not either_first:
            return x
        other = self.rows_resized(self.columns_resized(picture, down), across)
        return self.node("Where", self.columns_come_first(down, across), other, x)

    def rows_resized(self, x: str, across: _Side) -> str:
        """(C, H, W) to (C, H, crop_width)."""
        high, low = (self.node("Transpose", half, perm=[1, 0]) for half in (across.high, across.low))
        return self._levels(self.node("MatMul", x, high), self.node("MatMul", x, low))

    def columns_resized(self, x: str, down: _Side) -> str:
        """(C, H, W) to (C, crop_height, W)."""
        return self._levels(self.node("MatMul", down.high, x), self.node("MatMul", down.low, x))

    def _levels(self, high: str, low: str) -> str:
        """(HALF * high + low) / HALF^2, rounded half up, only by whole numbers below 2^24."""
        carried = self.node("Floor", self.node("Div", low, self.real(HALF)))
        steps = self.node("Add", self.node("Add", high, carried), self.real(HALF / 2))
        return self.node("Clip", self.node("Floor", self.node("Div", steps, self.real(HALF))), *self._bounds(0, 255))

    def columns_come_first(self, down: _Side, across: _Side) -> str:
        """Pillow's rule, a boolean: where more than twice as many pixels are lost along the columns."""
        return self.node("Greater", down.lost, self.node("Max", self.twice(across.lost), self.whole(0)))

    def fits(self, height: str, width: str, preprocess: Preprocess) -> str:
        """A boolean: the resized picture is small enough for `data.pictures` to make it before it is cut."""
        long = self.node("Max", *(self._resized(*sides, preprocess) for sides in ((height, width), (width, height))))
        return self.node("Greater", self.whole(MOST_RESIZED_PIXELS // preprocess.short_side + 1), long)

    def side(self, side: str, other: str, preprocess: Preprocess, crop: int, fits: str) -> _Side:
        """One side of the picture, `side` pixels long; fits: where the record is exact.

        A pixel's centre is at 1/2 + its number, counted from the pixel in which the crop begins. All places are
        multiplied so far that they are whole numbers, which stay below 2^31: OpenVINO counts in 32 bits.
        """
        resized = self._resized(side, other, preprocess)
        over = self.node("Sub", resized, self.whole(crop))
        offset = self.halved(self.node("Add", over, self._odd(self.halved(over))))  # half of it, rounded half to even
        left = self._window(offset, side, resized)
        right = self._window(self.node("Add", offset, self.whole(crop)), side, resized)
        first = self.node("Div", left, self.whole(WINDOW_STEPS))
        lost = self.node("Sub", side, resized)
        # times 2 * WINDOW_STEPS * crop
        begin = self.node("Mul", self.rest(left, self.whole(WINDOW_STEPS)), self.whole(2 * crop))
        step, grain = self.node("Sub", right, left), self.whole(WINDOW_STEPS * crop)
        if preprocess.exact:  # times 2 * resized
            pixel, rest = self._scaled(offset, side, resized)
            first, begin, step, grain, lost = (
                self.node("Where", fits, *either)
                for either in (
                    (pixel, first),
                    (self.twice(rest), begin),
                    (side, step),
                    (resized, grain),
                    (lost, self.whole(0)),
                )
            )
        return self._weighted(_Places(first, begin, step, grain, lost), side, crop, preprocess)

    def letterboxed(self, side: str, resized: str, into: int, preprocess: Preprocess) -> _Side:
        """One side of a picture that is resized as a whole, and of an image of `into` pixels that begins with it.

        The image's pixels past the resized ones repeat the last of them.
        """
        places = _Places(self.whole(0), self.whole(0), side, resized, self.node("Sub", side, resized))
        return self._weighted(places, side, into, preprocess, last=resized)

    def _weighted(self, places: _Places, side: str, crop: int, preprocess: Preprocess, last: str = "") -> _Side:
        """What the picture's pixels give to each of the crop's.

        last: how many of the crop's pixels are told from each other; the name of a whole number, or all.
        """
        odd = self.constant(2 * np.arange(crop, dtype=np.int64)[:, None] + 1)  # (crop, 1)
        if last:
            odd = self.node("Min", odd, self.node("Sub", self.twice(last), self.whole(1)))
        step, grain = places.step, places.grain
        centres = self.node("Add", self.node("Mul", odd, step), places.begin)
        wide = self.node("Max", step, grain)  # the filter is as wide as the larger pixel
        reach = self.node("Add", self.node("Div", self.twice(wide), grain), self.whole(2))
        end = self.node("Div", self.node("Mul", step, self.whole(crop)), grain)
        numbers = self.node("Sub", self.node("Range", self.whole(0), side, self.whole(1)), places.first)  # (side,)
        numbers = self._between(numbers, reach, end)  # pixels further away count for nothing, wherever they are
        pixels = self.node("Mul", self.node("Add", self.twice(numbers), self.whole(1)), grain)
        away = self.node("Abs", self.node("Sub", pixels, centres))  # (crop, side)
        unit = self.twice(wide)
        high, low = self._triangle(away, unit) if preprocess.filter == "bilinear" else self._cubic(away, unit)
        return _Side(high, low, places.lost)

    def _resized(self, side: str, other: str, preprocess: Preprocess) -> str:
        """How long the side is once the shorter of the two has its length."""
        short = self.whole(preprocess.short_side)
        return self.node("Max", short, self.node("Div", self.node("Mul", short, side), other))

    def _window(self, place: str, side: str, resized: str) -> str:
        """place * side / resized in steps of the picture's pixels, rounded half up; as `data.pictures` does it."""
        pixels, rest = self._scaled(place, side, resized)
        rest = self.node("Mul", rest, self.whole(WINDOW_STEPS))
        part = self.node("Div", rest, resized)
        half_up = self.node("Div", self.twice(self.rest(rest, resized)), resized)  # 0 or 1
        whole = self.node("Mul", pixels, self.whole(WINDOW_STEPS))
        return self.node("Add", self.node("Add", whole, part), half_up)

    def _scaled(self, place: str, side: str, resized: str) -> tuple[str, str]:
        """Quotient and remainder of place * side / resized: a long multiplication, by the digits of `place`."""
        pixels, rest = self.node("Mul", place, self.node("Div", side, resized)), self.whole(0)
        more, each = self.whole(0), self.rest(side, resized)
        for power in range(_DIGITS - 1, -1, -1):
            digit = self.rest(self.node("Div", place, self.whole(_BASE**power)), self.whole(_BASE))
            rest = self.node("Add", self.node("Mul", rest, self.whole(_BASE)), self.node("Mul", digit, each))
            more = self.node("Add", self.node("Mul", more, self.whole(_BASE)), self.node("Div", rest, resized))
            rest = self.rest(rest, resized)
        return self.node("Add", pixels, more), rest

    def _between(self, numbers: str, reach: str, last: str) -> str:
        """The numbers, none below -reach or above last + reach + 1."""
        most = self.node("Add", self.node("Add", last, reach), self.whole(1))
        above = self.node("Max", numbers, self.node("Sub", self.whole(0), reach))
        return self.node("Sub", most, self.node("Max", self.node("Sub", most, above), self.whole(0)))

    def _odd(self, x: str) -> str:
        return self.rest(x, self.whole(2))

    def _triangle(self, away: str, unit: str) -> tuple[str, str]:
        """The halves of weights that fall from 1 to 0 at one unit away, in whole numbers but for the last rounding."""
        rest = self.node("Max", self.node("Sub", unit, away), self.whole(0))
        total = self.node("ReduceSum", rest, self.whole([1]), keepdims=1)
        high = self.whole(0)
        for factor in _HALF_BY_HALF:  # an engine may count in 32 bits
            rest = self.node("Mul", rest, self.whole(factor))
            digit = self.node("Div", rest, total)
            rest = self.node("Sub", rest, self.node("Mul", digit, total))
            high = self.node("Add", self.node("Mul", high, self.whole(factor)), digit)
        share = self.node("Div", *(self.node("Cast", each, to=TensorProto.FLOAT) for each in (rest, total)))
        return self.node("Cast", high, to=TensorProto.FLOAT), self._nearest(self.node("Mul", share, self.real(HALF)))

    def _cubic(self, away: str, unit: str) -> tuple[str, str]:
        """Those of Catmull-Rom's polynomials, one up to a unit and one from there to two: 0 at both of its ends."""
        t = self.node("Div", *(self.node("Cast", each, to=TensorProto.FLOAT) for each in (away, unit)))
        near, far = (self.node("Clip", t, *self._bounds(low, low + 1)) for low in (0, 1))
        weights = self.node("Add", self._polynomial(near, 1.5, -2.5, 0, 1), self._polynomial(far, -0.5, 2.5, -4, 2))
        weights = self.node("Div", weights, self.node("ReduceSum", weights, self.whole([1]), keepdims=1))
        steps = self._nearest(self.node("Mul", weights, self.real(HALF * HALF)))
        high = self.node("Floor", self.node("Div", steps, self.real(HALF)))
        return high, self.node("Sub", steps, self.node("Mul", high, self.real(HALF)))

    def _nearest(self, x: str) -> str:
        return self.node("Floor", self.node("Add", x, self.real(0.5)))

    def _polynomial(self, x: str, *coefficients: float) -> str:
        """By Horner, the highest power first."""
        result = self.real(coefficients[0])
        for coefficient in coefficients[1:]:
            result = self.node("Add", self.node("Mul", result, x), self.real(coefficient))
        return result

    def _bounds(self, low: float, high: float) -> tuple[str, str]:
        return self.real(low), self.real(high)
