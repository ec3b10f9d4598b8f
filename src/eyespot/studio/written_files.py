"""Files that eyespot wrote earlier, such as reports, as responses that can do nothing on the studio's page."""

from __future__ import annotations

import base64
import hashlib
import re

from fastapi import Response

from eyespot.serve.app import PAGE_HEADERS

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def alone(content: bytes, kind: str) -> Response:
    """The file with the style sheet that stands in it, without scripts, forms and anything from elsewhere.

    kind: its content type.
    """
    styles = _STYLE.findall(content.decode("utf-8", "replace"))
    digests = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in styles)
    allowed = " ".join(f"'sha256-{each}'" for each in digests) or "'none'"
    policy = (
        f"default-src 'none'; style-src {allowed}; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    )
    return Response(content, headers={**PAGE_HEADERS, "content-type": kind, "content-security-policy": policy})
