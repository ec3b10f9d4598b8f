"""The environment of processes whose coverage is not measured: there are hundreds, or a test looks at their imports."""

from __future__ import annotations

import os


def unmeasured() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
