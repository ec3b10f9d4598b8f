"""The command that measures how fast a network answers: benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import json_option, quiet_option, told

if TYPE_CHECKING:
    from eyespot.recipes.benchmark import BenchmarkResult, Rate


@click.command()
@click.argument("network", metavar="RUN_OR_NET")
@click.option("--pictures", metavar="FOLDER", help="Measure reading these pictures, too, alone and with the engine.")
@click.option("--batches", default="1,4,16,64", show_default=True, metavar="N,N", help="Images at a time.")
@click.option("--runs", type=int, default=5, show_default=True, help="Of each line, for median and range.")
@json_option
@quiet_option
@told
def benchmark(batches: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Measure how many images a second RUN_OR_NET answers on this machine, by engine, number format and batch.

    RUN_OR_NET is a run folder or bundle, or a network that `networks` lists, which then has random weights. The images
    are made at random; decoding is not counted, unless --pictures is given. The last column is the share of what this
    machine reaches in multiplying large matrices.
    """
    from eyespot.cli import show, typed
    from eyespot.recipes.benchmark import benchmark as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(batches=typed.counts(batches, "batches"), progress=progress, **options)
    show.json_or(as_json, result, _measured)


COMMANDS = {"benchmark": benchmark}


def _measured(result: BenchmarkResult) -> None:
    from eyespot.cli import show

    show.line("Network", f"{result.network}, weights {result.weights}")
    height, width, channels = result.image_hwc
    show.line("Image", f"{height} x {width} x {channels}, {result.multiply_adds / 1e9:.3f} billion multiply-adds")
    show.line("Machine", result.machine)
    for precision, peak in result.peak_gflops.items():
        show.line("Peak", f"{precision} {peak:,.0f} GFLOP/s, the fastest matrix product")
    show.say("")
    columns = f"{'batch':>5}{'images/s':>10}  {'range of ' + str(result.runs):18}{'ms':>9}{'GFLOP/s':>9}{'of peak':>9}"
    show.say(f"{'engine':14}{'format':8}{columns}")
    for each in result.speeds:
        rate = each.images_per_second
        show.say(
            f"{each.engine:14}{each.precision:8}{each.batch:>5}{_short(rate.median):>10}  {_range(rate):18}"
            f"{each.milliseconds:>9.2f}{each.gflops:>9.0f}{each.share_of_peak:>9.0%}"
        )
    if result.decoding:
        reading = result.decoding
        show.say("")
        show.line("Pictures", f"{reading.pictures}, read again in each run")
        show.line("Decoding", f"{_short(reading.decoding.median)} pictures/s ({_range(reading.decoding)})")
        show.line("With engine", f"{_short(reading.whole.median)} pictures/s ({_range(reading.whole)})")
    show.notes(result.notes)


def _range(rate: Rate) -> str:
    return f"{_short(rate.low)} to {_short(rate.high)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
