"""What a person means by her folders: a listing goes in, a reading or a question comes out. Nothing is opened here.

`_RULES` is the decision: each rule looks at the folders in one place, and the first that knows them answers. What can
be meant in two ways is never guessed: the person is asked, in one sentence that names both readings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from eyespot.data.layout_words import hint, notes_on_masks, notes_on_nested, notes_on_parts, question, said, slashed
from eyespot.data.listing import Folder, Listing, Place, Reading
from eyespot.data.part_names import letters_of, part_of, parts_among
from eyespot.data.read_as import Layout
from eyespot.errors import NoPictures
from eyespot.words import counted, some

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


def read(listing: Listing, *, root: str, layout: Layout = "auto") -> Reading:
    """How the folders of a listing are to be read.

    root: the folder, as errors name it.
    layout: what the person says of it; `auto` where she says nothing.
    Raises NoPictures where there are no pictures in class folders, UnclearFolders where it could be read in two ways.
    """
    place = Place(listing, root)
    return _found_out(place) if layout == "auto" else _as_told(place, layout)


def _found_out(place: Place) -> Reading:
    return next(reading for rule in _RULES if (reading := rule(place)))


def _no_folders(place: Place) -> Reading | None:
    """All pictures lie in one heap."""
    if place.folders:
        return None
    pictures = counted(place.loose, "picture") if place.loose else "no pictures"
    but = f" but no class folders{hint(place)}" if place.loose else ""
    raise NoPictures(f"{place.name} holds {pictures}{but}; {LAYOUT}")


def _pictures_and_marks(place: Place) -> Reading | None:
    """`images/` beside `annotations/`: made for detection or segmentation, or class folders with boxes beside them."""
    pictures, marks = _marked(place)
    if not marks:
        return None
    with_classes = [name for name in pictures if not all(map(part_of, place.inside(name).folders))]
    if len(with_classes) != 1:
        raise _no_classes_but(place, pictures, marks)
    note = f"the classes are the folders in {with_classes[0]}/; {slashed(marks)} beside it is not read"
    return _and_note(_found_out(place.inside(*with_classes)), note)


def _parts_of_classes(place: Place) -> Reading | None:
    """Folders of parts, with class folders in train at least."""
    parts = parts_among(place.folders)
    ways = {name: _way_to_classes(place, name) for name in parts if _has_classes(place.inside(name))}
    classes = {name: {*place.inside(*way).folders} for name, way in ways.items()}
    trained = {label for name in ways if parts[name] == "train" for label in classes[name]}
    if not trained:
        return None
    others = [name for name in place.folders if name not in parts]
    tested = [name for name in ways if parts[name] != "train"]
    for way in ways.values():
        pictures, marks = _marked(place.inside(*way))
        if marks:  # train/images beside train/labels
            raise _no_classes_but(place.inside(*way), pictures, marks)
    if tested and not any(classes[name] & trained for name in tested):
        raise question(
            place,
            f"{slashed(tested)} holds none of the folders in train/ ({some(sorted(trained))})",
            "--layout part/class if these are parts all the same, --layout class if they are classes",
        )
    if not tested and any(place.inside(name).loose for name in others):
        raise question(
            place,
            f"{slashed([*ways])} may be the part, or a class like {some(others)}",
            "--layout part/class or --layout class",
        )
    return Reading("part/class", place.at, parts, ways, tuple(notes_on_parts(place, parts, ways, others)))


def _parts_without_train(place: Place) -> Reading | None:
    """Some folders are called like parts, but none is a train/ with class folders: a class may have such a name."""
    parts = parts_among(place.folders)
    others = [name for name in place.folders if name not in parts]
    if parts and not others:
        raise NoPictures(
            f"{place.name} holds {some([repr(name) for name in place.folders])}, but no train/ with class folders"
            f"{hint(place)}: give each part a folder per class and add train/, or name one part's folder, or "
            "give --layout class if these are classes"
        )
    for name in parts:
        inside = {*place.inside(name).folders}
        alike = [other for other in others if inside & {*place.inside(other).folders}]
        if alike:
            raise question(
                place,
                f"{slashed([*alike, name])} hold the same folders ({some(sorted(inside))}) and none is called train",
                f"{alike[0]} the name train if these are parts, or --layout class if they are classes",
            )
        if inside & {*others}:
            raise question(
                place,
                f"{name}/ holds folders that lie beside it, too ({some(sorted(inside & {*others}))})",
                f"--layout class if {name} is a class like them, or move them into train/ if it is the part",
            )
    if {"train", "test"} <= {*parts.values()}:
        raise question(
            place,
            f"{slashed([*parts])} are called like parts, but hold no class folders and lie beside {slashed(others)}",
            "--layout class if all of these are classes, or each part a folder per class",
        )
    return None


def _one_folder(place: Place) -> Reading | None:
    """One folder holds all: a zip that was unpacked into a folder of its own name."""
    inner = place
    while len(inner.folders) == 1 and not part_of(inner.folders[0]) and (inner is place or not inner.loose):
        deeper = inner.inside(*inner.folders)
        is_heap = bool(deeper.loose) and letters_of(deeper.at[-1]) not in HOLDERS
        if is_heap and deeper.at[-1] != inner.name.split("/")[-1]:  # as photos/photos/*.jpg is
            break
        inner = deeper
    if inner is place or (len(inner.folders) == 1 and not part_of(inner.folders[0])):
        return None
    return _and_note(_found_out(inner), f"all pictures lie in {'/'.join(inner.at[len(place.at) :])}/, which is read")


def _classes_of_parts(place: Place) -> Reading | None:
    """Folders of parts in every class folder."""
    inside = {name: place.inside(name).folders for name in place.folders}
    parts = {each: part for names in inside.values() for each in names if (part := part_of(each))}
    split = [name for name, names in inside.items() if {"train"} < {parts.get(each) for each in names} - {None}]
    if not split:
        return None
    if all(place.inside(name).only_holds_folders and {*inside[name]} <= {*parts} for name in inside):
        note = f"read as parts inside of each class folder: {said(parts)}"
        return Reading("class/part", place.at, parts, notes=(note,))
    raise question(
        place,
        f"{split[0]}/ holds {some(inside[split[0]])}, which are called like parts, and not all folders are like it",
        "--layout class/part if they are, or --layout class if all in a folder is of one class and not split yet",
    )


def _same_folders_everywhere(place: Place) -> Reading | None:
    """Either level may be the classes."""
    inside = [place.inside(name) for name in place.folders]
    common = set.intersection(*({*each.folders} for each in inside))
    if len(inside) < 2 or len(common) < 2 or not all(each.only_holds_folders for each in inside):
        return None
    raise question(
        place,
        f"each of {some(place.folders)} holds the folders {some(sorted(common))}",
        f"--layout class if {some(place.folders)} are the classes, --layout any/class if the folders in them are; or, "
        "if they are parts, the names train, val and test",
    )


def _one_among_others(place: Place) -> Reading | None:
    """A folder that may hold the classes, and lies where they would lie: a data set beside something else."""
    for name in place.folders if len(place.folders) > 1 else []:
        inner = _down(place.inside(name))
        beside = [each for each in place.folders if each != name]
        holds_parts = any(part_of(each) == "train" and inner.inside(each).folders for each in inner.folders)
        holds_classes = inner.only_holds_folders and len(inner.folders) > 1 and letters_of(name) in HOLDERS
        if holds_parts or holds_classes or len({*inner.folders} & {*beside}) > 1:
            raise question(
                place,
                f"{name}/ holds folders of pictures ({some(inner.folders)}) and lies beside {slashed(beside)}",
                f"the name {inner.name} if its folders are what is to be read, or --layout class if {name} is a class",
            )
    return None


def _classes(place: Place) -> Reading:
    """The folders are the classes."""
    return Reading("class", place.at, notes=(*notes_on_nested(place), *notes_on_masks(place)))


_RULES: tuple[Callable[[Place], Reading | None], ...] = (
    _no_folders,
    _pictures_and_marks,
    _parts_of_classes,
    _parts_without_train,
    _one_folder,
    _classes_of_parts,
    _same_folders_everywhere,
    _one_among_others,
    _classes,
)


def _as_told(place: Place, layout: Layout) -> Reading:
    """The reading that the person asks for. Raises NoPictures where nothing is there that it speaks of."""
    _no_folders(place)
    below = {each for name in place.folders for each in place.inside(name).folders}
    parts = parts_among(place.folders if layout == "part/class" else sorted(below))
    ways = {name: _way_to_classes(place, name) for name in parts if place.inside(name).folders}
    if layout == "part/class" and "train" not in {parts[name] for name in ways}:
        raise NoPictures(f"{place.name} holds no train/ with class folders, but {slashed(place.folders)}; {LAYOUT}")
    if layout == "class/part" and "train" not in parts.values():
        raise NoPictures(f"{place.name} holds no folder train in {slashed(place.folders)}")
    if layout == "any/class" and not below:
        raise NoPictures(f"{place.name} holds no folders of pictures in {slashed(place.folders)}")
    return Reading(layout, parts=parts if "part" in layout else {}, ways=ways if layout == "part/class" else {})


def _marked(place: Place) -> tuple[list[str], list[str]]:
    """Folders of pictures, and those of what is said about them, where there are no others with pictures."""
    pictures = [name for name in place.folders if letters_of(name) in HOLDERS]
    marks = sorted(name for name in {*place.folders, *place.folders_without_pictures} if letters_of(name) in MARKS)
    return (pictures, marks) if pictures and {*place.folders} <= {*pictures, *marks} else ([], [])


def _no_classes_but(place: Place, pictures: list[str], marks: list[str]) -> NoPictures:
    told = f"; with --layout class {some(place.folders)} are the classes" if len(place.folders) > 1 else ""
    return NoPictures(
        f"{place.name} holds pictures in {slashed(pictures)} and, it seems, their boxes, outlines or lists in "
        f"{slashed(marks)}, but no class folders{hint(place.inside(pictures[0]))}: put the pictures of each class "
        f"into a folder of its own, or name their classes in a CSV (image_path,label){told}"
    )


def _has_classes(place: Place) -> bool:
    """True for a part with class folders, and not with one of its own name, as train/train/*.jpg."""
    return bool(place.folders) and (place.folders != [place.at[-1]] or bool(place.inside(place.at[-1]).folders))


def _down(place: Place) -> Place:
    """The place, or where its only folder leads."""
    while place.only_holds_folders and len(place.folders) == 1 and not part_of(place.folders[0]):
        place = place.inside(*place.folders)
    return place


def _way_to_classes(place: Place, part: str) -> Folder:
    """From a place to the class folders of a part: some zips hold `train/train/cat`."""
    way: Folder = (part,)
    while place.inside(*way).only_holds_folders and len(place.inside(*way).folders) == 1:
        deeper = place.inside(*way, *place.inside(*way).folders)
        if not deeper.only_holds_folders or (len(deeper.folders) < 2 and deeper.at[-1] != part):
            break
        way = deeper.at[len(place.at) :]
    return way


def _and_note(reading: Reading, note: str) -> Reading:
    return replace(reading, notes=(note, *reading.notes))
