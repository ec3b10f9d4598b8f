"""The table of a network's layers: as many columns as the console is wide, or those that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

from eyespot.arithmetic.table import Layer
from eyespot.cli.show import say
from eyespot.errors import OptionError
from eyespot.files import write_chosen
from eyespot.recipes.summary import Summary
from eyespot.runs.tables import as_csv
from eyespot.words import nearest

GAP = 2
"""Blanks between two columns."""
LABEL = 14
"""Width of the words before the totals."""


@dataclass(frozen=True)
class Column:
    """How one key of a layer looks in the table."""

    key: str
    heading: str
    text: Callable[[Any], str]
    left: bool = False


def _shape(shape: tuple[int, ...]) -> str:
    """Height x width x channels, as papers have it."""
    return _sizes((*shape[1:], shape[0]) if len(shape) == 3 else shape)


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _sides(sides: tuple[float, float]) -> str:
    height, width = (f"{side:.6g}" for side in sides)
    return height if height == width else f"{height}x{width}"


def _padding(sides: tuple[int, int, int, int]) -> str:
    return str(sides[0]) if len(set(sides)) == 1 else ",".join(map(str, sides))


def _bytes(count: int) -> str:
    power = min((len(str(count)) - 1) // 3, 3)
    return f"{count / 1000**power:.3g} {('B', 'kB', 'MB', 'GB')[power]}"


COLUMNS = (
    Column("name", "layer", str, left=True),
    Column("kind", "kind", str, left=True),
    Column("kernel", "kernel", _sizes),
    Column("stride", "stride", _sides),
    Column("padding", "pad", _padding),
    Column("dilation", "dilation", _sides),
    Column("groups", "groups", str),
    Column("input", "input", _shape),
    Column("output", "output", _shape),
    Column("formula", "formula", str, left=True),
    Column("weight", "weight", _sizes),
    Column("bias", "bias", _sizes),
    Column("activations", "activations", "{:,}".format),
    Column("activation_bytes", "memory", _bytes),
    Column("parameters", "parameters", "{:,}".format),
    Column("multiply_adds", "multiply-adds", "{:,}".format),
    Column("fully_connected", "if fully connected", "{:,}".format),
    Column("field", "field", _sides),
    Column("jump", "jump", _sides),
    Column("centre", "centre", _sides),
)
_BY_KEY = {column.key: column for column in COLUMNS}
_FIRST = (
    *("name", "output", "parameters", "multiply_adds", "kernel", "stride", "padding", "field", "formula", "kind"),
    *("activations", "fully_connected", "weight", "jump", "centre", "activation_bytes", "input", "bias", "groups"),
    "dilation",
)
"""What is shown first where the console is too narrow for all."""


def chosen(names: str | None) -> list[Column] | None:
    """The columns of `formula,field`, after the layer's name; None if nothing was asked for.

    Raises OptionError for an unknown name.
    """
    if names is None:
        return None
    keys = [name.strip().replace("-", "_") for name in names.split(",") if name.strip()]
    for key in keys:
        if key not in _BY_KEY:
            raise OptionError(f"the option columns cannot be {key!r}: {nearest(key, _BY_KEY)}")
    return [_BY_KEY[key] for key in dict.fromkeys(["name", *keys])]


def summarised(result: Summary, rows: Sequence[Layer], columns: list[Column] | None) -> None:
    """The table, the totals below it, and what did not fit."""
    width = get_terminal_size().columns
    hidden: list[str] = []
    if columns is None:
        columns, hidden = _fitting(rows, width)
    for line in _table(rows, columns):
        say(line)
    say("")
    total = result.total
    depth = "" if total.depth is None else f"{total.depth} layers with weights on the longest way through"
    for label, text in (
        ("Network", f"{result.network}, for an image of {_shape(result.input)} (height x width x channels)"),
        ("Depth", depth),
        ("Parameters", f"{total.parameters:,}, {_bytes(total.parameter_bytes)} in fp32"),
        ("Multiply-adds", f"{total.multiply_adds:,}"),
        ("Activations", f"{total.activations:,}, {_bytes(total.activation_bytes)} in fp32 if all are kept"),
        ("Drawing", result.drawing or ""),
        ("Not shown", f"{', '.join(hidden)}: --columns NAME,NAME, --csv or --json" if hidden else ""),
    ):
        if text:
            say(fill(f"{label:{LABEL}}{text}", width, subsequent_indent=" " * LABEL))


def write(path: Path, rows: Sequence[Layer]) -> None:
    """The rows as CSV with all columns, named as in JSON. Shapes are channels x height x width."""
    cells = [[_cell(getattr(row, column.key)) for column in COLUMNS] for row in rows]
    write_chosen(path, as_csv([column.key for column in COLUMNS], cells))


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return "x".join(f"{number:.10g}" for number in value)
    return "" if value is None else value


def _text(row: Layer, column: Column) -> str:
    value = getattr(row, column.key)
    return "" if value is None else column.text(value)


def _width(rows: Sequence[Layer], column: Column) -> int:
    return max(len(column.heading), *(len(_text(row, column)) for row in rows))


def _fitting(rows: Sequence[Layer], width: int) -> tuple[list[Column], list[str]]:
    """The columns that fit side by side, the most wanted first, and the names of the others."""
    left, kept = width + GAP, set()
    filled = [key for key in _FIRST if any(_text(row, _BY_KEY[key]) for row in rows)]
    for key in filled:
        needed = _width(rows, _BY_KEY[key]) + GAP
        if needed <= left or key == "name":
            kept.add(key)
            left -= needed
    return [c for c in COLUMNS if c.key in kept], [key for key in filled if key not in kept]


def _table(rows: Sequence[Layer], columns: Sequence[Column]) -> Iterator[str]:
    """The lines of the table. Not by Rich, which takes a second for the 500 rows of a deep network."""
    widths = [_width(rows, column) for column in columns]
    texts = [[column.heading for column in columns], *([_text(row, column) for column in columns] for row in rows)]
    for number, cells in enumerate(texts):
        aligned = (
            cell.ljust(width) if column.left else cell.rjust(width)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        )
        yield (" " * GAP).join(aligned).rstrip()
        if number == 0:
            yield "─" * (sum(widths) + GAP * (len(widths) - 1))
