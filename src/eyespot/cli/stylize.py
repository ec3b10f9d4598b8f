"""The command that paints a photo as a painting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import json_option, quiet_option, told
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.styling.options import StylizedFolder, StylizeResult


@click.command()
@click.argument("photo")
@click.option("--style", multiple=True, required=True, metavar="PAINTING", help="A painting; several are mixed.")
@click.option("--out", required=True, metavar="PNG", help="The picture to write; a folder, for a folder.")
@click.option("--time", metavar="TIME", help="Paint in steps, for so long: 60s, 5m. Better, and needs the extra train.")
@click.option("--steps", type=int, metavar="N", help="Paint in so many steps: the same picture every time.")
@click.option("--strength", type=float, default=1.0, show_default=True, help="0 for the photo, 1 for all of the style.")
@click.option("--keep-colors", is_flag=True, help="The photo's colors, with the painting's strokes.")
@click.option("--strokes", default="medium", show_default=True, help="small, medium or large; in steps only.")
@click.option("--imgsz", type=int, default=1024, show_default=True, metavar="PX", help="Longer side of the result.")
@click.option("--mask", metavar="PICTURE", help="White where the photo is painted, black where it stays.")
@click.option("--network", help="What looks at the picture, in steps.  [default: efficientnet_lite0]")
@click.option("--weights", metavar="NAME|FILE", help="Of that network; the published ones by default.")
@click.option("--stages", metavar="NAMES", help="Its stages whose statistics are the style.  [default: the first five]")
@click.option("--content", type=float, default=0.14, show_default=True, help="Weight of the photo's content, in steps.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of what is random in steps.")
@click.option("--csv", metavar="FILE", help="Write the losses of each step to this file.")
@click.option(
    "--explain", metavar="FOLDER", help="Write a page that explains the picture; a minute more, in steps only."
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@json_option
@quiet_option
@told
def stylize(as_json: bool, quiet: bool, style: tuple[str, ...], **options: Any) -> None:
    """Paint PHOTO, or all photos of a folder, in the style of a painting, in one pass or, better, in steps.

    One pass takes a second and needs the extra style. With --time or --steps a network looks at the picture after every
    step; what is there so far is in the file whenever you stop.
    """
    from eyespot.cli import show
    from eyespot.recipes.stylize import stylize as recipe

    given = {name: value for name, value in options.items() if value is not None}
    with show.progress(quiet=quiet) as progress:
        result = recipe(style=style, progress=progress, **given)
    show.json_or(as_json, result, _painted)


COMMANDS = {"stylize": stylize}


def _painted(result: StylizeResult | StylizedFolder) -> None:
    from eyespot.cli import show
    from eyespot.styling.options import StylizeResult

    if not isinstance(result, StylizeResult):
        for each in result.pictures:
            show.line("Wrote", f"{each.out}: {each.photo}, {each.width} x {each.height} px, {each.seconds:.1f} s")
        show.notes([note for each in result.pictures for note in each.notes])
        show.set_aside(result.set_aside, "--json names them all")
        return

    how = "in one pass" if result.way == "fast" else f"in {counted(result.steps, 'step')}"
    show.line("Painted", f"{result.photo} {how}, {result.width} x {result.height} px, {result.seconds:.1f} s")
    if result.style is not None:
        show.line("Style", f"{result.style:.3f} (1 is the photo, 0 the painting)")
        show.line("Content", f"{result.content:.3f} (0 is the photo)")
    show.notes(result.notes)
    for file in filter(None, (result.out, result.csv, result.explain)):
        show.line("Wrote", file)
