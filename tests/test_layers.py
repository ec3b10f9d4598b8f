"""An import points down the list of layers; torch stays where it belongs. Read from the source, nothing is imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "eyespot"
LAYERS = (
    ("cli",),
    ("serve",),
    ("recipes",),
    ("exporting", "explaining", "detect", "style"),
    ("features",),
    ("training",),
    ("bundle",),
    ("evaluate",),
    ("zoo",),
    ("arithmetic",),
    ("blocks", "data", "engine"),
    ("machine", "records"),
    ("files", "names", "old_names", "palette", "words"),
    ("errors", "version"),
)
"""From the top down; what stands in one row may not import its neighbour."""
HEIGHT = {name: -row for row, names in enumerate(LAYERS) for name in names}
OUTSIDE = {"__init__", "__main__"}
"""The package's front door and `python -m eyespot` hand on what lies below; nothing imports them."""
MAY_IMPORT_TORCH = {"blocks", "arithmetic", "zoo", "training", "detect", "style"}
WITHOUT_TORCH = {
    f"training/{name}.py"
    for name in ("augmentation", "chance", "fit", "head", "lbfgs", "problems", "rotation", "tail_words", "views")
}
WITH_TORCH = {f"engine/{name}.py" for name in ("graph", "graph_recorder", "graph_rules")}
INSIDE_FUNCTIONS_ONLY = {
    f"recipes/{name}.py"
    for name in (
        *("augment", "backbone", "contenders", "create", "feature_maps", "full", "kernels", "named_network"),
        *("on_images", "partial", "running", "scratch", "sizes", "summary", "trained", "tuned"),
    )
}
HEAVY = {"numpy", "torch", "openvino", "onnx", "PIL", "pydantic", "sklearn", "scipy", "rich", "jinja2"}
FILES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}


@dataclass(frozen=True)
class Import:
    module: str
    line: int
    in_function: bool
    for_types: bool
    """Under `if TYPE_CHECKING`: never executed."""


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
            module = f"eyespot.{alias.name}" if node.module == "eyespot" else str(node.module)
            yield Import(module, node.lineno, in_function, for_types)
    in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for_types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, in_function=in_function, for_types=for_types)


def layer_of(name: str) -> str:
    """`data/store.py` and `eyespot.data.store` are of the layer `data`."""
    first = name.removesuffix(".py").replace(".", "/").removeprefix("eyespot/").split("/")[0]
    return "__init__" if first == "eyespot" else first


def trespasses(name: str, source: str) -> list[str]:
    """The imports of a file that do not point down."""
    own = layer_of(name)
    if own in OUTSIDE:
        return []
    found = []
    for each in imports_of(source):
        if each.module.split(".")[0] != "eyespot":
            continue
        other = layer_of(each.module)
        if other in OUTSIDE or (other != own and HEIGHT[other] >= HEIGHT[own]):
            found.append(f"{name}:{each.line} imports {each.module}")
    return found


def test_every_file_belongs_to_a_layer():
    assert {layer_of(name) for name in FILES} <= {*HEIGHT, *OUTSIDE}


@pytest.mark.parametrize("name", FILES)
def test_imports_point_down(name):
    assert trespasses(name, FILES[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("data/x.py", "import eyespot.engine.run"),  # sideways
        ("data/x.py", "from eyespot.recipes import train"),  # up
        ("zoo/x.py", "def f():\n    from eyespot import recipes"),  # up, inside a function
        ("recipes/x.py", "import eyespot"),  # the front door
        ("records.py", "if TYPE_CHECKING:\n    from eyespot.machine import cores"),  # sideways, for types
    ],
)
def test_an_import_up_or_sideways_is_noticed(name, source):
    assert len(trespasses(name, source)) == 1


@pytest.mark.parametrize("name", FILES)
def test_torch_is_imported_only_where_it_may_be(name):
    used = [
        each for each in imports_of(FILES[name].read_text(encoding="utf-8")) if each.module.split(".")[0] == "torch"
    ]
    if name in INSIDE_FUNCTIONS_ONLY:
        used = [each for each in used if not (each.in_function or each.for_types)]
    elif name in WITH_TORCH or (layer_of(name) in MAY_IMPORT_TORCH and name not in WITHOUT_TORCH):
        return
    assert used == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("__init__.py")])
def test_packages_import_nothing_heavy(name):
    executed = [each for each in imports_of(FILES[name].read_text(encoding="utf-8")) if not each.for_types]
    at_once = {each.module.split(".")[0] for each in executed if not each.in_function}
    assert not at_once & HEAVY
    ours = {each.module for each in executed if each.module.startswith("eyespot.")}
    without_ours = {"eyespot.errors", "eyespot.version", "eyespot.words", "eyespot.zoo.catalogue"}  # they import none
    assert ours <= without_ours
