"""What comes after a run: where its report is to be seen, how its model is used, and how it could become better."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from eyespot.names import printable_lines


def next_steps(report: str, commands: Sequence[tuple[str, str]], better: Sequence[str]) -> None:
    """Three steps: see it, use it, better it.

    report: the file. commands: what is typed to use the model, each with what it does.
    better: lines.
    """
    click.echo(f"{'See it':12}", nl=False)
    print_link(report)
    for label, lines in (("Use it", [command for command, _ in commands]), ("Better it", better)):
        for at, words in enumerate(lines):
            click.echo(printable_lines(f"{'' if at else label:12}{words}"))


def print_link(path: str) -> None:
    """Prints a file's path; a terminal that knows links opens the file where it is clicked."""
    file = Path(path).absolute()
    if not (sys.stdout.isatty() and file.is_file()):  # the name of a file that cannot be printed is shown otherwise
        click.echo(printable_lines(path))
        return
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    Console(file=sys.stdout, highlight=False).print(Text(path, style=Style(link=file.as_uri())), soft_wrap=True)


def open_report(path: str) -> None:
    """Shows a report in the browser, or says that there is none."""
    import webbrowser

    if not webbrowser.open(Path(path).absolute().as_uri()):
        click.echo(f"eyespot: there is no browser here that could open {printable_lines(path)}", err=True)
