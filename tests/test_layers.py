"""The order of the rooms, read from the source: nothing is imported, nothing is exempted.

An import points down the list or stays in its room; no two files import each other, by whatever way; torch stays where
it belongs; functions, files and lists of arguments stay short.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "eyespot"
ROOMS = (
    ("__main__", "__init__"),
    ("cli",),
    ("studio",),
    ("serve",),
    ("labs",),
    ("recipes",),
    ("auditing", "detecting", "multilabel", "styling"),
    ("reporting", "explaining", "exporting", "walking"),
    ("answering",),
    ("regimes",),
    ("runs",),
    ("building",),
    ("bundle",),
    ("features",),
    ("training",),
    ("distributed",),
    ("heads",),
    ("augmenting",),
    ("evaluate",),
    ("zoo",),
    ("caffe",),
    ("arithmetic",),
    ("caffe_blocks", "data", "engine"),
    ("blocks",),
    ("download", "machine", "records"),
    ("asked", "places", "progress"),
    ("card", "events", "files", "keywords", "locks", "names", "old_names", "palette", "vouched"),
    ("words",),
    ("errors", "version"),
)
"""From the top down; what stands in one row may not import its neighbour."""
HEIGHT = {name: -row for row, names in enumerate(ROOMS) for name in names}
TORCH = {"blocks", "caffe", "caffe_blocks", "arithmetic", "zoo", "training", "detecting", "styling", "labs", "walking"}
"""Rooms whose files may import torch when they are imported."""
TORCH_FILES = {
    *(f"engine/{name}.py" for name in ("from_torch", "graph_recorder", "graph_rules", "activation_rules")),
    *("augmenting/augment.py", "augmenting/mixing.py"),
}
TORCH_IN_FUNCTIONS = {"distributed", "building", "regimes", "augmenting", "features", "runs", "recipes", "studio"}
"""Rooms that import it only inside functions: they are imported by what never needs it."""
HEAVY = {"numpy", "torch", "openvino", "onnx", "PIL", "pydantic", "sklearn", "scipy", "rich", "jinja2"}
LONGEST_FUNCTION, LONGEST_FILE, MOST_ARGUMENTS = 40, 300, 7
FILES = {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))}


@dataclass(frozen=True)
class Import:
    module: str
    line: int
    in_function: bool
    for_types: bool
    """Under `if TYPE_CHECKING`: never executed."""


@cache
def imports_of(source: str) -> list[Import]:
    """Every import of a source text; `from eyespot import zoo` counts as `eyespot.zoo`."""
    return list(_imports(ast.parse(source), in_function=False, for_types=False))


def _imports(node: ast.AST, *, in_function: bool, for_types: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, node.lineno, in_function, for_types)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            is_file = _path(whole) in FILES or _path(whole, package=True) in FILES
            yield Import(whole if is_file else str(node.module), node.lineno, in_function, for_types)
    in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for_types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, in_function=in_function, for_types=for_types)


def _path(module: str, *, package: bool = False) -> str:
    """`data/store.py` of `eyespot.data.store`."""
    inside = module.removeprefix("eyespot").removeprefix(".").replace(".", "/")
    return f"{inside}/__init__.py".removeprefix("/") if package else f"{inside}.py"


def room_of(name: str) -> str:
    """`data/store.py` and `eyespot.data.store` are in the room `data`; `eyespot` itself is `__init__`."""
    return (
        name.removesuffix(".py").replace(".", "/").removeprefix("eyespot/").split("/")[0].replace("eyespot", "__init__")
    )


def trespasses(name: str, source: str) -> list[str]:
    """The imports of a file that point up or sideways."""
    own = room_of(name)
    others = ((each, room_of(each.module)) for each in imports_of(source) if each.module.split(".")[0] == "eyespot")
    return [
        f"{name}:{each.line} imports {each.module}"
        for each, other in others
        if other != own and HEIGHT[other] >= HEIGHT[own]
    ]


def circle(files: Mapping[str, str]) -> list[str]:
    """Files that import each other, each the one before it; empty where there are none."""
    imported = {}
    for name, source in files.items():
        found = {_path(each.module) for each in imports_of(source)} | {
            _path(each.module, package=True) for each in imports_of(source)
        }
        imported[name] = (found & set(files)) - {name}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def too_long(name: str, source: str) -> list[str]:
    """The file, its functions, and their lists of arguments, where they are longer than the limits."""
    found = [f"{name} has {source.count(chr(10))} lines"] if source.count("\n") > LONGEST_FILE else []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        count = sum(each is not None and each.arg not in ("self", "cls") for each in arguments)
        is_command = any(
            "command" in ast.unparse(each) for each in node.decorator_list
        )  # its arguments are the options
        if lines > LONGEST_FUNCTION:
            found.append(f"{name}:{node.lineno} {node.name} has {lines} lines")
        if count > MOST_ARGUMENTS and not is_command:
            found.append(f"{name}:{node.lineno} {node.name} has {count} arguments")
    return found


def torch_out_of_place(name: str, source: str) -> list[str]:
    used = [each for each in imports_of(source) if each.module.split(".")[0] == "torch"]
    if room_of(name) in TORCH or name in TORCH_FILES:
        return []
    if room_of(name) in TORCH_IN_FUNCTIONS:
        used = [each for each in used if not (each.in_function or each.for_types)]
    return [f"{name}:{each.line}" for each in used]


def test_every_file_is_in_a_room_and_every_room_has_its_place():
    assert {room_of(name) for name in FILES} <= set(HEIGHT)


@pytest.mark.parametrize("name", FILES)
def test_imports_point_down(name):
    assert trespasses(name, FILES[name]) == []


def test_no_files_import_each_other():
    assert circle(FILES) == []


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_too_long(name):
    assert too_long(name, FILES[name]) == []


@pytest.mark.parametrize("name", FILES)
def test_torch_is_imported_only_where_it_may_be(name):
    assert torch_out_of_place(name, FILES[name]) == []


def test_recipes_are_verbs():
    """Each file of recipes that is no folder has a function by its own name, which the package hands on."""
    for name, source in FILES.items():
        if name.startswith("recipes/") and name.count("/") == 1 and not name.endswith("__init__.py"):
            verb = Path(name).stem
            functions = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
            assert verb in functions, name


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("__init__.py")])
def test_packages_import_nothing_heavy(name):
    executed = [each for each in imports_of(FILES[name]) if not each.for_types]
    at_once = {each.module.split(".")[0] for each in executed if not each.in_function}
    assert not at_once & HEAVY
    ours = {each.module for each in executed if each.module.startswith("eyespot.")}
    assert ours <= {"eyespot.errors", "eyespot.version", "eyespot.words", "eyespot.zoo.catalogue"}  # light ones


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("data/x.py", "import eyespot.engine.run"),  # sideways
        ("data/x.py", "from eyespot.recipes import train"),  # up
        ("zoo/x.py", "def f():\n    from eyespot import recipes"),  # up, inside a function
        ("records.py", "if TYPE_CHECKING:\n    from eyespot.machine import cores"),  # sideways, for types
        ("recipes/x.py", "from eyespot import __version__"),  # up to the package itself
        ("recipes/x.py", "import eyespot"),
    ],
)
def test_a_planted_import_up_or_sideways_is_noticed(name, source):
    assert len(trespasses(name, source)) == 1


@pytest.mark.parametrize("late", [False, True])
def test_a_planted_circle_is_noticed(late):
    source = "def f():\n    import eyespot.data.store" if late else "from eyespot.data.store import Store"
    assert "data/copies.py" in circle(
        {**FILES, "data/store.py": "from eyespot.data import copies", "data/copies.py": source}
    )


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * 301,
        "def f():\n" + "    x = 1\n" * 40,
        "class C:\n    def f(self, a, b, c, d, *e, g, h, **i): ...",
    ],
)
def test_a_planted_length_is_noticed(source):
    assert len(too_long("data/x.py", source)) == 1


def test_a_planted_import_of_torch_is_noticed():
    assert torch_out_of_place("data/x.py", "def f():\n    import torch")
    assert torch_out_of_place("regimes/x.py", "import torch.nn")
    assert not torch_out_of_place("regimes/x.py", "def f():\n    import torch")
