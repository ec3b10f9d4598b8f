"""How a run went, or goes just now: its epochs and the rungs that it tried, followed as it writes them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from functools import cached_property
from pathlib import Path
from typing import Any

from eyespot.bundle.files import find_bundle
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.runs.folder import ARGS, is_worked_on
from eyespot.studio.run_lines import Line, epoch_that_answers, lines_after, lines_of_table, result_of, rungs_of

POLL_SECONDS = 0.4
NUMBERS = ("step", "epoch", "loss", "validation_loss", "accuracy", "average_precision")
Message = dict[str, Any]


class History:
    """What is known of one run by its folder, which is only read."""

    def __init__(self, folder: Path | None) -> None:
        """folder: of the run; None where there is none, as of a network of the catalogue."""
        self.folder = folder if folder is not None and (folder / ARGS).is_file() else None
        self._is_stopped = False

    def stop(self) -> None:
        """Has every stream end, for the server does."""
        self._is_stopped = True

    async def messages(self) -> AsyncIterator[Message]:
        """What the run has written so far, then what it writes, until it has ended.

        `run` comes first, then `lines` any number of times, then `end`, which is missing where the server ends first.
        """
        if self.folder is None:
            yield {"kind": "none"}
            return
        works = await asyncio.to_thread(is_worked_on, self.folder)
        yield {"kind": "run", "name": self.folder.name, "is_running": works}
        told = _Told(self.folder)
        while not self._is_stopped:
            while lines := await asyncio.to_thread(told.more):
                yield {"kind": "lines", "lines": lines}
            if not works:
                yield {"kind": "end", **await asyncio.to_thread(told.end)}
                return
            await asyncio.sleep(POLL_SECONDS)
            works = await asyncio.to_thread(is_worked_on, self.folder)  # before its lines: so the last are read


class _Told:
    """What one reader was told of a run."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._place, self._last = folder, 0, ""
        self._validation: dict[str | None, tuple[int, float | None]] = {}
        """How many validation pictures a regime is measured on, and what they are worth."""

    def more(self) -> list[Message]:
        """The lines that came since; empty where there are none yet."""
        try:
            lines, self._place = lines_after(self._folder, self._place)
        except OSError:
            lines = [] if self._place else lines_of_table(self._folder)
            self._place = 1
        return [self._message(line) for line in lines]

    def end(self) -> Message:
        """How it ended, which epoch answers, and the ladder as the result has it."""
        result = result_of(self._folder)
        is_done = self._last == "done" or (result and self._last == "training")  # made before runs wrote events
        return {
            "state": "done" if is_done else "stopped" if self._last == "stopped" else "broken",
            "has_model": find_bundle(self._folder) is not None,
            "regime": result.get("regime"),
            "rungs": rungs_of(result.get("ladder")),
            "kept": epoch_that_answers(self._folder),
        }

    def _message(self, line: Line) -> Message:
        self._last, regime = line["phase"], _text(line.get("regime"))
        n, worth = _number(line.get("n")), _number(line.get("worth"))
        if n and n >= 1 and (worth is None or 1 <= worth <= n):
            self._validation[regime] = int(n), worth
        told = {name: _number(line.get(name)) for name in NUMBERS}
        is_epoch = told["step"] is not None and told["epoch"] is not None
        rungs = rungs_of([line["rung"]]) if line.get("rung") else [None]
        return {
            "time": _text(line.get("time")),
            "phase": line["phase"],
            "regime": regime,
            **told,
            "interval": self._interval(regime, told["accuracy"]) if is_epoch else None,
            "rung": next(iter(rungs), None),
        }

    @cached_property
    def _by_result(self) -> tuple[int | None, None]:
        """The number of validation pictures of a finished run; None where series make them worth less, and where
        cross-validation measured it."""
        result = result_of(self._folder)
        validation, series = result.get("validation"), result.get("series")
        n = validation.get("n") if isinstance(validation, dict) else None
        has_series = isinstance(series, dict) and series.get("series") != 0
        is_known = isinstance(n, int) and n >= 1 and not has_series and not result.get("out_of_fold")
        return (n if is_known else None), None

    def _interval(self, regime: str | None, accuracy: float | None) -> list[float] | None:
        """The 95 % interval (Wilson) of an accuracy on validation pictures, and their number; None where it is not
        known how many they are."""
        n, worth = self._validation.get(regime) or self._by_result
        if n is None or accuracy is None or not 0 <= accuracy <= 1:
            return None
        found = wilson_fraction(accuracy, n, worth=worth)
        return [found.low, found.high, n]


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if is_number else None  # type: ignore[return-value]


def _text(value: object) -> str | None:
    return value[:60] if isinstance(value, str) else None
