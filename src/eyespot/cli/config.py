"""`--config FILE.yaml`: the options of a command from a file, under the names that they have on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from eyespot.names import brief
from eyespot.words import nearest

if TYPE_CHECKING:
    import yaml

LARGEST = 2**20
"""Bytes of such a file."""
COMMANDS = (
    *("train", "predict", "val", "audit", "compare", "add", "explain", "export", "serve", "embed", "augment"),
    *("stylize", "benchmark"),
)
"""Those that have many options."""
_NEVER = ("--config", "--allow-code")
"""Options that no file may say: whoever runs code says so herself."""
_UNSET = ("", "~", "null", "Null", "NULL")


def add_to(command: click.Command) -> None:
    """Gives the command the option. What the command line itself says counts before what the file says."""
    command.params.append(
        click.Option(
            ["--config"],
            metavar="FILE.yaml",
            is_eager=True,  # before the others look for their values
            expose_value=False,
            callback=_take,
            help="Options from a file, as `lr: 0.01`; those given here win.",
        )
    )


def _take(context: click.Context, _: click.Parameter, file: str | None) -> None:
    if file is not None:
        context.default_map = dict(_values(context, file))


def _values(context: click.Context, file: str) -> Iterator[tuple[str, Any]]:
    """Each parameter's name with its value in texts, as on a command line: else YAML would make `no` a False.

    Raises UsageError with the file, the line and what was meant.
    """
    known, seen = _by_key(context.command), set()
    for key, node in _entries(context, file):
        where = f"{file}, line {key.start_mark.line + 1}"
        name = str(key.value).replace("_", "-")
        name = context.token_normalize_func(name) if context.token_normalize_func else name
        if name not in known:
            meant = nearest(name, known)
            raise click.UsageError(f"{where}: {context.info_name} has no option {brief(key.value)!r}: {meant}", context)
        parameter = known[name]
        if parameter.name in seen:
            raise click.UsageError(f"{where}: {name} was given before: leave out one of them", context)
        seen.add(parameter.name)
        value = _texts(node, parameter)
        if value is None:
            raise click.UsageError(f"{where}: {name} takes a text, a number or a flat list of them", context)
        if value in _UNSET:
            continue
        if "\0" in "".join(value):
            raise click.UsageError(f"{where}: {name} has a zero in it, which no text on a command line has", context)
        try:
            parameter.type_cast_value(context, value)
        except click.BadParameter as error:
            raise click.UsageError(
                f"{where}: {name} cannot be {_as_typed(node)}: {brief(error.message)}", context
            ) from None
        yield str(parameter.name), value


def _by_key(command: click.Command) -> dict[str, click.Parameter]:
    """Every parameter by each of its long names: of `--replace-tail`, and of the argument DATA, `data`."""
    known: dict[str, click.Parameter] = {}
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            known[str(parameter.name)] = parameter
        else:
            known |= {name[2:]: parameter for name in parameter.opts if name.startswith("--") and name not in _NEVER}
    return known


def _texts(node: yaml.Node, parameter: click.Parameter) -> str | list[str] | None:
    """What the node says, as the parameter takes it; None for what no command line could say."""
    import yaml

    several = parameter.multiple or parameter.nargs == -1
    if isinstance(node, yaml.ScalarNode):
        return [node.value] if several and node.value not in _UNSET else str(node.value)
    if not isinstance(node, yaml.SequenceNode) or not all(isinstance(each, yaml.ScalarNode) for each in node.value):
        return None
    found = [str(each.value) for each in node.value]
    return found if several else ",".join(found)


def _as_typed(node: yaml.Node) -> str:
    several = isinstance(node.value, list)
    said = f"[{', '.join(str(each.value) for each in node.value)}]" if several else repr(node.value)
    return brief(said)


def _entries(context: click.Context, file: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """The file's keys with their values, as YAML has them: nothing in it makes an object."""
    import yaml  # not for a command line without such a file

    from eyespot.files import from_home

    try:
        with from_home(file).open("rb") as opened:
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise click.UsageError(f"{file} is too large for a file of options: it has over {LARGEST:,} bytes", context)
        root = yaml.compose(data.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read ({error.strerror}): give a file of options", context) from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is no text in UTF-8: save it as one", context) from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}," if mark else ""
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "too deep"
        raise click.UsageError(f"{file}{at} is not YAML ({why}): write a line such as `lr: 0.01`", context) from None
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode) or not all(isinstance(key, yaml.ScalarNode) for key, _ in root.value):
        raise click.UsageError(f"{file} holds no options: write a line such as `lr: 0.01` for each", context)
    entries: list[tuple[yaml.ScalarNode, yaml.Node]] = root.value
    return entries
