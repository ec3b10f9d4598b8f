"""The command `eyespot`: one thin command for each recipe. Each imports its recipe inside: --help is instant."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

import eyespot
from eyespot.cli import ctrl_c

COMMANDS = ("train", "predict", "val", "embed", "info", "cache")


class _Group(click.Group):
    """Lists commands in the order in which a newcomer needs them, and knows what a mistyped one may have meant."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        import difflib

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command {args[0]!r}: {hint}", context)
        return super().resolve_command(context, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(eyespot.__version__, prog_name="eyespot")
def main() -> None:
    """A folder of your own pictures becomes a convolutional network that you understand, trust and run.

    \b
      eyespot train digits             learn the embedded sample, in seconds
      eyespot train PHOTOS             learn your own: one sub-folder of pictures per class
      eyespot predict RUN PICTURES     ask the trained model
    """


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Errors that a person can mend end the command in one sentence; anything else is our bug and shows itself."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some costs 40 ms; we use none
        from eyespot.errors import EyespotError, Stopped

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter of a name shows its number
                stream.reconfigure(errors="backslashreplace")
        try:
            with ctrl_c.as_exception():
                command(*args, **options)
            ctrl_c.ignore()
        except EyespotError as error:
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


def _end(sentence: str, status: int) -> NoReturn:
    ctrl_c.ignore()
    from eyespot.names import printable

    click.echo(printable(sentence), err=True)
    sys.exit(status)


_json = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object on standard output.")
_quiet = click.option("--quiet", "-q", is_flag=True, help="Show no progress.")


@main.command()
@click.argument("data")
@click.option("--model", default="auto", show_default=True, metavar="NAME", help="auto, efficientnet_lite0 or lenet5.")
@click.option("--head", default="", metavar="N,N", help="Hidden layers before the softmax, such as 256,128.")
@click.option("--output", default="softmax", show_default=True, help="softmax, or with two classes sigmoid.")
@click.option("--class-weight", default="auto", show_default=True, help="auto balances unequal classes; none.")
@click.option("--mirror", default="auto", show_default=True, help="Train on mirror images, too: auto, yes or no.")
@click.option("--epochs", type=int, help="Most passes over the pictures, from scratch.  [default: 30]")
@click.option("--batch", type=int, help="Pictures in a step, from scratch.  [default: 32]")
@click.option("--lr", type=float, help="Learning rate, from scratch.  [default: 0.004]")
@click.option("--patience", type=int, help="Epochs without improvement before stopping, from scratch.  [default: 10]")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides split, folds and first weights.")
@click.option("--precision", default="auto", show_default=True, help="auto, fp32 or bf16.")
@click.option("--name", help="Name of the run's folder.  [default: the data's name]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go.")
@_json
@_quiet
@_told
def train(data: str, head: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train on DATA and write a model and a report.

    DATA is a folder with one sub-folder of pictures per class, or with train/, val/ and test/ that have such
    sub-folders, or `digits` for the embedded sample. Nothing in it is ever changed.
    """
    from eyespot.cli import show
    from eyespot.recipes.train import train as recipe

    given = {name: value for name, value in options.items() if value is not None}
    with show.progress(quiet=quiet) as progress:
        result = recipe(data, progress=progress, head=_widths(head), **given)
    show.json_or(as_json, result, show.trained)


@main.command()
@click.argument("run")
@click.argument("pictures", nargs=-1, required=True)
@click.option("--topk", type=int, default=3, show_default=True, help="Classes named for each picture.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the answers to this file.")
@click.option("--overwrite", is_flag=True, help="Replace that file where it exists.")
@_json
@_quiet
@_told
def predict(
    run: str,
    pictures: tuple[str, ...],
    topk: int,
    csv_file: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Name the likeliest classes of PICTURES, files or folders, by the model in RUN.

    RUN is a run folder such as runs/train/photos, its bundle, or a copied bundle alone.
    """
    from eyespot.cli import show
    from eyespot.files import require_writable
    from eyespot.recipes.predict import predict as recipe

    if csv_file:
        require_writable(csv_file, overwrite=overwrite)
    with show.progress(quiet=quiet) as progress:
        result = recipe(run, list(pictures), topk=topk, progress=progress)
    if csv_file:
        show.write_predictions(csv_file, result)
    show.json_or(as_json, result, show.predicted)


@main.command()
@click.argument("run")
@click.argument("data")
@click.option("--split", default="auto", show_default=True, help="The part to read: train, val, test, all; auto.")
@_json
@_quiet
@_told
def val(run: str, data: str, split: str, as_json: bool, quiet: bool) -> None:
    """Measure the model in RUN on the labelled pictures of DATA.

    auto reads test, else val, else everything. A folder that is not split is read whole.
    """
    from eyespot.cli import show
    from eyespot.recipes.val import val as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(run, data, split=split, progress=progress)
    show.json_or(as_json, result, show.validated)


@main.command()
@click.argument("data")
@click.option("--out", required=True, help="The file to write, ending in .npz.")
@click.option("--precision", default="auto", show_default=True, help="auto, fp32 or bf16.")
@click.option("--overwrite", is_flag=True, help="Replace the file where it exists.")
@_json
@_quiet
@_told
def embed(data: str, out: str, precision: str, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Write the features of every picture in DATA as plain arrays.

    The file holds `features` (N, 1280), `pictures`, `classes` and `parts`; numpy.load reads it.
    """
    from eyespot.cli import show
    from eyespot.recipes.embed import embed as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(data, out, precision=precision, overwrite=overwrite, progress=progress)
    show.json_or(as_json, result, show.embedded)


@main.command()
@_json
@_told
def info(as_json: bool) -> None:
    """Show version, engine, precision, cores and cache."""
    from eyespot.cli import show
    from eyespot.recipes.info import info as recipe

    show.json_or(as_json, recipe(), show.informed)


@main.command()
@click.option("--clear", is_flag=True, help="Remove all stored features; they are computed again when needed.")
@_json
@_told
def cache(clear: bool, as_json: bool) -> None:
    """Show how large the store of features is, or clear it."""
    from eyespot.cli import show
    from eyespot.recipes.info import cache as recipe

    show.json_or(as_json, recipe(clear=clear), show.cached)


def _widths(text: str) -> tuple[int, ...]:
    """`256,128` as numbers."""
    from eyespot.errors import OptionError

    try:
        return tuple(int(width) for width in text.split(",") if text.strip())
    except ValueError:
        raise OptionError(f"the option head cannot be {text!r}: give whole numbers such as 256,128") from None
