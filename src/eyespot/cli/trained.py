"""The commands on a trained model: explain an answer, export it, serve it, measure how fast it answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyespot.cli.told import WORSE, json_option, quiet_option, told

if TYPE_CHECKING:
    from eyespot.detecting.explained import BoxExplanation
    from eyespot.recipes.benchmark import BenchmarkResult, Rate
    from eyespot.recipes.explain import ExplainResult


@click.command()
@click.argument("run")
@click.argument("new")
@click.option("--strict", is_flag=True, help="End with status 3 if the model is worse or cannot be compared.")
@click.option("--name", help="Name of the new run's folder.  [default: RUN's with a number]")
@click.option("--data", metavar="DATA", help="Where the pictures of RUN are now, if they were moved.")
@json_option
@quiet_option
@told
def add(as_json: bool, quiet: bool, strict: bool, **options: Any) -> None:
    """Train anew on the pictures of RUN and those of NEW, and compare with RUN, which stays as it is.

    NEW holds class folders, or is of any other kind that `train` takes; a folder that RUN does not know is a new class.
    RUN's options count again. The pictures that RUN was tested on are tested on again, and both models are compared on
    them: in all, and class by class.
    """
    from eyespot.cli import show
    from eyespot.recipes.add import add as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, show.trained)
    if strict and result.regression is None:
        show.say("eyespot: nothing could be compared, so --strict does not take the new model for as good", err=True)
    if strict and (result.regression is None or result.regression.is_worse):
        sys.exit(WORSE)


@click.command()
@click.argument("run")
@click.argument("picture")
@click.option("--out", required=True, metavar="PNG", help="The picture to write.")
@click.option("--class", "class_", metavar="NAME", help="The class to explain.  [default: the likeliest]")
@click.option("--box", type=int, metavar="N", help="Of a detector: the box to explain.  [default: 1, the surest]")
@click.option("--threshold", type=float, help="Of a detector: least probability of a box.  [default: the model's own]")
@click.option("--similar", type=int, metavar="N", help="Similar training pictures shown.  [default: 5]")
@click.option("--data", metavar="DATA", help="Where the pictures of the training are now, if they were moved.")
@click.option("--overwrite", is_flag=True, help="Replace the picture where it exists.")
@json_option
@quiet_option
@told
def explain(as_json: bool, quiet: bool, **options: Any) -> None:
    """Draw where the answer of the model in RUN to PICTURE comes from, and test whether that holds.

    RUN is a run folder such as runs/train/photos, or its bundle. The picture drawn shows a heat map over what the
    network saw, what hiding its strongest places costs, and the most similar pictures that the model was trained on.
    Of a detector, one box is explained: by what is around it, and the place of the network that told it.
    """
    from eyespot.cli import show
    from eyespot.recipes.explain import explain as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, _explained)


@click.command()
@click.argument("run")
@click.option("--format", default="onnx", show_default=True, help="onnx, one file; openvino, two; web, a page.")
@click.option("--int8", is_flag=True, help="Try 8-bit numbers; kept if as good and faster here. OpenVINO only.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write to.  [default: export in the run's folder]"
)
@click.option("--data", metavar="DATA", help="Where the run's pictures are now.  [default: where they were]")
@click.option("--overwrite", is_flag=True, help="Replace an earlier export.")
@click.option(
    "--runtime",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Folder with onnxruntime-web, for web.  [default: eyespot's cache]",
)
@click.option("--download", is_flag=True, help="Fetch onnxruntime-web, for web: 12 MB, once.")
@json_option
@quiet_option
@told
def export(as_json: bool, quiet: bool, **options: Any) -> None:
    """Write the model in RUN as a file that other programs run, and prove that it answers there as it did here.

    The file takes a decoded picture of any size: resize, crop, normalisation, network, temperature and softmax are
    inside, and so are the names of the classes. The run's validation pictures go through it in OpenVINO and in ONNX
    Runtime; if an answer is another one than the run's, nothing is written.

    With --format web it is a page for any web space: it answers in the browser of whoever opens it, on a phone, too,
    without a server and, once loaded, without a network. It is compared in a real browser, where there is one.
    """
    from eyespot.cli import show
    from eyespot.recipes.export import export as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, show.exported)


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
@click.option("--decode-seconds", type=float, default=5.0, show_default=True, help="That decoding a picture may take.")
@click.option("--deadline", type=float, default=60, show_default=True, help="Seconds for an answer; beyond, 503.")
@click.option("--proxy", metavar="ADDRESS,...", help="Proxies before the server, which name their clients.")
@click.option("--style", is_flag=True, help="Paint photos as paintings, too: on the page, and by POST /paint.")
@click.option("--share", is_flag=True, help="For phones in this network: an address with a token, and its QR code.")
@click.option("--https", is_flag=True, help="Over HTTPS, with a certificate of its own: phones' cameras need it.")
@told
def serve(**options: Any) -> None:
    """Serve the model in RUN over HTTP, with a page to try it, until Ctrl-C or SIGTERM.

    RUN is a run folder or a bundle. A better bundle that takes its place there is served from then on.

    Only this computer reaches the page. With --share others in its network do, a class with phones, say: they scan the
    code. The token in it is made anew each time, unless --token gives one, and nobody comes in without it.
    """
    from eyespot.cli import show
    from eyespot.serve.run import serve as recipe

    recipe(say=show.say, draw=click.echo, **options)


@click.command()
@click.argument("network", metavar="RUN_OR_NET|DATA")
@click.option("--models", default="", metavar="NET,NET", help="Compare these networks, each by a head trained on DATA.")
@click.option("--pictures", metavar="FOLDER", help="Measure reading these pictures, too, alone and with the engine.")
@click.option("--batches", default="1,4,16,64", show_default=True, metavar="N,N", help="Images at a time.")
@click.option("--runs", type=int, default=5, show_default=True, help="Of each line, for median and range.")
@click.option("--seconds", type=float, default=2.0, show_default=True, help="That the runs of a line take, about.")
@json_option
@quiet_option
@told
def benchmark(batches: str, models: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Measure how many images a second RUN_OR_NET answers on this machine, by engine, number format and batch.

    RUN_OR_NET is a run folder or bundle, or a network that `networks` lists, which then has random weights. The images
    are made at random; decoding is not counted, unless --pictures is given. The last column is the share of what this
    machine reaches in multiplying large matrices.

    With --models a head is trained on each of these networks, frozen, whose weights are on this computer: accuracy in
    cross-validation on DATA, time and size, and which differences are more than chance. Test pictures stay unseen.
    """
    from eyespot.cli import show, show_networks, typed
    from eyespot.recipes.benchmark import benchmark as recipe

    with show.progress(quiet=quiet) as progress:
        names = typed.names(models, "models")
        result = recipe(models=names, batches=typed.counts(batches, "batches"), progress=progress, **options)
    in_words: Callable[[Any], None] = show_networks.weighed if names else _measured
    show.json_or(as_json, result, in_words)


COMMANDS = {"add": add, "explain": explain, "export": export, "serve": serve, "benchmark": benchmark}


def _explained(result: ExplainResult | BoxExplanation) -> None:
    from eyespot.cli import show
    from eyespot.recipes.explain import ExplainResult

    deletion = result.deletion
    height, width = result.places_hw
    lines = [
        ("Answer", f"{result.class_} {result.probability:.3f}"),
        *(() if isinstance(result, ExplainResult) else _which_box(result)),
        ("Heat map", f"{result.method}, {width} x {height} places"),
        ("Deletion", f"the probability left, of {deletion.places} places the strongest hidden first, or others:"),
        *(("", f"{step.share:>4.0%}  {step.strongest:.3f}, others {step.random:.3f}") for step in deletion.curve),
        ("", deletion.sentence),
        *(_beside(result) if isinstance(result, ExplainResult) else ()),
        ("Wrote", result.out),
        ("", result.sentence),
    ]
    for label, text in lines:
        show.line(label, text)


def _beside(result: ExplainResult) -> Iterator[tuple[str, str]]:
    if result.similar:
        yield "Similar", ", ".join(f"{each.class_} {each.similarity:.2f}" for each in result.similar)
    for note in result.notes:
        yield "Note", note


def _which_box(result: BoxExplanation) -> Iterator[tuple[str, str]]:
    left, top, right, bottom = (round(side) for side in result.xyxy)
    yield "Box", f"{result.box} of {result.boxes}: {right - left} x {bottom - top} px, from {left}, {top}"
    left, top, right, bottom = (round(side) for side in result.place)
    yield "Place", f"told by {right - left} x {bottom - top} px from {left}, {top}; map of stride {result.stride}"


def _measured(result: BenchmarkResult) -> None:
    from eyespot.cli import show

    show.line("Network", f"{result.network}, weights {result.weights}")
    height, width, channels = result.image_hwc
    show.line("Image", f"{height} x {width} x {channels}, {result.multiply_adds / 1e9:.3f} billion multiply-adds")
    show.line("Machine", result.machine)
    for precision, peak in result.peak_gflops.items():
        show.line("Peak", f"{precision} {peak:,.0f} GFLOP/s, the fastest matrix product")
    show.say("")
    columns = f"{'batch':>5}{'images/s':>10}  {'range of ' + str(result.runs):18}{'ms':>9}{'GFLOP/s':>9}{'of peak':>9}"
    show.say(f"{'engine':14}{'format':8}{columns}")
    for each in result.speeds:
        rate = each.images_per_second
        show.say(
            f"{each.engine:14}{each.precision:8}{each.batch:>5}{_short(rate.median):>10}  {_range(rate):18}"
            f"{each.milliseconds:>9.2f}{each.gflops:>9.0f}{each.share_of_peak:>9.0%}"
        )
    if result.decoding:
        reading = result.decoding
        show.say("")
        show.line("Pictures", f"{reading.pictures}, read again in each run")
        show.line("Decoding", f"{_short(reading.decoding.median)} pictures/s ({_range(reading.decoding)})")
        show.line("With engine", f"{_short(reading.whole.median)} pictures/s ({_range(reading.whole)})")
    show.notes(result.notes)


def _range(rate: Rate) -> str:
    return f"{_short(rate.low)} to {_short(rate.high)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
