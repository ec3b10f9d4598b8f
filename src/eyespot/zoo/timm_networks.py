"""Networks of timm (github.com/huggingface/pytorch-image-models) as chains of two stages: `features` and `head`.

timm builds the network. Its last layer is taken out and becomes `head.fc`; the rest, up to the pooled features, is the
stage `features`. So splitting after `features` works for all of them, and an earlier cut for none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import chain
from eyespot.errors import MachineError, MissingExtra, NetworkError, WeightsError
from eyespot.files import from_home
from eyespot.records import Preprocess
from eyespot.words import nearest
from eyespot.zoo.weights_files import of_other_classes, put, read
from eyespot.zoo.weights_places import hub_places


def create(name: str, *, classes: int | None = None, weights: str | Path | None = None) -> nn.Sequential:
    """A chain from images to logits (N, classes); its features, after `features`, are (N, D).

    name: a network of timm's, without or with the tag of its weights: "resnet18" or "resnet18.a1_in1k".
    classes: None for as many as the weights have, or timm gives it.
    weights: None for random ones, or the path of a file: timm's, or a state dict of this chain as safetensors.
    Raises NetworkError for an unknown name, or where the last layer cannot be told from the rest; WeightsError;
    MissingExtra without timm; MachineError where it cannot be imported.
    """
    settings = _settings(name)
    tensors = None if weights is None else read(_file(name, weights, settings))
    ours = tensors is not None and "head.fc.weight" in tensors and any(key.startswith("features.") for key in tensors)
    last = "head.fc" if ours else settings["classifier"]
    if classes is None and tensors is not None and f"{last}.weight" in tensors:
        classes = len(tensors[f"{last}.weight"])
    model = _timm().create_model(name, pretrained=False, **({} if classes is None else {"num_classes": classes}))
    if tensors is not None and not ours:
        _put(model, tensors, last, what=str(weights))
    net = check_shapes(_taken_apart(model, name), tuple(settings["input_size"]))
    if tensors is not None and ours:
        _put(net, tensors, last, what=str(weights))
    return net


def input_chw(name: str) -> tuple[int, int, int]:
    """Channels, height and width of the images that timm's network of that name is made for, pixels.

    Raises NetworkError for an unknown name; MissingExtra without timm.
    """
    channels, height, width = _settings(name)["input_size"]
    return channels, height, width


def preprocess(name: str) -> Preprocess:
    """How pictures become the images that timm's weights of that name expect, from its `default_cfg`.

    Raises NetworkError for an unknown name, and where timm prepares pictures in a way that is not known here.
    """
    settings = _settings(name)
    height, width = settings["input_size"][1:]
    mode, filter = settings.get("crop_mode", "center"), settings["interpolation"]
    if height != width or mode != "center" or filter not in ("bilinear", "bicubic"):
        raise NetworkError(
            f"timm prepares pictures for {name!r} in a way that is not known here: {height}x{width} pixels, "
            f"crop {mode!r}, filter {filter!r}; expected a centre crop of a square, bilinear or bicubic."
        )
    return Preprocess(
        short_side=int(height / settings["crop_pct"]),  # rounded down, as timm.data does
        crop_hw=(height, width),
        filter=filter,
        color="rgb",
        mean=tuple(255 * value for value in settings["mean"]),
        scale=tuple(255 * value for value in settings["std"]),
    )


def hub(name: str) -> str:
    """The repository at Hugging Face, owner and name, that holds the weights of timm's network of that name.

    Raises NetworkError for an unknown name; WeightsError where there is none; MissingExtra without timm.
    """
    found = _settings(name).get("hf_hub_id")
    if not found:
        raise WeightsError(f"timm names no file at Hugging Face for {name!r}: download it yourself and give its path.")
    return str(found)


def _timm() -> Any:
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


def _settings(name: str) -> dict[str, Any]:
    """timm's `default_cfg` of a network, by its name alone; never one that has to be asked for in the network."""
    timm = _timm()
    architecture, _, tag = name.partition(".")
    known = not set(name) & set(":/") and timm.is_model(architecture)
    if not known or (tag and name not in timm.list_pretrained(f"{architecture}.*")):
        names = timm.list_pretrained(f"{architecture}.*") if known else timm.list_models()
        hint = nearest(f"timm:{name}", [f"timm:{each}" for each in names], otherwise="timm.list_models() names all.")
        raise NetworkError(f"timm has no network {name!r}: {hint}")
    found = timm.get_pretrained_cfg(name) or timm.create_model(name).pretrained_cfg
    settings: dict[str, Any] = found.to_dict()
    return settings


def _file(name: str, weights: str | Path, settings: dict[str, Any]) -> Path:
    path = from_home(weights)
    if path.is_file():
        return path
    hub = settings.get("hf_hub_id")
    cached = next((file for file in hub_places(hub) if file.is_file()), None) if hub else None
    if cached:
        hint = f"give the path of a file; timm's own is {cached}."
    elif hub:
        hint = f"`eyespot networks timm:{name} --download` gets timm's own; give its path as weights."
    else:
        hint = "give the path of a file."
    raise WeightsError(f"There is no file {str(weights)!r} of weights for timm:{name}: {hint}")


def _put(net: nn.Module, tensors: dict[str, Tensor], last: str, *, what: str) -> None:
    """Loads tensors, but for a last layer of another number of classes, which stays new."""
    own = net.state_dict()
    of_last = {f"{last}.weight", f"{last}.bias"} & own.keys() & tensors.keys()
    new = {key for key in of_last if of_other_classes(tensors[key], own[key])}
    put(net, {key: tensor for key, tensor in tensors.items() if key not in new}, what=what, keep=new)


def _taken_apart(model: Any, name: str) -> nn.Sequential:
    last = model.get_classifier()
    if not isinstance(last, nn.Linear | nn.Conv2d):
        kinds = " and ".join(type(each).__name__ for each in (last if isinstance(last, tuple) else (last,)))
        raise NetworkError(
            f"timm's {name!r} has no last layer that can be taken out: it has {kinds}, expected one Linear."
        )
    model.reset_classifier(0)
    return chain(features=model, head=chain(fc=_linear(last)))


def _linear(last: nn.Linear | nn.Conv2d) -> nn.Linear:
    """The same layer for features (N, D): a 1x1 convolution on one pixel is a fully connected layer."""
    if isinstance(last, nn.Linear):
        return last
    linear = nn.Linear(last.in_channels, last.out_channels, bias=last.bias is not None)
    linear.weight = nn.Parameter(last.weight.flatten(1))  # (out_channels, in_channels)
    linear.bias = last.bias  # type: ignore[assignment] # None, where it has none
    return linear
