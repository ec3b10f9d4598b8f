"""How every command ends: quietly, in one sentence, or with our bug in sight. The options that most have, and how many
of them are shown."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

import click

from eyespot.cli import ctrl_c
from eyespot.words import nearest

FAILED, WRONG_USE, WORSE = 1, 2, 3
"""Exit status of what could not be done, of a command line that cannot be meant, and of a model that got worse, or
that nobody can say it of, where that was not to be."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON value on standard output."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Show no progress.")

open_option = click.option("--open", is_flag=True, help="Open the report in the browser when it is done.")

layout_option = click.option(
    "--layout",
    default="auto",
    show_default=True,
    metavar="LEVELS",
    help="What the folders are: class, part/class, class/part or any/class.",
)
image_option = click.option("--image-column", metavar="NAME", help="Column of a table that names the pictures.")
label_option = click.option("--label-column", metavar="NAME", help="Column that holds the classes.")
split_option = click.option("--split-column", metavar="NAME", help="Column that says which train and which test.")
cluster_option = click.option("--cluster", metavar="ADDRESS", help="Compute on a Ray cluster: auto, or HOST:PORT.")


def read_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options that say how folders and tables are to be read."""
    for option in (split_option, label_option, image_option, layout_option):
        command = option(command)
    return command


class GroupedCommand(click.Command):
    """A command that shows its options in groups, each under what a person wants to decide; the last has all others."""

    def __init__(self, *args: Any, groups: Mapping[str, tuple[str, ...]], **options: Any) -> None:
        """groups: title of each, and the names of its options as the function takes them."""
        super().__init__(*args, **options)
        self.groups = groups

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(context) if isinstance(param, click.Option)]
        records = {option.name: option.get_help_record(context) for option in options}
        grouped = {name for names in self.groups.values() for name in names}
        *before, (last, names) = self.groups.items()
        for title, shown in (*before, (last, (*names, *(name for name in records if name not in grouped)))):
            with formatter.section(title):
                formatter.write_dl([record for name in shown if (record := records[name]) is not None])


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Errors that a person can mend end the command in one sentence; anything else is our bug and shows itself."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some costs 40 ms; we use none
        from eyespot.errors import CannotWrite, EyespotError, MachineError, OptionError, Stopped

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter of a name shows its number
                stream.reconfigure(errors="backslashreplace")
        try:
            with ctrl_c.as_exception():
                command(*args, **options)
            ctrl_c.ignore()
        except EyespotError as error:
            is_wrong_use = isinstance(error, OptionError) and not isinstance(error, CannotWrite)
            status = ctrl_c.STATUS if isinstance(error, Stopped) else WRONG_USE if is_wrong_use else FAILED
            if _is_said_by_another_process() and not isinstance(error, MachineError):
                ctrl_c.ignore()
                sys.exit(status)
            end(f"eyespot: {error}", status)
        except KeyboardInterrupt:
            end(ctrl_c.SENTENCE, ctrl_c.STATUS)
        except OSError as error:
            if error.filename is None:  # of standard output, maybe: `streams` knows
                raise
            end(f"eyespot: {error.filename} cannot be used: {error.strerror}", FAILED)

    return run


def wrong_use(error: click.ClickException) -> NoReturn:
    """Ends a command line that could not be understood as every other error does: in one sentence."""
    said = error.format_message().strip().rstrip(".").replace(". Did", ": did")
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        said = f"no such option '{error.option_name}': {nearest(error.option_name, error.possibilities)}"
    command = context.command_path if isinstance(error, click.UsageError) and (context := error.ctx) else "eyespot"
    hint = "" if ":" in said or "?" in said else f": `{command} --help` says what it takes"
    end(f"eyespot: {said[:1].lower()}{said[1:]}{hint}", WRONG_USE)


def end(sentence: str, status: int) -> NoReturn:
    """Ends the process with a sentence on standard error, where that takes it."""
    ctrl_c.ignore()
    from eyespot.names import printable

    with suppress(OSError):
        click.echo(printable(sentence), err=True)
    sys.exit(status)


def _is_said_by_another_process() -> bool:
    """True if torchrun started several on this machine, and this is not the first: all would say the same."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("LOCAL_RANK", "0") != "0"
