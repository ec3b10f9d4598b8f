"""Fills docs/reliability.md with what `benchmarks/failure_zoo.py` found, as it stands in docs/reliability.json.

To be run after `python benchmarks/failure_zoo.py --write docs/reliability.json`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE, FOUND = ROOT / "docs/reliability.md", ROOT / "docs/reliability.json"
PLACE = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)
NAMES = {"fastai": "fastai", "timm": "timm", "torchvision": "torchvision", "ultralytics": "Ultralytics"}
UNASKED = ("has none", "not run")


def filled(page: str) -> str:
    """The text of the page with what was found last."""
    found = json.loads(FOUND.read_text("utf-8"))
    parts = {"sum": _sum(found), "rows": _rows(found["rows"]), "others": _others(found["rows"])}
    return PLACE.sub(lambda place: f"{place[1]}{parts[place[2]]}\n{place[3]}", page)


def _sum(found: dict[str, Any]) -> str:
    passed, rows = sum(row["passed"] for row in found["rows"].values()), len(found["rows"])
    versions = ", ".join(f"{NAMES.get(name, name)} {version}" for name, version in found["versions"].items())
    return f"{passed} of {rows} rows passed. {found['machine']}. Versions: {versions}."


def _rows(rows: dict[str, Any]) -> str:
    lines = ["| | what goes wrong | meets most | passes where | eyespot |", "|---|---|---|---|---|"]
    for number, row in enumerate(rows.values(), start=1):
        told = _cell(row["eyespot"]) if row["passed"] else f"**failed**: {_cell(row['eyespot'])}"
        lines.append(f"| {number} | {_cell(row['what'])} | {row['who']} | {_cell(row['holds'])} | {told} |")
    return "\n".join(lines)


def _others(rows: dict[str, Any]) -> str:
    lines = [f"| | what goes wrong | {' | '.join(NAMES.values())} |", "|---|---|" + "---|" * len(NAMES)]
    for number, row in enumerate(rows.values(), start=1):
        if any(said not in UNASKED for said in row["peers"].values()):
            said = " | ".join(_cell(row["peers"][name]) for name in NAMES)
            lines.append(f"| {number} | {_cell(row['what'])} | {said} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A text as a table can hold it, cut where it is long."""
    text = " ".join(text.split())
    short = text if len(text) <= 300 else f"{text[:300].rsplit(' ', 1)[0]} ..."
    return short.replace("|", "&#124;").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
