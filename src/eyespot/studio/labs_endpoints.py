"""What the screen LABS asks for: the labs, what is known of each, one that runs, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Response

from eyespot.errors import CannotWrite, EyespotError, OptionError, RequestError
from eyespot.labs import catalogue
from eyespot.labs.catalogue import Found
from eyespot.labs.definition import Language
from eyespot.labs.figures import MOST_SEEDS, cells_of
from eyespot.labs.options import LabOptions
from eyespot.labs.phrases import language_of
from eyespot.serve.query import whole
from eyespot.serve.replies import as_json
from eyespot.studio.asking import add_question, text_of
from eyespot.studio.desk import Desk
from eyespot.studio.lab_data import DIGITS, data_of, own_data
from eyespot.studio.lab_models import model_of, models_for
from eyespot.studio.lab_process import Asked
from eyespot.studio.written_files import alone

MOST_GUESSES = 9


def add_to(app: FastAPI, desk: Desk) -> None:
    endpoints = _Endpoints(desk)
    for name, parameters in {
        "labs": ("lang",),
        "lab_work": (),
        "lab_outcome": ("result",),
        "lab_report": ("result",),
        "lab_plot": ("result", "again"),
    }.items():
        add_question(app, name, _told(getattr(endpoints, name)), parameters)
    started = ("lab", "guess", "data", "seeds", "time", "lang", "model")
    add_question(app, "lab_start", _told(endpoints.start), started, method="POST")
    add_question(app, "lab_stop", _told(endpoints.stop), (), method="POST")


def _told(answer: Callable[[dict[str, str]], Response]) -> Callable[[dict[str, str]], Response]:
    """The answer, where what a person can mend is told as a refusal of the request."""

    def ask(asked: dict[str, str]) -> Response:
        try:
            return answer(asked)
        except RequestError:
            raise
        except EyespotError as error:
            is_asked = isinstance(error, OptionError) and not isinstance(error, CannotWrite)
            raise RequestError(400 if is_asked else 500, str(error)) from None

    return ask


class _Endpoints:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._process, self._outcomes = desk, desk.lab, desk.lab.outcomes

    def labs(self, asked: dict[str, str]) -> Response:
        """All labs in the order of the course, what is known of each, and the data that they can be tried on."""
        language = language_of(asked.get("lang", "en"))
        return as_json(
            {
                "labs": [
                    {**_described(each, language), "kept": self._outcomes.of(each.name)} for each in catalogue.every()
                ],
                "own": asdict(own_data(self._desk.subject.bundle)),
                "models": models_for(self._desk.subject),
                "most_seeds": MOST_SEEDS,
            }
        )

    def lab_work(self, asked: dict[str, str]) -> Response:
        """How far the lab is that runs, or what came of the one that ran last."""
        return as_json(self._process.told())

    def lab_outcome(self, asked: dict[str, str]) -> Response:
        return as_json(self._outcomes.read(text_of(asked, "result")))

    def lab_report(self, asked: dict[str, str]) -> Response:
        content = self._outcomes.report(text_of(asked, "result"))
        return alone(content, "text/html; charset=utf-8")

    def lab_plot(self, asked: dict[str, str]) -> Response:
        return alone(self._outcomes.plot(text_of(asked, "result")), "image/svg+xml")

    def start(self, asked: dict[str, str]) -> Response:
        """Starts a lab, once there is a guess."""
        found = catalogue.find(text_of(asked, "lab"))
        if "guess" not in asked:
            raise RequestError(400, "a lab begins with a guess: choose one, then come the numbers")
        wanted = Asked(
            lab=found.name,
            data=asked.get("data", DIGITS),
            guess=whole("guess", asked["guess"], low=1, high=MOST_GUESSES),
            seeds=whole("seeds", asked.get("seeds", f"{LabOptions().seeds}"), low=1, high=MOST_SEEDS),
            time=asked.get("time"),
            lang=language_of(asked.get("lang", "en")),
            model=asked.get("model"),
        )
        options = LabOptions(
            seeds=wanted.seeds, time=wanted.time, guess=wanted.guess, lang=wanted.lang, model=wanted.model
        )
        options.require_fit(found.name, found.lab)
        subject = self._desk.subject
        data, model = data_of(wanted.data, subject.bundle), model_of(wanted.model, subject)
        self._process.start(found, wanted, data, model)
        return as_json(self._process.told())

    def stop(self, asked: dict[str, str]) -> Response:
        """Stops the lab that runs: what is finished is kept."""
        self._process.stop()
        return as_json(self._process.told())


def _described(found: Found, language: Language) -> dict[str, Any]:
    lab = found.lab
    return {
        "name": found.name,
        "question": lab.question.to(language),
        "claim": lab.claim.to(language),
        "rule": lab.rule.to(language),
        "guesses": [each.to(language) for each in lab.guesses],
        "seconds": lab.seconds,
        "exact": lab.exact,
        "settings": len(cells_of(lab)),
        "needs": lab.needs,
        "takes_model": lab.takes_model,
    }
