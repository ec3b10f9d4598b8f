"""Ways in which bytes, texts and values become what nobody meant."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from random import Random

EXTREMES = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 65_500, 40_000)
LARGEST = 2**20
"""Bytes to which a text is blown up, where it is."""
NAMES = (
    *("", " ", ".", "..", "../beside.png", "../../etc/passwd", "/etc/passwd", "//server/share/a.png", "~/a.png"),
    *("C:\\a.png", "C:a.png", "\\\\?\\C:\\a.png", "a\\b.png", "..\\a.png", "con", "CON.png", "nul.jpg", "lpt1.png"),
    *("a.png ", " a.png", "a.png.", "a..png", ".png", ".hidden.png", "a/./b.png", "a//b.png", "a/../a.png", "a/"),
    *("A.PNG", "a.PNG", "ä.png", "a\u0308.png", "\u202egnp.a", "a\u200bb.png", "\ufeffa.png", "a\u2028b.png", "a\tb"),
    *("a\nb.png", "a\rb.png", "a\0b.png", "\x1b[31mred", "\udcff.png", "\ud800", "\U0001f408.png", "-rf", "--help"),
    *("*.png", "a?.png", "[a].png", "%00.png", "%s%n", "{0}", "$HOME", "`id`", "'a'", '"a"', "a,b", "a;b", "a|b"),
    *("=1+1", "@a", "+a", "<b>a</b>", "null", "None", "NaN", "True", "0", "-1", "1e999", "x" * 255, "x" * 300 + ".png"),
    *("x/" * 200 + "a.png", "x" * 5000, "猫", "قطة", "הח.png", "file:///etc/passwd", "https://a.b/c.png"),
)
"""Of files and classes: those that lead out, that systems reserve, that cannot be shown, that mean something."""
NUMBERS = (
    *("0", "-0", "1", "-1", "0.5", "1.5", "2147483648", "9007199254740993", "1e308", "1e999", "-1e999", "nan", "inf"),
    *("0x10", "1_000", "1,5", "٣", "²", "½", "1" * 400, "1" * 5000, "0." + "1" * 5000, "1e-999", " 1 ", "+1", "1."),
)
TOKENS = (
    *NAMES,
    *NUMBERS,
    *(
        '"',
        "'",
        '""',
        '"a\\0b"',
        ",",
        ";",
        "\t",
        "|",
        ":",
        ": ",
        "- ",
        "#",
        "&a",
        "*a",
        "!x",
        "!!python/object:os.system",
    ),
    *("{", "}", "[", "]", "{}", "[]", "<", ">", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;", "<![CDATA[", "<?xml", "\\"),
    *("\n", "\r", "\r\n", "\n\n", "\0", "\x1a", "\x0b", "\x0c", "\x85", "\u2028", "\ufeff", "\\u0000", "\\ud800"),
)
ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "gb18030", "utf-7"),
)
DEEP = (50, 300, 900, 960, 985, 995, 1000, 5000, 100_000)
"""Brackets in brackets: around the depth to which Python goes, too."""


def damaged(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    """Bytes damaged in one to six places: changed, set to extremes, cut out, doubled, cut off, joined with another's.

    others: more of the same kind.
    """
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        at = chance.randrange(len(found) if chance.random() < 0.5 else min(len(found), 200)) if found else 0
        length = chance.choice((1, 2, 4, 8, 64))
        way = chance.randrange(8)
        if way <= 2:
            found[at : at + 1] = bytes([chance.randrange(256)])
        elif way == 3:
            found[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(EXTREMES))
        elif way == 4:
            del found[at : at + length]
        elif way == 5:
            found[at:at] = found[at : at + length] * chance.choice((1, 2, 50))
        elif way == 6:
            del found[max(1, at) :]
        else:
            other = chance.choice(others)
            found[at:] = other[chance.randrange(len(other)) :]
    return bytes(found)


def damaged_text(text: str, chance: Random) -> bytes:
    """A text with odd words, lines or ends, perhaps much longer, in some encoding, perhaps with damaged bytes."""
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
        text = chance.choice(_TEXT_WAYS)(text, chance)
    if chance.random() < 0.02:
        text = blown_up(text, chance)
    encoding = "utf-8" if chance.random() < 0.7 else chance.choice(ENCODINGS)
    data = encoded(text, encoding)
    return damaged(data, [data], chance) if chance.random() < 0.25 and data else data


def encoded(text: str, encoding: str) -> bytes:
    """The text's bytes; what the encoding lacks is written as a byte that it has not."""
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf-") and encoding != "utf-7" else "replace")


def blown_up(text: str, chance: Random) -> str:
    """The text with one of its lines, words or letters again and again."""
    lines = text.splitlines(keepends=True) or ["\n"]
    at = chance.randrange(len(lines))
    line = lines[at]
    start = chance.randrange(len(line))
    piece = chance.choice((line, line[start : start + 1], line[start : start + 8], ",", '"', "[", "\n", "a,b\n"))
    times = min(LARGEST, 10 ** chance.randrange(3, 8)) // max(1, len(piece))
    lines[at] = line[:start] + piece * times + line[start:]
    return "".join(lines)


def _put_in(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(TOKENS) + text[at:]


def _word_for_word(text: str, chance: Random) -> str:
    """One of the words between what separates them is another one."""
    import re

    words = re.split(r"([\s,;|:\"\[\]{}<>=]+)", text)
    at = chance.randrange(0, len(words), 2)
    words[at] = chance.choice(TOKENS)
    return "".join(words)


def _lines(text: str, chance: Random) -> str:
    """Lines that come twice, in another order, without their end, or not at all."""
    lines = text.splitlines(keepends=True) or [""]
    at = chance.randrange(len(lines))
    way = chance.randrange(4)
    if way == 0:
        lines.insert(chance.randrange(len(lines) + 1), lines[at])
    elif way == 1:
        chance.shuffle(lines)
    elif way == 2:
        lines[at] = lines[at].rstrip("\n")
    else:
        del lines[at]
    return "".join(lines)


def _ends(text: str, chance: Random) -> str:
    """Other ends of some lines, or of all."""
    end = chance.choice(("\r\n", "\r", "\n\n", "\n\r", "\x85", "\u2028", "\0", ""))
    if chance.random() < 0.5:
        return text.replace("\n", end)
    return "".join(end if letter == "\n" and chance.random() < 0.3 else letter for letter in text)


def _cut(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] if chance.random() < 0.5 else text[at:]


_TEXT_WAYS = (_put_in, _put_in, _word_for_word, _word_for_word, _lines, _ends, _cut)


def odd_value(chance: Random) -> object:
    """A JSON value that stands where another one was meant."""
    way = chance.randrange(12)
    if way < 4:
        return chance.choice(NAMES)
    if way == 4:
        return chance.choice((0, -1, 2**31, 2**53 + 1, 10**300, 0.5, 1e308, float("nan"), float("inf")))
    if way == 5:
        return chance.choice((True, False, None, [], {}, "", [None], {"": None}))
    if way == 6:
        return [odd_value(chance) for _ in range(chance.randrange(4))]
    if way == 7:
        return {chance.choice(NAMES): odd_value(chance) for _ in range(chance.randrange(4))}
    if way == 8:
        return Raw(chance.choice(NUMBERS[:12]))
    if way == 9:
        depth, (start, end) = chance.choice(DEEP), chance.choice(("[]", ('{"a":', "}")))
        return Raw(start * depth + "1" + end * depth)
    if way == 10:
        return Raw("1" * chance.choice((20, 310, 4299, 5000)))
    return "x" * chance.choice((300, 5_000, 200_000))


class Raw(str):
    """JSON as it is to be written."""


def changed(value: object, chance: Random) -> object:
    """A JSON value with some of what is in it swapped, doubled, renamed, left out or odd."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        value = _changed(value, chance)
    return value


def _changed(value: object, chance: Random) -> object:
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice([*value])
        way = chance.randrange(8)
        if way == 0:
            return {name: each for name, each in value.items() if name != key}
        if way == 1:
            return {chance.choice(NAMES) if name == key else name: each for name, each in value.items()}
        if way == 2:
            return {**value, chance.choice(NAMES): odd_value(chance)}
        if way == 3:
            return {**value, key: value[chance.choice([*value])]}
        return {**value, key: _changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        way = chance.randrange(6)
        if way == 0:
            return value[:at] + value[at + 1 :]
        if way == 1:
            return [*value, value[at]]
        if way == 2:
            return [*value[:at], odd_value(chance), *value[at:]]
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    return odd_value(chance)


def as_json(value: object) -> str:
    """The JSON of a value, with what is raw in it as it is."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {as_json(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_json, value)) + "]"
    return json.dumps(value)
