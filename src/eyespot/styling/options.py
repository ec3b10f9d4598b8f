"""What may be asked of a painted picture, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from pydantic import Field

from eyespot.errors import OptionError
from eyespot.keywords import seconds_of
from eyespot.records import Record, SetAside

Way = Literal["fast", "optimise"]
Strokes = Literal["small", "medium", "large"]
STROKES: tuple[Strokes, ...] = ("small", "medium", "large")
LEAST_SIDE = 32
"""Of photo, painting and result, pixels: below, there is nothing to paint with."""
LEAST_SECONDS = 2.0
CONTENT = 0.14
"""Weight of the photo's content when painting in steps; the style's is 1."""
NETWORK = "efficientnet_lite0"
"""What looks at pictures that are painted in steps."""


class StylizeKeywords(TypedDict, total=False):
    """The options of StylizeOptions as keywords of Python."""

    time: float | str | None
    steps: int | None
    strength: float
    keep_colors: bool
    strokes: Strokes
    imgsz: int
    mask: str | Path | None
    network: str | Path
    stages: str | Sequence[str] | None
    content: float
    seed: int
    weights: str | Path | None
    csv: str | Path | None
    explain: str | Path | None


@dataclass(frozen=True)
class StylizeOptions:
    """How a picture is painted."""

    time: float | str | None = None
    """What painting it in steps may take, from the start: seconds, or a text such as 60s. None for one pass."""
    steps: int | None = None
    """Steps in place of a time; the same steps with the same seed give the same picture."""
    strength: float = 1.0
    """0 for the photo as it is, 1 for all of the painting's style."""
    keep_colors: bool = False
    """The photo's colors, with the painting's strokes."""
    strokes: Strokes = "medium"
    """small, medium or large; in steps only."""
    imgsz: int = 1024
    """Longer side of the result at most, pixels; never larger than the photo."""
    mask: str | Path | None = None
    """A picture that is white where the photo is painted, and black where it stays."""
    network: str | Path = NETWORK
    """What looks at the pictures when painting in steps: a network of the catalogue, or a run."""
    stages: str | Sequence[str] | None = None
    """The network's stages whose statistics are the style; None for its own choice."""
    content: float = CONTENT
    """Weight of the photo's content when painting in steps; the style's is 1."""
    seed: int = 0
    weights: str | Path | None = None
    """Of the network when painting in steps: a file, or a name; None for those that are published."""
    csv: str | Path | None = None
    """A file to write the losses of each step to; in steps only."""
    explain: str | Path | None = None
    """A new folder to write a lesson on the painted picture to; in steps only."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise OptionError(f"the option strength must be a number from 0 to 1, not {self.strength}")
        if self.strokes not in STROKES:
            raise OptionError(f"the option strokes must be small, medium or large, not {self.strokes!r}")
        if self.imgsz < LEAST_SIDE:
            raise OptionError(f"the option imgsz must be at least {LEAST_SIDE} pixels, not {self.imgsz}")
        if self.time is not None and self.steps is not None:
            raise OptionError("the options time and steps exclude each other: leave one out")
        if self.steps is not None and self.steps < 1:
            raise OptionError(f"the option steps must be at least 1, not {self.steps}")
        if self.seconds is not None and not LEAST_SECONDS <= self.seconds < float("inf"):
            raise OptionError(f"the option time must be at least {LEAST_SECONDS:g} s, not {self.time}")
        if not 0 <= self.content < float("inf"):
            raise OptionError(f"the option content must be 0 or more, not {self.content}")
        if self.seed < 0:
            raise OptionError(f"the option seed must be at least 0, not {self.seed}")
        for name, given in (("csv", self.csv), ("explain", self.explain)):
            if given is not None and self.way == "fast":
                raise OptionError(f"the option {name} needs painting in steps: add --steps 200, or --time 60s")
            if given is not None and self.strength == 0:
                raise OptionError(f"the option {name} needs a strength above 0: at 0 the photo stays as it is")

    @property
    def seconds(self) -> float | None:
        """The time in seconds."""
        if not isinstance(self.time, str):
            return self.time
        try:
            return seconds_of(self.time)
        except ValueError:
            raise OptionError(f"the option time must be a time such as 90s or 5m, not {self.time!r}") from None

    @property
    def way(self) -> Way:
        """One pass, or steps."""
        return "fast" if self.time is None and self.steps is None else "optimise"


class StylizeResult(Record):
    """A painted picture."""

    photo: str
    paintings: tuple[str, ...]
    out: str
    """The PNG that was written."""
    way: Way
    width: int
    """Of the result, pixels."""
    height: int
    steps: int = Field(ge=0)
    """0 for one pass."""
    style: float | None
    """How far it still is from what was asked for, in the network's eyes: 1 is the photo; None for one pass."""
    content: float | None
    """How much of the photo's content is lost, 0 being nothing; None for one pass."""
    seconds: float
    csv: str | None
    """The file with the losses of each step, if one was asked for."""
    explain: str | None
    """The page that explains the picture, if one was asked for."""
    notes: tuple[str, ...]
    """Sentences worth reading."""


class StylizedFolder(Record):
    """The painted pictures of a folder."""

    pictures: tuple[StylizeResult, ...]
    set_aside: tuple[SetAside, ...]
