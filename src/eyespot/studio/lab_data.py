"""What a lab can be tried on in the studio: the embedded digits, and the run's own data where a lab takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eyespot.bundle.files import Bundle
from eyespot.data.read_as import AS_IT_IS
from eyespot.errors import OptionError, RequestError
from eyespot.names import printable
from eyespot.runs.folder import ARGS
from eyespot.runs.resume import origin_of

DIGITS, OWN = "digits", "own"
WhyNot = Literal["none", "digits", "handed", "options"]


@dataclass(frozen=True)
class OwnData:
    """The data of the run that is looked into."""

    name: str
    """Empty where there are none."""
    why: WhyNot | None
    """Why a lab is not offered on them: there is no run; they are the digits; a program handed them in, or nothing says
    where they are; options of `train` said how to read them, which a lab does not have."""


def own_data(bundle: Bundle | None) -> OwnData:
    """Of the run of this bundle."""
    if bundle is None or not (bundle.folder.parent / ARGS).is_file():
        return OwnData("", "none")
    name = printable(bundle.manifest.data.name)
    try:
        origin = origin_of(bundle.folder.parent)
    except OptionError:
        return OwnData(name, "handed")
    if origin.how != AS_IT_IS or origin.more:
        return OwnData(name, "options")
    return OwnData(name, "digits" if str(origin.data) == DIGITS else None)


def data_of(chosen: str, bundle: Bundle | None) -> str:
    """What was chosen, as `eyespot lab` takes it. Raises RequestError for what a lab cannot be tried on."""
    if chosen not in (DIGITS, OWN):
        raise RequestError(400, f"the parameter data must be {DIGITS} or {OWN}, not {chosen[:40]!r}")
    if chosen == DIGITS:
        return DIGITS
    if bundle is None or own_data(bundle).why not in (None, "digits"):
        raise RequestError(404, "a lab cannot be tried on this network's own data: take the digits")
    return str(origin_of(bundle.folder.parent).data)
