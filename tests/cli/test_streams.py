"""A process may be started without its standard streams, or with one that takes nothing: that is said, and no more."""

import subprocess
import sys

import pytest
from color_bundle import write_color_bundle
from PIL import Image

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="closes streams as a shell does, and needs /dev/full")
COMMAND = f"{sys.executable} -m eyespot"
LOST = "eyespot: standard output cannot be written to"


@pytest.fixture
def shell(shared_cache, tmp_path):
    """Runs a shell's line, `eyespot` in it, in a folder with a bundle `run` and a picture `red.png`."""
    write_color_bundle(tmp_path / "run")
    picture = Image.new("RGB", (40, 40), (250, 0, 0))
    picture.paste((200, 0, 0), (0, 0, 20, 20))
    picture.save(tmp_path / "red.png")

    def run(line: str) -> subprocess.CompletedProcess[str]:
        script = f'eyespot() {{ {COMMAND} "$@"; }}; {line}'
        return subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)

    return run


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "predict --help", "predict run red.png", "predict run red.png --json"]
)
def test_a_full_disk_on_standard_output_is_a_sentence_and_its_own_exit_status(shell, monkeypatch, arguments, buffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", buffered)
    done = shell(f"eyespot {arguments} > /dev/full")
    assert (done.returncode, done.stderr) == (74, f"{LOST}: No space left on device\n")


def test_wrong_use_keeps_its_status_whatever_standard_output_is(shell):
    done = shell("eyespot trian > /dev/full")
    assert (done.returncode, done.stderr) == (2, "eyespot: there is no command 'trian': did you mean 'train'?\n")
    assert shell("eyespot trian 2> /dev/full").returncode == 2
    assert shell("eyespot predict nowhere red.png 2>&-").returncode == 1


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "<&- 2>&-", "2> /dev/full"])
def test_an_answer_needs_standard_output_alone(shell, closed):
    done = shell(f"eyespot predict run red.png {closed}")
    assert (done.returncode, done.stdout[:12], done.stderr) == (0, "red.png: red", "")


def test_a_closed_standard_output_is_said_and_nothing_is_printed_into_another_file(shell, tmp_path):
    (tmp_path / "before").write_text("")
    done = shell("eyespot predict run red.png --csv answers.csv >&-")
    assert (done.returncode, done.stderr) == (74, f"{LOST}: Bad file descriptor\n")
    assert (tmp_path / "answers.csv").read_text().startswith("picture,rank,class")
    assert shell("eyespot predict run red.png <&- >&- 2>&-").returncode == 74
    assert {each.name for each in tmp_path.iterdir()} == {"run", "red.png", "before", "answers.csv"}


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path):
    program = (
        "from eyespot.cli import streams; streams.prepare(); import os; "
        "opened = os.open('file', os.O_RDWR | os.O_CREAT); os.write(2, b'from a C library'); print(opened)"
    )
    done = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{program}" <&- 2>&-'], cwd=tmp_path, capture_output=True, text=True
    )
    assert int(done.stdout) > 2
    assert (tmp_path / "file").read_bytes() == b""


def test_a_reader_who_has_gone_ends_it_quietly(shell):
    done = shell("eyespot --help | true; exit ${PIPESTATUS[0]}")
    assert (done.returncode in (0, 1), done.stderr) == (True, "")


def test_what_is_said_of_pictures_is_lost_alone_where_standard_error_is_full(shell, tmp_path):
    (tmp_path / "cut.png").write_bytes((tmp_path / "red.png").read_bytes()[:60])
    Image.new("RGB", (40, 40), (250, 0, 0)).save(tmp_path / "flat.png")
    done = shell("eyespot predict run cut.png flat.png red.png --topk 1 2> /dev/full")
    assert (done.returncode, [line.split(" ")[0] for line in done.stdout.splitlines()]) == (
        0,
        ["flat.png:", "red.png:"],
    )
