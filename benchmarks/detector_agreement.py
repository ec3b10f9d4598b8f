"""Agreement of a detector's bundle with its exports, in OpenVINO and in ONNX Runtime, on the test part of its pictures,
and on copies of some of them at other sizes, from 1 to 4,000 px, in both orientations.

    python benchmarks/detector_agreement.py RUN DATA

RUN is the folder of a run on pictures with boxes, DATA the folder that it was trained on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import measuring
from PIL import Image

from eyespot import machine
from eyespot.bundle.files import DetectorBundle, read_any_bundle
from eyespot.data.copies import Hashed, hash_pictures
from eyespot.data.data_set import Picture
from eyespot.data.sources import list_pictures
from eyespot.engine.run import engine_version
from eyespot.exporting.agreement import OnnxRuntime
from eyespot.exporting.box_agreement import (
    CLOSE,
    BoxCheck,
    box_agreement,
    boxes_of_bundle,
    in_onnx_runtime,
    in_openvino,
)
from eyespot.exporting.detector import read_back
from eyespot.exporting.files import onnx_file, openvino_files
from eyespot.progress import silent
from eyespot.runs.pictures import boxed_pictures_of_run

SIZES_WH = [(1, 1), (1, 300), (37, 29), (320, 240), (501, 333), (640, 480), (1000, 700), (1601, 1201), (4000, 3000)]
"""Each in both orientations; large ones as PNG, and as JPEG, which is decoded at a fraction of its size."""
EACH = 3
"""Pictures that are copied at every size."""
SAME_BAR = measuring.at_least(1.0, "of the pictures", "exported ONNX in ONNX Runtime and OpenVINO against the run")
SCORE_BAR = measuring.at_most(CLOSE, "score", "no score differs by more than 0.001")
PLACE_BAR = measuring.at_most(CLOSE, "of the longer side", "no box lies further away than 0.001 of the longer side")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", help="a run's folder")
    parser.add_argument("data", help="the folder with boxes that it was trained on")
    given = parser.parse_args()
    print(measuring.heading(), flush=True)
    bundle = read_any_bundle(given.run)
    assert isinstance(bundle, DetectorBundle), f"{given.run} is no detector's run"
    parts = boxed_pictures_of_run(given.run, bundle.manifest, data=given.data)
    [pictures] = [each.hashed for each in parts if each.part == "test"]
    with tempfile.TemporaryDirectory() as folder:
        copies, _ = hash_pictures(_copies(pictures[:EACH], Path(folder)), threads=machine.cores())
        checks = [
            *_checked(bundle, pictures, what="test pictures"),
            *_checked(bundle, copies, what="copies of 1 to 4,000 px"),
        ]
    print(SAME_BAR.verdict(min((each.same + len(each.close)) / each.pictures for each in checks)))
    print(SCORE_BAR.verdict(max(each.largest_difference for each in checks)))
    print(PLACE_BAR.verdict(max(each.largest_shift for each in checks)))


def _checked(bundle: DetectorBundle, pictures: Sequence[Hashed], *, what: str) -> list[BoxCheck]:
    graph = onnx_file(bundle)
    runtime = OnnxRuntime(graph)
    findings = {
        f"ONNX file in {engine_version()}": in_openvino(read_back((graph,), ["model.onnx"])),
        f"OpenVINO files in {engine_version()}": in_openvino(read_back(openvino_files(bundle), ["m.xml", "m.bin"])),
        f"ONNX file in {runtime.version}": in_onnx_runtime(runtime),
    }
    expected = boxes_of_bundle(bundle, pictures, silent)
    checks = []
    for name, finding in findings.items():
        check = box_agreement(finding, expected, runtime=name, pictures=pictures, bundle=bundle, progress=silent)
        print(f"{what}, {name}: {check}", flush=True)
        for verdict, names in (("close", check.close), ("different", check.different)):
            if names:
                print(f"  {verdict}: {', '.join(names)}")
        checks.append(check)
    return checks


def _copies(pictures: Sequence[Hashed], folder: Path) -> list[Picture]:
    for number, each in enumerate(pictures):
        source = folder / f"source-{number}"
        source.write_bytes(each.picture.read())
        with Image.open(source) as opened:
            image = opened.convert("RGB")
        source.unlink()
        for width, height in sorted({size for wh in SIZES_WH for size in (wh, wh[::-1])}):
            copy = image.resize((width, height), Image.Resampling.BICUBIC)
            copy.save(folder / f"{number}-{width}x{height}.png", compress_level=1)
            if width * height > 1_000_000:
                copy.save(folder / f"{number}-{width}x{height}.jpg", quality=95)
    return list_pictures([folder])[0]


if __name__ == "__main__":
    main()
