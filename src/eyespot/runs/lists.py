"""What a person's lists said of a run's pictures, read back from its folder: which are left out, class and group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eyespot.bundle.manifest import Exclusion
from eyespot.data.copies import Hashed
from eyespot.data.group_file import read_groups
from eyespot.data.written_lists import name_key, read_list
from eyespot.errors import DataError, OptionError
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.records import SetAside
from eyespot.runs.folder import ARGS, PREDICTIONS, SPLIT
from eyespot.runs.resume import read_args
from eyespot.words import counted

WRITTEN = "what a run writes of its pictures"
NO_FILE = ("auto", "off")
"""What the option group may be, beside a file."""


@dataclass(frozen=True)
class RunLists:
    """The lists of one run, by the contents of its pictures."""

    class_of: Mapping[str, str] = field(default_factory=dict)
    """The class of each picture in the run; empty where it followed no list of decisions."""
    left_out: frozenset[str] = frozenset()
    group_of: Mapping[str, str] = field(default_factory=dict)
    """The group of each picture that has one."""
    group_of_name: Mapping[str, str] = field(default_factory=dict)
    """The same by the `name_key` of names in the run's own data; empty for other data."""
    notes: tuple[str, ...] = ()

    def groups(self, hashed: Sequence[Hashed]) -> list[set[str]]:
        """The groups of each picture; none for a picture by itself, and several are one."""
        return [
            {self.group_of.get(each.content, ""), self.group_of_name.get(name_key(each.picture.name), "")} - {""}
            for each in hashed
        ]


def lists_of(model: Path, exclusion: Exclusion | None, data: str | Path) -> RunLists:
    """The lists of the run that the model lies in; none where it lies in no run, or where the run had none.

    model: its bundle. exclusion: what its manifest says came of a list of decisions. data: the data that are asked
        about; of others than the run's own the folders say the classes.
    What cannot be read does not count, and a note says so.
    """
    run, found = model.parent, RunLists()
    if not (run / ARGS).is_file():
        return found
    try:
        _, args = read_args(run, "looked into")
        is_own = _place(str(args.get("data"))) == _place(str(data))
        found = _decisions(run) if exclusion and is_own else found
        group = args.get("group")
        if isinstance(group, str) and group not in NO_FILE:
            found = _with_groups(found, run, from_home(group), is_own=is_own)
    except (DataError, OptionError) as error:
        return replace(found, notes=(f"a list that {printable(str(run))} was made with does not count here: {error}",))
    return found


def as_decided(hashed: Sequence[Hashed], lists: Sequence[RunLists]) -> tuple[list[Hashed], list[SetAside], list[str]]:
    """The pictures as the lists of several runs have them, those that are set aside by them, and notes.

    What one run leaves out is left out, and a class that one of them gives counts for all. Two classes: set aside.
    """
    kept, set_aside, moved = [], [], 0
    for each in hashed:
        given = sorted({label for of in lists if (label := of.class_of.get(each.content))} - {str(each.picture.label)})
        if any(each.content in of.left_out for of in lists):
            set_aside.append(SetAside(picture=each.picture.name, reason="was left out by you"))
        elif len(given) > 1:
            reason = f"was given two classes by you, {' and '.join(map(repr, given))}, in two runs"
            set_aside.append(SetAside(picture=each.picture.name, reason=reason))
        else:
            moved += len(given)
            kept.append(replace(each, picture=replace(each.picture, label=given[0])) if given else each)
    return kept, set_aside, list(_on_decided(len(set_aside), moved))


def _on_decided(gone: int, moved: int) -> list[str]:
    said = [f"{counted(gone, 'picture')} left out"] * (gone > 0)
    said += [f"{counted(moved, 'picture')} of another class"] * (moved > 0)
    return [f"your list counts here, too: {' and '.join(said)}"] if said else []


def _decisions(run: Path) -> RunLists:
    split = read_list(run / SPLIT, needed=("content_hash", "class"), what=WRITTEN)
    answers = read_list(run / PREDICTIONS, needed=("content_hash", "set_aside"), what=WRITTEN)
    return RunLists(
        class_of={entry["content_hash"]: entry["class"] for entry in split},
        left_out=frozenset(entry["content_hash"] for entry in answers if entry["set_aside"]) - {""},
    )


def _with_groups(lists: RunLists, run: Path, path: Path, *, is_own: bool) -> RunLists:
    names = read_groups(path).group_of
    split = read_list(run / SPLIT, needed=("picture",), what=WRITTEN) if (run / SPLIT).is_file() else ()
    known = {entry["content_hash"]: names.get(name_key(entry["picture"])) for entry in split}
    group_of = {content: group for content, group in known.items() if content and group}
    return replace(lists, group_of=group_of, group_of_name=names if is_own else {})


def _place(data: str) -> Path:
    return from_home(data).absolute()
