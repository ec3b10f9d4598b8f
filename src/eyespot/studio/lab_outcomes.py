"""The outcomes of labs on this computer, found by lab, known by the names of their folders, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eyespot.errors import RequestError
from eyespot.labs import catalogue
from eyespot.labs.folder import OUTCOME, PLOT, REPORT
from eyespot.labs.kept import read_result
from eyespot.labs.phrases import agrees, answer_words, said
from eyespot.labs.result import LabResult
from eyespot.labs.shown import table_of

MOST_BYTES = 16 * 2**20
"""Of a report or a plot."""
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


class LabOutcomes:
    """What lies in `OUT/lab`. The id of an outcome is the name of its folder there, such as `why-pool-2`."""

    def __init__(self, out: Path) -> None:
        """out: the folder in which `lab` is, or will be."""
        self._folder = out / "lab"

    def ids(self, lab: str) -> list[str]:
        """Of the outcomes of a lab, the newest first."""
        return [each.name for _, each in sorted(changed(folders_of(self._folder, lab), OUTCOME), reverse=True)]

    def of(self, lab: str) -> list[dict[str, Any]]:
        """The outcomes of a lab in a line each, the newest first: nothing that tells what came out."""
        found = ((each, read_result(self._folder / each)) for each in self.ids(lab))
        return [
            {"result": number, "data": result.data, "seeds": len(result.seeds), "language": result.language}
            for number, result in found
            if result is not None and result.lab == lab
        ]

    def read(self, number: str) -> dict[str, Any]:
        """All of an outcome that is shown. Raises RequestError for what is none."""
        result = self._result(number)
        found, language = catalogue.find(result.lab), result.language
        kept = result.model_dump(mode="json", exclude={"folder", "table", "plot", "report", "code", "cells"})
        return {
            **kept,
            "result": number,
            "answer_words": answer_words(result.question, result.answer, language),
            "agrees": said(agrees(result.guess, result.right_guess), language) if result.guess else "",
            "exact": found.lab.exact,
            "axes": len(found.lab.grid),
            "rows": table_of(found.lab, result),
            "measure": next(iter(found.lab.measures.values())).to(language),
            "plotted": bool(result.seeds) and (self._folder / number / PLOT).is_file(),
            "reported": (self._folder / number / REPORT).is_file(),
        }

    def report(self, number: str) -> bytes:
        return self._content(number, REPORT)

    def plot(self, number: str) -> bytes:
        return self._content(number, PLOT)

    def _result(self, number: str) -> LabResult:
        result = read_result(self._folder / number) if _ID.fullmatch(number) else None
        if result is None or result.lab not in catalogue.names() or number not in self.ids(result.lab):
            raise RequestError(404, f"no outcome of a lab is kept as {number[:60]!r}: run the lab again")
        return result

    def _content(self, number: str, name: str) -> bytes:
        """Of a file in an outcome's own folder; one that leads elsewhere is none."""
        self._result(number)
        file = self._folder / number / name
        try:
            if file.is_symlink() or not file.is_file() or file.stat().st_size > MOST_BYTES:
                raise RequestError(404, "this file of the lab is not there any more: run the lab again")
            return file.read_bytes()
        except OSError as error:
            raise RequestError(404, f"this file of the lab cannot be read ({error.strerror or error})") from None


def folders_of(folder: Path, lab: str) -> Iterator[Path]:
    """The folders of a lab, under the one of all labs."""
    pattern = re.compile(re.escape(lab) + r"(-\d+)?", re.ASCII)
    try:
        yield from (each for each in folder.iterdir() if pattern.fullmatch(each.name) and not each.is_symlink())
    except OSError:  # there is none yet
        return


def changed(folders: Iterator[Path], name: str) -> Iterator[tuple[int, Path]]:
    """When a file of that name was changed in each of the folders that have one, in nanoseconds, and the folder."""
    for each in folders:
        try:
            yield (each / name).stat().st_mtime_ns, each
        except OSError:  # it has none, or is gone meanwhile
            continue
