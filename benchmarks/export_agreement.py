"""Agreement of a run's bundle with its exports, in OpenVINO and in ONNX Runtime, on the test part of its pictures.

    python benchmarks/export_agreement.py RUN

RUN is a run's folder, such as `eyespot train` makes of a folder with a test part.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import measuring

from eyespot.bundle.exported import WholeClassifier, read_exported
from eyespot.bundle.files import read_bundle
from eyespot.bundle.run import answers_in
from eyespot.engine.run import engine_version
from eyespot.exporting.agreement import CLOSE, OnnxRuntime, agreement, answers_of_bundle
from eyespot.exporting.files import onnx_file, openvino_files
from eyespot.progress import silent
from eyespot.runs.pictures import pictures_of_run

TOP_BAR = measuring.at_least(1.0, "of the answers", "bundle and export have the same answer to every test picture")
FAR_BAR = measuring.at_most(CLOSE, "probability", "no probability differs by more than 0.001")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("run", help="a run's folder")
    run = parser.parse_args().run
    print(measuring.heading(), flush=True)
    bundle = read_bundle(run)
    pictures = pictures_of_run(run, bundle.manifest, data=None, parts=("test",)).hashed
    expected = answers_of_bundle(bundle, pictures, silent)
    compare = partial(
        agreement,
        expected=expected,
        pictures=pictures,
        preprocess=bundle.manifest.preprocess,
        progress=silent,
    )
    graph = onnx_file(bundle)
    runtime = OnnxRuntime(graph)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.onnx").write_bytes(graph)
        for path, content in zip(("model.xml", "model.bin"), openvino_files(bundle), strict=True):
            (folder / path).write_bytes(content)
        onnx, openvino = (
            WholeClassifier(read_exported(folder / file), cache_folder=None, precision="fp32")
            for file in ("model.onnx", "model.xml")
        )
    checks = [
        compare(partial(onnx.stream, many=True), runtime=f"ONNX file in {engine_version()}"),
        compare(partial(openvino.stream, many=True), runtime=f"OpenVINO files in {engine_version()}"),
        compare(
            lambda decoded: ((tag, answers_in(found, bundle)[0]) for tag, found in runtime.stream(decoded)),
            runtime=f"ONNX file in {runtime.version}",
        ),
    ]
    for check in checks:
        close = f", {len(check.close)} between classes closer than {CLOSE:g}" if check.close else ""
        print(
            f"{check.runtime}: {check.same} of {check.pictures} answers are the same{close}; probabilities differ by "
            f"at most {check.largest_difference:.2g}"
        )
    print(TOP_BAR.verdict(min(check.same / check.pictures for check in checks)))
    print(FAR_BAR.verdict(max(check.largest_difference for check in checks)))


if __name__ == "__main__":
    main()
