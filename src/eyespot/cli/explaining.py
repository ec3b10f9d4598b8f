"""The command that explains an answer: explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import json_option, quiet_option, told

if TYPE_CHECKING:
    from eyespot.explaining.deletion import Spread
    from eyespot.recipes.explain import ExplainResult


@click.command()
@click.argument("run")
@click.argument("picture")
@click.option("--out", required=True, metavar="PNG", help="The picture to write.")
@click.option("--class", "class_", metavar="NAME", help="The class to explain.  [default: the likeliest]")
@click.option("--similar", type=int, default=5, show_default=True, metavar="N", help="Similar training pictures shown.")
@click.option("--data", metavar="DATA", help="Where the pictures of the training are now, if they were moved.")
@click.option("--overwrite", is_flag=True, help="Replace the picture where it exists.")
@json_option
@quiet_option
@told
def explain(as_json: bool, quiet: bool, **options: Any) -> None:
    """Draw where the answer of the model in RUN to PICTURE comes from, and test whether that holds.

    RUN is a run folder such as runs/train/photos, or its bundle. The picture drawn shows a heat map over what the
    network saw, what hiding its strongest places costs, and the most similar pictures that the model was trained on.
    """
    from eyespot.cli import show
    from eyespot.recipes.explain import explain as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, _explained)


COMMANDS = {"explain": explain}


def _explained(result: ExplainResult) -> None:
    from eyespot.cli import show

    deletion = result.deletion
    height, width = result.places_hw
    lines = [
        ("Answer", f"{result.class_} {result.probability:.3f}"),
        ("Heat map", f"{result.method}, {width} x {height} places"),
        ("Deletion", f"{deletion.hidden} of {deletion.places} places hidden, {deletion.draws} draws"),
        ("", f"strongest: {_spread(deletion.strongest)}"),
        ("", f"random:    {_spread(deletion.random)}"),
        ("", deletion.sentence),
    ]
    if result.similar:
        lines += [("Similar", ", ".join(f"{each.class_} {each.similarity:.2f}" for each in result.similar))]
    lines += [("Note", note) for note in result.notes]
    lines += [("Wrote", result.out), ("", result.sentence)]
    for label, text in lines:
        show.line(label, text)


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.3f} ({spread.low:.3f} to {spread.high:.3f})"
