"""The commands that take a trained model to where it works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eyespot.cli.told import json_option, quiet_option, told


@click.command()
@click.argument("run")
@click.option("--format", default="onnx", show_default=True, help="onnx, one file, or openvino, two.")
@click.option("--int8", is_flag=True, help="Try 8-bit numbers; kept if as good and faster here. OpenVINO only.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write to.  [default: export in the run's folder]"
)
@click.option("--data", metavar="DATA", help="Where the run's pictures are now.  [default: where they were]")
@click.option("--overwrite", is_flag=True, help="Replace an earlier export.")
@json_option
@quiet_option
@told
def export(as_json: bool, quiet: bool, **options: Any) -> None:
    """Write the model in RUN as a file that other programs run, and prove that it answers there as it did here.

    The file takes a decoded picture of any size: resize, crop, normalisation, network, temperature and softmax are
    inside, and so are the names of the classes. The run's validation pictures go through it in OpenVINO and in ONNX
    Runtime; if an answer is another one than the run's, nothing is written.
    """
    from eyespot.cli import show
    from eyespot.recipes.export import export as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, show.exported)


@click.command()
@click.argument("run")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=int, default=8000, show_default=True, help="The port; 0 takes a free one.")
@click.option(
    "--token",
    envvar="EYESPOT_TOKEN",
    help="What clients must know; needed on other addresses than this computer's own.  [default: EYESPOT_TOKEN]",
)
@click.option("--queue", type=int, default=256, show_default=True, help="Pictures that may wait; beyond, 503.")
@told
def serve(**options: Any) -> None:
    """Serve the model in RUN over HTTP, with a page to try it, until Ctrl-C or SIGTERM.

    RUN is a run folder or a bundle. A better bundle that takes its place there is served from then on.
    """
    from eyespot.cli import show
    from eyespot.serve.run import serve as recipe

    recipe(say=show.say, **options)


COMMANDS = {"export": export, "serve": serve}
