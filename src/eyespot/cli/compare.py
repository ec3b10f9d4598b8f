"""The command that says which of two models is better, and what people see of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from eyespot.cli.told import json_option, quiet_option, read_options, told

if TYPE_CHECKING:
    from eyespot.answering.compared import CompareDetectorsResult, CompareResult
    from eyespot.records import Difference

IN_WORDS = {
    "test": "which neither model was trained on or chosen with",
    "val": "which neither model was trained on",
    "all": "which neither model was trained on",
}


WIDTH = 48
"""Of a difference with its interval, where its verdict follows."""


class Row(NamedTuple):
    """A line of the table of classes."""

    name: str
    figures: str
    difference: Difference | None
    verdict: str


@click.command()
@click.argument("run")
@click.argument("other")
@click.argument("data", required=False)
@click.option("--split", default="auto", show_default=True, help="Pictures new to both: test, val, all; auto.")
@read_options
@json_option
@quiet_option
@told
def compare(as_json: bool, quiet: bool, **options: Any) -> None:
    """Say whether the model in OTHER is better than the one in RUN, and how sure that is.

    Both are asked about pictures of DATA that neither was trained on, which is known by their content; without DATA
    about those that RUN was made on. Each may be a run folder, a bundle or an exported file. auto takes the test
    pictures of both, and what is new to them; where there are none, validation pictures.
    """
    from eyespot.cli import show
    from eyespot.recipes.compare import compare as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, _compared)


COMMANDS = {"compare": compare}


def _compared(result: CompareResult | CompareDetectorsResult) -> None:
    """The summary of `compare`."""
    from eyespot.answering.compared import CompareResult
    from eyespot.cli import show
    from eyespot.words import counted

    pictures = counted(result.pictures, "picture")
    show.line("Compared", f"{pictures} of part {result.part}, {IN_WORDS[result.part]}")
    show.set_aside(result.set_aside, "--json names them all")
    show.notes(result.notes)
    if isinstance(result, CompareResult):
        _classifiers(result)
    else:
        _detectors(result)
    show.line("Verdict", result.sentence)


def _classifiers(result: CompareResult) -> None:
    from eyespot.cli import show

    show.line("First", f"{result.first}, {result.first.model}")
    show.line("Second", f"{result.second}, {result.second.model}")
    show.line("Difference", f"{result.difference}, p {result.p:.2g}")
    show.line("", f"{result.won} won (the second is right, the first wrong) and {result.lost} lost")
    _table(
        f"{'won':>5}{'lost':>6}{'pictures':>10}",
        [
            Row(each.name, f"{each.won:>5}{each.lost:>6}{each.pictures:>10}", each.difference, each.verdict or "-")
            for each in result.per_class
        ],
    )


def _detectors(result: CompareDetectorsResult) -> None:
    from eyespot.cli import show

    for label, each in (("First", result.first), ("Second", result.second)):
        show.line(label, f"mAP50 {each.map50}, {each.model}")
        show.line("", f"mAP50-95 {each.map50_95}")
    show.line("mAP50", str(result.map50))
    show.line("mAP50-95", str(result.map50_95))
    _table(f"{'boxes':>7}", [Row(each.name, f"{each.boxes:>7}", each.ap50, "") for each in result.per_class])


def _table(heading: str, rows: Sequence[Row]) -> None:
    """The classes; of many, those that differ most."""
    from eyespot.cli.columns import in_column
    from eyespot.cli.show import MOST_CLASSES, line, say

    shown = rows
    if len(rows) > MOST_CLASSES:
        shown = sorted(rows, key=lambda each: -abs(each.difference.value) if each.difference else 0.0)[:MOST_CLASSES]
    first, *names = in_column(["class", *(each.name for each in shown)])
    say(f"{'':12}{first}{heading}  difference")
    for each, name in zip(shown, names, strict=True):
        difference = str(each.difference or "-")
        say(f"{'':12}{name}{each.figures}  {difference:{WIDTH if each.verdict else 0}}{each.verdict}")
    if len(shown) < len(rows):
        line("", f"... and {len(rows) - len(shown)} other classes; --json names them all")
