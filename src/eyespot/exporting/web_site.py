"""A page that answers in the browser, as files: the served page, a worker in place of the server, model and runtime.

All addresses are relative, so that it works below any path; nothing but its own files is ever loaded.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from eyespot.bundle.described import described
from eyespot.bundle.exported import FILE_KEY
from eyespot.bundle.files import Bundle, DetectorBundle, sha256
from eyespot.evaluate.promises import USUAL
from eyespot.exporting.web_graph import HEAT
from eyespot.exporting.web_runtime import LICENCE, WASM
from eyespot.version import VERSION
from eyespot.vouched import NO_HASH_YET, with_hash

MODEL, RUNTIME = "model.onnx", "runtime"
INDEX, SERVICE_WORKER = "index.html", "sw.js"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; media-src blob: mediastream:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""What the browser may load: this page's own files. `wasm-unsafe-eval` allows WebAssembly, and no script from text."""
_SERVED = "eyespot.serve"
"""The package with the page. It is read as a file: a page is data."""
_NOT_HERE = {"api.js", "token.js", "tabs.js", "paint.js", "paint_intake.js", "paint.css", INDEX}
"""Of the served page: what talks to a server, or paints."""
_OF_SERVER = re.compile(r"<!-- server -->.*?<!-- /server -->\n?", re.DOTALL)
_OF_WEB = re.compile(r"<!-- web (.*?) -->", re.DOTALL)


def site(bundle: Bundle | DetectorBundle, graph: bytes, runtime: Mapping[str, bytes]) -> dict[str, bytes]:
    """The content of each file, by its path in the folder.

    graph: that of `web_graph`. runtime: the files of onnxruntime-web by name.
    """
    content = {
        MODEL: graph,
        **{f"{RUNTIME}/{_named(name)}": data for name, data in runtime.items()},
        f"{RUNTIME}/LICENSE": LICENCE.encode(),
        **_page(),
        INDEX: _index(),
        "site.webmanifest": _as_json(_manifest(bundle.manifest.name)),
    }
    loaded = {name: content[name] for name in (MODEL, f"{RUNTIME}/{WASM}")}
    said = {
        **_said(bundle),
        "files": {name: len(data) for name, data in loaded.items()},
        "hashes": {name: sha256(data) for name, data in loaded.items()},
        "heat_map": HEAT.encode() in graph,
    }
    content["model.json"] = with_hash(_as_json({**said, FILE_KEY: NO_HASH_YET}))
    return {**content, SERVICE_WORKER: _kept(content)}


def _named(name: str) -> str:
    """A runtime's file as it is called here: some web spaces do not know that .mjs is a script."""
    return name.replace(".mjs", ".js")


def _said(bundle: Bundle | DetectorBundle) -> dict[str, Any]:
    """What the page knows of the model."""
    manifest = bundle.manifest
    known = {"short_side", "crop_hw", "color", "exact", "fit"}
    said = {
        "name": manifest.name,
        **described(manifest),
        "version": VERSION,
        "similar": False,
        "preprocess": manifest.preprocess.model_dump(include=known),
    }
    if isinstance(bundle, DetectorBundle):
        return said
    unknown = bundle.manifest.unknown
    return {**said, "least_likeness": unknown.least(USUAL) if unknown else None}


def _page() -> dict[str, bytes]:
    """Scripts, styles and the picture of the served page that have a place here, and those of this page alone."""
    look, served, own = files("eyespot") / "look", files(_SERVED) / "page", files("eyespot.exporting") / "web"
    both = [each for folder in (look, served) for each in folder.iterdir() if each.is_file()]
    shared = {each.name: each for each in both if each.name not in _NOT_HERE}
    ours = {
        each.name: each for each in own.iterdir() if each.name.endswith((".js", ".css")) and each.name != SERVICE_WORKER
    }
    return {f"page/{name}": file.read_bytes() for name, file in sorted({**shared, **ours}.items())}


def _index() -> bytes:
    """The served page's HTML with its own policy, without what only a server can do."""
    html = (files(_SERVED) / "page" / INDEX).read_text("utf-8")
    html = _OF_WEB.sub(r"\1", _OF_SERVER.sub("", html))
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return html.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n{policy}', 1).encode()


def _manifest(name: str) -> dict[str, Any]:
    """What a phone asks for that puts the page among its programs."""
    icon = {"src": "page/eyespot.svg", "sizes": "any", "type": "image/svg+xml"}
    colors = {"background_color": "#f7f7f5", "theme_color": "#0f6a68"}
    return {"name": name, "short_name": name[:12], "start_url": ".", "display": "standalone", **colors, "icons": [icon]}


def _kept(content: Mapping[str, bytes]) -> bytes:
    """The script that keeps the files on the device; another one whenever any file is another one."""
    digest = sha256("".join(f"{name} {sha256(data)}\n" for name, data in sorted(content.items())).encode())
    script = (files("eyespot.exporting") / "web" / SERVICE_WORKER).read_text("utf-8")
    named = {"./": "", **{name: _integrity(data) for name, data in content.items() if name != INDEX}}
    return script.replace("@VERSION@", digest[:16]).replace("@FILES@", json.dumps(named)).encode()


def _integrity(data: bytes) -> str:
    """A file's hash as a browser takes it, which then accepts no other file."""
    return f"sha256-{base64.b64encode(hashlib.sha256(data).digest()).decode()}"


def _as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
