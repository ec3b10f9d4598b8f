"""The command that looks at pictures before anything is trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import json_option, quiet_option, read_options, told

if TYPE_CHECKING:
    from eyespot.auditing.result import AuditResult


@click.command()
@click.argument("data")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where it goes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides the folds.")
@click.option("--precision", default="auto", show_default=True, help="auto, fp32 or bf16.")
@read_options
@json_option
@quiet_option
@told
def audit(as_json: bool, quiet: bool, **options: Any) -> None:
    """Look for copies, series, doubtful labels and odd pictures in DATA, and for what more pictures would bring.

    Nothing of DATA is touched. A page shows what was found; what is left out of a training is decided in a list beside
    it.
    """
    from eyespot.cli import show
    from eyespot.recipes.audit import audit as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, _audited)


COMMANDS = {"audit": audit}


def _audited(result: AuditResult) -> None:
    from eyespot.cli import show

    for label, words in result.lines():
        show.line(label, words)
    show.set_aside(result.set_aside, "all are listed in audit.json")
    show.notes(result.notes, "audit.json has them all")
    show.line("Report", result.report)
    if result.listed:
        show.line("List", f"{result.list}: {result.on_list}")
    if result.untrainable:
        show.line("Next", result.untrainable)
    for words in result.next_words:
        show.line("Next", words)
