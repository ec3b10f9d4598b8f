"""What a bundle says of itself: all that is needed to answer as the trained model did, and all that was measured."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, Final, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from eyespot.evaluate.promises import Promise, Unknown
from eyespot.records import Fraction, Network, Part, Precision, Preprocess, Record, Scores
from eyespot.words import counted

FORMAT_VERSION: Final = 4
"""Since 2 the confusions are written without their zeros; since 3 a model says what it refuses, and its sets; since 4 a
manifest carries the hash of all that it says, without which it is damaged."""
HASH_BYTES: Final = 8
"""Of each picture's content hash: two of a million pictures share them once in 37 million data sets."""


class Exclusion(Record):
    """A list of a person's decisions on single pictures, and what came of it."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the list."""
    left_out: int = Field(ge=0)
    """Files."""
    relabelled: int = Field(ge=0)
    """Pictures with another class than their folder or table says."""

    def __str__(self) -> str:
        return f"{counted(self.left_out, 'file')} left out, {counted(self.relabelled, 'picture')} of another class"


class DataSummary(Record):
    """The pictures a model comes from."""

    name: str
    fingerprint: str
    """Changes with any picture, class or part; not with file names."""
    trained_on: int = Field(ge=1)
    """Pictures that the model was fitted on."""
    used: int = Field(ge=1)
    set_aside: int = Field(ge=0)
    exclusion: Exclusion | None = None
    """None, and not written, where no list was given."""

    @model_serializer(mode="wrap")
    def _without_none(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = serialize(self)
        if self.exclusion is None:
            said.pop("exclusion", None)
        return said


class KnownPictures(Record):
    """The pictures of each part: the first `HASH_BYTES` bytes of their content hashes, sorted, in base64.

    So a copied bundle can tell which pictures it was trained on, and nothing more of them.
    """

    train: str
    """Every picture that the model was fitted on is here, and no other."""
    val: str
    test: str

    @classmethod
    def of(cls, pictures: Iterable[tuple[str, Part]]) -> KnownPictures:
        """pictures: content hash, hexadecimal, and part of each."""
        hashes: dict[Part, list[bytes]] = {"train": [], "val": [], "test": []}
        for content, part in pictures:
            hashes[part].append(bytes.fromhex(content)[:HASH_BYTES])
        return cls(**{part: base64.b64encode(b"".join(sorted(each))).decode() for part, each in hashes.items()})

    def parts(self, contents: Iterable[str]) -> list[Part | None]:
        """The part of each picture, by its content hash; None for those that were not there at training."""
        part_of: dict[str, Part] = {}
        parts: tuple[tuple[Part, str], ...] = (("test", self.test), ("val", self.val), ("train", self.train))
        for part, text in parts:
            digits = base64.b64decode(text).hex()
            part_of |= {digits[at : at + 2 * HASH_BYTES]: part for at in range(0, len(digits), 2 * HASH_BYTES)}
        return [part_of.get(content[: 2 * HASH_BYTES]) for content in contents]

    def count(self, part: Part) -> int:
        """Pictures of a part."""
        text = {"train": self.train, "val": self.val, "test": self.test}[part]
        return len(base64.b64decode(text)) // HASH_BYTES

    @field_validator("train", "val", "test")
    @classmethod
    def _are_whole(cls, text: str) -> str:
        if len(base64.b64decode(text, validate=True)) % HASH_BYTES:
            raise ValueError(f"every hash has {HASH_BYTES} bytes")
        return text


class Agreement(Record):
    """How far the written graph's answers lie from those of the trained model that was measured."""

    n: int = Field(ge=1)
    """Pictures compared."""
    largest_difference: Fraction
    """Of any probability."""


class TrainedNetwork(Record):
    """What was trained, and how its pictures become probabilities."""

    format_version: Literal[1, 2, 3, 4] = FORMAT_VERSION
    task: Literal["classification"] = "classification"
    name: str
    created: str
    """Date and time, ISO 8601."""
    network: Network
    regime: Literal["frozen", "partial", "full", "scratch"]
    classes: tuple[str, ...] = Field(min_length=2)
    preprocess: Preprocess
    precision: Precision
    temperature: float = Field(gt=0)
    """The logits were divided by it inside the graph."""

    @field_validator("preprocess")
    @classmethod
    def _is_not_squashed(cls, preprocess: Preprocess) -> Preprocess:
        if preprocess.fit == "squash":
            raise ValueError("no model is trained on squashed pictures")
        return preprocess

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        return distinct(classes)


class Manifest(Scores, TrainedNetwork):
    """`manifest.json` of a bundle: the keys of `TrainedNetwork`, then those of `Scores`, then its own."""

    data: DataSummary
    seed: int
    graph_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    agreement: Agreement | None = None
    """None until the written graph was asked."""
    versions: dict[str, str]
    pictures: KnownPictures
    unknown: Unknown | None = None
    """When a picture shows none of the classes, by the graph's `likeness`; None before format 3."""
    sets: tuple[Promise, ...] = ()
    """Each share of sets of classes that hold the true one, and the probability from which on a class is in one."""
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """Of all else here, and so of the graph, too; None before format 4."""


def distinct(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The same classes. Raises ValueError if one is named twice."""
    if len(set(classes)) < len(classes):
        raise ValueError("every class is named once")
    return classes
