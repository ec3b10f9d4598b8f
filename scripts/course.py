"""Fills the course's pages with the labs' questions, and with their verdicts as they stand in docs/labs.json.

To be run after `python benchmarks/labs.py DATA --write docs/labs.json`, or when a question has new words.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from eyespot.labs import catalogue
from eyespot.labs.definition import Language
from eyespot.labs.phrases import answer_words

ROOT = Path(__file__).parents[1]
PAGES: dict[Language, Path] = {"en": ROOT / "docs/course.md", "zh": ROOT / "docs/zh/course.md"}
FIGURES = ROOT / "docs/labs.json"
OPEN = (
    *("middle-column", "padding-edges", "pixel-use", "several-pools", "why-pool", "why-residual", "residual-dense"),
    *("bottleneck", "same-size", "pool-branch", "softmax-only"),
)
"""The questions that the course leaves open, in its order."""
PLACE = re.compile(r"<!-- lab:(\S+) -->\*\*(.+?)\*\*.*?<!-- /lab -->", re.DOTALL)
TABLE = re.compile(r"(<!-- questions -->\n).*?(<!-- /questions -->)", re.DOTALL)
HEAD = {"en": "| question | lab |\n|---|---|\n", "zh": "| 问题 | 实验 |\n|---|---|\n"}
COLON = {"en": ": ", "zh": "："}
TOOK = {"en": " (`eyespot lab {}`, {} s) ", "zh": "（`eyespot lab {}`，{} 秒）"}


def filled(page: str, language: Language) -> str:
    """The text of a page with the questions and verdicts that hold now."""
    figures = json.loads(FIGURES.read_text("utf-8"))
    questions = dict(PLACE.findall(page))
    for name in set(questions).intersection(catalogue.names()):
        questions[name] = catalogue.find(name).lab.question.to(language)

    def answered(place: re.Match[str]) -> str:
        name, lab = place[1], figures[place[1]]
        took = TOOK[language].format(name, max(1, round(lab["seconds"])))
        answer = answer_words(questions[name], lab["answer"], language)
        answer += COLON[language] if answer else ""
        return f"<!-- lab:{name} -->**{questions[name]}**{took}{answer}{lab['verdict'][language]}<!-- /lab -->"

    rows = "".join(f"| [{questions[name]}](#{name}) | `eyespot lab {name}` |\n" for name in OPEN)
    return TABLE.sub(lambda table: table[1] + HEAD[language] + rows + table[2], PLACE.sub(answered, page))


if __name__ == "__main__":
    for language, page in PAGES.items():
        page.write_text(filled(page.read_text("utf-8"), language), "utf-8")
