"""A new model is tried in a process of its own: what it does there, it does to nobody else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import pytest
from color_bundle import write_color_bundle

from eyespot.bundle.files import AnyBundle, read_bundle
from eyespot.engine import own_limits
from eyespot.errors import BundleError
from eyespot.serve import loading, trial
from eyespot.serve.trial import tried


@pytest.fixture
def bundle(tmp_path, shared_cache) -> AnyBundle:
    write_color_bundle(tmp_path / "bundle")
    return read_bundle(tmp_path / "bundle")


def test_a_model_that_answers_passes_and_is_compiled_for_the_server(bundle, shared_cache, monkeypatch):
    tried(bundle)
    from eyespot.engine import compiled
    from eyespot.serve.loading import loaded

    monkeypatch.setattr(compiled, "_compile", None)  # the server finds it in the cache folder
    loaded(bundle)


def test_a_model_that_gives_no_numbers_is_refused_as_it_would_be_here(tmp_path, shared_cache):
    write_color_bundle(tmp_path / "bundle", weight=float("nan"))
    with pytest.raises(BundleError, match="its answers are no numbers"):
        tried(read_bundle(tmp_path / "bundle"))


def _instead(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The process does this in place of trying the model."""
    monkeypatch.setattr(trial, "_COMMAND", code)


ENDS = {
    "hangs": ("import time; time.sleep(100)", "gave no answer within 1 seconds"),
    "aborts": ("import os; os.abort()", "ended the process that tried it, or took too much memory"),
    "fails": ("raise RuntimeError('no such primitive')", "too much memory: RuntimeError: no such primitive"),
    "floods": ("import sys\nwhile True: sys.stderr.write('x' * 1000)", "gave no answer within 1 seconds"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_process_that_ends_otherwise_is_told_in_a_sentence(name, bundle, monkeypatch):
    code, words = ENDS[name]
    _instead(monkeypatch, code)
    with pytest.raises(BundleError, match=words) as caught:
        tried(bundle, seconds=1)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems hold no process to its memory")
def test_a_process_that_takes_all_memory_is_ended(bundle, monkeypatch):
    code = "from eyespot.engine.own_limits import limit_memory; limit_memory(2**28); bytearray(2**30)"
    _instead(monkeypatch, code)
    with pytest.raises(BundleError, match="took too much memory: MemoryError"):
        tried(bundle)


def test_a_server_that_stops_does_not_wait(bundle, monkeypatch):
    _instead(monkeypatch, "import time; time.sleep(100)")
    stopped = threading.Event()
    threading.Timer(0.1, stopped.set).start()
    began = time.monotonic()
    with pytest.raises(BundleError):
        tried(bundle, stopped=stopped)
    assert time.monotonic() - began < trial.SECONDS


def test_a_bundle_that_is_replaced_meanwhile_is_not_tried_in_its_place(bundle, tmp_path):
    write_color_bundle(tmp_path / "bundle", sharpness=3)
    with pytest.raises(BundleError, match="is being replaced"):
        tried(bundle)


def _tried_here(bundle: AnyBundle, monkeypatch: pytest.MonkeyPatch, load: Callable[[AnyBundle], None]) -> int:
    """The status that the process would have where loading the model does this."""
    monkeypatch.setattr(sys, "argv", ["-c", str(bundle.folder), bundle.manifest.graph_sha256])
    monkeypatch.setattr(own_limits, "limit_memory", lambda more: None)
    monkeypatch.setattr(loading, "loaded", load)
    with pytest.raises(SystemExit) as ended:
        trial.main()
    return int(str(ended.value))


def test_a_model_that_does_not_fit_into_memory_ends_its_trial_without_a_traceback(bundle, monkeypatch, capfd):
    def load(bundle: AnyBundle) -> None:
        raise MemoryError

    status = _tried_here(bundle, monkeypatch, load)
    said = capfd.readouterr().err
    assert said == ""
    with pytest.raises(BundleError, match=r"ended the process that tried it, or took too much memory$"):
        trial._require(status, said, bundle.folder)


def test_why_a_model_is_refused_is_one_line_that_the_server_says_on(bundle, monkeypatch, capfd):
    def load(bundle: AnyBundle) -> None:
        raise BundleError("the model in x\ncannot be loaded")

    status = _tried_here(bundle, monkeypatch, load)
    with pytest.raises(BundleError, match=r"^the model in x cannot be loaded$"):
        trial._require(status, capfd.readouterr().err, bundle.folder)


def test_where_the_system_holds_no_process_to_its_memory_none_is_asked_to_be(monkeypatch):
    resource = pytest.importorskip("resource")
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_CPU)
    before = [resource.getrlimit(each) for each in kinds]
    monkeypatch.setattr(sys, "platform", "darwin")
    own_limits.limit_memory(0)
    own_limits.limit_processor(1)
    assert [resource.getrlimit(each) for each in kinds] == before
