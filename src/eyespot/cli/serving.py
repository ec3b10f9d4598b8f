"""The command that puts a model on the network: serve."""

from __future__ import annotations

import click

from eyespot.cli.told import told


@click.command()
@click.argument("run")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=int, default=8000, show_default=True, help="The port; 0 takes a free one.")
@click.option(
    "--token",
    envvar="EYESPOT_TOKEN",
    help="What clients must know; needed on other addresses than this computer's own.  [default: EYESPOT_TOKEN]",
)
@click.option("--queue", type=int, default=256, show_default=True, help="Pictures that may wait; beyond, 503.")
@told
def serve(run: str, host: str, port: int, token: str | None, queue: int) -> None:
    """Serve the model in RUN over HTTP, with a page to try it, until Ctrl-C or SIGTERM.

    RUN is a run folder or a bundle. A better bundle that takes its place there is served from then on.
    """
    from eyespot.cli import show
    from eyespot.serve.run import serve as recipe

    recipe(run, host=host, port=port, token=token, queue=queue, say=show.say)


COMMANDS = {"serve": serve}
