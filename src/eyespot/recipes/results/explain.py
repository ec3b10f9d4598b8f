"""What `explain` hands back, as records: the JSON of `--json`."""

from __future__ import annotations

from pydantic import Field

from eyespot.explaining.deletion import Deletion
from eyespot.explaining.heat import Method
from eyespot.records import Fraction, Record, Window


class SimilarPicture(Record):
    """A picture that the model was trained on."""

    class_: str = Field(serialization_alias="class")
    similarity: float = Field(ge=-1, le=1)
    """The cosine of the angle between the features: 1 where the network sees no difference."""


class ExplainResult(Record):
    """Where the answer to one picture comes from."""

    picture: str
    out: str
    """The PNG that was written."""
    class_: str = Field(serialization_alias="class")
    """The class explained: the likeliest, where none was named."""
    probability: Fraction
    method: Method
    places_hw: tuple[int, int]
    """Height and width of the heat map."""
    window: Window
    """The part of the picture that the network saw."""
    deletion: Deletion
    similar: tuple[SimilarPicture, ...]
    """The most similar pictures that the model was trained on, the most similar first."""
    sentence: str
    """What the heat map can tell, and what it cannot."""
    notes: tuple[str, ...]
