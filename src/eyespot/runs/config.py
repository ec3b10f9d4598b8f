"""What a run was asked, as a file for `eyespot train --config`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from eyespot.data.handed_sets import IN_HAND

CONFIG = "config.yaml"


def as_config(args: Mapping[str, object]) -> bytes:
    """The options that were given, a line each, without the name, which no other run can have.

    Data in hand are left out, since no command line could name them.

    args: what `args.json` says. JSON's values are YAML's, too.
    """
    given = args["given"]
    assert isinstance(given, list)
    data = {} if args["data"] == IN_HAND else {"data": args["data"]}
    chosen = {**data, **{name: args[name] for name in given if name != "name"}}
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in chosen.items()]
    head = f"# Trained by eyespot {args['version']}; to train so again: eyespot train --config THIS FILE"
    return "\n".join([head, *lines, ""]).encode("utf-8", "backslashreplace")
