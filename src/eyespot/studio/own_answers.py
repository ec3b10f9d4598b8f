"""What a run wrote of its own pictures: the answer to each that it had not learned from, and what audits found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from eyespot.bundle.files import Bundle
from eyespot.data.written_lists import read_list
from eyespot.errors import DataError
from eyespot.evaluate.metrics import Cells
from eyespot.records import Metric, Part, PartMetrics
from eyespot.runs.folder import PREDICTIONS, SPLIT
from eyespot.runs.lists import WRITTEN

HELD_OUT: tuple[Part, ...] = ("test", "val", "train")
"""In the order in which they are worth looking at. Of `train` there are answers of models that had not seen the picture
(out of fold)."""
AUDITS, LIST, MOST_AUDITS = "audit", "exclude.csv", 32
"""Where `audit` writes its lists, beside the folder of the runs."""


@dataclass(frozen=True)
class OwnAnswer:
    """What a run answered to one of its pictures."""

    content: str
    """The hash of the picture's bytes."""
    name: str
    part: Part
    truth: int
    """Number of its class."""
    answer: int
    """Number of the class that was answered."""
    probability: float
    """Of the answer, 0..1."""

    @property
    def is_right(self) -> bool:
        return self.truth == self.answer


def read_answers(bundle: Bundle) -> list[OwnAnswer]:
    """Every answer that lies in the run's folder; none where the bundle lies in no run.

    Raises DataError where what the run wrote is damaged.
    """
    run, number_of = bundle.folder.parent, {name.strip(): at for at, name in enumerate(bundle.manifest.classes)}
    if not (run / PREDICTIONS).is_file():
        return []
    needed = ("picture", "part", "class", "answer", "probability")
    content_of, found = _contents(run), []
    for row in read_list(run / PREDICTIONS, needed=needed, what=WRITTEN):
        content = row["content_hash"] or content_of.get(row["picture"], "")
        part = next((part for part in HELD_OUT if row["part"].partition(" ")[0] == part), None)
        truth, answer = number_of.get(row["class"]), number_of.get(row["answer"])
        if part and content and truth is not None and answer is not None:  # others were set aside
            found.append(OwnAnswer(content, row["picture"], part, truth, answer, _share(row["probability"])))
    return found


def measured(bundle: Bundle, part: Part) -> PartMetrics | None:
    """What the report says of a held-out part; None of one that was not measured."""
    manifest = bundle.manifest
    return {"test": manifest.test or manifest.small_test, "val": manifest.validation}.get(part)


def accuracy_of(bundle: Bundle, part: Part) -> Metric | None:
    """The accuracy on a part with its interval, as the report says it."""
    found = measured(bundle, part)
    return found.overall if found else bundle.manifest.out_of_fold if part == "train" else None


def cells_of(bundle: Bundle, part: Part, answers: Sequence[OwnAnswer]) -> Cells:
    """The confusion matrix of a part without its zeros: true class, answer, pictures; empty without any answer."""
    found = measured(bundle, part)
    if found:
        return found.cells
    counts = Counter((each.truth, each.answer) for each in answers if each.part == part)
    return tuple(sorted((*cell, count) for cell, count in counts.items()))


def surest_first(answers: Sequence[OwnAnswer]) -> list[OwnAnswer]:
    """Mistakes, then what was right; the surest of each first, equal ones in their given order."""
    return sorted(answers, key=lambda each: (each.is_right, -each.probability))


@dataclass(frozen=True)
class Doubt:
    """What an audit says against a picture."""

    why: str
    likelier: str
    """The class that it may be of instead; empty where none is likelier."""


def read_doubts(bundle: Bundle) -> Mapping[str, Doubt]:
    """What audits beside the run found, by the hash of the picture's bytes; the newest one counts.

    Lists that cannot be read are passed over: they may be half filled in.
    """
    found: dict[str, Doubt] = {}
    for path in _lists(bundle.folder.parent.parent.parent / AUDITS):
        try:
            rows = [*read_list(path, needed=("content_hash", "why"), what="the list of an audit")]
        except DataError:
            continue
        found |= {row["content_hash"]: Doubt(row["why"], row["likelier_class"]) for row in rows if row["why"]}
    return found


def _lists(folder: Path) -> Iterator[Path]:
    """The newest lists under a folder, the newest last."""
    try:
        found = [(path.stat().st_mtime, path) for path in islice(folder.glob(f"*/{LIST}"), MOST_AUDITS)]
    except OSError:
        return iter(())
    return (path for _, path in sorted(found))


def _contents(run: Path) -> dict[str, str]:
    """The content hash of each picture by its name, for runs whose answers do not say it."""
    if not (run / SPLIT).is_file():
        return {}
    split = read_list(run / SPLIT, needed=("picture", "content_hash"), what=WRITTEN)
    return {row["picture"]: row["content_hash"] for row in split}


def _share(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        raise DataError(f"what the run wrote of its answers is damaged: {text[:40]!r} is no probability") from None
