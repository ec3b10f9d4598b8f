"""Places in the studio, as a report names them and a person types them."""

import re
from importlib.resources import files
from urllib.parse import parse_qsl, urlsplit

import pytest

from eyespot.errors import OptionError
from eyespot.names import as_typed
from eyespot.places import HOST, PORT, SCREENS, InStudio, fragment, place_of


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("errors", {"screen": "errors"}),
        ("#kernels", {"screen": "kernels"}),
        ("layer=stage2.conv&map=7&cell=3,4", {"layer": "stage2.conv", "map": "7", "cell": "3,4"}),
        ("http://127.0.0.1:8765/#screen=errors&truth=1&answer=8", {"screen": "errors", "truth": "1", "answer": "8"}),
        ("run=my%20photos", {"run": "my photos"}),
    ],
)
def test_a_place_is_read_as_the_page_writes_it(typed, place):
    assert place_of(typed) == place
    assert dict(parse_qsl(fragment(place)[1:])) == place


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("erors", "not 'erors': did you mean 'errors'?"),
        ("screen=kernel", "not 'kernel': did you mean 'kernels'?"),
        ("", "there are network, playground, errors"),
        ("http://127.0.0.1:8765/", "stands behind the # of its address"),
        ("layer=stage1&map", 'such as "layer=stage1.conv&map=0"'),
    ],
)
def test_what_is_no_place_is_told_with_what_would_be_one(typed, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        place_of(typed)


def test_every_screen_of_the_page_is_a_place():
    script = files("eyespot.studio").joinpath("page/main.js").read_text("utf-8")
    assert tuple(re.findall(r"^  (\w+): \(\) => import", script, re.MULTILINE)) == SCREENS


def test_an_address_names_its_run_and_a_command_can_be_typed():
    shown = InStudio("runs/train/my photos", "my photos & \u4e2d\u6587")
    parts = urlsplit(shown.address(screen="errors", truth=1, answer=8))
    assert (parts.hostname, parts.port, parts.path) == (HOST, PORT, "/")
    assert dict(parse_qsl(parts.fragment)) == {"run": shown.name, "screen": "errors", "truth": "1", "answer": "8"}
    assert shown.command() == f"eyespot studio {as_typed(shown.run)}"
    assert shown.command("errors") == f"{shown.command()} --at errors"
