"""What the reports of all tasks are filled in with: HTML that carries everything, runs no script and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from eyespot.evaluate import lettering, verdict
from eyespot.names import printable_lines

if TYPE_CHECKING:
    import jinja2

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""In English like the report, whatever the locale."""
LISTED = 50
"""Files set aside that a report lists; `predictions.csv` has all of them."""
MOST_NOTES = 20
HEAT_LEVELS = 9


def rendered(template: str, **shown: object) -> str:
    """The page. Every name in it may be hostile: all text is escaped, and the page forbids scripts.

    template: below the package, such as reporting/report.html.jinja. shown: what it fills in.
    """
    return (
        _environment()
        .get_template(template)
        .render(listed=LISTED, most_notes=MOST_NOTES, heat_levels=HEAT_LEVELS, **shown)
    )


@cache
def _environment() -> jinja2.Environment:
    """One for all reports: it keeps the templates that it compiled."""
    import jinja2
    from markupsafe import Markup

    def finalize(value: object) -> object:
        return printable_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    loader = jinja2.FunctionLoader(lambda name: files("eyespot").joinpath(name).read_text("utf-8"))
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": verdict.percent, "points": verdict.points, "csp_hash": _csp_hash}
    environment.globals["brand"] = _brand
    environment.filters |= {"date": _date, "shorten": lettering.shorten, "data_uri": _data_uri}
    return environment


def _brand(name: str) -> str:
    """The mark and what the page is, as the served page and the studio have them at their top."""
    from markupsafe import Markup, escape

    mark = files("eyespot").joinpath("look/eyespot.svg").read_text("utf-8")
    inside = re.sub(r' xmlns="[^"]*"', ' aria-hidden="true"', mark.strip())
    return Markup(f'<p class="brand">{inside}{escape(name)}</p>')


def _date(created: str) -> str:
    """`14 July 2026, 10:32` from an ISO date and time; anything else as it is."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M}"


def _data_uri(picture: bytes) -> str:
    """A JPEG or a PNG as an address that carries it."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _csp_hash(text: str) -> str:
    """The digest by which the page's security policy allows exactly this style sheet and no other."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
