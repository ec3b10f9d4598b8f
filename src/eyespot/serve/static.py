"""The page's files: a fixed list, so that no address can lead to another file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
INDEX = "index.html"


@cache
def page_files() -> dict[str, tuple[str, bytes]]:
    """Content type and content of each file of the page, by its name."""
    folder = files("eyespot.serve") / "page"
    if not folder.is_dir():
        return {}
    kinds = {each.name: CONTENT_TYPES.get(f".{each.name.rpartition('.')[2]}") for each in folder.iterdir()}
    return {name: (kind, (folder / name).read_bytes()) for name, kind in kinds.items() if kind}
