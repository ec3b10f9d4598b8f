"""The commands that look into a network: its arithmetic, its feature maps, its kernels."""

from __future__ import annotations

from pathlib import Path

import click

from eyespot.cli.main import _json, _told, main

_FILE = click.Path(path_type=Path, dir_okay=False)
_overwrite = click.option("--overwrite", is_flag=True, help="Replace files that exist.")


@main.command()
@click.argument("network")
@click.option("--imgsz", metavar="N|HxW", help="Size of the image, pixels: 224, or height x width such as 224x320.")
@click.option("--classes", type=int, metavar="N", help="Classes of the last layer.")
@click.option("--stages", is_flag=True, help="One row for each stage instead of each layer.")
@click.option("--columns", metavar="NAME,NAME", help="Show these columns; all fits them to the width.")
@click.option("--csv", "csv_file", type=_FILE, help="Write all columns to this file.")
@click.option("--draw", type=_FILE, metavar="FILE.svg", help="Draw the network into this file.")
@_overwrite
@_json
@_told
def summary(
    network: str,
    imgsz: str | None,
    classes: int | None,
    stages: bool,
    columns: str | None,
    csv_file: Path | None,
    draw: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Show the arithmetic of NETWORK, layer by layer: shapes, parameters, multiply-adds, receptive field.

    NETWORK is a name such as lenet5, or a run folder or bundle. Nothing is run and no weights are needed.
    """
    from eyespot.cli import layer_table, show
    from eyespot.recipes.summary import size_of
    from eyespot.recipes.summary import summary as recipe

    chosen = layer_table.chosen(columns)
    for file in (csv_file, draw):
        if file and not overwrite:
            show.require_new(file)
    result = recipe(network, imgsz=size_of(imgsz) if imgsz else None, classes=classes, draw=draw)
    rows = result.stages if stages else result.layers
    if csv_file:
        layer_table.write(csv_file, rows)
    show.json_or(as_json, result, lambda found: layer_table.summarised(found, rows, chosen))
