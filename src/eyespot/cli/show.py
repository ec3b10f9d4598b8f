"""What people see: progress on standard error, results on standard output, in words or as JSON."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import BaseModel

from eyespot.cli import afterwards
from eyespot.cli.columns import in_column
from eyespot.evaluate.trust import trust_sentences
from eyespot.files import write_chosen
from eyespot.names import as_typed, printable_lines
from eyespot.progress import Progress, shown, silent
from eyespot.records import Metric
from eyespot.runs.tables import as_csv
from eyespot.words import counted, megabytes

if TYPE_CHECKING:  # each command shows one of them
    from eyespot.answering.detections import Detections
    from eyespot.answering.multilabel_results import LabelPrediction
    from eyespot.answering.results import Prediction, ValResult
    from eyespot.exporting.result import ExportResult
    from eyespot.recipes.embed import EmbedResult
    from eyespot.recipes.info import CacheResult, InfoResult
    from eyespot.records import SetAside
    from eyespot.reporting.result import TrainResult

MOST_NAMED = 10
"""Files set aside, and notes, that the console names; the others are counted."""
MOST_CLASSES = 50
"""Classes in the table of `val`; of more, the weakest are shown."""
R = TypeVar("R")


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """A bar on a terminal; a line every ten seconds where standard error goes to a file or a pipe; nothing if quiet."""
    if quiet:
        yield silent
        return
    with shown() as tell:
        yield tell


def say(text: str, *, err: bool = False) -> None:
    """Prints words: the only way from here to a terminal, so that no name in them can command it.

    err: on standard error; what cannot be written there is lost, and nothing with it.
    """
    with suppress(OSError) if err else nullcontext():
        click.echo(printable_lines(text), err=err)


def line(label: str, text: str) -> None:
    """A line of a summary: what it is about, and the words."""
    say(f"{label:12}{text}")


def json_or(as_json: bool, result: R, in_words: Callable[[R], None]) -> None:
    """Prints a result: as one JSON value on standard output, or in words."""
    if as_json:
        click.echo(_json(result).encode("utf-8", "backslashreplace"))
    else:
        in_words(result)


def trained(result: TrainResult) -> None:
    """The closing summary of `train`."""
    used = f"{counted(result.pictures.used, 'picture')} of {len(result.classes)} classes"
    line("Used", f"{used}, {result.network} {result.regime}")
    line("Why", result.regime_reason)
    for rung in result.ladder:
        accuracy = f", validation {rung.validation.accuracy:.3f}" if rung.validation else ""
        line("Ladder", f"{rung.regime}, {rung.trained}, {rung.seconds:.0f} s{accuracy}: {rung.verdict}")
    set_aside(result.set_aside, "all are listed in predictions.csv")
    notes(result.notes, "result.json has them all")
    if result.out_of_fold:
        line("Cross-val.", str(result.out_of_fold))
        line("", result.out_of_fold_reason)
    if not result.out_of_fold or result.validation != result.out_of_fold:
        line("Validation", str(result.validation or "none"))
    line("Test", str(result.test or result.small_test or "none"))
    for label, sentence in trust_sentences(result.series, result.doubtful, result.more, result.list_gain):
        line(label, sentence)
    line("Time", f"{result.seconds:.1f} s, {counted(result.views_computed, 'view')} computed")
    afterwards.next_steps(result.report, result.next_commands[:3], (result.better.command, result.better.expects))


def predicted(results: Sequence[Prediction] | Sequence[Detections] | Sequence[LabelPrediction]) -> None:
    """A line a picture: its name, then the likeliest classes, or how many boxes there are of each.

    Of estimated boxes it is said once what they are.
    """
    from eyespot.answering.results import ESTIMATES, PlacedPrediction

    for each in results:
        if each.set_aside is not None:
            say(f"{each.picture}: {each.set_aside}", err=True)
            continue
        say(f"{each.picture}: {each}")
        if each.note is not None:
            say(f"{each.picture}: {each.note}", err=True)
    if any(isinstance(each, PlacedPrediction) and each.where is not None for each in results):
        say(ESTIMATES)


def exported(result: ExportResult) -> None:
    """What `export` wrote, and how it compares."""
    if result.web is not None:
        size = f"{counted(len(result.files), 'file')}, {megabytes(result.bytes)}"
        line("Wrote", f"{result.web.folder}: {size}, weights in {result.web.weights}")
    for file in result.files if result.web is None else ():
        line("Wrote", file)
    before = "before int8, " if result.int8 and result.int8.kept else ""
    for check in (*result.checks, *([result.bf16] if result.bf16 else [])):
        line("Compared", f"{before}{check.runtime}: {check}")
        for name in check.close[:MOST_NAMED]:
            line("", f"{name} {check.why_close}")
    if result.bf16 is None and not result.is_detector and result.web is None:
        line("", "bf16 is left out: this machine has no such arithmetic")
    if result.int8 is not None:
        of = result.int8
        line("int8", of.verdict)
        line("", str(of.answers))
        line("", f"accuracy {of.accuracy:.3f}, in fp32 {of.accuracy_fp32:.3f}, on {counted(of.pictures, 'picture')}")
        line("", f"{of.speedup:.2f} times as fast; faster on {of.faster} of {counted(of.timed, 'picture')}")
    notes(result.notes)
    if result.web is None:
        line("Next", f"eyespot predict {as_typed(result.files[0])} PICTURES")
    else:
        line("Next", f"python -m http.server --directory {as_typed(result.web.folder)}, and open http://localhost:8000")
        line("", "or put the folder on any web space, under https")


def write_predictions(
    path: Path, results: Sequence[Prediction] | Sequence[Detections] | Sequence[LabelPrediction]
) -> None:
    """The answers as CSV, a line an answer."""
    header = type(results[0]).header() if results else ()
    write_chosen(path, as_csv(header, [row for each in results for row in each.rows()]))


def validated(result: ValResult) -> None:
    """The summary of `val`."""
    line("Read", f"{counted(result.n, 'picture')}, part {result.part}")
    set_aside(result.set_aside, "--json names them all")
    notes(result.notes)
    line("Accuracy", str(Metric(accuracy=result.accuracy, low=result.low, high=result.high, n=result.n)))
    if result.refused is not None:
        others = f"; on the others {result.accepted}" if result.accepted else ""
        line("Refused", f"{result.refused} as none of the classes{others}")
    shown = result.per_class
    if len(shown) > MOST_CLASSES:
        weakest = sorted(shown, key=lambda each: math.inf if each.f1 is None else each.f1)
        shown = tuple(weakest[:MOST_CLASSES])
    heading, *names = in_column(["class", *(each.name for each in shown)])
    say(f"{'':12}{heading}  {'precision':24}{'recall':24}{'F1':7}pictures")
    for each, name in zip(shown, names, strict=True):
        precision = _share(each.precision, each.precision_low, each.precision_high)
        recall = _share(each.recall, each.recall_low, each.recall_high)
        f1 = "-" if each.f1 is None else f"{each.f1:.3f}"
        say(f"{'':12}{name}  {precision:24}{recall:24}{f1:7}{each.support:>8}")
    if len(shown) < len(result.per_class):
        line("", f"... and {len(result.per_class) - len(shown)} other classes; --json names them all")


def embedded(result: EmbedResult) -> None:
    """The summary of `embed`."""
    line("Wrote", f"{result.out}: {counted(result.pictures, 'picture')}, {result.features} features each")
    line("Computed", f"{result.computed}{', the others were stored' if result.computed < result.pictures else ''}")
    set_aside(result.set_aside, "--json names them all")
    notes(result.notes)


def informed(result: InfoResult) -> None:
    """The lines of `info`."""
    line("eyespot", f"{result.version}, Python {result.python}, {result.system}, {counted(result.cores, 'core')}")
    line("Engine", f"{result.engine}, computes in {result.precision}")
    line("Decoder", result.decoder)
    for extra, there in result.extras.items():
        line(extra, "installed" if there else f"not installed: pip install 'eyespot[{extra}]'")
    cached(result.cache)


def cached(result: CacheResult) -> None:
    """The store's size, or what was removed."""
    verb = "removed" if result.cleared else "holds"
    held = f"{counted(result.entries, 'array')}, {megabytes(result.bytes)}"
    line("Store", f"{verb} {held}; at most {megabytes(result.max_bytes)}")
    if result.trained_bytes:
        line("Trainings", f"{verb} {megabytes(result.trained_bytes)}")
    line("", result.folder)


def _json(result: Any) -> str:
    """The result as JSON: all in ASCII, which reads the same, where something in it could command a terminal, or where
    standard output is not in UTF-8, as in a pipe on Windows."""
    text = json.dumps(_plain(result), ensure_ascii=False)
    is_utf8 = (sys.stdout.encoding or "").lower().replace("_", "-") in ("utf-8", "utf8")
    return text if is_utf8 and text.isprintable() else json.dumps(_plain(result))


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", by_alias=True)
    return [_plain(each) for each in result]


def _share(share: float | None, low: float | None, high: float | None) -> str:
    """A share of pictures with its 95 % interval."""
    return "-" if share is None else f"{share:.3f} ({low:.3f} to {high:.3f})"


def set_aside(files: Sequence[SetAside], rest: str) -> None:
    """The first files that were not used, each with its reason, and a line for a reason that many have.

    rest: where the others are named.
    """
    if not files:
        return
    line("Set aside", f"{counted(len(files), 'file')}, not used:")
    of_many = {reason: n for reason, n in Counter(each.reason for each in files).items() if n > MOST_NAMED}
    for reason, n in of_many.items():
        line("", f"{n:,} files: {reason}; {rest}")
    others = [each for each in files if each.reason not in of_many]
    for each in others[:MOST_NAMED]:
        line("", f"{each.picture} {each.reason}")
    if len(others) > MOST_NAMED:
        line("", f"... and {len(others) - MOST_NAMED} more; {rest}")


def notes(said: Sequence[str], rest: str = "--json has them all") -> None:
    """The notes, as far as anybody reads them. rest: where the others are."""
    for note in said[:MOST_NAMED]:
        line("Note", note)
    if len(said) > MOST_NAMED:
        line("", f"... and {counted(len(said) - MOST_NAMED, 'more note')}; {rest}")
