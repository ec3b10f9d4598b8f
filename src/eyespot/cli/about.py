"""The commands that say what eyespot is on this machine, and what it keeps."""

from __future__ import annotations

import click

from eyespot.cli.told import json_option, told


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


COMMANDS = {"info": info, "cache": cache}
