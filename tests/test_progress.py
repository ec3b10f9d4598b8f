"""How far the work is, for people: a bar where it can be drawn anew, else lines; in Python in notebooks."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager

import pytest
from rich.console import Console

from eyespot import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_come_every_ten_seconds_with_what_is_done_and_left(clock, capsys):
    tell = progress.lines()
    for second in range(25):
        clock[0] = 100.0 + second
        tell("computing features", 100 * second, 5_000)
    tell("writing the report", 0, 1)
    assert capsys.readouterr().err.splitlines() == [
        "computing features 1,000 of 5,000, 40 s left",
        "computing features 2,000 of 5,000, 30 s left",
    ]


def test_what_is_announced_is_said_at_once(clock, capsys):
    progress.announce(progress.lines(), "training goes on\x1b[2J")
    assert capsys.readouterr().err == "training goes on\\x1b[2J\n"
    page = io.StringIO()
    with progress._bars(Console(file=page, width=80), after=0.5) as tell:
        progress.announce(tell, "[b]training goes on")
    assert page.getvalue().startswith("[b]training goes on\n")


def test_what_is_done_soon_says_nothing(clock, capsys):
    tell = progress.lines()
    for second in range(10):
        clock[0] = 100.0 + second
        tell("predicting", second, 10)
    assert capsys.readouterr().err == ""


def test_a_line_knows_no_end_where_there_is_none(clock, capsys):
    tell = progress.lines()
    clock[0] += 11
    tell("painting: style 0.3", 0, 0)
    clock[0] += 11
    tell("reading", 12, 0)
    assert capsys.readouterr().err == "painting: style 0.3\nreading 12\n"


def test_no_terminal_gets_lines_and_nothing_if_quiet(monkeypatch, clock, capsys):
    from eyespot.cli import show

    for quiet in (False, True):
        with show.progress(quiet=quiet) as tell:
            clock[0] += 11
            tell("predicting", 1, 2)
    assert capsys.readouterr().err == "predicting 1 of 2\n"


def test_a_bar_waits_until_it_pays_and_goes_when_all_is_done(clock):
    page = io.StringIO()
    console = Console(file=page, force_terminal=True, width=80)
    with progress._bars(console, after=0.5) as tell:
        tell("predicting", 1, 4)
        assert page.getvalue() == ""
        clock[0] += 1
        tell("predicting", 2, 4)
        assert "predicting" in page.getvalue()
    assert page.getvalue().endswith("\x1b[2K")


def test_a_notebook_shows_a_verbs_progress_unless_it_is_told_whom_to_tell(monkeypatch):
    told = []

    @progress.shows_progress
    def verb(number, *, progress=progress.silent):
        progress("working", number, 2)
        return number

    @contextmanager
    def shown():
        yield lambda *step: told.append(step)

    monkeypatch.setattr(progress, "shown", shown)
    assert verb(1) == 1
    assert told == []
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    assert verb(2) == 2
    verb(1, progress=progress.silent)
    assert told == [("working", 2, 2)]


def test_rich_draws_in_a_notebook_where_it_can(monkeypatch, capsys, clock):
    drawn = []

    @contextmanager
    def bars(console, *, after):
        drawn.append((console.is_jupyter, after))
        yield progress.silent

    monkeypatch.setattr(progress, "_bars", bars)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    for has_widgets in (True, False):
        monkeypatch.setattr(progress.importlib.util, "find_spec", lambda name, found=has_widgets: found or None)
        with progress.shown() as tell:
            clock[0] += 11
            tell("predicting", 1, 2)
    assert drawn == [(True, progress.NOTEBOOK_AFTER_SECONDS)]
    assert capsys.readouterr().err == "predicting 1 of 2\n"


def test_nothing_is_imported_to_know_that_this_is_no_notebook():
    assert "IPython" not in sys.modules
    assert not progress.in_notebook()
