"""The notebook of examples/ does what its cells say, from an empty folder."""

from __future__ import annotations

import ast
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from PIL import Image

NOTEBOOK = Path(__file__).parents[1] / "examples" / "notebook.ipynb"


def test_the_cells_run_as_they_stand(shared_cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = [each for each in notebook["cells"] if each["cell_type"] == "code"]
    assert all(not each["outputs"] and each["execution_count"] is None for each in cells)
    names: dict[str, object] = {}
    shown, said = [], StringIO()
    with redirect_stdout(said):
        for cell in cells:
            *statements, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module(statements, []), str(NOTEBOOK), "exec"), names)
            if isinstance(last, ast.Expr):
                shown.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names))
            else:
                exec(compile(ast.Module([last], []), str(NOTEBOOK), "exec"), names)
    tables = [each for each in shown if hasattr(each, "_repr_html_")]
    [heat] = [each for each in shown if isinstance(each, Image.Image)]
    heat.load()  # which closes its file
    assert [each._repr_html_().count("<img") for each in tables] == [0, 3, 0]
    assert "export" in said.getvalue()
