"""The few keys of a `data.yaml` that say where pictures are and what their classes are called.

It is that part of YAML which such files use: texts, lists and mappings of texts, in a line or over several. Every value
stays a text, so that a class may be called `no` or `1e5`. What belongs to other keys is passed over unread.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from eyespot.data.boxes.documents import Unusable

Value = str | list[str] | dict[str, str]
_KEY = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([^\s\[\]{},#"'&*!|>%@`-][^#"'\[\]{},]*?|-?\d+))\s*:(?=\s|$)""")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_PLAIN_IN_LIST = re.compile(r"[^,\[\]{}#]+(?:(?<=\S)#[^,\[\]{}#]*)*")
_ESCAPES = {"n": "\n", "t": "\t", "0": "\0"}


def read_keys(text: str, wanted: Collection[str]) -> dict[str, Value]:
    """The values of the wanted keys that stand at the beginning of a line. Raises Unusable, with the line's number."""
    found: dict[str, Value] = {}
    for number, key, lines in _entries(text.splitlines()):
        if key not in wanted:
            continue
        if key in found:
            raise Unusable(f"says {key} twice, the second time in line {number}")
        try:
            found[key] = _value(lines)
        except ValueError as error:
            raise Unusable(f"has a value of {key} in line {number} that is not understood: {error}") from error
    return found


def _entries(lines: list[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Each key of the outermost level: its line's number, the key, and the text of its value, line by line."""
    starts: list[tuple[int, str, str]] = []
    for number, line in enumerate(lines):
        match = _KEY.match(line)
        if match:
            starts.append((number, _key(match), line[match.end() :]))
    for (number, key, rest), (end, *_) in zip(starts, [*starts[1:], (len(lines), "", "")], strict=True):
        yield number + 1, key, [rest, *lines[number + 1 : end]]


def _key(match: re.Match[str]) -> str:
    return next(each for each in match.groups() if each is not None)


def _value(lines: list[str]) -> Value:
    first = _without_remark(lines[0])
    if first[:1] in ("[", "{"):
        return _flow("\n".join(lines).strip())
    rest = [line for line in lines[1:] if _without_remark(line) not in ("", "---", "...")]
    if first:
        if rest:
            raise ValueError("a text goes on in the next line")
        return _scalar(first)
    return _block(rest)


def _block(lines: list[str]) -> Value:
    """A list or a mapping, an item a line."""
    if len({len(line) - len(line.lstrip()) for line in lines}) > 1:
        raise ValueError("its items do not begin in one column")
    items = [_without_remark(line) for line in lines]
    if all(re.match(r"-(\s|$)", item) for item in items):
        return [_scalar(item[1:].strip()) for item in items]
    return _mapping(items)


def _mapping(items: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        match = _KEY.match(item)
        if not match:
            raise ValueError(f"{item[:40]!r} is no 'number: name'")
        if _key(match) in found:
            raise ValueError(f"{_key(match)} stands there twice")
        found[_key(match)] = _scalar(item[match.end() :].strip())
    return found


def _flow(text: str) -> Value:
    """A list in brackets or a mapping in braces."""
    end, items, at, item = "]" if text[0] == "[" else "}", [], 1, ""
    while True:
        rest = text[at:]
        if not rest:
            raise ValueError(f"there is no {end} at its end")
        match = _QUOTED.match(rest) or _PLAIN_IN_LIST.match(rest)
        if match:
            item += match[0]
        elif rest[0] == "#":
            match = re.match(r"[^\n]*", rest)
        elif rest[0] in (",", end):
            items.append(" ".join(item.split("\n")).strip())
            item = ""
        else:
            raise ValueError("there are brackets in brackets")
        if rest[0] == end:
            break
        at += len(match[0]) if match else 1
    if _without_remark(text[at + 1 :].lstrip()):
        raise ValueError(f"something follows {end}")
    if not items[-1]:  # after a last comma, or of an empty list
        items.pop()
    return [_scalar(each) for each in items] if end == "]" else _mapping(items)


def _scalar(text: str) -> str:
    """A text without its quotes."""
    if text[:1] in ('"', "'"):
        if not _QUOTED.fullmatch(text):
            raise ValueError(f"the quote in {text[:40]!r} does not end, or something follows it")
        if text[0] == "'":
            return text[1:-1].replace("''", "'")
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1])
    if text[:1] in ("&", "*", "!", "|", ">", "[", "{", "%", "@", "`"):
        raise ValueError(f"{text[:40]!r} is no plain text: put it into quotes")
    return "" if text in ("~", "null") else text


def _without_remark(line: str) -> str:
    """The line without a remark at its end, and without spaces around it."""
    kept, at = "", 0
    while at < len(line):
        match = _QUOTED.match(line, at) if not kept.strip() or kept[-1] in " ,[{:-" else None
        if not match and line[at] == "#" and (at == 0 or line[at - 1].isspace()):
            break
        kept += match[0] if match else line[at]
        at += len(match[0]) if match else 1
    return kept.strip()
