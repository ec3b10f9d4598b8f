"""What people type on a command line, as numbers."""

from __future__ import annotations

from typing import Literal

from eyespot.errors import OptionError
from eyespot.files import from_home
from eyespot.names import as_typed


def size_hw(text: str, option: str) -> tuple[int, int]:
    """Height and width of `224` or `224x320`, pixels. Raises OptionError for anything else."""
    sides = text.lower().replace("×", "x").split("x")
    if len(sides) > 2 or not all(_is_count(side.strip()) for side in sides):
        raise OptionError(
            f"the option {option} cannot be {text!r}: give pixels such as 224, or height x width such as 224x320"
        )
    return int(sides[0]), int(sides[-1])


def cell(text: str) -> tuple[int, int]:
    """Row and column of `2,3`. Raises OptionError for anything else."""
    try:
        row, column = (int(number) for number in text.split(","))
    except ValueError:
        raise OptionError(f"the option cell cannot be {text!r}: give a row and a column such as 0,2") from None
    return row, column


def pair(text: str, option: str) -> tuple[float, float]:
    """The two numbers of `0.6,1`. Raises OptionError for anything else."""
    try:
        low, high = (float(number) for number in text.split(","))
    except ValueError:
        raise OptionError(f"the option {option} cannot be {text!r}: give two numbers such as 0.6,1") from None
    return low, high


def names(text: str, option: str) -> tuple[str, ...]:
    """The words of `resnet18,resnet50`; none of an empty text. Raises OptionError where one is empty."""
    words = [word.strip() for word in text.split(",")] if text else []
    if not all(words):
        raise OptionError(f"the option {option} cannot be {text!r}: give names such as efficientnet_lite0,resnet18")
    return tuple(words)


def widths(text: str) -> tuple[int, ...]:
    """The numbers of `256,128`. Raises OptionError for anything else."""
    try:
        return tuple(int(width) for width in text.split(",") if text.strip())
    except ValueError:
        raise OptionError(f"the option head cannot be {text!r}: give whole numbers such as 256,128") from None


def counts(text: str, option: str) -> tuple[int, ...]:
    """The numbers of `1,4,16`, each at least 1. Raises OptionError for anything else."""
    numbers = [number.strip() for number in text.split(",")]
    if not all(map(_is_count, numbers)):
        raise OptionError(f"the option {option} cannot be {text!r}: give whole numbers from 1 such as 1,4,16")
    return tuple(int(number) for number in numbers)


def threshold(text: str | None) -> float | Literal["auto"] | None:
    """The number of `0.5`, or `auto`; None where none was given. Raises OptionError for anything else."""
    if text is None:
        return None
    if text == "auto":
        return "auto"
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"the option threshold cannot be {text!r}: give auto, or a number from 0 to 1") from None


def forgotten(given: str) -> OptionError:
    """What to raise where `predict` has only one of its two: a run, or pictures without one before them."""
    place = from_home(given)
    is_run = any((each / "manifest.json").is_file() for each in (place, place / "bundle")) or place.suffix == ".onnx"
    if is_run or not place.exists():
        return OptionError(f"predict needs pictures after the run: eyespot predict {as_typed(given)} PICTURES")
    return OptionError(
        f"predict needs a run before the pictures: eyespot predict RUN {as_typed(given)}, where RUN is such as "
        "runs/train/NAME"
    )


def _is_count(text: str) -> bool:
    """True for a whole number from 1, of few digits: Python refuses those of thousands."""
    return text.isdecimal() and len(text) < 10 and int(text) > 0
