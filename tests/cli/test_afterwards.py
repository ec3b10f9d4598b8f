"""A report is a link on a terminal that knows links, and a path elsewhere."""

import io

from eyespot.cli import afterwards


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said_to(out, path, monkeypatch):
    monkeypatch.setattr("sys.stdout", out)
    afterwards.print_link(str(path))
    return out.getvalue()


def test_on_a_terminal_it_is_a_link(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    report = tmp_path / "my report#1.html"
    report.touch()
    said = said_to(Terminal(), report, monkeypatch)
    assert said.startswith("\x1b]8;")
    assert f"{report.as_uri()}\x1b\\{report}\x1b]8;;\x1b\\" in said


def test_on_a_dumb_terminal_in_a_file_and_of_no_file_it_is_a_path(tmp_path, monkeypatch):
    report = tmp_path / "report.html"
    assert said_to(Terminal(), report, monkeypatch) == f"{report}\n"
    report.touch()
    assert said_to(io.StringIO(), report, monkeypatch) == f"{report}\n"
    monkeypatch.setenv("TERM", "dumb")
    assert said_to(Terminal(), report, monkeypatch) == f"{report}\n"


def test_a_computer_without_a_browser_says_so(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda uri: opened.append(uri) or False)
    afterwards.open_report(str(tmp_path / "a report.html"))
    assert opened == [(tmp_path / "a report.html").as_uri()]
    assert "there is no browser here" in capsys.readouterr().err
