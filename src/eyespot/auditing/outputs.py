"""What an audit leaves on disk: the page, the list to decide in, and everything as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from eyespot.auditing.before import decided_before
from eyespot.auditing.examine import Examined, Saved
from eyespot.auditing.gathered import Gathered
from eyespot.auditing.report import series_rows, write_report
from eyespot.auditing.result import LIST, AuditResult, Contradictory, DoubtfulLabel, PoorPicture, SavedTwice
from eyespot.data.copies import Hashed
from eyespot.data.decisions import COLUMNS, Decision, Suspect
from eyespot.errors import CannotWrite
from eyespot.evaluate.doubts import Doubt
from eyespot.files import make_folder, writing
from eyespot.names import as_folder_name, printable
from eyespot.runs.folder import RunLock
from eyespot.runs.tables import write_csv, write_json
from eyespot.words import some

PAGE, JSON = "audit.html", "audit.json"


@contextmanager
def audit_folder(out: Path, data_name: str) -> Iterator[Path]:
    """Within it, a new folder `out/audit/NAME`, or NAME-2, is ours: a list that somebody filled in stays."""
    name = as_folder_name(data_name)
    for number in count(1):
        folder = out / "audit" / (name if number == 1 else f"{name}-{number}")
        try:
            make_folder(folder.parent)
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise CannotWrite(f"{folder} cannot be made ({error.strerror or error}): choose another --out") from error
        lock = RunLock.taken(folder)
        try:
            yield folder
        finally:
            if lock:
                lock.let_go()
            if not any(folder.iterdir()):
                folder.rmdir()
        return


@dataclass(frozen=True)
class Asked:
    """What was to be audited."""

    data: str
    """As it was given."""
    reading: dict[str, str]
    """The options that say how it is read, of those that were given."""


def write_outputs(folder: Path, gathered: Gathered, examined: Examined, asked: Asked, *, seconds: float) -> AuditResult:
    """What was found, with everything of it on disk."""
    there = {each.content: each for each in (*gathered.pictures, *(same[0] for same in gathered.contradictory))}
    before = decided_before(folder, as_folder_name(gathered.name), contents=there, classes=gathered.classes)
    gathered = replace(gathered, notes=[*gathered.notes, *before.notes])
    decided = tuple(there[each].picture.name for each in before.by_content)
    result = _result(folder, gathered, examined, asked, decided, seconds=seconds)
    with writing(f"the audit in {folder}"):
        write_csv(folder / LIST, COLUMNS, _rows(_suspects(gathered, examined), before.by_content, there))
        write_json(folder / JSON, result.model_dump(mode="json", by_alias=True))
        write_report(folder / PAGE, result, gathered, examined)
    return result


def _result(
    folder: Path, gathered: Gathered, examined: Examined, asked: Asked, decided: tuple[str, ...], *, seconds: float
) -> AuditResult:
    names = [each.picture.name for each in gathered.pictures]
    series = series_rows(examined, gathered)
    by_files = examined.by_files
    return AuditResult(
        data=printable(asked.data),
        reading={name: printable(value) for name, value in asked.reading.items()},
        report=printable(str(folder / PAGE)),
        list=printable(str(folder / LIST)),
        pictures=len(names),
        classes=gathered.classes,
        boxes=gathered.boxes,
        identical=tuple(gathered.identical),
        contradictory=tuple(_contradictory(each) for each in gathered.contradictory),
        saved_twice=tuple(_saved(each, gathered) for each in examined.saved),
        small=examined.small,
        series=tuple(tuple(names[row] for row in rows) for rows in series),
        parts=gathered.parts,
        torn=sum(len({gathered.pictures[row].picture.part for row in rows}) > 1 for rows in series),
        cut=examined.series.cut,
        doubtful=tuple(_doubtful(each, gathered) for each in examined.doubts),
        odd=tuple(PoorPicture(picture=names[row], why=_odd_words(gathered)) for row in examined.odd),
        poor=tuple(PoorPicture(picture=names[each.row], why=each.why) for each in examined.poor),
        warnings=(*examined.light, *(by_files.sentences(gathered.classes) if by_files else ())),
        by_files=by_files.accuracy if by_files else None,
        chance=by_files.chance if by_files else None,
        more=examined.more.expected if examined.more else None,
        unjudged=examined.unjudged,
        too_few=tuple(gathered.classes[number] for number in examined.unknown),
        untrainable=gathered.untrainable,
        decided=decided,
        set_aside=tuple(gathered.set_aside),
        notes=tuple(dict.fromkeys(gathered.notes)),
        seconds=round(seconds, 2),
    )


def _rows(
    suspects: Iterable[Suspect], before: Mapping[str, Decision], there: Mapping[str, Hashed]
) -> Iterator[tuple[str, ...]]:
    """The list's: each suspect, with what was decided on it before, then what else was."""
    left = dict(before)
    for each in suspects:
        decision = left.pop(each.content, None)
        yield replace(each, do=decision.do if decision else "").cells
    for content, decision in left.items():
        picture = there[content].picture
        yield Suspect(content, picture.name, picture.label or "", decision.why, do=decision.do).cells


def _contradictory(same: Sequence[Hashed]) -> Contradictory:
    return Contradictory(
        pictures=tuple(each.picture.name for each in same), classes=tuple(str(each.picture.label) for each in same)
    )


def _saved(saved: Saved, gathered: Gathered) -> SavedTwice:
    pictures = [gathered.pictures[row].picture for row in (saved.kept, *saved.copies)]
    labels = tuple(each.label for each in pictures if each.label is not None)
    return SavedTwice(pictures=tuple(each.name for each in pictures), classes=labels or None)


def _doubtful(doubt: Doubt, gathered: Gathered) -> DoubtfulLabel:
    picture = gathered.pictures[doubt.row].picture
    nearest = (gathered.pictures[row].picture for row in doubt.nearest)
    return DoubtfulLabel(
        picture=picture.name,
        class_=str(picture.label),
        probability=doubt.probability,
        likelier=gathered.classes[doubt.likelier],
        likelier_probability=doubt.likelier_probability,
        nearest=tuple(f"{each.label} ({each.name})" for each in nearest),
        neighbours=doubt.neighbours,
        agreeing=doubt.agreeing,
    )


def _odd_words(gathered: Gathered) -> str:
    return "is unlike any class" if gathered.classes else "is unlike the others"


def _suspects(gathered: Gathered, examined: Examined) -> Iterator[Suspect]:
    """Each picture that a person should look at, once, what speaks most against it first."""
    for same in gathered.contradictory:
        said = _contradictory(same)
        why = f"the same bytes in several classes: {some(said.pictures)}"
        yield Suspect(same[0].content, said.pictures[0], some([*dict.fromkeys(said.classes)]), why)
    pictures, seen = gathered.pictures, set[int]()

    def suspect(row: int, why: str, likelier: str = "") -> Iterator[Suspect]:
        if row not in seen:
            seen.add(row)
            picture = pictures[row].picture
            yield Suspect(pictures[row].content, picture.name, picture.label or "", why, likelier)

    for saved in examined.saved:
        for copy in saved.copies:
            yield from suspect(copy, f"saved twice: {pictures[saved.kept].picture.name} is the same picture")
    for doubt in examined.doubts:
        yield from suspect(doubt.row, "label doubtful", gathered.classes[doubt.likelier])
    for row in examined.odd:
        yield from suspect(row, _odd_words(gathered))
    for poor in examined.poor:
        yield from suspect(poor.row, poor.why)
