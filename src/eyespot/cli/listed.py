"""The command that lists runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from eyespot.cli.told import json_option, told

if TYPE_CHECKING:
    from eyespot.recipes.list_runs import ListedRun


@click.command()
@click.argument("folder", default="runs")
@click.option("--sort", default="when", show_default=True, help="when, value, name or size.")
@json_option
@told
def runs(folder: str, sort: str, as_json: bool) -> None:
    """List the runs in FOLDER, `runs` by default: data, time, regime, figure, size, and whether they are done.

    A run that was killed, or that is damaged, is listed as such.
    """
    from eyespot.cli import show
    from eyespot.recipes.list_runs import list_runs

    show.json_or(as_json, list_runs(folder, sort=sort), _listed)


COMMANDS = {"runs": runs}
WIDEST = 80
"""Places of a column: a run's folder is to be typed."""


def _listed(found: Sequence[ListedRun]) -> None:
    from eyespot.cli import show
    from eyespot.cli.columns import in_column

    if not found:
        show.say("there are no runs yet: `eyespot train` makes one")
        return
    columns = [
        in_column([title, *(text(run) for run in found)], widest=WIDEST)
        for title, text in (
            ("run", lambda run: run.run),
            ("when", _when),
            ("data", lambda run: run.data),
            ("regime", lambda run: run.regime),
            ("figure, 95 % interval", _figure),
            ("model", lambda run: "" if run.model_bytes is None else f"{run.model_bytes / 1e6:.1f} MB"),
            ("state", lambda run: f"{run.state}: {run.why}" if run.why else run.state),
        )
    ]
    for row in zip(*columns, strict=True):
        show.say("  ".join(row).rstrip())


def _when(run: ListedRun) -> str:
    """In this place's own time."""
    return f"{datetime.fromisoformat(run.when).astimezone():%Y-%m-%d %H:%M}" if run.when else ""


def _figure(run: ListedRun) -> str:
    if run.value is None:
        return ""
    on = "" if run.measured_on == "test" else f" {run.measured_on}"
    measure = "" if run.measure == "accuracy" else f"{run.measure} "
    return f"{measure}{run.value:.3f} ({run.low:.3f} to {run.high:.3f}){on}"
