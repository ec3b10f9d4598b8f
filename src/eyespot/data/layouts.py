"""What a person means by her folders: a listing goes in, a reading or a question comes out. Nothing is opened here.

`_RULES` is the decision: each rule looks at the folders in one place, and the first that knows them answers. What can
be meant in two ways is never guessed: the person is asked, in one sentence that names both readings.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

from eyespot.data.data_set import PARTS
from eyespot.errors import NoPictures, UnclearFolders
from eyespot.records import Part
from eyespot.words import counted, some

Folder = tuple[str, ...]
"""The names on the way down to a folder."""
Layout = Literal["auto", "class", "part/class", "class/part", "any/class"]
"""What the folders on each level are; `auto` finds it out."""
LAYOUTS: tuple[str, ...] = get_args(Layout)
LAYOUT = (
    "a data set is a folder with one sub-folder of pictures per class (photos/cat/*.jpg, photos/dog/*.jpg), "
    "or train/, val/ and test/ with such sub-folders in each"
)
HOLDERS = {
    *("image", "images", "img", "imgs", "jpegimages", "photo", "photos", "picture", "pictures", "pics", "frames"),
    *("data", "dataset", "raw", "rgb", "bilder", "fotos", "imagenes", "图片"),
}
"""Folders that are called after what lies in them, whatever its class."""
MARKS = {
    *("annotation", "annotations", "label", "labels", "mask", "masks", "trimap", "trimaps", "segmentation"),
    *("segmentations", "segmentationclass", "segmentationobject", "groundtruth", "gt", "imagesets", "bbox", "bboxes"),
    *("boxes", "xml", "xmls", "polygons"),
}
"""Folders of what is said about pictures: boxes, outlines, lists."""
_PART_WORDS: dict[Part, str] = {
    "train": "train training trn learn learning trainieren trainingsdaten trainingsset trainingsbilder lernen "
    "entrainement apprentissage entrenamiento "
    "addestramento treino treinamento 训练 訓練 学習 학습 훈련 обучение",
    "val": "val valid validation validate validating dev devel eval evaluation holdout validierung validierungsdaten "
    "validacion convalida validazione validacao validatie 验证 驗證 検証 검증 валидация",
    "test": "test testing tst tests teste essai prueba pruebas prova 测试 測試 テスト 테스트 тест",
}
_BESIDE_A_PART = (
    *("datasets", "dataset", "data", "daten", "sets", "set", "images", "image", "imgs", "img", "pictures", "pics"),
    *("photos", "folder", "split", "samples", "bilder", "fotos", "数据集", "数据", "图片", "集", "データ", "세트"),
)
"""What may stand before or behind the word for a part: `test_images`, `TrainSet`."""


_OUTSIDE_PARTS = "lies outside train/, val/ and test/"
_OUTSIDE_CLASSES = "lies outside any class folder"


@dataclass(frozen=True)
class Listing:
    """What lies in a folder, by name."""

    pictures: Mapping[Folder, int]
    """How many pictures lie in each folder itself."""
    others: Iterable[str] = ()
    """Other files, with '/' between folders."""
    names: Sequence[str] = ()
    """Names of some of the pictures."""


@dataclass(frozen=True)
class Placed:
    """What a folder's pictures are."""

    label: str
    part: Part | None = None


@dataclass(frozen=True)
class Reading:
    """How the folders are read."""

    layout: Layout = "class"
    top: Folder = ()
    """The folder that holds the classes, or the parts."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """The part for which each folder stands."""
    wrapped: Mapping[str, Folder] = field(default_factory=dict)
    """Folders of parts that hold their classes deeper, and where."""
    notes: tuple[str, ...] = ()

    def way(self, part: str) -> Folder:
        """From the top to the class folders of a part."""
        return self.wrapped.get(part, (part,))

    def place(self, folder: Folder) -> Placed | str:
        """The class and part of the pictures in a folder, or why they have none."""
        if folder[: len(self.top)] != self.top:
            return f"lies outside {'/'.join(self.top)}/, which is read"
        first, second = (*folder[len(self.top) :], "", "")[:2]
        if self.layout == "part/class":
            return self._in_part(folder[len(self.top) :])
        if self.layout == "class/part" and second:
            return Placed(first, self.parts[second]) if second in self.parts else _OUTSIDE_PARTS
        label = first if self.layout == "class" else second
        return Placed(label) if label else _OUTSIDE_CLASSES

    def _in_part(self, folder: Folder) -> Placed | str:
        if not folder or folder[0] not in self.parts:
            return _OUTSIDE_PARTS
        *way, label = folder[: len(self.way(folder[0])) + 1]
        return Placed(label, self.parts[folder[0]]) if tuple(way) == self.way(folder[0]) else _OUTSIDE_CLASSES


def read(listing: Listing, *, where: str, layout: Layout = "auto") -> Reading:
    """How the folders of a listing are to be read.

    where: the folder, as errors name it.
    layout: what the person says of it; `auto` where she says nothing.
    Raises NoPictures where there are no pictures in class folders, UnclearFolders where it could be read in two ways.
    """
    place = _Place(_Tree(listing), (), where)
    if layout != "auto":
        return _as_told(place, layout)
    return _read(place)


def part_of(name: str) -> Part | None:
    """The part that a folder's name, or a word in a table, stands for."""
    letters = _letters(name)
    while letters not in _PARTS:
        shorter = next((s for s in map(letters.removesuffix, _BESIDE_A_PART) if s != letters), letters)
        shorter = next((s for s in map(letters.removeprefix, _BESIDE_A_PART) if s != letters), shorter)
        if shorter == letters:
            return None
        letters = shorter
    return _PARTS[letters]


class _Tree:
    """Folders with pictures anywhere below them."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.below: dict[Folder, set[str]] = defaultdict(set)
        self.count: dict[Folder, int] = defaultdict(int)
        for folder, count in listing.pictures.items():
            self.count[folder] += count
            for depth in range(len(folder)):
                self.below[folder[:depth]].add(folder[depth])
                self.count[folder[:depth]] += count

    @cached_property
    def without_pictures(self) -> set[Folder]:
        """Folders of other files."""
        return {
            tuple(name.split("/")[:depth]) for name in self.listing.others for depth in range(1, name.count("/") + 1)
        }


@dataclass(frozen=True)
class _Place:
    """A folder, as the rules look at it."""

    tree: _Tree
    at: Folder
    where: str

    @property
    def folders(self) -> list[str]:
        """Its folders with pictures."""
        return sorted(self.tree.below.get(self.at, ()))

    @property
    def loose(self) -> int:
        """Pictures in no folder of it."""
        return self.tree.listing.pictures.get(self.at, 0)

    @property
    def name(self) -> str:
        return "/".join((self.where.rstrip("/"), *self.at))

    def inside(self, *names: str) -> _Place:
        return replace(self, at=(*self.at, *names))

    def count(self, name: str) -> int:
        """Pictures anywhere in one of its folders."""
        return self.tree.count[(*self.at, name)]

    def is_deep(self, name: str) -> bool:
        """True for a folder that holds folders of pictures."""
        return bool(self.inside(name).folders)

    def only_holds(self, name: str) -> bool:
        """True for a folder that holds folders of pictures, and no pictures itself."""
        return self.is_deep(name) and not self.inside(name).loose


def _read(place: _Place) -> Reading:
    return next(reading for rule in _RULES if (reading := rule(place)))


# The rules, in order


def _flat(place: _Place) -> Reading | None:
    """No folder holds pictures."""
    if place.folders:
        return None
    if not place.loose:
        raise NoPictures(f"{place.name} holds no pictures; {LAYOUT}")
    raise NoPictures(
        f"{place.name} holds {counted(place.loose, 'picture')} but no class folders{_hint(place)}; {LAYOUT}"
    )


def _pictures_and_marks(place: _Place) -> Reading | None:
    """`images/` beside `annotations/`: what is made for detection or segmentation, or class folders with boxes."""
    pictures, marks = _marked(place)
    if not marks:
        return None
    classes = [name for name in pictures if not all(map(part_of, place.inside(name).folders))]
    if len(classes) != 1:
        raise _no_classes_but(place, pictures, marks)
    note = f"the classes are the folders in {classes[0]}/; what lies in {_named(marks)} beside it is not read"
    return _and_note(_read(place.inside(classes[0])), note)


def _parts_above(place: _Place) -> Reading | None:
    """Folders of parts, with class folders inside."""
    parts = _parts_among(place.folders)
    if not parts:
        return None
    prefixes = {name: _to_classes(place, name) for name in parts if place.is_deep(name)}
    classes = {name: {*place.inside(*prefix).folders} for name, prefix in prefixes.items()}
    others = [name for name in place.folders if name not in parts]
    trained = {label for name in classes if parts[name] == "train" for label in classes[name]}
    if not trained:
        return _without_train(place, parts, classes, others)
    tested = [name for name in classes if parts[name] != "train"]
    if tested and not any(classes[name] & trained for name in tested):
        raise _unclear(
            place, f"{_named(tested)} has no class folder of those in train ({some(sorted(trained))})", "part/class"
        )
    if not tested and any(place.inside(name).loose for name in others):
        raise _unclear(place, f"{_named([*prefixes])} may be a part, or a class like {some(others)}", "part/class")
    for prefix in prefixes.values():
        pictures, marks = _marked(place.inside(*prefix))
        if marks:  # train/images beside train/labels
            raise _no_classes_but(place.inside(*prefix), pictures, marks)
    return Reading(
        "part/class",
        place.at,
        parts,
        {name: prefix for name, prefix in prefixes.items() if len(prefix) > 1},
        tuple(_notes_on_parts(place, parts, prefixes, others)),
    )


def _marked(place: _Place) -> tuple[list[str], list[str]]:
    """Folders of pictures, and those of what is said about them, where there are no others with pictures."""
    beside = {folder[-1] for folder in place.tree.without_pictures if folder[:-1] == place.at}
    pictures = [name for name in place.folders if _letters(name) in HOLDERS]
    marks = sorted(name for name in {*place.folders, *beside} if _letters(name) in MARKS)
    return (pictures, marks) if pictures and {*place.folders} <= {*pictures, *marks} else ([], [])


def _no_classes_but(place: _Place, pictures: list[str], marks: list[str]) -> NoPictures:
    return NoPictures(
        f"{place.name} holds pictures in {_named(pictures)} and, it seems, their boxes, outlines or lists in "
        f"{_named(marks)}, but no class folders{_by_their_names(place.inside(pictures[0]))}: put the pictures of each "
        "class into a folder of its own, or name their classes in a CSV (image_path,label); with --layout class "
        f"{some(place.folders)} are the classes"
    )


def _without_train(
    place: _Place, parts: Mapping[str, Part], classes: Mapping[str, set[str]], others: list[str]
) -> Reading | None:
    """Some folders are called like parts, and none is a train/ with class folders: a class may have such a name."""
    if not others:
        raise NoPictures(
            f"{place.name} holds {some([repr(name) for name in place.folders])}, but no train/ with class folders"
            f"{_hint(place)}: give each part a folder per class and add train/, or name one part's folder"
        )
    for name, inside in classes.items():
        alike = [other for other in others if inside & {*place.inside(other).folders}]
        if alike:
            raise _unclear(
                place, f"{_named([*alike, name])} hold the same folders: is {alike[0]} train? Rename it", "part/class"
            )
        if inside & {*others}:
            raise _unclear(
                place,
                f"{name}/ holds folders that lie beside it, too ({some(sorted(inside & {*others}))}): if it is the "
                "part, move those beside it into train/",
                "class",
            )
    if {"train", "test"} <= {*parts.values()}:
        raise _unclear(
            place, f"{some([*parts])} are called like parts, but lie beside {some(others)} and have no class folders"
        )
    return None


def _lone(place: _Place) -> Reading | None:
    """One folder holds all: a zip that was unpacked into a folder of its own name."""
    inner = place
    while len(inner.folders) == 1 and not part_of(inner.folders[0]) and (inner is place or not inner.loose):
        (name,) = inner.folders
        deeper = inner.inside(name)
        if deeper.loose and not (_letters(name) in HOLDERS or name == inner.name.split("/")[-1]):
            break
        inner = deeper
    if inner is place or (len(inner.folders) < 2 and not any(map(part_of, inner.folders)) and not inner.loose):
        return None
    if not inner.folders:
        raise NoPictures(
            f"{inner.name} holds {counted(inner.loose, 'picture')} but no class folders{_hint(inner)}; {LAYOUT}"
        )
    return _and_note(_read(inner), f"all pictures lie in {'/'.join(inner.at[len(place.at) :])}/, which is read")


def _parts_below(place: _Place) -> Reading | None:
    """Folders of parts in every class folder."""
    inside = {name: place.inside(name).folders for name in place.folders}
    parts = {each: part for names in inside.values() for each in names if (part := part_of(each))}
    if not any({"train"} < {parts.get(each) for each in names} - {None} for names in inside.values()):
        return None
    if all(place.only_holds(name) and {*inside[name]} <= {*parts} for name in place.folders):
        note = f"read as parts inside of each class folder: {_said(parts)}"
        return Reading("class/part", place.at, parts, notes=(note,))
    split = next(name for name, names in inside.items() if {"train"} < {parts.get(each) for each in names} - {None})
    raise _unclear(
        place, f"{split}/ holds {some(inside[split])}, which are called like parts, and not all others do", "class/part"
    )


def _alike(place: _Place) -> Reading | None:
    """The same folders in every folder: either may be the classes."""
    if len(place.folders) < 2 or not all(map(place.only_holds, place.folders)):
        return None
    common = set.intersection(*({*place.inside(name).folders} for name in place.folders))
    if len(common) < 2:
        return None
    raise _unclear(
        place,
        f"each of {some(place.folders)} holds the folders {some(sorted(common))}, so either may be the classes; if "
        "they are parts, name them train, val and test",
        "any/class",
    )


def _classes(place: _Place) -> Reading:
    """The folders are the classes."""
    nested = [name for name in place.folders if place.only_holds(name) and len(place.inside(name).folders) > 1]
    holder = next((name for name in nested if _letters(name) in HOLDERS and len(place.folders) > 1), None)
    if holder:
        raise _unclear(
            place,
            f"{holder}/ holds folders of pictures ({some(place.inside(holder).folders)}) and lies beside others with "
            f"pictures: name {place.name}/{holder} if its folders are the classes",
        )
    inner = sorted({label for name in nested for label in place.inside(name).folders})
    note = f"the classes are {some(place.folders)}; the folders inside ({some(inner)}) are no classes of their own"
    deeper = "; --layout any/class makes them the classes" if nested == place.folders else ""
    return Reading("class", place.at, notes=(note + deeper,) if nested else ())


_RULES: tuple[Callable[[_Place], Reading | None], ...] = (
    _flat,
    _pictures_and_marks,
    _parts_above,
    _lone,
    _parts_below,
    _alike,
    _classes,
)


def _as_told(place: _Place, layout: Layout) -> Reading:
    """The reading that the person asks for."""
    if not place.folders:
        _flat(place)
    if layout == "part/class":
        parts = _parts_among(place.folders)
        prefixes = {name: _to_classes(place, name) for name in parts if place.is_deep(name)}
        if "train" not in {parts[name] for name in prefixes}:
            raise NoPictures(f"{place.name} holds no train/ with class folders, but {some(place.folders)}; {LAYOUT}")
        return Reading(layout, parts=parts, wrapped=prefixes)
    below = {each for name in place.folders for each in place.inside(name).folders}
    if layout == "any/class" and not below:
        raise NoPictures(f"{place.name} holds no folders of pictures inside of {some(place.folders)}")
    parts = {each: part for each in below if (part := part_of(each))}
    if layout == "class/part" and "train" not in parts.values():
        raise NoPictures(f"{place.name} holds no folder train inside of {some(place.folders)}")
    return Reading(layout, parts=parts if layout == "class/part" else {})


def _parts_among(names: Iterable[str]) -> dict[str, Part]:
    """The folders that are called like parts: each by itself, or by one word in a name that several share."""
    parts = {name: part for name in names if (part := part_of(name))}
    alike: dict[tuple[str, ...], dict[str, Part]] = defaultdict(dict)
    for name in names:
        words = re.findall(r"[^\W\d_]+", name)
        for word in words:
            if part := part_of(word):
                alike[tuple(each for each in words if each != word)][name] = part
    for rest, named in alike.items():
        if rest and "train" in named.values() and len({*named.values()}) > 1:
            parts |= named
    return {name: parts[name] for name in names if name in parts}


def _to_classes(place: _Place, name: str) -> Folder:
    """The way from a part's folder down to its class folders: some zips hold `train/train/cat`."""
    way: Folder = (name,)
    while len(inner := place.inside(*way).folders) == 1:
        deeper = place.inside(*way, inner[0])
        if place.inside(*way).loose or deeper.loose or len(deeper.folders) < 2:
            break
        way = (*way, inner[0])
    return way


def _notes_on_parts(
    place: _Place, parts: Mapping[str, Part], prefixes: Mapping[str, Folder], others: list[str]
) -> Iterable[str]:
    if any(name.casefold() not in PARTS for name in parts):
        yield f"read as parts: {_said(parts)}"
    for name in parts:
        if name not in prefixes:
            count = counted(place.count(name), "picture")
            yield f"the folder '{name}' holds {count} and no class folders: it is left out; predict answers for it"
    if others:
        yield f"{_named(others)} {'is' if len(others) == 1 else 'are'} none of train/, val/ and test/: left out"


def _hint(place: _Place) -> str:
    """What else may say the classes: a table, files of boxes, or the pictures' own names."""
    tables = [
        name for name in place.tree.listing.others if re.search(r"\.(csv|tsv|jsonl|parquet)$", name, re.IGNORECASE)
    ]
    beside = [name for name in tables if tuple(name.split("/")[:-1]) == place.at]
    if beside:
        return f" ({beside[0]} lies beside them: give {place.where.rstrip('/')}/{beside[0]} to learn what it lists)"
    xml = sum(name.lower().endswith(".xml") or "annotations" in name.lower() for name in place.tree.listing.others)
    if xml:
        return f" ({counted(xml, 'file')} beside them may hold boxes, which are not read)"
    return _by_their_names(place)


def _by_their_names(place: _Place) -> str:
    """A hint where the pictures' names begin with what may be classes, as in cat_001.jpg and dog.17.jpg."""
    names = [name for name in place.tree.listing.names if tuple(name.split("/")[:-1]) == place.at]
    words = {match[1] for name in names if (match := re.match(r"(.*?[^\W\d])[\W\d_]*\d+\.\w+$", name.split("/")[-1]))}
    if not 2 <= len(words) <= len(names) / 2:
        return ""
    return f" (their names begin with {some(sorted(words))}: are these the classes? Make a folder for each)"


def _unclear(place: _Place, what: str, other: Layout | None = None) -> UnclearFolders:
    """The question: what can be read in two ways, and how to say which one is meant."""
    classes = f"--layout class if {some(place.folders)} are the classes" if other != "class" else "--layout class"
    told = {
        None: classes,
        "class": "--layout class if it is a class like the others",
        "part/class": f"{classes}, --layout part/class if their folders are",
        "class/part": f"{classes} with all that is in them, --layout class/part if parts lie in them",
        "any/class": f"{classes}, --layout any/class if their folders are",
    }[other]
    inside = "" if not place.at else f" (and name {place.name})"
    return UnclearFolders(f"{place.name} can be read in two ways: {what}; give {told}{inside}")


def _and_note(reading: Reading, note: str) -> Reading:
    return replace(reading, notes=(note, *reading.notes))


def _named(folders: list[str]) -> str:
    return some([f"{name}/" for name in folders])


def _said(parts: Mapping[str, Part]) -> str:
    return some([f"{name} is {part}" for name, part in sorted(parts.items())], most=8)


def _letters(name: str) -> str:
    """A name's letters alone, in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalpha())


_PARTS: dict[str, Part] = {_letters(word): part for part, words in _PART_WORDS.items() for word in words.split()}
