"""The outcome of an experiment in its folder, from which it is shown again without doing it again."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from eyespot.files import write_chosen
from eyespot.labs.folder import OUTCOME, VERSION
from eyespot.labs.result import LabResult


def write_result(folder: Path, result: LabResult) -> None:
    """Writes the outcome into the experiment's folder. Raises CannotWrite."""
    content = {"version": VERSION, **result.model_dump(mode="json")}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_chosen(folder / OUTCOME, text.encode("utf-8", "backslashreplace"))


def read_result(folder: Path) -> LabResult | None:
    """The outcome in an experiment's folder; None where there is none, or none that this version understands."""
    try:
        content = json.loads((folder / OUTCOME).read_text("utf-8"))
        if content.pop("version") != VERSION:
            return None
        return LabResult.model_validate_json(json.dumps(content))
    except (OSError, ValueError, AttributeError, KeyError, TypeError, ValidationError):
        return None
