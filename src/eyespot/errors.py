"""Every error that eyespot raises for something a user can cause or mend.

    EyespotError
    ├── DataError               the data set as a whole cannot be used
    │   ├── NoPictures          nothing to read under this path
    │   └── UnclearFolders      they can be read in two ways: a question
    ├── UnreadablePicture       one picture cannot be read; recipes set it aside and go on
    │   └── TooManyPixels       its header claims more than are read
    ├── NetworkError            a network cannot be built, or its shapes do not fit
    │   └── WeightsError        weights do not fit the network, or are not the file they should be
    ├── CheckpointError         a training run cannot be saved, or a newer version saved it
    ├── BundleError             a model folder is missing, damaged, unsafe, or from a newer version
    ├── OptionError             an option has a value that cannot be used
    │   └── CannotWrite         a chosen place cannot be written to: a full disk, a folder that is gone
    ├── StoreError              the cache on disk cannot be used
    ├── DownloadError           a file that was asked for cannot be fetched, or is another one
    ├── MissingExtra            an optional part of eyespot is not installed
    ├── MachineError            this machine lacks something the work needs
    ├── TooLow                  a figure is lower than it had to be; has the result
    ├── RequestError            a request to the server cannot be answered; has its HTTP status
    └── Stopped                 the user stopped the work; says what is usable

A message is one sentence or two: what is wrong and where, what was expected and found, what to do next.
"""

from __future__ import annotations

from typing import Any


class EyespotError(Exception):
    """The root of the tree: catch this to catch everything that eyespot raises on purpose."""


class DataError(EyespotError):
    """The data set as a whole cannot be used."""


class NoPictures(DataError):
    """There is nothing to read under this path."""


class UnclearFolders(DataError):
    """The folders can be read in two ways. The message is a question, with how to answer it."""


class UnreadablePicture(EyespotError):
    """One picture cannot be read. `reason` is a short phrase without the picture's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyPixels(UnreadablePicture):
    """A picture's header claims more pixels than are read."""


class NetworkError(EyespotError):
    """A network cannot be built, or its shapes do not fit."""


class WeightsError(NetworkError):
    """Weights do not fit the network, or are not the file they should be."""


class CheckpointError(EyespotError):
    """A training run cannot be saved, or a newer version saved it."""


class BundleError(EyespotError):
    """A model folder is missing, damaged, unsafe, or from a newer version."""


class OptionError(EyespotError):
    """An option has a value that cannot be used."""


class CannotWrite(OptionError):
    """A chosen place cannot be written to: a full disk, a folder that is gone, no permission."""


class StoreError(EyespotError):
    """The cache on disk cannot be used."""


class DownloadError(EyespotError):
    """A file that was asked for cannot be fetched, or what came is not that file."""


class MissingExtra(EyespotError):
    """An optional part of eyespot is not installed."""

    def __init__(self, what: str, *, extra: str, otherwise: str = "") -> None:
        """otherwise: what works without it, as the sentence goes on."""
        needed = f"{what} needs the extra `{extra}`, which is not installed: pip install 'eyespot[{extra}]'"
        super().__init__(f"{needed}; {otherwise}" if otherwise else needed)
        self.extra = extra


class MachineError(EyespotError):
    """This machine lacks something the work needs."""


class TooLow(EyespotError):
    """A figure is lower than it had to be. `result` is what was measured."""

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class RequestError(EyespotError):
    """A request to the server cannot be answered. The message is what its client is told."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Stopped(EyespotError):
    """The user stopped the work. The message says what is usable."""
