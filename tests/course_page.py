"""What the course's pages say, taken apart: chapters, prose, numbers, commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FILLED = re.compile(r"<!-- lab:.*?<!-- /lab -->|<!-- questions -->.*?<!-- /questions -->", re.DOTALL)
MARKS = re.compile(r'<a id="[^"]*"></a>(?:\d+\. )?|\]\([^)]*\)|`[^`]*`')
"""Places to go to, with a chapter's number; where links lead; code in a sentence."""


def chapters(page: str) -> dict[str, str]:
    """The text of each chapter by its key, in order; what stands before the first one is `top`."""
    top, *others = page.split('\n## <a id="')
    return {"top": top} | {text.partition('"')[0]: f'<a id="{text}' for text in others}


def prose(text: str) -> str:
    """Without code, without what the labs fill in, without where links lead."""
    return MARKS.sub(" ", FILLED.sub(" ", CODE.sub("", text)))


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def commands(text: str) -> list[str]:
    """Those of eyespot that stand in a sentence."""
    spans = re.findall(r"`(eyespot [^`]+)`", CODE.sub("", text))
    return [" ".join(span.split()) for span in spans]
