"""The command that takes data sets of boxes from one format to another: convert boxes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyespot.cli.told import json_option, told

if TYPE_CHECKING:
    from eyespot.recipes.convert_boxes import ConvertResult


@click.group()
def convert() -> None:
    """Write boxes that were drawn for one program as another one reads them."""


@convert.command()
@click.argument("data")
@click.option("--to", required=True, metavar="FORMAT", help="yolo, coco or voc.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write, new or empty.")
@json_option
@told
def boxes(data: str, to: str, out: Path, as_json: bool) -> None:
    """Write the pictures and boxes of DATA as YOLO, COCO or Pascal VOC.

    DATA is a folder in any of the three formats; which one shows in what is there. Boxes, classes and parts stay the
    same to the last digit, and what a format cannot hold is named. Pictures are linked or copied, never moved.
    """
    from eyespot.cli import show
    from eyespot.recipes.convert_boxes import convert_boxes as recipe

    show.json_or(as_json, recipe(data, to=to, out=out), _converted)


COMMANDS = {"convert": convert}


def _converted(result: ConvertResult) -> None:
    from eyespot.cli import show
    from eyespot.words import counted, some

    pictures = counted(sum(result.pictures.values()), "picture")
    found = f"{counted(result.boxes, 'box', 'boxes')} of {counted(len(result.classes), 'class', 'classes')}"
    show.line("Read", f"{pictures} with {found}, {result.read}")
    show.set_aside(result.set_aside, "--json names them all")
    show.notes(result.notes)
    parts = some([f"{part} {count}" for part, count in result.pictures.items()])
    show.line("Wrote", f"{result.out}: {result.written}, {parts}")
