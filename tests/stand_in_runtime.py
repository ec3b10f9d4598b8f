"""What stands for onnxruntime-web, which tests do not fetch: it names the strongest color, and finds two boxes.

`EYESPOT_TEST_RUNTIME` names a folder with the real one, and the same tests ask that, too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eyespot.bundle.files import sha256
from eyespot.download.file import Remote
from eyespot.exporting import web_runtime

SCRIPT = """
export const env = { wasm: {} };
export class Tensor {
  constructor(type, data, dims) {
    Object.assign(this, { type, data, dims });
  }
}
const run = async ({ picture: { data, dims: [height, width, channels] } }) => {
  const sums = new Array(channels).fill(0);
  data.forEach((value, at) => (sums[at % channels] += value));
  const raised = sums.map((sum) => Math.exp((8 * sum) / (255 * width * height)));
  const total = raised.reduce((a, b) => a + b);
  const length = Math.hypot(...sums) || 1;
  return {
    probabilities: { data: Float32Array.from(raised, (each) => each / total), dims: [1, channels] },
    likeness: { data: Float32Array.of(Math.max(...sums) / length), dims: [1] },
    boxes: { data: Float32Array.of(1, 2, 30, 40, 3, 4, 999, 50), dims: [2, 4] },
    scores: { data: Float32Array.of(0.75, 0.25), dims: [2] },
    labels: { data: BigInt64Array.of(0n, 2n), dims: [2] },
  };
};
export const InferenceSession = { create: async () => ({ run }) };
"""
CONTENT = {web_runtime.SCRIPT: SCRIPT.encode(), web_runtime.WASM: b"\0asm\1\0\0\0"}


def write_stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, with the stand-in in it, which is the runtime that eyespot expects during this test."""
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    remotes = [Remote(f"http://127.0.0.1:9/{name}", name, sha256(data), len(data)) for name, data in CONTENT.items()]
    monkeypatch.setattr(web_runtime, "FILES", tuple(remotes))
    return folder


def real_runtime() -> Path:
    """The folder of the real one; skips the test where there is none."""
    folder = os.environ.get("EYESPOT_TEST_RUNTIME")
    return Path(folder) if folder else pytest.skip(f"EYESPOT_TEST_RUNTIME is unset: no {web_runtime.NAME} to test with")
