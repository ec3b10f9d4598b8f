"""Files of boxes as Python values, within limits: nothing in them is expanded, fetched or run."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from eyespot.data.list_limits import MOST_ANNOTATION, MOST_JSON, MOST_XML_LEVELS
from eyespot.names import quoted


class Unusable(Exception):
    """A file of boxes cannot be read. Its text is a reason, without the file's name."""


def read_text(path: Path) -> str:
    """A text of UTF-8. Raises Unusable."""
    try:
        return _read(path, most=MOST_ANNOTATION).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable("is not UTF-8 text: save it as UTF-8") from error


def read_json(path: Path) -> dict[str, object]:
    """The JSON object that a file holds. Raises Unusable."""
    try:
        found = json.loads(_read(path, most=MOST_JSON))
    except (ValueError, RecursionError) as error:
        raise Unusable("is not JSON") from error
    if not isinstance(found, dict):
        raise Unusable("is not a JSON object")
    return found


def read_xml(path: Path) -> Element:
    """The outermost element of an XML file. One that declares a document type, and so perhaps entities, is refused.

    Raises Unusable.
    """
    tree, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_XML_LEVELS:
            raise Unusable(f"has elements in more than {MOST_XML_LEVELS} others, which no annotation has")
        tree.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        tree.end(name)

    def refuse(*_: object) -> None:
        raise Unusable("declares a document type, which is not read: remove the line <!DOCTYPE")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, tree.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(_read(path, most=MOST_ANNOTATION), True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # an encoding that Python does not know
        raise Unusable(f"is not XML ({quoted(error)})") from error
    return tree.close()


def _read(path: Path, *, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise Unusable(f"has more than the {most // 2**20} MB that are read of such a file")
    return data
