"""The two files of onnxruntime-web with which a page answers: the ones that eyespot was tried with, and no others."""

from __future__ import annotations

from pathlib import Path

from eyespot.bundle.files import sha256
from eyespot.download.file import Remote, download
from eyespot.errors import DownloadError, MachineError
from eyespot.files import from_home
from eyespot.progress import Progress
from eyespot.words import megabytes

VERSION = "1.23.2"
"""A later one has a larger WebAssembly file: 14 MB from 1.27 on."""
NAME = f"onnxruntime-web {VERSION}"
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
_ADDRESS = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/"
"""Which hands out the files of npm's packages as they are."""
FILES = (
    Remote(
        url=f"{_ADDRESS}{SCRIPT}",
        name=SCRIPT,
        sha256="cace3b98bee45c1c40ed04e07b984fb66012acacb702e6aecd9008239bf35e99",
        bytes=68_628,
    ),
    Remote(
        url=f"{_ADDRESS}{WASM}",
        name=WASM,
        sha256="45eaee27761ad883742a8d4b8fce1538d60ce43b51adf1726fafccc59b8c1a15",
        bytes=11_905_541,
    ),
)
LICENCE = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
"""Of onnxruntime-web, which whoever hands out its files hands out, too."""


def kept_in(cache_folder: Path) -> Path:
    """The folder below eyespot's cache that holds downloaded runtimes of this version."""
    return cache_folder / f"onnxruntime-web-{VERSION}"


def missing_in(cache_folder: Path) -> list[Remote]:
    """The files that the cache does not hold."""
    return [each for each in FILES if _read(kept_in(cache_folder), each) is None]


def runtime_files(
    runtime: str | Path | None, *, cache_folder: Path, may_download: bool, progress: Progress
) -> dict[str, bytes]:
    """The files by their names, each the one that is expected.

    runtime: a folder that holds them, or the unpacked package; None for those in the cache.
    may_download: what the cache lacks is fetched. Raises MachineError where they are not there, DownloadError.
    """
    if runtime is not None:
        return _in_folder(from_home(runtime))
    kept, missing = kept_in(cache_folder), missing_in(cache_folder)
    size = megabytes(sum(each.bytes or 0 for each in missing))
    if missing and not may_download:
        raise MachineError(
            f"a web page needs {NAME} (MIT), which is not in eyespot's cache yet: add --download to fetch it once, "
            f"{size} from cdn.jsdelivr.net; or name with --runtime a folder that holds {SCRIPT} and {WASM}"
        )
    try:
        for each in missing:
            download(each, kept, progress)
    except DownloadError as error:
        raise DownloadError(f"{error}; or name its folder with --runtime") from error
    return _in_folder(kept)


def _in_folder(folder: Path) -> dict[str, bytes]:
    places = [folder, folder / "dist", folder / "package" / "dist"]
    found = next((place for place in places if (place / SCRIPT).is_file()), None)
    if found is None:
        raise MachineError(
            f"the option runtime names {folder}, which holds no {SCRIPT}: `npm pack onnxruntime-web@{VERSION}` gets "
            "the package with it, to be unpacked; or leave the option out and add --download"
        )
    contents = {each.name: _read(found, each) for each in FILES}
    for name, content in contents.items():
        if content is None:
            raise MachineError(
                f"{found / name} is not the file of {NAME}, the one that eyespot was tried with: get that version, or "
                "leave --runtime out and add --download"
            )
    return {name: content for name, content in contents.items() if content is not None}


def _read(folder: Path, remote: Remote) -> bytes | None:
    """The file's content; None where it is not there, or another one."""
    try:
        content = (folder / remote.name).read_bytes()
    except OSError:
        return None
    return content if sha256(content) == remote.sha256 else None
