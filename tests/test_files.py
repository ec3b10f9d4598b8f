import os
import re
import socket
import stat
from pathlib import Path

import pytest

import eyespot
from eyespot import files
from eyespot.errors import CannotWrite, EyespotError
from eyespot.files import from_home, remove_leftovers, require_writable, write_together, write_whole


def test_a_file_is_written_with_its_bytes_and_nothing_is_left_beside_it(tmp_path):
    write_whole(tmp_path / "a.bin", b"\x00\xff\r\n")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_an_existing_file_is_replaced(tmp_path):
    path = tmp_path / "a.bin"
    write_whole(path, b"long old content")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, b"as it was"])
def test_where_writing_fails_all_is_as_it_was(tmp_path, monkeypatch, function, error, before):
    path = tmp_path / "a.bin"
    if before is not None:
        path.write_bytes(before)

    def fail(*args):
        raise error

    monkeypatch.setattr(files.os, function, fail)
    with pytest.raises(type(error)):
        write_whole(path, b"new")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([] if before is None else [before])


def test_an_error_names_the_file_that_was_asked_for_and_no_other(tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError(28, "disk full", str(source), None, str(target))

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="disk full") as caught:
        write_whole(tmp_path / "a.bin", b"new")
    assert str(caught.value) == f"[Errno 28] disk full: {str(tmp_path / 'a.bin')!r}"


def test_the_content_is_on_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    order: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(files.os, "fsync", lambda handle: (order.append("fsync"), fsync(handle)))
    monkeypatch.setattr(files.os, "replace", lambda *paths: (order.append("replace"), replace(*paths)))
    write_whole(tmp_path / "a.bin", b"x")
    assert order == ["fsync", "replace"]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "other").touch()
    (tmp_path / ".hidden").touch()
    with monkeypatch.context() as patch:
        patch.setattr(files.Path, "unlink", lambda *args, **options: None)  # as if the process were gone by then
        patch.setattr(files.os, "replace", lambda *paths: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_whole(tmp_path / "a.bin", b"x")
    assert len(list(tmp_path.iterdir())) == 3
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"other", ".hidden"}


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none/a.bin", b"x")


@pytest.mark.parametrize("name", ["päper 1.json", "🐈.png", ".hidden", "-rf"])
def test_any_name_is_written(tmp_path, name):
    write_whole(tmp_path / name, b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
def test_the_permissions_are_those_of_any_new_file_of_this_user(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "a.bin", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == mode


posix_only = pytest.mark.skipif(os.name != "posix", reason="links, pipes and permissions as POSIX has them")


@posix_only
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed_and_stays(tmp_path, there):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.csv", tmp_path / "link.csv"
    if there:
        target.write_bytes(b"old")
        target.chmod(0o600)
    link.symlink_to("real/a.csv")
    require_writable(link, overwrite=there)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert [path.name for path in target.parent.iterdir()] == ["a.csv"]
    if there:
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


@posix_only
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "socket", "link to a folder", "link to a device"])
def test_what_is_no_plain_file_is_never_replaced(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = tmp_path / "target"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind("target")
    else:
        path.symlink_to({"device": os.devnull, "link to a device": os.devnull, "link to a folder": tmp_path}[kind])
    before = path.lstat()
    with pytest.raises(CannotWrite, match=f"target is (no plain file but )?a {kind.rpartition(' ')[2]}"):
        require_writable(path, overwrite=True)
    assert path.lstat() == before


@posix_only
@pytest.mark.parametrize(
    ("target", "said"), [("link", "Too many levels"), ("none/a.csv", "the folder .*none does not exist; make it")]
)
def test_a_link_that_leads_nowhere_is_a_sentence(tmp_path, target, said):
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(CannotWrite, match=said):
        require_writable(tmp_path / "link", overwrite=True)


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_changed_is_kept(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"old")
    (tmp_path / "a.csv").chmod(0o444)
    with pytest.raises(CannotWrite, match=re.escape("may not be changed")):
        require_writable(tmp_path / "a.csv", overwrite=True)


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path):
    resource = pytest.importorskip("resource", reason="limits of a process as POSIX has them")
    import signal

    path = tmp_path / "a.bin"
    path.write_bytes(b"as it was")
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=re.escape("a.bin")):
            write_whole(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"as it was"]


def test_a_folder_is_made_with_those_above_it_unless_a_file_is_in_the_way(tmp_path):
    for _ in range(2):
        files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite, match=r"file.c cannot be made: "):
        files.make_folder(tmp_path / "file" / "c")


def test_what_cannot_be_removed_is_named(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    for _ in range(2):  # what is gone is gone
        files.remove_chosen(tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").exists()
    with pytest.raises(CannotWrite, match=r"cannot be removed \(.+\): remove it yourself"):
        files.remove_chosen(tmp_path)


def test_the_home_of_nobody_is_a_name_like_any_other(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert from_home("~/photos") == Path("/home/ada/photos")
    assert from_home("~nobody-at-all/photos") == Path("~nobody-at-all/photos")


def test_homes_are_found_in_one_way():
    """`Path.expanduser` raises RuntimeError for the home of nobody, which no user should see."""
    source = Path(str(eyespot.__file__)).parent
    found = [path.relative_to(source) for path in source.rglob("*.py") if "expanduser(" in path.read_text("utf-8")]
    assert found == [Path("files.py")]


@pytest.mark.parametrize("option", ["group", "exclude", "parts_of", "more", "weights"])
def test_a_path_in_the_home_of_nobody_is_a_sentence(option, tmp_path, shared_cache):
    with pytest.raises(EyespotError, match="~nobody-at-all"):
        eyespot.train("digits", out=tmp_path, **{option: "~nobody-at-all/p.csv"})


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize("moves", range(3))
def test_killed_in_between_files_that_belong_together_never_look_whole(tmp_path, monkeypatch, before, moves):
    """The last is the one that others are found by, such as a page's index: with it all are of one writing."""
    names = ("weights.bin", "picture.svg", "index.html")

    def contents(state):
        return {tmp_path / name: f"{name} {state}".encode() for name in names}

    if before:
        write_together(contents(before))
    left, move = [moves], files.move

    def move_or_end(source, target):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        move(source, target)

    monkeypatch.setattr(files, "move", move_or_end)
    monkeypatch.setattr(files, "write_chosen", lambda path, data: path.write_bytes(data))
    with pytest.raises(Killed):
        write_together(contents("new"))
    found = {each: each.read_bytes() for each in tmp_path.iterdir() if each.name in names}
    assert tmp_path / "index.html" not in found or found == contents("old")
    monkeypatch.setattr(files, "move", move)
    write_together(contents("new"))
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == contents("new")
