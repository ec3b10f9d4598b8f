"""How every command ends: quietly, in one sentence, or with our bug in sight. And the options that most have."""

from __future__ import annotations

import atexit
import functools
import gc
import io
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from eyespot.cli import ctrl_c

SELDOM = 50_000
"""New objects after which garbage is searched for: imports make many that stay, and looking at them costs 100 ms."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON value on standard output."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Show no progress.")

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


def read_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options that say how folders and tables are to be read."""
    for option in (split_option, label_option, image_option, layout_option):
        command = option(command)
    return command


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Errors that a person can mend end the command in one sentence; anything else is our bug and shows itself."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        gc.set_threshold(SELDOM)
        atexit.register(gc.freeze)  # nor is what is left at the end searched
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some costs 40 ms; we use none
        from eyespot.errors import EyespotError, MachineError, Stopped

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter of a name shows its number
                stream.reconfigure(errors="backslashreplace")
        try:
            with ctrl_c.as_exception():
                command(*args, **options)
            ctrl_c.ignore()
        except EyespotError as error:
            if _is_said_by_another_process() and not isinstance(error, MachineError):
                ctrl_c.ignore()
                sys.exit(1)
            _end(f"eyespot: {error}", ctrl_c.STATUS if isinstance(error, Stopped) else 1)
        except KeyboardInterrupt:
            _end(ctrl_c.SENTENCE, ctrl_c.STATUS)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: say nothing more
            sys.exit(1)
        except OSError as error:
            if error.filename is None:
                raise
            _end(f"eyespot: {error.filename} cannot be used: {error.strerror}", 1)

    return run


def _is_said_by_another_process() -> bool:
    """True where torchrun started several on this machine, and this is not the first: all would say the same."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("LOCAL_RANK", "0") != "0"


def _end(sentence: str, status: int) -> NoReturn:
    ctrl_c.ignore()
    from eyespot.names import printable

    click.echo(printable(sentence), err=True)
    sys.exit(status)
