"""What timm knows of its networks, by name: which weights are published, and how pictures come to them.

timm's own record of a set of weights, `pretrained_cfg`, decides everything; no network is built for it.
"""

from __future__ import annotations

from math import floor
from typing import Any

from eyespot.errors import MachineError, MissingExtra, NetworkError
from eyespot.records import Network, Preprocess
from eyespot.words import nearest
from eyespot.zoo.catalogue import TIMM
from eyespot.zoo.weights_record import Weights


def timm_itself() -> Any:
    """The package. Raises MissingExtra without it; MachineError where it cannot be imported."""
    try:
        import timm
    except ModuleNotFoundError as error:
        raise MissingExtra("A network of timm", extra="timm") from error
    except RuntimeError as error:  # "operator torchvision::nms does not exist"
        raise MachineError(
            "timm cannot be used here, because torchvision is made for another build of torch: "
            f"install both from the same place ({error})."
        ) from error
    return timm


def published(name: str) -> dict[str, Weights]:
    """The weights that timm publishes for its network `timm:NAME`, by their tags, timm's own choice first; of a name
    that has a tag, those alone.

    Raises NetworkError for an unknown name; MissingExtra, MachineError.
    """
    timm, bare = timm_itself(), name.removeprefix(TIMM)
    chosen = settings(name)
    architecture, _, tag = bare.partition(".")
    tags = [tag] if tag else [each.partition(".")[2] for each in timm.list_pretrained(f"{architecture}.*")]
    tags.sort(key=lambda each: each != chosen.get("tag"))
    found = {each: timm.get_pretrained_cfg(f"{architecture}.{each}").to_dict() for each in tags}
    return {each: _weights(f"{TIMM}{architecture}.{each}", record) for each, record in found.items()}


def settings(name: str) -> dict[str, Any]:
    """timm's `pretrained_cfg` of the network `timm:NAME`: that of its tag, or of timm's own choice; never one that has
    to be asked for in the network.

    Raises as `published`.
    """
    timm, bare = timm_itself(), name.removeprefix(TIMM)
    architecture, _, tag = bare.partition(".")
    known = not set(bare) & set(":/") and timm.is_model(architecture)
    if not known or (tag and bare not in timm.list_pretrained(f"{architecture}.*")):
        names = timm.list_pretrained(f"{architecture}.*") if known else timm.list_models()
        hint = nearest(name, [f"{TIMM}{each}" for each in names], otherwise="timm.list_models() names all.")
        raise NetworkError(f"timm has no network {bare!r}: {hint}")
    found = timm.get_pretrained_cfg(bare) or timm.create_model(bare).pretrained_cfg
    known_settings: dict[str, Any] = found.to_dict()
    return known_settings


def input_chw(name: str) -> tuple[int, int, int]:
    """Channels, height and width of the images that `timm:NAME` is made for, pixels. Raises as `published`."""
    channels, height, width = settings(name)["input_size"]
    return channels, height, width


def preprocess(name: str) -> Preprocess:
    """How pictures become the images that timm's weights of `timm:NAME` expect, as timm validates them.

    Raises as `published`, and NetworkError where timm prepares pictures in a way that is not known here.
    """
    return _preprocess(name, settings(name))


def _weights(name: str, record: dict[str, Any]) -> Weights:
    hub, address = record.get("hf_hub_id", ""), record.get("url", "")
    file = f"{name.removeprefix(TIMM)}.safetensors" if hub else address.rpartition("/")[2]
    return Weights(
        name=name,
        network=Network(name=name),
        form=f"timm's{_measured_at(record)}",
        preprocess=_preprocess(name, record),
        classes=record["num_classes"],
        class_source=f"as timm's tag {record['tag']} says" if record["num_classes"] else "features alone",
        file=file,
        url=f"https://huggingface.co/{hub}/resolve/main/model.safetensors" if hub else address,
        hub=hub,
        sha256="",
        naming="",
        licence=record.get("license") or "none is stated",
        accuracy=None,
        source=f"timm, https://huggingface.co/{hub}" if hub else "timm",
    )


def _measured_at(record: dict[str, Any]) -> str:
    """In words, where timm measures the weights on images of another size than they were trained with."""
    trained, tested = record["input_size"][1:], (record.get("test_input_size") or record["input_size"])[1:]
    if tuple(trained) == tuple(tested):
        return ""
    sizes = ("x".join(map(str, each)) for each in (trained, tested))
    crop = record.get("test_crop_pct") or record["crop_pct"]
    return ", trained on images of {} and measured on {}, of which {:g} is cut out".format(*sizes, crop)


def _preprocess(name: str, record: dict[str, Any]) -> Preprocess:
    height, width = record["input_size"][1:]
    mode, filter = record.get("crop_mode", "center"), record["interpolation"]
    short_side = floor(height / record["crop_pct"])  # as timm.data does
    cuts = mode in ("center", "squash") and short_side >= height == width
    if not cuts or filter not in ("bilinear", "bicubic"):
        raise NetworkError(
            f"timm prepares pictures for {name.removeprefix(TIMM)!r} in a way that is not known here: {height}x{width} "
            f"pixels of {short_side}, crop {mode!r}, filter {filter!r}; expected the centre of a square, bilinear or "
            "bicubic."
        )
    return Preprocess(
        short_side=short_side,
        crop_hw=(height, width),
        filter=filter,
        color="rgb",
        mean=tuple(255 * value for value in record["mean"]),
        scale=tuple(255 * value for value in record["std"]),
        fit="squash" if mode == "squash" else "crop",
    )
