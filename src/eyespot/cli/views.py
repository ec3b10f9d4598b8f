"""The command that shows what training makes of a picture: augment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import json_option, told

if TYPE_CHECKING:
    from eyespot.recipes.augment import AugmentResult

_PAIRS = ("crop_area", "crop_aspect", "erase_area")


@click.command()
@click.argument("picture")
@click.option("--out", required=True, metavar="PNG", help="The picture to write.")
@click.option("--preset", default="photos", show_default=True, metavar="NAME", help="photos, small-photos or digits.")
@click.option("--rows", type=int, default=3, show_default=True, help="Of the grid.")
@click.option("--columns", type=int, default=4, show_default=True, help="Of the grid.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides the views.")
@click.option("--imgsz", metavar="N|HxW", help="Size of a view, pixels.  [default: 224, 32 or 28, as the preset]")
@click.option("--mirror/--no-mirror", default=None, help="Mirror half of the views.")
@click.option("--crop-area", metavar="LOW,HIGH", help="Area of the window that fills a view, as a share.")
@click.option("--crop-aspect", metavar="LOW,HIGH", help="Width by height of that window.")
@click.option("--shift", type=int, metavar="PX", help="Move by up to this many pixels each way.")
@click.option("--rotation", type=float, metavar="DEGREES", help="Turn by up to this much either way.")
@click.option("--shear", type=float, metavar="DEGREES", help="Slant by up to this much either way.")
@click.option("--elastic", type=float, metavar="PX", help="Strength of elastic distortion.")
@click.option("--elastic-smoothing", type=float, metavar="PX", help="How smooth that is.")
@click.option("--padding", metavar="NAME", help="What lies outside the picture: reflect, edge or zero.")
@click.option("--brightness", type=float, metavar="X", help="Factor between 1-X and 1+X; so are the next two.")
@click.option("--contrast", type=float, metavar="X", help="About the picture's mean gray.")
@click.option("--saturation", type=float, metavar="X", help="About each pixel's gray.")
@click.option("--pca-color", type=float, metavar="X", help="Spread along the axes of ImageNet's colors.")
@click.option("--erase", type=float, metavar="P", help="Share of the views with a rectangle painted over.")
@click.option("--erase-area", metavar="LOW,HIGH", help="Area of that rectangle, as a share.")
@click.option("--overwrite", is_flag=True, help="Replace that file where it exists.")
@json_option
@told
def augment(imgsz: str | None, as_json: bool, **options: Any) -> None:
    """Draw what augmentation does to PICTURE: the picture first, then views of it as training draws them.

    A preset says what is done and how strongly; each option from --mirror on stands in place of the preset's. --json
    lists what was drawn for each view.
    """
    from eyespot.cli import show, typed
    from eyespot.recipes.augment import augment as recipe

    given = {name: value for name, value in options.items() if value is not None}
    given |= {name: typed.pair(given[name], name) for name in _PAIRS if name in given}
    size_hw = typed.size_hw(imgsz, "imgsz") if imgsz is not None else None
    show.json_or(as_json, recipe(imgsz=size_hw, **given), _augmented)


COMMANDS = {"augment": augment}


def _augmented(result: AugmentResult) -> None:
    from eyespot.cli import show
    from eyespot.words import counted

    height, width, _ = result.image_hwc
    views = f"the picture and {counted(len(result.views), 'view')} of {height}x{width} pixels"
    show.line("Wrote", f"{result.out}: {views}, in {result.rows} rows of {result.columns}")
    show.line("Views", result.description)
