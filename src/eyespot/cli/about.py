"""The commands that say what eyespot is on this machine, what it keeps and knows, and that write its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import json_option, quiet_option, told

if TYPE_CHECKING:
    from eyespot.recipes.sample import SampleResult


@click.command()
@json_option
@told
def info(as_json: bool) -> None:
    """Show version, engine, precision, cores and cache."""
    from eyespot.cli import show
    from eyespot.recipes.info import info as recipe

    show.json_or(as_json, recipe(), show.informed)


@click.command()
@click.option("--clear", is_flag=True, help="Remove all stored features; they are computed again when needed.")
@json_option
@told
def cache(clear: bool, as_json: bool) -> None:
    """Show how large the store of features is, or clear it."""
    from eyespot.cli import show
    from eyespot.recipes.info import cache as recipe

    show.json_or(as_json, recipe(clear=clear), show.cached)


@click.command()
@click.argument("sample", metavar="SAMPLE")
@click.argument("folder")
@json_option
@told
def sample(sample: str, folder: str, as_json: bool) -> None:
    """Write a SAMPLE of pictures to try eyespot on into FOLDER: shapes or digits.

    shapes are the drawings that the README and the documentation use: photos/, more/, new/, and cells/ with boxes.
    In an empty folder, `eyespot sample shapes .` makes all of their commands work as they stand. digits are real:
    1,797 small pictures of handwritten digits. Nothing that is there is ever replaced.
    """
    from eyespot.cli import show
    from eyespot.recipes.sample import sample as recipe

    show.json_or(as_json, recipe(sample, folder), _written)


@click.command()
@click.argument("name", required=False)
@click.option("--download", is_flag=True, help="Fetch the weights of NAME, where they are not on this computer.")
@click.option("--weights", metavar="NAME", help="Which, where several are published.  [default: the first]")
@click.option("--from", "from_url", metavar="URL", help="Fetch them from a mirror: its folder of the files, https.")
@json_option
@quiet_option
@told
def networks(name: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """List all networks, or show what is known of the one called NAME and of its published weights.

    NAME may be one of timm's, as timm:resnet18. Nothing is fetched without --download. A download that broke off goes
    on from there.

    For Python: eyespot.create(NAME, weights="imagenet") builds it.
    """
    from eyespot.cli import show, show_networks
    from eyespot.recipes.networks import networks as recipe

    with show.progress(quiet=quiet) as progress:
        found = recipe(name, progress=progress, **options)
    show.json_or(as_json, found, show_networks.listed if name is None else show_networks.described)


COMMANDS = {"info": info, "cache": cache, "sample": sample, "networks": networks}


def _written(result: SampleResult) -> None:
    from eyespot.cli import show
    from eyespot.words import counted

    for each in result.folders:
        show.line("Wrote", f"{each.folder}: {counted(each.pictures, 'picture')}, {each.what}")
    show.line("Source", result.source)
    show.line("Next", result.next_command)
