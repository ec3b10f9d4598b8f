"""Before the split: which pictures belong together, as near-copies, or as what a camera took within seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from eyespot import zoo
from eyespot.building.backbone import DEFAULT, Backbone
from eyespot.data.copies import Hashed
from eyespot.data.group_file import Groups, groups_of, read_groups
from eyespot.data.groups import Links, Series
from eyespot.errors import MissingExtra
from eyespot.features.links import Found, find_links
from eyespot.features.trunk import Trunk
from eyespot.files import from_home
from eyespot.records import Levels
from eyespot.regimes.choice import Choice
from eyespot.regimes.prepare import Prepared
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions

SMALLEST_SIDE = 96
"""Of images, pixels: smaller ones have no signature worth the name, and small pictures are so many that they need none.
"""
AUTO, OFF = "auto", "off"
"""What `--group` may be, beside a file: series are looked for, or not."""
LOOKING = "looking for series"


def with_signer(trunk: Trunk, backbone: Backbone, options: TrainOptions) -> Trunk:
    """The trunk with the signatures that series are found by, where it is the network that they were measured with.

    backbone: what the trunk is made of. On images of 96 to 192 pixels as few different pictures are alike as on those
    of 224, for which the thresholds are; of 256 and 320 it is four times as many.
    """
    if options.group == OFF:
        return trunk
    is_default = replace(backbone, size=None, levels=None) == DEFAULT
    is_measured = SMALLEST_SIDE <= min(trunk.preprocess.crop_hw) <= min(DEFAULT.preprocess.crop_hw)
    return trunk.signed() if is_default and is_measured else trunk


def default_signer(job: Job, *, levels: Levels | None = None) -> Trunk | None:
    """Gives signatures where the network that is trained has none: the default backbone's; None without it.

    levels: what is black and white in pictures with more than 8 bits.
    """
    if job.options.group == OFF:
        return None
    try:
        return replace(DEFAULT, levels=levels).trunk(job.cache_folder, job.precision, job.progress).signed().signer
    except MissingExtra:
        return None


def signer_for_scratch(choice: Choice, job: Job, *, levels: Levels | None = None) -> Trunk | None:
    """The same for a network that learns from scratch; None where the images that it takes are too small."""
    network = choice.network
    if job.options.own:
        return default_signer(job, levels=levels) if (job.options.imgsz or 0) >= SMALLEST_SIDE else None
    sides = (job.options.imgsz,) * 2 if job.options.imgsz else zoo.input_chw(network)[1:]
    return default_signer(job, levels=levels) if min(sides) >= SMALLEST_SIDE else None


def named_groups(pictures: Sequence[Hashed], group: str, *, others: Mapping[str, str]) -> Groups:
    """The groups that a file names. group: as the option is given: auto, off, or a path.

    others: the content of each file that is not used, as of copies, by its name.
    Raises DataError for a file that is no such list, or names none of the pictures.
    """
    if group in (AUTO, OFF):
        return Groups()
    content_of = {each.picture.name: each.content for each in pictures}
    return groups_of(content_of, read_groups(from_home(group)), others=others)


def with_named(prepared: Prepared, group: str) -> Prepared:
    """The data set with the groups that a file names. Arguments and errors as of `named_groups`."""
    files = {each.picture.name: each.content for each in prepared.files}
    found = named_groups([*prepared.hashed, *prepared.left_out], group, others=files)
    return replace(prepared, named=found.of, notes=[*prepared.notes, *found.notes])


def look_for_series(
    pictures: Sequence[Hashed], named: Mapping[str, Collection[str]], signer: Trunk | None, job: Job
) -> Found:
    """What links pictures, by their rows in the order of their contents, in which names decide nothing.

    named: the groups of each content of which a person named any. signer: gives the pictures' signatures; None where
    they are too small for any.
    """
    ordered = sorted(pictures, key=lambda each: each.content)
    found = Found(Links.none())
    if signer is not None:
        found = find_links(
            signer,
            ordered,
            store=job.store,
            world=job.world,
            progress=lambda done, total: job.progress(LOOKING, done, total),
        )
    by_name = Links.of_names([named.get(each.content, ()) for each in ordered])
    return replace(found, links=Links.of(found.links, by_name))


def with_series(prepared: Prepared, signer: Trunk | None, job: Job) -> Prepared:
    """The data set split so that no series, and no group that a file names, is torn apart.

    signer: gives the pictures' signatures; None where they are too small for any.
    """
    if job.options.group == OFF:
        return prepared
    pictures = [*prepared.hashed, *prepared.left_out]
    found = look_for_series(pictures, prepared.named, signer, job)
    series = Series.joined(found.links, sorted(each.content for each in pictures))
    prepared = prepared.without(found.set_aside).with_series(series, seed=job.options.seed)
    return replace(prepared, notes=[*prepared.notes, *found.notes])
