"""A command whose many options stand in groups in its --help, each group under what a person wants to decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class GroupedCommand(click.Command):
    """Shows its options in the given groups; those of no group end the last one."""

    def __init__(self, *args: Any, groups: Mapping[str, tuple[str, ...]], **options: Any) -> None:
        """groups: title of each, and the names of its options as the function takes them."""
        super().__init__(*args, **options)
        self.groups = groups

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(context) if isinstance(param, click.Option)]
        records = {option.name: option.get_help_record(context) for option in options}
        grouped = {name for names in self.groups.values() for name in names}
        *before, (last, names) = self.groups.items()
        for title, shown in (*before, (last, (*names, *(name for name in records if name not in grouped)))):
            with formatter.section(title):
                formatter.write_dl([record for name in shown if (record := records[name]) is not None])
