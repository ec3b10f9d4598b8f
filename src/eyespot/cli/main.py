"""The command `eyespot`: one thin command for each recipe. Each imports its recipe inside: --help is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from eyespot import old_names
from eyespot.cli import about, anatomy, audited, boxes, by_hand, compare, config, lab, listed, stylize, trained
from eyespot.cli.overview import COMMANDS, GROUPS
from eyespot.cli.told import (
    WRONG_USE,
    GroupedCommand,
    cluster_option,
    image_option,
    json_option,
    open_option,
    quiet_option,
    read_options,
    told,
    wrong_use,
)
from eyespot.version import VERSION
from eyespot.words import nearest

TRAIN_GROUPS = {
    "What trains, and how long": (
        *("time", "regime", "model", "allow_code", "weights", "download", "freeze", "replace_tail"),
    ),
    "The pictures": ("imgsz", "mirror", "views", "augment", "growing", "class_weight"),
    "Which pictures": ("more", "exclude", "yes", "group", "parts_of"),
    "How folders and tables are read": ("layout", "image_column", "label_column", "split_column"),
    "The end of the network": ("head", "output", "dropout", "auxiliary"),
    "The steps (the defaults are the regime's: docs/training.md)": (
        *("epochs", "batch", "lr", "optimizer", "schedule", "warmup", "weight_decay", "stage_factor"),
        *("smoothing", "mixup", "cutmix", "average", "patience"),
    ),
    "The run": (
        *("name", "out", "seed", "device", "precision", "cluster"),
        *("resume", "replay", "open", "config", "as_json", "quiet"),
    ),
}


class _Group(click.Group):
    """Lists commands in the order in which a newcomer needs them, and knows what a mistyped one may have meant."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in groups, a line each."""
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(max(map(len, COMMANDS))), line) for name, line in group.items()])

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs the command line; where it cannot be understood, that is said as every other error is."""
        run: Any = super().main
        if not options.pop("standalone_mode", True):
            return run(*args, standalone_mode=False, **options)
        try:
            sys.exit(run(*args, standalone_mode=False, **options))
        except click.ClickException as error:
            if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # since click 8.2
                error.show()
                sys.exit(WRONG_USE)
            wrong_use(error)

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"there is no command {args[0]!r}: {nearest(args[0], COMMANDS)}", context)
        return super().resolve_command(context, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="eyespot")
def main() -> None:
    """A folder of your own pictures becomes a convolutional network that you understand, trust and run.

    \b
      eyespot train digits          learn the embedded sample, in seconds
      eyespot train PHOTOS          learn your own, a folder per class
      eyespot predict RUN PICTURES  ask the trained model
    """


for _module in (audited, trained, compare, listed, boxes, stylize, lab, anatomy, by_hand, about):
    for _command in _module.COMMANDS.values():
        main.add_command(_command)


@main.command(cls=GroupedCommand, groups=TRAIN_GROUPS, context_settings=old_names.on_command_line(old_names.TRAIN))
@click.argument("data", required=False)
@click.option(
    "--model",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="auto, one of `networks` or timm:NAME, FILE.py:FUNC.",
)
@click.option("--allow-code", is_flag=True, help="Run the code that --model names as FILE.py:FUNC.")
@click.option("--regime", default="auto", show_default=True, help="auto, frozen, partial, full or scratch.")
@click.option("--time", metavar="TIME", help="Time for all of it, such as 90s, 5m or 1h: the best model in that time.")
@click.option("--freeze", metavar="STAGE", help="Train all after this stage, such as stage5, or a number of stages.")
@click.option("--replace-tail", metavar="LAYERS", help="New layers after it: 'conv 3x3 128, pool, fc 64'.")
@click.option("--weights", metavar="NAME", help="Published weights to begin with, or a file.  [default: the first]")
@click.option("--download", is_flag=True, help="Fetch the weights of --model, where they are not here.")
@click.option("--imgsz", type=int, help="Side of the network's images, pixels; the longer one, for boxes.")
@click.option("--head", default="", metavar="N,N", help="Hidden layers before the softmax, such as 256,128.")
@click.option("--output", default="softmax", show_default=True, help="softmax, or with two classes sigmoid.")
@click.option("--class-weight", default="auto", show_default=True, help="auto balances unequal classes; none.")
@click.option("--mirror", default="auto", show_default=True, help="Train on mirror images, too: auto, yes or no.")
@click.option("--views", type=int, help="Stored views of each picture, partial.  [default: 2 with its mirror image]")
@click.option("--augment", default="auto", show_default=True, help="What each epoch does to pictures: none, a preset.")
@click.option("--growing", default="auto", show_default=True, help="Smaller images in early epochs, from scratch; no.")
@click.option("--epochs", type=int, help="Passes over the pictures.")
@click.option("--batch", type=int, help="Pictures in a step.")
@click.option("--lr", type=float, help="Highest learning rate.")
@click.option("--optimizer", help="sgd, adam, adamw or muon.")
@click.option("--schedule", help="one-cycle, cosine, linear, step or constant.")
@click.option("--warmup", type=float, help="Share of the steps in which the learning rate rises.")
@click.option("--weight-decay", type=float, help="Not on biases and norms.")
@click.option("--stage-factor", type=float, help="Each stage learns at this many times the rate of the next one.")
@click.option("--smoothing", type=float, help="Share of every target that is spread over all classes.")
@click.option("--mixup", type=float, help="Alpha of mixup; 0 for none.")
@click.option("--cutmix", type=float, help="Alpha of CutMix; 0 for none.")
@click.option("--average", type=float, help="Share of the averaged weights that a step keeps; 0 for none.")
@click.option("--dropout", type=float, help="Before the last layer.  [default: the network's own]")
@click.option("--auxiliary", default="auto", show_default=True, help="Auxiliary heads where the paper has them; no.")
@click.option("--patience", type=int, help="Epochs without gain before stopping, from scratch.")
@read_options
@click.option("--more", multiple=True, metavar="DATA", help="Further pictures that come to these; may be repeated.")
@click.option("--exclude", metavar="LIST", help="Leave out, or relabel, what the column do of this CSV says.")
@click.option("--yes", is_flag=True, help="Even if LIST leaves out more than half of a class.")
@click.option("--group", default="auto", show_default=True, help="What is not split: auto, off, a CSV picture,group.")
@click.option("--parts-of", metavar="RUN", help="Test on what RUN was tested on; its pictures keep their parts.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides split, folds, views and first weights.")
@click.option("--precision", default="auto", show_default=True, help="auto, fp32 or bf16.")
@click.option("--name", help="Name of the run's folder.  [default: the data's name]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go.")
@click.option("--resume", metavar="RUN", help="Go on with a run that was killed, to the same bits.")
@click.option("--replay", metavar="RUN", help="Do a run again, with what its clock decided.")
@cluster_option
@open_option
@json_option
@quiet_option
@click.pass_context
@told
def train(context: click.Context, data: str | None, open: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train on DATA and write a model and a report.

    DATA is a folder with one sub-folder of pictures per class, or with train/, val/ and test/ that have such
    sub-folders, or `digits` for the embedded sample. Nothing in it is ever changed.

    DATA may also be a .zip or .tar of such folders, WebDataset's shards ("shards-{000..012}.tar"), a CSV with the
    columns image_path and label, a metadata.jsonl or MNIST's IDX files in a folder, a Parquet file or a folder of them;
    or an address: s3://, gs://, https:// (extra cloud; EYESPOT_REMOTE_GB bounds what it keeps on disk).

    With boxes in the folder (YOLO, COCO or Pascal VOC; docs/detection.md) a detector is trained, which finds them; if
    a list gives pictures several labels (a column of 0 and 1 for each; docs/multilabel.md), a model that gives them.

    How much of the network trains follows from how many pictures there are; --regime, --freeze or --time say otherwise.
    docs/training.md explains every option.
    """
    from eyespot.building.own import Own
    from eyespot.cli import afterwards, show, show_boxes, typed
    from eyespot.distributed.world import world
    from eyespot.recipes.train import train as recipe

    default = click.core.ParameterSource.DEFAULT
    given = {name: value for name, value in options.items() if context.get_parameter_source(name) != default}
    if "head" in given:
        given["head"] = typed.widths(given["head"])
    if given.pop("allow_code", False):
        given["model"] = Own.of_code(given.get("model", ""))
    is_writer = world().is_writer
    with show.progress(quiet=quiet or not is_writer) as progress:
        result = recipe(data, progress=progress, **given)
    if is_writer:
        show.json_or(as_json, result, show_boxes.trained)
        if open:
            afterwards.open_report(result.report)


@main.command()
@click.argument("run")
@click.argument("pictures", nargs=-1, metavar="PICTURES...")
@click.option("--topk", type=int, default=3, show_default=True, help="Classes named for each picture.")
@image_option
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the answers to this file.")
@click.option("--where", is_flag=True, help="Classes: estimate a box around what speaks for the likeliest.")
@click.option("--refuse", type=float, metavar="SHARE", help="Known pictures refused at most, or 0.  [default: 0.05]")
@click.option("--threshold", metavar="NUMBER", help="Least probability, or score of a box; auto, the model's own rule.")
@click.option("--set", "set", type=float, metavar="SHARE", help="Classes of which one is true so often: 0.8 to 0.99.")
@click.option("--iou", type=float, help="Boxes: of two that overlap by more only the surer one.  [default: 0.6]")
@click.option("--max-boxes", type=int, help="Boxes: for a picture.  [default: 100]")
@click.option("--draw", type=click.Path(path_type=Path), help="Boxes or --where: write drawn copies of pictures here.")
@click.option("--save-txt", type=click.Path(path_type=Path), help="Boxes or --where: write texts here, as YOLO does.")
@click.option("--save-crop", type=click.Path(path_type=Path), help="Boxes or --where: write each box, cut out, here.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@cluster_option
@json_option
@quiet_option
@told
def predict(
    csv_file: Path | None, threshold: str | None, overwrite: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Name the likeliest classes of PICTURES, by the model in RUN: files, folders, CSVs of paths, Parquet files, and
    addresses such as s3://bucket/new.

    RUN is a run folder such as runs/train/photos, its bundle, or a copied bundle alone. A detector, of a run on
    pictures with boxes, finds boxes instead; a model of several labels names all that are likely enough.

    A picture that is unlike all classes is "none of these". At most 5 of 100 pictures of known classes are refused so;
    --refuse 0.01 refuses 1, and fewer others, too. --set 0.95 names the classes of which, 95 times in 100, one is true.

    --where estimates a box of each picture's likeliest class from what raised its score: a start for boxes of your own.
    With it, --save-txt writes texts of five columns and the classes' names, as labelling programs and `train` read
    them; a detector's texts have the probability as a sixth.
    """
    from eyespot.cli import show, typed
    from eyespot.files import require_writable
    from eyespot.recipes.predict import predict as recipe

    if not options["pictures"]:
        raise typed.forgotten(options["run"])
    least = typed.threshold(threshold)
    if csv_file:
        require_writable(csv_file, overwrite=overwrite)
    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, overwrite=overwrite, threshold=least, **options)
    if csv_file:
        show.write_predictions(csv_file, result)
    show.json_or(as_json, result, show.predicted)
    if all(each.set_aside is not None for each in result):
        sys.exit(1)  # each was named, with its reason


@main.command()
@click.argument("run")
@click.argument("data", required=False)
@click.option("--split", default="auto", show_default=True, help="The part to read: train, val, test, all; auto.")
@click.option("--min-accuracy", type=float, metavar="SHARE", help="End with status 1 below this accuracy.")
@click.option("--min-map50", type=float, metavar="SHARE", help="Of a detector: end with status 1 below this mAP50.")
@read_options
@cluster_option
@json_option
@quiet_option
@told
def val(as_json: bool, quiet: bool, **options: Any) -> None:
    """Measure the model in RUN on the labelled pictures of DATA, of any kind that `train` takes.

    Without DATA on the test pictures that RUN itself kept, where they were in training. auto reads test, else val, else
    everything. A folder that is not split is read whole.
    """
    from eyespot.cli import show, show_boxes
    from eyespot.errors import TooLow
    from eyespot.recipes.val import val as recipe

    try:
        with show.progress(quiet=quiet) as progress:
            result = recipe(progress=progress, **options)
    except TooLow as low:
        show.json_or(as_json, low.result, show_boxes.validated)
        raise
    show.json_or(as_json, result, show_boxes.validated)


@main.command()
@click.argument("data")
@click.option("--out", required=True, help="The file to write, ending in .npz.")
@click.option("--model", metavar="MODEL", help="A run, or a network of `networks`.  [default: efficientnet_lite0]")
@read_options
@click.option("--precision", default="auto", show_default=True, help="auto, fp32 or bf16.")
@click.option("--overwrite", is_flag=True, help="Replace the file where it exists.")
@cluster_option
@json_option
@quiet_option
@told
def embed(as_json: bool, quiet: bool, **options: Any) -> None:
    """Write the features of every picture in DATA, of any kind that `train` takes, as plain arrays.

    The file holds `features` (N, D), `pictures`, `classes` and `parts`; numpy.load reads it. They are what MODEL gives
    before its head: a run's own, or those of a network with published weights that are on this computer.
    """
    from eyespot.cli import show
    from eyespot.recipes.embed import embed as recipe

    with show.progress(quiet=quiet) as progress:
        result = recipe(progress=progress, **options)
    show.json_or(as_json, result, show.embedded)


for _name in config.COMMANDS:
    config.add_to(main.commands[_name])
