"""The commands that show what happens inside: a network's arithmetic, feature maps and kernels; augmented pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import json_option, told

if TYPE_CHECKING:
    from eyespot.recipes.augment import AugmentResult
    from eyespot.recipes.kernels import PictureMade

_PAIRS = ("crop_area", "crop_aspect", "erase_area")
_FILE = click.Path(path_type=Path, dir_okay=False)
_overwrite = click.option("--overwrite", is_flag=True, help="Replace files that exist.")
_weights = click.option("--weights", metavar="NAME|FILE", help="Of a network; the published ones by default.")


@click.command()
@click.argument("network")
@click.option("--imgsz", metavar="N|HxW", help="Size of the image, pixels: 224, or height x width such as 224x320.")
@click.option("--classes", type=int, metavar="N", help="Classes of the last layer.")
@click.option("--stages", is_flag=True, help="One row for each stage instead of each layer.")
@click.option("--columns", metavar="NAME,NAME", help="Show these columns; all fits them to the width.")
@click.option("--csv", "csv_file", type=_FILE, help="Write all columns to this file.")
@click.option("--draw", type=_FILE, metavar="FILE.svg", help="Draw the network into this file.")
@_overwrite
@json_option
@told
def summary(
    imgsz: str | None,
    stages: bool,
    columns: str | None,
    csv_file: Path | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Show the arithmetic of NETWORK, layer by layer: shapes, parameters, multiply-adds, receptive field.

    NETWORK is a name such as lenet5, a file of Caffe, FILE.prototxt, or a run folder or bundle. Nothing is run and
    no weights are needed.

    \b
    The columns are
      name kind kernel stride padding dilation groups input output formula
      weight bias            shapes of the tensors
      activations            values in the output
      activation_bytes       memory that they take in fp32
      parameters             weights and biases
      multiply_adds
      fully_connected        weights of a fully connected layer in place of a convolution
      field jump centre      receptive field: its size, the step from one value's to
                             the next one's, and the middle of the first, in pixels

    The console shows as many as it has room for; --csv and --json have all.
    """
    from eyespot.cli import layer_table, show, typed
    from eyespot.files import require_writable
    from eyespot.recipes.summary import summary as recipe

    chosen = layer_table.chosen(columns)
    for file in filter(None, (csv_file, options["draw"])):
        require_writable(file, overwrite=overwrite)
    result = recipe(imgsz=typed.size_hw(imgsz, "imgsz") if imgsz is not None else None, **options)
    rows = result.stages if stages else result.layers
    if csv_file:
        layer_table.write(csv_file, rows)
    show.json_or(as_json, result, lambda found: layer_table.summarised(found, rows, chosen))


@click.command("feature-maps")
@click.argument("network")
@click.argument("picture")
@click.option("--stage", required=True, metavar="NAME", help="A stage of the network, such as stem or stage2.a.")
@click.option("--out", required=True, metavar="PNG", help="The picture to write.")
@click.option("--scale", default="each", show_default=True, help="each map on its own scale, or all together on one.")
@_weights
@_overwrite
@json_option
@told
def feature_maps(as_json: bool, **options: Any) -> None:
    """Draw what a stage of NETWORK makes of PICTURE: its feature maps, as a grid.

    NETWORK is a run folder or bundle, or a network with published weights such as efficientnet_lite0.
    """
    from eyespot.cli import show
    from eyespot.recipes.feature_maps import feature_maps as recipe

    show.json_or(as_json, recipe(**options), _pictured)


@click.command()
@click.argument("network")
@click.option("--out", default="kernels.png", show_default=True, metavar="PNG", help="The picture to write.")
@_weights
@_overwrite
@json_option
@told
def kernels(as_json: bool, **options: Any) -> None:
    """Draw the learned kernels of NETWORK's first convolution: 0 is white, red positive, blue negative.

    The planes of a kernel, one for each channel, lie side by side.

    NETWORK is a run folder or bundle, or a network with published weights such as efficientnet_lite0.
    """
    from eyespot.cli import show
    from eyespot.recipes.kernels import kernels as recipe

    show.json_or(as_json, recipe(**options), _pictured)


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


@click.command()
@click.argument("network", metavar="[RUN_OR_NET]", required=False)
@click.argument("pictures", nargs=-1)
@click.option("--port", type=int, default=8765, show_default=True, help="The port; 0 takes a free one.")
@click.option("--at", metavar="PLACE", help="Open the browser there: a screen, or what an address has after its #.")
@told
def studio(pictures: tuple[str, ...], **options: Any) -> None:
    """Step through RUN_OR_NET on your own picture, in the browser: its layers, its maps, the sum behind every number.

    RUN_OR_NET is a run folder or bundle, or a network of `networks` with its published weights; of a run that has no
    model yet its training is shown. PICTURES lie there from the start; others are drawn, dropped or pasted. Without a
    RUN_OR_NET it lists the runs below the current folder, and new ones are made there from pictures that are collected
    by camera, dropped or pasted. Screens are network, playground, errors, labs, kernels, training, runs and collect; an
    address of the studio, in quotes, is a PLACE, too. Only this computer reaches the page. Ctrl-C ends it.
    """
    from eyespot.cli import show
    from eyespot.studio.run import studio as recipe

    recipe(options.pop("network"), pictures, say=show.say, **options)


COMMANDS = {"studio": studio, "augment": augment, "summary": summary, "feature-maps": feature_maps, "kernels": kernels}


def _pictured(result: PictureMade) -> None:
    from eyespot.cli import show

    shape = "x".join(map(str, result.shape))
    show.line("Wrote", f"{result.out}: {result.stage}, {shape}, in {result.rows} rows of {result.columns}")
    show.line("Scale", result.scaling)


def _augmented(result: AugmentResult) -> None:
    from eyespot.cli import show
    from eyespot.words import counted

    height, width, _ = result.image_hwc
    views = f"the picture and {counted(len(result.views), 'view')} of {height}x{width} pixels"
    show.line("Wrote", f"{result.out}: {views}, in {result.rows} rows of {result.columns}")
    show.line("Views", result.description)
