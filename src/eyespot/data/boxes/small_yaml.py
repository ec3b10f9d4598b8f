"""The few keys of a `data.yaml` that say where pictures are and what their classes are called.

It is that part of YAML which such files use: texts, lists and mappings of texts, in a line or over several. Every value
stays a text, so that a class may be called `no` or `1e5`. What belongs to other keys is passed over unread.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from eyespot.data.boxes.documents import Unusable
from eyespot.names import brief

Value = str | list[str] | dict[str, str]
# None of these patterns can begin to match in several ways, so that no file takes long.
_QUOTED = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'"""
_KEY = re.compile(rf"""(?:({_QUOTED})\s*|([^\s:#"'\[\]{{}},-][^:#\[\]{{}},]*)):(?=\s|$)""")
_LINE = re.compile(rf"""({_QUOTED}|[^\s#"'](?:[^#]|(?<=\S)#)*)?\s*(?:#.*)?""")
"""A text and perhaps a remark."""
_TOKEN = re.compile(
    rf"""\s+|(?:(?<=\s)|(?<=,)|^)\#[^\n]*|({_QUOTED}|[,\[\]{{}}:]|[^\s,\[\]{{}}:#"'](?:[^\n,\[\]{{}}:#]|:(?!\s)|(?<=\S)#)*)"""
)
"""In brackets: blanks, a remark, or as its group a text or a sign."""
_ESCAPES = {"n": "\n", "t": "\t", "0": "\0"}
_SPECIAL = ("&", "*", "!", "|", ">", "[", "{", "%", "@", "`", "? ", "- ")
"""Beginnings of what is more than a text."""


def read_keys(text: str, wanted: Collection[str]) -> dict[str, Value]:
    """The values of the wanted keys that stand at the beginning of a line. Raises Unusable, with the line's number."""
    found: dict[str, Value] = {}
    for number, key, lines in _entries(re.split(r"\r\n|\r|\n", text)):
        if key not in wanted:
            continue
        if key in found:
            raise Unusable(f"says {key} twice, the second time in line {number}")
        try:
            found[key] = _value(lines)
        except ValueError as error:
            raise Unusable(f"has a value of {key} in line {number} that is not understood: {error}") from error
    return found


def _entries(lines: Sequence[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Each key of the outermost level: its line's number, the key, and the text of its value, line by line."""
    starts = [(at, match) for at, line in enumerate(lines) if (match := _KEY.match(line))]
    ends = [at for at, _ in starts[1:]] + [len(lines)]
    for (at, match), end in zip(starts, ends, strict=False):
        yield at + 1, _key(match), [lines[at][match.end() :], *lines[at + 1 : end]]


def _key(match: re.Match[str]) -> str:
    return _text(match[1]) if match[1] else match[2].strip()


def _value(lines: Sequence[str]) -> Value:
    first = lines[0].strip()
    if first[:1] in ("[", "{"):
        return _in_brackets("\n".join([first, *lines[1:]]))
    said = _alone(first)
    rest = [line for line in lines[1:] if line.partition("#")[0].strip() not in ("", "---", "...")]
    if said and rest:
        raise ValueError("a text goes on in the next line")
    return _block(rest) if rest else said


def _block(lines: Sequence[str]) -> Value:
    """A list or a mapping, an item a line."""
    if len({len(line) - len(line.lstrip()) for line in lines}) > 1:
        raise ValueError("its items do not begin in one column")
    items = [line.strip() for line in lines]
    if all(re.match(r"-(\s|$)", item) for item in items):
        return [_alone(item[1:].strip()) for item in items]
    pairs: list[tuple[str, str]] = []
    for item in items:
        match = _KEY.match(item)
        if not match:
            raise ValueError(f"{item[:40]!r} is no 'number: name'")
        pairs.append((_key(match), _alone(item[match.end() :].strip())))
    return _mapping(pairs)


def _in_brackets(text: str) -> Value:
    """A list in brackets or a mapping in braces, with what follows it."""
    tokens = _tokens(text)
    end = "]" if tokens[0] == "[" else "}"
    if end not in tokens:
        raise ValueError(f"there is no {end} at its end")
    if {"[", "{"} & {*tokens[1:]}:
        raise ValueError("there are brackets in brackets")
    at = tokens.index(end)
    if at + 1 < len(tokens):
        raise ValueError(f"something follows {end}")
    items: list[list[str]] = [[]]
    for token in tokens[1:at]:
        if token == ",":
            items.append([])
        else:
            items[-1].append(token)
    if not items[-1]:  # of an empty list, or after a last comma
        items.pop()
    if end == "]" and all(len(item) == 1 and item[0] != ":" for item in items):
        return [_text(item[0]) for item in items]
    if end == "}" and all(len(item) == 3 and item[1] == ":" for item in items):
        return _mapping([(_text(key), _text(name)) for key, _, name in items])
    raise ValueError(f"an item is {'no text' if end == ']' else 'not `number: name`'}: put texts into quotes")


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"{text[at : at + 40]!r} is no text: put it into quotes, and see that these end")
        if match[1]:
            tokens.append(match[1])
        at = match.end()
    return tokens


def _mapping(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, name in pairs:
        if key in found:
            raise ValueError(f"{brief(key)} stands there twice")
        found[key] = name
    return found


def _alone(text: str) -> str:
    """The text of a line that holds nothing else but perhaps a remark."""
    match = _LINE.fullmatch(text)
    if not match:
        raise ValueError(f"the quote in {text[:40]!r} does not end, or something follows it")
    return _text((match[1] or "").strip())


def _text(token: str) -> str:
    """A text without its quotes."""
    if token.startswith(_SPECIAL):
        raise ValueError(f"{token[:40]!r} is no plain text: put it into quotes")
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token.startswith('"'):
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), token[1:-1])
    token = token.strip()
    return "" if token in ("~", "null") else token
