"""The command that answers an open question by an experiment: a guess first, then the numbers, then the verdict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.ctrl_c import STATUS
from eyespot.cli.told import json_option, quiet_option, told

if TYPE_CHECKING:
    from eyespot.labs.catalogue import Found
    from eyespot.labs.definition import Language
    from eyespot.labs.result import LabEntry, LabResult


@click.command()
@click.argument("name", required=False)
@click.argument("data", default="digits")
@click.option("--seeds", type=int, default=5, show_default=True, help="Rounds, each with its own test pictures.")
@click.option("--seed", type=int, default=0, show_default=True, help="The first of them.")
@click.option("--time", metavar="TIME", help="For all of it, such as 30s or 2m: rounds that do not fit are left out.")
@click.option("--guess", type=int, metavar="N", help="What you think comes out; asked for on a terminal.")
@click.option("--lang", metavar="LANG", help="en or zh.  [default: the environment's]")
@click.option("--model", metavar="NAME|RUN", help="The network to look into, for the labs that do.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where labs go.")
@json_option
@quiet_option
@told
def lab(name: str | None, data: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Answer an open question about CNNs by an experiment of a minute; without NAME, list them all.

    DATA is `digits` or your own pictures, of any kind that `train` takes; at most 2,000 of them are used, as small
    images. Each seed is a round with its own test pictures, and the verdict says how sure it is: it is so, it is not,
    or it cannot be told. Ctrl-C keeps the finished rounds, and the same command goes on from there.
    """
    from eyespot.cli import show
    from eyespot.labs.lab import lab as experiment

    given = {name: value for name, value in options.items() if value is not None}
    if name is None:
        show.json_or(as_json, experiment(**given), _listed)  # type: ignore[arg-type]
        return
    if not as_json:
        given |= _introduced(name, given, asks=not quiet and sys.stdin.isatty() and sys.stdout.isatty())
    with show.progress(quiet=quiet) as progress:
        result = experiment(name, data, progress=progress, **given)
    show.json_or(as_json, result, _answered)  # type: ignore[arg-type]
    if result.ended == "ctrl-c":  # type: ignore[union-attr]
        sys.exit(STATUS)


COMMANDS = {"lab": lab}


def _introduced(name: str, given: dict[str, Any], *, asks: bool) -> dict[str, Any]:
    """Shows the question; the guess, where one is asked for."""
    from eyespot.labs.catalogue import find
    from eyespot.labs.options import LabOptions
    from eyespot.labs.phrases import language_of

    found, language = find(name), language_of(given.get("lang"))
    LabOptions(**given).require_fit(name, found.lab)
    _line("question", found.lab.question.to(language), language)
    _line("claim", found.lab.claim.to(language), language)
    if given.get("guess") is not None or not asks:
        return {}
    return _asked(found, language)


def _asked(found: Found, language: Language) -> dict[str, Any]:
    """The guess; none, where none is typed."""
    from eyespot.cli import show
    from eyespot.labs.phrases import said

    guesses = [each.to(language) for each in found.lab.guesses]
    for number, guess in enumerate(guesses, 1):
        if number == 1:
            _line("guess", f"[1] {guess}", language)
        else:
            show.line("", f"[{number}] {guess}")
    while True:
        try:
            typed = input(f"{'':12}> ").strip()
        except EOFError:  # no guess
            show.say("")
            return {}
        if typed.isdecimal() and 1 <= int(typed) <= len(guesses):
            return {"guess": int(typed)}
        if not typed:
            return {}
        _line("guess", said("which", language, most=len(guesses)), language)


def _line(phrase: str, text: str, language: Language) -> None:
    from rich.cells import cell_len

    from eyespot.cli import show
    from eyespot.labs.phrases import said

    label = said(phrase, language)
    show.say(f"{label}{' ' * max(1, 12 - cell_len(label))}{text}")


def _listed(entries: tuple[LabEntry, ...]) -> None:
    from eyespot.cli import show
    from eyespot.cli.columns import in_column

    for name, each in zip(in_column([each.name for each in entries]), entries, strict=True):
        show.say(f"{name}  {each.seconds:>4} s  {each.question}")


def _answered(result: LabResult) -> None:
    from eyespot.cli import show
    from eyespot.labs.phrases import agrees, answer_words, said

    language = result.language
    for line in _table(result):
        show.line("", line)
    colon = "：" if language == "zh" else ": "
    answer = answer_words(result.question, result.answer, language)
    _line("verdict", f"{answer}{colon}{result.verdict}" if answer else result.verdict, language)
    if result.guess is not None:
        full = "。" if language == "zh" else ". "
        _line(
            "you_said",
            f"{result.guesses[result.guess - 1]}{full}{said(agrees(result.guess, result.right_guess), language)}",
            language,
        )
    for note in result.notes:
        _line("note", note, language)
    if result.seeds:
        _line("plot", result.plot, language)
    _line("report", result.report, language)
    lines = len(Path(result.code).read_text("utf-8").splitlines())
    _line("read_on", f"{result.code}{colon}{said('lines', language, lines=lines)}", language)


def _table(result: LabResult) -> list[str]:
    """The settings and their measures in columns, as wide as they need to be."""
    from eyespot.cli.columns import in_column
    from eyespot.labs.catalogue import find
    from eyespot.labs.shown import table_of

    columns = zip(*table_of(find(result.lab).lab, result), strict=True)
    return ["  ".join(row).rstrip() for row in zip(*(in_column(each, widest=60) for each in columns), strict=True)]
