"""A network that is code: a function in a person's own file of Python, run only where she says that it may."""

from __future__ import annotations

import inspect
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.errors import OptionError
from eyespot.files import from_home
from eyespot.names import quoted

if TYPE_CHECKING:
    from torch import nn

FUNCTION = "build"
"""What is called where the file alone is named."""
_CODE = re.compile(r"(?P<file>.+\.py)(:(?P<function>\w+))?")


def is_code(model: str) -> bool:
    """Whether a model is named as `my_net.py` or `my_net.py:build`."""
    return _CODE.fullmatch(model) is not None


def refused(model: str) -> OptionError:
    """The error for code that nobody allowed to run. Raises OptionError where there is no such file."""
    file, name = _found(model)
    return OptionError(
        f"the option model names code: all of {file} would run with your rights, and then its function {name}. "
        "Read it first; if you trust it, add --allow-code, or in Python hand in the network itself"
    )


def function_in(model: str) -> Callable[[int], nn.Module]:
    """What builds the network for a number of classes; nothing is run before it is called.

    model: `FILE.py:FUNCTION`, or `FILE.py` for its function `build`, which takes the number of classes or nothing.
    Raises OptionError where there is no such file; the function, where it cannot build.
    """
    file, name = _found(model)

    def made(classes: int) -> nn.Module:
        from torch import nn

        try:
            function = runpy.run_path(str(file), run_name=file.stem).get(name)
            if not callable(function):
                raise OptionError(f"{file} has no function {name}: write `def {name}(classes):`, or name another one")
            net = function(classes) if inspect.signature(function).parameters else function()
        except OptionError:
            raise
        except Exception as error:  # whatever somebody's code raises
            raise OptionError(f"{name} in {file} failed: {type(error).__name__}: {quoted(error)}") from error
        if not isinstance(net, nn.Module):
            raise OptionError(f"{name} in {file} gives {type(net).__name__}: let it return a network of torch")
        return net

    return made


def _found(model: str) -> tuple[Path, str]:
    """The file, and the name of the function in it."""
    found = _CODE.fullmatch(model)
    assert found is not None
    file = from_home(found["file"]).absolute()
    if not file.is_file():
        raise OptionError(f"the option model cannot be {model!r}: there is no file {file}")
    return file, found["function"] or FUNCTION
