"""What people see of convolve, pool, pixel-coverage and learn-kernel, in words and matrices."""

from __future__ import annotations

from collections.abc import Sequence

import click
import numpy as np
from numpy.typing import NDArray

from eyespot.cli.show import line, say
from eyespot.cli.show import notes as show_notes
from eyespot.recipes.by_hand.captions import BEYOND, by, padding_words, sums_in_words, volume_in_words
from eyespot.recipes.by_hand.convolve import CellSum, ConvolveResult, KernelUse
from eyespot.recipes.by_hand.learn_kernel import LearnKernelResult
from eyespot.recipes.by_hand.pictures import Plane
from eyespot.recipes.by_hand.pixel_coverage import CoverageResult
from eyespot.recipes.by_hand.pool import PoolResult
from eyespot.words import counted

LARGEST_PRINTED_HW = (60, 30)
"""Rows and columns up to which a matrix is printed."""
LARGEST_KERNEL = 64
"""Weights up to which a kernel is written out."""
_CLEAN = 10
"""Decimals kept, so that the rounding of floating-point sums is not shown."""


def convolved(result: ConvolveResult) -> None:
    """How the kernels slid, one cell's sum if asked for, and the feature maps."""
    line("Input", f"{volume_in_words(result.input_chw)}, {result.input}")
    for kernel in result.kernels:
        line("Kernel", _described(kernel, result.padding_mode))
    if result.true_convolution:
        line("", "turned by half a circle: true convolution")
    line("Output", volume_in_words(result.output_chw))
    for formulas in dict.fromkeys(kernel.formula_hw for kernel in result.kernels):
        _sums(formulas)
    line("As a layer", f"{_parameters(result)}, {result.multiplications:,} multiplications")
    line("", f"fully connected, it would have {result.fully_connected_weights:,} weights")
    for number, kernel in enumerate(result.kernels, start=1):
        whose = f" in map {number}, {kernel.name}" if len(result.kernels) > 1 else ""
        line("Range", f"{_number(kernel.least)} to {_number(kernel.greatest)}{whose}")
    _written(result.out, result.csv, result.notes)
    for cell in result.cells:
        _sum(cell, input_hw=result.input_chw[1:], beyond=BEYOND[result.padding_mode])
    _maps(result.maps, [kernel.name for kernel in result.kernels], written=bool(result.out or result.csv))


def pooled(result: PoolResult) -> None:
    """How the windows lay, and what they became."""
    line("Input", f"{volume_in_words(result.input_chw)}, {result.input}")
    padding = padding_words(result.padding, "zeros")
    line("Pooling", f"{result.kind} of {result.size} x {result.size}{padding}, stride {result.stride}; no parameters")
    line("Output", volume_in_words(result.output_chw))
    _sums(result.formula_hw)
    line("Range", f"{_number(result.least)} to {_number(result.greatest)}")
    _written(result.out, result.csv, result.notes)
    channels = [f"channel {number}" for number in range(1, len(result.maps) + 1)]
    _maps(result.maps, channels, written=bool(result.out or result.csv))


def covered(result: CoverageResult) -> None:
    """The counts as a table, and corner against centre."""
    places = result.places_hw[0] * result.places_hw[1]
    line("Windows", f"{places:,} of {by(result.kernel_hw)} on {by(result.size_hw)} pixels")
    line("Used", f"the corner pixel {_times(result.corner)}, the centre {_times(result.centre)}")
    if result.unused:
        line("", f"{counted(result.unused, 'pixel')} never")
    _written(result.out, result.csv, result.notes)
    _maps(result.counts[None], [""], written=bool(result.out or result.csv))


def learned(result: LearnKernelResult) -> None:
    """The approach to the target, step by step, then both kernels."""
    line("Input", f"{volume_in_words(result.input_chw)}, {result.input}")
    size_hw = (len(result.target_kernel[0]), len(result.target_kernel[0][0]))
    line("Examples", f"{result.examples} windows of {by(size_hw)}, and what {result.target} makes of each")
    click.echo(f"{'':12}{'step':>6}  {'loss':>9}  {'distance':>9}  kernel")
    for step in result.steps:
        shown = _written_out(step.kernel, digits=2) if result.weights <= LARGEST_KERNEL else "too large to show"
        click.echo(f"{'':12}{step.step:>6}  {step.loss:>9.2g}  {step.distance:>9.2g}  {shown}")
    if result.weights <= LARGEST_KERNEL:
        line("Target", _written_out(result.target_kernel))
    line("Distance", f"no learned weight is further than {result.distance:.2g} from the target's")
    show_notes(result.notes)


def _described(kernel: KernelUse, mode: str) -> str:
    size = by(np.shape(kernel.weights)[1:])
    depth = len(kernel.weights)
    weights = _written_out(kernel.weights) if np.size(kernel.weights) <= LARGEST_KERNEL else "too large to show"
    padding = padding_words(kernel.padding, mode)
    return f"{kernel.name}, {size}{f' x {depth}' if depth > 1 else ''}{padding}: {weights}"


def _parameters(result: ConvolveResult) -> str:
    biases = len(result.kernels)
    weights = result.parameters - biases
    weight, bias = ("weight" if weights == 1 else "weights"), ("bias" if biases == 1 else "biases")
    return f"{result.parameters:,} parameters ({weights:,} {weight}, {biases} {bias})"


def _sums(formula_hw: tuple[str, str]) -> None:
    for each in sums_in_words(formula_hw):
        line("", each)


def _sum(cell: CellSum, *, input_hw: tuple[int, ...], beyond: str) -> None:
    """One cell's sum, factor by factor: a line for each row of the window, each as value * weight."""
    click.echo()
    line("Cell", f"row {cell.row}, column {cell.column} of {cell.kernel}, counted from 0")
    places = f"rows {cell.rows[0]} to {cell.rows[1]}, columns {cell.columns[0]} to {cell.columns[1]} of the input"
    over = min(cell.rows[0], cell.columns[0]) < 0 or cell.rows[1] >= input_hw[0] or cell.columns[1] >= input_hw[1]
    line("Window", f"{places}, {beyond}" if over else places)
    sign = ""
    for number, (values, weights) in enumerate(zip(cell.values, cell.weights, strict=True), start=1):
        if len(cell.values) > 1:
            line("", f"channel {number}:")
        for row in zip(values, weights, strict=True):
            factors = (f"{_number(value)}*{_factor(weight)}" for value, weight in zip(*row, strict=True))
            click.echo(f"{sign:>11} {' + '.join(factors)}")
            sign = "+"
    click.echo(f"{'=':>11} {_number(cell.sum)}")


def _maps(maps: NDArray[np.float64] | NDArray[np.int64], names: Sequence[str], *, written: bool) -> None:
    """Small ones as matrices, each column as wide as the widest number."""
    if maps.shape[1] > LARGEST_PRINTED_HW[0] or maps.shape[2] > LARGEST_PRINTED_HW[1]:
        if not written:
            line("Next", "too large to print: --out PNG draws it, --csv FILE writes the numbers")
        return
    texts = [[[_number(float(value)) for value in row] for row in plane] for plane in maps]
    width = max(len(text) for plane in texts for row in plane for text in row)
    for name, plane in zip(names, texts, strict=True):
        click.echo()
        if len(names) > 1:
            say(f"{name}:")
        for row in plane:
            click.echo("  ".join(f"{text:>{width}}" for text in row))


def _written(out: str | None, csv: str | None, notes: Sequence[str]) -> None:
    for path in (out, csv):
        if path:
            line("Wrote", path)
    show_notes(notes)


def _written_out(planes: tuple[Plane, ...], *, digits: int = 4) -> str:
    """Planes as they can be typed; one that all channels share is written once."""
    shared = planes[:1] if all(plane == planes[0] for plane in planes) else planes
    return " | ".join("; ".join(" ".join(_rounded(value, digits) for value in row) for row in p) for p in shared)


def _rounded(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:g}"


def _factor(weight: float) -> str:
    return f"({_number(weight)})" if weight < 0 else _number(weight)


def _number(value: float) -> str:
    """A whole number in full, any other with six digits."""
    value = round(value, _CLEAN) + 0.0
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")
