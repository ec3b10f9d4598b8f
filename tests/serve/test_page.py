"""The page's files: of a fixed list, with the types and the policy that browsers need."""

import pytest

from eyespot.serve import app

FILES = {"index.html": ("text/html; charset=utf-8", b"<p>page"), "main.js": ("text/javascript; charset=utf-8", b"1")}


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setattr(app, "page_files", lambda: FILES)


@pytest.mark.parametrize(
    ("path", "name"), [("/", "index.html"), ("/page/index.html", "index.html"), ("/page/main.js", "main.js")]
)
def test_its_files_come_with_their_type_and_a_strict_policy(client, page, path, name):
    answer = client.get(path)
    content_type, content = FILES[name]
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == content_type
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any("unsafe" in each or "http" in each for each in policy)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["other.js", "../app.py", "%2e%2e%2fapp.py", "..%5capp.py", "main.js%00", ""])
def test_other_files_are_not_there(client, page, name):
    assert client.get(f"/page/{name}").status_code == 404


def test_only_files_of_a_known_kind_are_on_the_list():
    assert all(name.rpartition(".")[2] in ("html", "css", "js", "svg") for name in app.page_files())
