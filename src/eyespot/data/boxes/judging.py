"""What files claim, held against the pictures: boxes turned, cut and counted once; what cannot be used is named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from eyespot.data.boxes.claims import LINES, Annotated, Claim, Found, LeftOut
from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture, Boxes
from eyespot.data.boxes.turning import placed
from eyespot.data.copies import FIRST_CLAIM, content_hash
from eyespot.data.data_set import notes_on_case
from eyespot.data.framed import upright_size
from eyespot.data.levels import is_deep
from eyespot.data.taken import Taken, taken
from eyespot.errors import DataError, UnreadablePicture
from eyespot.records import SetAside
from eyespot.words import counted, some

BOX = ("box", "boxes")
CUT = 0.5
"""Pixels that a box stands out of its picture before that is worth a note: programs round."""
_SAME = 3
"""Decimals of a pixel that two files of boxes share where they say the same."""


@dataclass(frozen=True)
class _Header:
    """What a picture's file says of it."""

    content: str
    size: tuple[int, int]
    orientation: int
    deep: bool
    taken: Taken | None


@dataclass
class _Tally:
    """What happened to boxes on the way."""

    left_out: list[LeftOut]
    cut: int = 0
    twice: int = 0
    turned: int = 0
    """Pictures whose boxes were drawn on the file as it is stored."""
    resized: int = 0
    """Pictures of another size than the one beside their boxes."""
    set_aside: list[SetAside] = field(default_factory=list)
    identical: list[tuple[str, ...]] = field(default_factory=list)
    """Names of pictures that hold the same bytes."""


def judge(found: Found, *, threads: int) -> BoxedDataSet:
    """The pictures that can be used, with their boxes. Raises DataError where there is no box at all."""
    tally = _Tally([*found.left_out])
    boxed: list[BoxedPicture] = []
    numbers = {name: number for number, name in enumerate(found.classes)}
    for each, header in zip(found.pictures, _headers(found.pictures, threads=threads), strict=True):
        boxes = header if isinstance(header, str) else _boxes(each, header, numbers, tally)
        if isinstance(boxes, str):
            tally.set_aside.append(SetAside(picture=each.picture.name, reason=boxes))
        elif not isinstance(header, str):
            width, height = header.size
            boxed.append(BoxedPicture(each.picture, width, height, boxes, header.content, header.deep, header.taken))
    boxed = _without_copies(boxed, tally)
    boxed = _in_parts(boxed, tally)
    if not any(map(_has_boxes, boxed)):
        why = _first_reason(tally, found)
        raise DataError(f"there is no box that can be used in {found.where}{why}; {LINES[found.format]}")
    return BoxedDataSet(
        classes=found.classes,
        parts=_by_part(boxed),
        set_aside=(*found.set_aside, *tally.set_aside),
        identical=tuple(tally.identical),
        notes=(*found.notes, *notes_on_case(found.classes), *_notes(tally)),
        format=found.format,
        name=found.name,
    )


def _headers(pictures: Sequence[Annotated], *, threads: int) -> Iterator[_Header | str]:
    """What the file of each picture says, in order."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(_header, pictures)
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C those still waiting are not read


def _header(annotated: Annotated) -> _Header | str:
    """What the picture's file says, or why it cannot be read. All of it is read: its hash is of every byte."""
    try:
        data = annotated.picture.read()
        size, orientation = upright_size(data)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    except UnreadablePicture as error:
        return error.reason
    return _Header(content_hash(data), size, orientation, is_deep(data), taken(data))


def _boxes(each: Annotated, header: _Header, numbers: dict[str, int], tally: _Tally) -> Boxes | str:
    """The boxes on the upright picture, or why it is unclear where they lie."""
    claimed = np.array([claim.xyxy for claim in each.claims], np.float64).reshape(-1, 4)  # (N, 4)
    said = each.size
    if each.in_shares:
        claimed, said = claimed * np.array([*header.size, *header.size]), header.size
    found = placed(claimed, said=said, upright=header.size, orientation=header.orientation)
    if isinstance(found, str):
        return found
    width, height = header.size
    tally.turned += found is not claimed
    tally.resized += 0 not in said and {*said} != {width, height}
    inside = np.clip(found, 0, np.array([width, height, width, height]))
    kept: dict[tuple[object, ...], int] = {}
    for at, claim in enumerate(each.claims):
        reason = _reason_against(found[at], inside[at])
        if reason:
            tally.left_out.append(LeftOut(reason, f"{each.file}, {claim.where}"))
            continue
        key = (claim.name, claim.ignored, claim.crowd, *inside[at])
        if key in kept:
            tally.twice += 1
            continue
        kept[key] = at
        tally.cut += bool(np.abs(inside[at] - found[at]).max() > CUT)
    return _record(inside, [*kept.values()], each.claims, numbers)


def _record(xyxy: np.ndarray, kept: list[int], claims: Sequence[Claim], numbers: dict[str, int]) -> Boxes:
    used = [claims[at] for at in kept]
    return Boxes(
        xyxy=xyxy[kept],
        labels=np.array([numbers[claim.name] for claim in used], np.int64),
        ignored=np.array([claim.ignored for claim in used], np.bool_),
        crowd=np.array([claim.crowd for claim in used], np.bool_),
    )


def _reason_against(claimed: np.ndarray, inside: np.ndarray) -> str:
    """Why a box cannot be used; empty where it can."""
    if not np.isfinite(claimed).all():
        return "with what is no number"
    if (claimed[2:] < claimed[:2]).any():
        return "that ends before it begins"
    if (claimed[2:] == claimed[:2]).any():
        return "without area"
    return "outside of its picture" if (inside[2:] <= inside[:2]).any() else ""


def _without_copies(boxed: Sequence[BoxedPicture], tally: _Tally) -> list[BoxedPicture]:
    """Each content once; contents with different boxes are set aside altogether."""
    groups: dict[str, list[BoxedPicture]] = defaultdict(list)
    for each in boxed:
        groups[each.content].append(each)
    dropped: set[int] = set()
    for group in groups.values():
        if len(group) == 1:
            continue
        tally.identical.append(tuple(each.picture.name for each in group))
        differ = any(_said(each) != _said(group[0]) for each in group)
        kept = min(group, key=lambda each: FIRST_CLAIM[each.picture.part])
        for each in group:
            if not differ and each is kept:
                continue
            other = next(one for one in group if one is not each)
            reason = (
                f"is the same picture as {other.picture.name}, with other boxes: keep the right ones"
                if differ
                else f"is a copy of {kept.picture.name}"
            )
            dropped.add(id(each))
            tally.set_aside.append(SetAside(picture=each.picture.name, reason=reason))
    return [each for each in boxed if id(each) not in dropped]


def _said(each: BoxedPicture) -> list[tuple[object, ...]]:
    boxes = each.boxes
    rows = zip(boxes.labels.tolist(), boxes.ignored.tolist(), boxes.xyxy.round(_SAME).tolist(), strict=True)
    return sorted((label, ignored, *corners) for label, ignored, corners in rows)


def _in_parts(boxed: Sequence[BoxedPicture], tally: _Tally) -> list[BoxedPicture]:
    """The pictures without those that have no part though others have one."""
    if all(each.picture.part is None for each in boxed):
        return list(boxed)
    reason = "is in no part, and others are in train, val or test"
    tally.set_aside += [SetAside(picture=each.picture.name, reason=reason) for each in boxed if not each.picture.part]
    return [each for each in boxed if each.picture.part]


def _by_part(boxed: Iterable[BoxedPicture]) -> dict[str, tuple[BoxedPicture, ...]]:
    parts: dict[str, list[BoxedPicture]] = {"train": [], "val": [], "test": [], "all": []}
    for each in boxed:
        parts[each.picture.part or "all"].append(each)
    return {part: tuple(pictures) for part, pictures in parts.items() if pictures}


def _has_boxes(each: BoxedPicture) -> bool:
    return bool((~each.boxes.ignored).any())


def _first_reason(tally: _Tally, found: Found) -> str:
    set_aside = (*tally.set_aside, *found.set_aside)
    if tally.left_out:
        return f": the first is left out, being a box {tally.left_out[0].reason} ({tally.left_out[0].where})"
    return f": {set_aside[0].picture} {set_aside[0].reason}" if set_aside else ""


def _notes(tally: _Tally) -> Iterator[str]:
    for reason, count in Counter(each.reason for each in tally.left_out).items():
        where = some([each.where for each in tally.left_out if each.reason == reason], most=10)
        yield f"left out: {counted(count, *BOX)} {reason} ({where})"
    if tally.cut:
        yield f"cut to the picture: {counted(tally.cut, *BOX)} partly outside of it"
    if tally.twice:
        yield f"counted once: {counted(tally.twice, *BOX)} written twice in the same picture"
    if tally.turned:
        yield f"turned as EXIF says, with their boxes: {counted(tally.turned, 'picture')}"
    if tally.resized:
        yield f"of another size than the one written beside their boxes: {counted(tally.resized, 'picture')}"
