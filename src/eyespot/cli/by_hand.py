"""The commands that do a network's arithmetic by hand: convolve, pool, pixel-coverage, learn-kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from eyespot import old_names
from eyespot.cli.told import json_option, told

_channels = click.option("--channels", metavar="NAME", help="Of a picture: gray, rgb, r, g or b.  [default: gray]")
_padding = click.option(
    "--padding",
    default="valid",
    show_default=True,
    metavar="P",
    help="valid (none), same, zeros on every side, reflect, replicate or circular.",
)
_stride = click.option("--stride", type=int, default=1, show_default=True, help="Pixels from one window to the next.")
_out = click.option("--out", type=click.Path(path_type=Path), metavar="PNG", help="Draw the result into this file.")
_csv = click.option("--csv", type=click.Path(path_type=Path), metavar="FILE", help="Write the numbers to this file.")
_overwrite = click.option("--overwrite", is_flag=True, help="Replace these files where they exist.")


def _files(command: Callable[..., None]) -> Callable[..., None]:
    return _out(_csv(_overwrite(json_option(command))))


@click.command()
@click.argument("picture")
@click.option("--kernel", multiple=True, required=True, help="The kernel; give several for several feature maps.")
@_padding
@_stride
@click.option("--true-convolution", is_flag=True, help="Turn the kernel by half a circle first, as mathematics has it.")
@_channels
@click.option("--cell", metavar="ROW,COL", help="Show the whole sum of one output cell, counted from 0,0.")
@_files
@told
def convolve(kernel: tuple[str, ...], cell: str | None, as_json: bool, **options: Any) -> None:
    """Slide kernels over PICTURE, and show the feature maps that come out.

    PICTURE is a picture, a matrix in a .csv, .txt or .npy file, or a matrix as text: "1 2; 3 4" has two rows. A matrix
    is answered with a matrix, a picture with its size and range; --out draws it. A matrix whose first number is
    negative begins with a space: " -1 0; 0 1".

    \b
    A kernel is one of
      vertical horizontal sobel-x sobel-y scharr-x scharr-y prewitt-x prewitt-y
      laplacian gaussian sharpen emboss
      45, 70 or any other number   edges at this many degrees: 0 is horizontal, 90 vertical
      "1 0 -1; 1 0 -1; 1 0 -1"     rows, parted by semicolons; | parts the planes of
                                   several channels; "2;" is 1 x 1, while 2 is an angle
      FILE.csv, .txt, .npy         rows in lines; an empty line parts planes

    A kernel with one plane is laid on every channel, and the channels are summed. As in deep learning, it is laid on
    the picture as it is written (cross-correlation). With --padding same, an even kernel gets one zero more at the
    bottom and at the right. reflect, replicate and circular add as many pixels, but the picture's own: mirrored at the
    outermost ones, the nearest one, those of the opposite side. A window that does not fit at the end is dropped.
    """
    from eyespot.cli import show, show_by_hand, typed
    from eyespot.recipes.by_hand.convolve import convolve as recipe

    result = recipe(kernel=kernel, cell=None if cell is None else typed.cell(cell), **options)
    show.json_or(as_json, result, show_by_hand.convolved)


@click.command(context_settings=old_names.on_command_line(old_names.POOL))
@click.argument("picture")
@click.option("--kind", default="max", show_default=True, metavar="NAME", help="max or average.")
@click.option("--window", type=int, default=2, show_default=True, help="Side of the square window, pixels.")
@click.option(
    "--padding", default="valid", show_default=True, metavar="P", help="valid (none), same, or pixels on every side."
)
@click.option("--stride", type=int, help="Pixels from one window to the next.  [default: the window's side]")
@_channels
@_files
@told
def pool(as_json: bool, **options: Any) -> None:
    """Make one number of each window of PICTURE: its greatest, or its average, each channel by itself.

    PICTURE is a picture, a matrix in a .csv, .txt or .npy file, or a matrix as text: "1 2; 3 4". Pooling has no
    parameters to learn. A window that does not fit at the end is dropped. Padding, at most half the window, is
    never the greatest, and counts as zeros in an average.
    """
    from eyespot.cli import show, show_by_hand
    from eyespot.recipes.by_hand.pool import pool as recipe

    show.json_or(as_json, recipe(**options), show_by_hand.pooled)


@click.command(context_settings=old_names.on_command_line(old_names.PIXEL_COVERAGE))
@click.option("--imgsz", required=True, metavar="N|HxW", help="Size of the picture, pixels.")
@click.option("--kernel", default="3", show_default=True, metavar="N|HxW", help="Size of the window, pixels.")
@_padding
@_stride
@_files
@told
def pixel_coverage(imgsz: str, kernel: str, as_json: bool, **options: Any) -> None:
    """Show how many windows use each pixel: without padding, corners count less than the centre.

    With --padding reflect, replicate or circular, a pixel that a window sees twice counts twice.
    """
    from eyespot.cli import show, show_by_hand, typed
    from eyespot.recipes.by_hand.pixel_coverage import pixel_coverage as recipe

    result = recipe(typed.size_hw(imgsz, "imgsz"), typed.size_hw(kernel, "kernel"), **options)
    show.json_or(as_json, result, show_by_hand.covered)


@click.command()
@click.argument("picture")
@click.option("--target", default="sobel-x", show_default=True, help="The kernel to be learned, as for convolve.")
@click.option("--examples", type=int, default=2000, show_default=True, help="Windows of the picture to learn from.")
@click.option("--steps", type=int, default=3000, show_default=True, help="Steps of gradient descent.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides the windows and the first weights.")
@_channels
@json_option
@told
def learn_kernel(as_json: bool, **options: Any) -> None:
    """Learn a kernel from PICTURE by gradient descent, as a convolutional network does.

    Windows of PICTURE and what the target makes of each are the examples; the target itself is not shown to the
    learner. The answer shows how the learned kernel approaches it.
    """
    from eyespot.cli import show, show_by_hand
    from eyespot.recipes.by_hand.learn_kernel import learn_kernel as recipe

    show.json_or(as_json, recipe(**options), show_by_hand.learned)


COMMANDS = {
    "convolve": convolve,
    "pool": pool,
    "pixel-coverage": pixel_coverage,
    "learn-kernel": learn_kernel,
}
