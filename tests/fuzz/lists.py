"""What a person writes for eyespot: options in a file, decisions on pictures, groups; damaged."""

from __future__ import annotations

from pathlib import Path
from random import Random

import click
from fuzz.damage import NAMES, TOKENS, damaged_text
from fuzz.kinds import Kind

from eyespot.cli.main import main
from eyespot.data.data_set import MOST_LETTERS
from eyespot.data.decisions import LEAVE_OUT, read_decisions
from eyespot.data.group_file import groups_of, read_groups
from eyespot.errors import OptionError
from eyespot.names import printable

CLASSES = ("cat", "dog", "x", "ä", "=cat")
HASHES = ("0" * 32, "a" * 32, "1f" * 16)
COMMANDS = ("train", "predict", "val", "serve", "audit", "stylize")
OPTIONS = (
    *("data: photos", "model: lenet5", "imgsz: 32", "lr: 0.01", "mirror: no", "more: [new, newer]", "head: [256, 128]"),
    *("freeze: 5", "seed: 1", "time: 5m", "name: run", "json: true", "pictures: [a.png]", "port: 8000", "open: yes"),
)


def write_decisions(chance: Random, folder: Path) -> Path:
    do = ("x", "X", "cat", "dog", "", "cow", "'=cat", chance.choice(NAMES))
    rows = [f"{chance.choice(HASHES)},a.png,cat,looks odd,dog,{chance.choice(do)}" for _ in range(6)]
    text = "content_hash,picture,class,why,likelier_class,do\n" + "".join(f"{row}\n" for row in rows)
    return _written(folder / "decisions.csv", text, chance)


def read_decided(path: Path) -> None:
    found = read_decisions(path, classes=CLASSES)
    for content, each in found.by_content.items():
        assert content == each.content
        assert len(content) == 32
        assert each.do in (LEAVE_OUT, *CLASSES)


def write_groups(chance: Random, folder: Path) -> Path:
    names = ("a.png", "./a.png", "in\\b.png", "in/b.png", "ä.png", chance.choice(NAMES))
    rows = [f"{chance.choice(names)},{chance.choice(('Anna', 'Ben', '', '7', chance.choice(NAMES)))}" for _ in range(6)]
    return _written(folder / "groups.csv", "picture,group\n" + "".join(f"{row}\n" for row in rows), chance)


def read_grouped(path: Path) -> None:
    found = groups_of({"a.png": "1", "in/b.png": "2"}, read_groups(path), others={"ä.png": "3"})
    assert found.of.keys() <= {"1", "2", "3"}
    assert all(printable(note) == note and len(note) < 2000 for note in found.notes), found.notes


def write_config(chance: Random, folder: Path) -> Path:
    lines = chance.sample(OPTIONS, chance.randrange(1, 6))
    if chance.random() < 0.4:
        lines.append(f"{chance.choice((*OPTIONS, *TOKENS)).split(':')[0]}: {chance.choice(TOKENS)}")
    if chance.random() < 0.1:
        depth = chance.choice((10, 300, 990, 20_000))
        lines.append(f"more: {chance.choice('[{') * depth}")
    if chance.random() < 0.05:
        lines += ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)), "more: *a39"]
    path = folder / f"{chance.choice(COMMANDS)}.yaml"
    return _written(path, "".join(f"{line}\n" for line in lines), chance)


def read_config(path: Path) -> None:
    """The command line up to where the verb would begin."""
    try:
        command = main.commands[path.stem]
        given = ["--config", str(path)]
        with command.make_context(path.stem, given, resilient_parsing=False) as context:
            assert all(len(str(name)) <= MOST_LETTERS for name in context.params)
    except click.MissingParameter:
        pass  # of what the file might have said, too: it was read
    except click.UsageError as error:
        raise OptionError(error.format_message()) from error


def _written(path: Path, text: str, chance: Random) -> Path:
    path.write_bytes(damaged_text(text, chance))
    return path


KINDS = {
    "decisions": Kind(write_decisions, read_decided),
    "groups": Kind(write_groups, read_grouped),
    "config": Kind(write_config, read_config),
}
