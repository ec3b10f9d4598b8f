"""What the list of runs asks for: which there are, how good each is, and that one of them is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

from eyespot.errors import DataError, RequestError
from eyespot.recipes.list_runs import ListedRun, list_runs
from eyespot.serve.replies import as_json
from eyespot.studio.asking import add_question, text_of
from eyespot.studio.lobby import Lobby
from eyespot.studio.run_number import run_number
from eyespot.studio.training import OUT

SHOWN = ("name", "data", "network", "when", "state", "why", "regime", "measure", "value", "low", "high", "measured_on")


def add_to(app: FastAPI, lobby: Lobby, folder: Path) -> None:
    """folder: in which `runs` lies."""
    endpoints = _Endpoints(lobby, folder)
    add_question(app, "lobby", endpoints.lobby, ())
    add_question(app, "runs", endpoints.runs, ())
    add_question(app, "open", endpoints.open, ("run",), method="POST")


def add_none_to(app: FastAPI, name: str, number: str) -> None:
    """Adds what is said where a run of that name and number is open that has no model yet."""
    add_question(app, "lobby", lambda _: as_json({"open": name, "shown": number, "run": None, "folder": ""}), ())


class _Endpoints:
    def __init__(self, lobby: Lobby, folder: Path) -> None:
        self._lobby, self._folder = lobby, folder

    def lobby(self, asked: dict[str, str]) -> Response:
        """The name and number of what is open, or null; of a run also its id; and the folder of the list."""
        desk = self._lobby.desk
        bundle = desk and desk.subject.bundle
        return as_json(
            {
                "open": desk and desk.subject.name,
                "shown": desk and desk.number,
                "run": bundle and run_number(bundle.folder.parent),
                "folder": self._folder.absolute().name,
            }
        )

    def runs(self, asked: dict[str, str]) -> Response:
        """Every run below `runs`, the newest first."""
        return as_json({"runs": [_told(each) for each in self._listed()]})

    def open(self, asked: dict[str, str]) -> Response:
        """Opens a run; what was open is not any more."""
        number = text_of(asked, "run")
        for each in self._listed():
            if run_number(each.run) == number:
                return as_json({"name": self._lobby.open(Path(each.run)).subject.name})
        raise RequestError(404, "this run is not there any more: it was removed or renamed meanwhile")

    def _listed(self) -> tuple[ListedRun, ...]:
        try:
            return list_runs(self._folder / OUT)
        except DataError:  # nothing was trained yet
            return ()


def _told(run: ListedRun) -> dict[str, Any]:
    return {"id": run_number(run.run), **{name: getattr(run, name) for name in SHOWN}}
