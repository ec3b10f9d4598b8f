"""What a person may choose for `train`, checked once, for the command line and Python alike."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PrivateAttr, ValidationError, field_validator

from eyespot.building.own import Own
from eyespot.data.changes import Changes
from eyespot.data.read_as import Layout, ReadAs
from eyespot.errors import OptionError
from eyespot.files import from_home
from eyespot.keywords import require_known, seconds_of
from eyespot.names import as_file_name
from eyespot.old_names import TRAIN, renamed
from eyespot.records import Record
from eyespot.words import some

Regime = Literal["frozen", "partial", "full", "scratch"]
OF_HEADS: tuple[Regime, ...] = ("frozen", "partial", "full")
OF_STEPS: tuple[Regime, ...] = ("partial", "full", "scratch")
USED_BY: dict[str, tuple[Regime, ...]] = {
    **dict.fromkeys(("head", "mirror", "weights"), OF_HEADS),
    **dict.fromkeys(("epochs", "batch", "lr", "optimizer", "schedule", "warmup", "weight_decay"), OF_STEPS),
    **dict.fromkeys(("smoothing", "mixup", "cutmix", "average", "dropout", "device"), OF_STEPS),
    **dict.fromkeys(("freeze", "replace_tail", "views"), ("partial",)),
    **dict.fromkeys(("augment", "stage_factor", "auxiliary"), ("full", "scratch")),
    **dict.fromkeys(("patience", "growing"), ("scratch",)),
}
"""Options that only some regimes use; all others are for every regime."""
_NAME = (
    'a plain folder name without any of <>:"/\\|?*, with no dot or blank at an end, of at most 200 bytes, and none '
    "that Windows keeps for devices, such as CON"
)


class TrainOptions(Record):
    """Every option of `train`; each has a default that suits a newcomer. None stands for the regime's own default.

    A description is what an error asks for; options that are one of several words need none.
    """

    model: str = Field(default="auto", min_length=1, description="auto, or a name that `eyespot networks` lists")
    """auto: LeNet-5 for gray pictures of at most 64 px, else the pretrained EfficientNet-Lite0."""
    weights: str | None = Field(default=None, min_length=1, description="a tag such as imagenet, or a file")
    """Published weights to begin with, as `eyespot networks NAME` lists them, or a file; None for the first published.
    Nothing is downloaded."""
    imgsz: int | None = Field(default=None, ge=32, le=1024, multiple_of=32, description="a multiple of 32 up to 1024")
    """Side of the images that the network takes, pixels; None for what it was made for. Half the side is a quarter of
    the work."""
    regime: Literal["auto", "frozen", "partial", "full", "scratch"] = "auto"
    """How much of the network trains: frozen, only its head; partial, all after `freeze`; full, everything, from
    published weights; scratch, everything, from random ones. auto: the number of pictures per class decides, or, with
    `time`, the clock and the validation pictures."""
    freeze: str | None = Field(default=None, min_length=1, description="a stage's name such as stage5, or a count")
    """Up to where the network stays frozen: a stage's name, or how many stages, the stem being the first. For the
    regime partial, which it chooses, too; there its default is the stage after which a third of the work lies."""
    replace_tail: str | None = Field(
        default=None, min_length=1, description="layers such as 'conv 3x3 128, pool, fc 64'"
    )
    """New layers in place of all that comes after `freeze`."""
    time: float | None = Field(default=None, gt=0, le=30 * 86_400, description="a time such as 90s, 5m or 1h")
    """Seconds that the whole run may take. The ladder of regimes is climbed as far as they allow; what is not better on
    the validation pictures is discarded."""
    views: int | None = Field(default=None, ge=1, le=64, description="a whole number from 1 to 64")
    """Partial: activations of this many views are kept of each picture: itself, its mirror image where `mirror` allows
    it, and drawn ones."""
    head: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(
        default=(), description="1 to 65536 units for each hidden layer, such as 256,128"
    )
    """Widths of hidden layers before the softmax: none, since a good backbone's features need none."""
    output: Literal["softmax", "sigmoid"] = "softmax"
    """With two classes, `sigmoid` gives the network one output instead of two."""
    class_weight: Literal["auto", "none"] = "auto"
    """auto: where one class has over 3 times the pictures of another, every class weighs the same."""
    mirror: Literal["auto", "yes", "no"] = "auto"
    """auto: mirror images are trained on where cross-validation is not worse; never for digits and letters."""
    augment: Literal["auto", "none", "photos", "photos-unmirrored", "small-photos", "digits", "shift"] = "auto"
    """What each epoch does to pictures, as `eyespot augment` shows it; auto chooses by their size and kind."""
    growing: Literal["auto", "no"] = "auto"
    """auto: from scratch on many pictures, early epochs see smaller images where the network takes them."""
    epochs: int | None = Field(default=None, ge=1, le=100_000, description="a whole number from 1 to 100000")
    """Passes over the pictures."""
    batch: int | None = Field(default=None, ge=1, le=65_536, description="a whole number from 1 to 65536")
    """Pictures in a step."""
    lr: float | None = Field(default=None, gt=0, le=10, description="a number above 0, at most 10")
    """Highest learning rate, of the last stage."""
    optimizer: Literal["sgd", "adam", "adamw", "muon"] | None = None
    """sgd with Nesterov's momentum 0.9; adam; adamw, whose weight decay is apart from the gradient's size; muon, which
    turns convolutions in all directions alike."""
    schedule: Literal["one-cycle", "cosine", "linear", "step", "constant"] | None = None
    """How the learning rate goes from the first step to the last."""
    warmup: float | None = Field(default=None, ge=0, lt=1, description="a share of the steps from 0 up, below 1")
    """Share of the steps in which it rises."""
    weight_decay: float | None = Field(default=None, ge=0, le=1, description="a number from 0 to 1")
    """Not on biases and norms."""
    stage_factor: float | None = Field(default=None, gt=0, le=1, description="a number above 0, at most 1")
    """Each stage learns at this many times the rate of the next stage."""
    smoothing: float | None = Field(default=None, ge=0, lt=1, description="a number from 0 up, below 1")
    """Share of every target that is spread over all classes."""
    mixup: float | None = Field(default=None, ge=0, le=100, description="a number from 0 to 100; 0 for none")
    """Alpha of mixup, which mixes pictures in pairs."""
    cutmix: float | None = Field(default=None, ge=0, le=100, description="a number from 0 to 100; 0 for none")
    """Alpha of CutMix, which puts a window of one picture into another; with mixup, each has half of the pairs."""
    average: float | None = Field(default=None, ge=0, lt=1, description="a number from 0 up, below 1; 0 for none")
    """Share of the averaged weights that a step keeps; the averaged ones are those that answer."""
    dropout: float | None = Field(default=None, ge=0, lt=1, description="a number from 0 up, below 1")
    """Before the last layer; None leaves the network as it is."""
    auxiliary: Literal["auto", "no"] = "auto"
    """auto: GoogLeNet and Inception v3 train with their auxiliary heads."""
    patience: int | None = Field(default=None, ge=1, description="a whole number from 1 up")
    """Epochs without a better validation loss before training from scratch stops."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where steps are computed; auto is the fastest that is there."""
    layout: Layout = "auto"
    """What the folders on each level are, where that does not show: `any/class` for classes in folders of any kind."""
    image_column: str | None = Field(default=None, min_length=1, description="the name of a column")
    """Of a table or Parquet files: the column of the pictures."""
    label_column: str | None = Field(default=None, min_length=1, description="the name of a column")
    """The column of the classes."""
    split_column: str | None = Field(default=None, min_length=1, description="the name of a column")
    """The column that says which pictures train and which test."""
    more: tuple[Path, ...] = Field(default=(), description="paths of folders, or of other data")
    """Further data, whose pictures come to the others: new ones in class folders of their own."""
    exclude: Path | None = Field(default=None, description="the path of a list, as `eyespot audit` writes it")
    """Single pictures that are left out, or get another class, as this list says; no file is touched."""
    yes: bool = Field(default=False, description="True or False")
    """Whether that list may leave out more than half of a class."""
    group: str = Field(default="auto", min_length=1, description="auto, off, or the path of a CSV")
    """What stays on one side of the split: auto, pictures that show the same thing; or what a CSV with the columns
    picture and group says: people, patients, cameras."""
    parts_of: Path | None = Field(default=None, description="the folder of a run, such as runs/train/photos")
    """A run whose pictures keep the parts that they had there, so that what it was tested on is tested on again."""
    seed: int = Field(default=0, ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
    """Decides the split, the folds, what chance does to pictures, and the first weights when training from scratch."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where the processor has it, else fp32."""
    name: str | None = Field(default=None, description=_NAME)
    """Name of the run's folder; by default the data's name and a number."""
    out: Path = Field(default=Path("runs"), description="the path of a folder")
    """Folder under which `train/NAME` is made."""
    _own: Own | None = PrivateAttr(default=None)

    @property
    def own(self) -> Own | None:
        """The network that was handed in, where `model` names one."""
        return self._own

    def with_network(self, own: Own | None) -> TrainOptions:
        """The same with that network."""
        made = self.model_copy()
        made._own = own
        return made

    @property
    def read_as(self) -> ReadAs:
        """How the data are to be read."""
        return ReadAs(self.layout, self.image_column, self.label_column, self.split_column)

    @property
    def changes(self) -> Changes:
        """What is wanted otherwise than the folders have it."""
        return Changes(self.more, self.exclude, self.yes, self.parts_of)

    @field_validator("more", mode="before")
    @classmethod
    def _may_be_one(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str | Path) else given

    @field_validator("exclude", "parts_of")
    @classmethod
    def _from_home(cls, given: Path | None) -> Path | None:
        return given and from_home(given)

    @field_validator("freeze", "weights", "group", mode="before")
    @classmethod
    def _as_on_a_command_line(cls, given: Any) -> Any:
        """From Python a count may be a number, and a file a path."""
        is_text = isinstance(given, Path) or (isinstance(given, int) and not isinstance(given, bool))
        return str(given) if is_text else given

    @field_validator("time", mode="before")
    @classmethod
    def _in_seconds(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        return seconds_of(given)

    @field_validator("name")
    @classmethod
    def _is_a_folder_name(cls, name: str | None) -> str | None:
        if name is not None and as_file_name(name) != name:
            raise ValueError
        return name


def train_options(**given: Any) -> TrainOptions:
    """The options, checked. Raises OptionError for a name that does not exist and for a value that cannot be used."""
    given = renamed(given, TRAIN)
    require_known(given, TrainOptions.model_fields, verb="train")
    try:
        options = TrainOptions(**given)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        value = given[name]
        shown = ",".join(map(str, value)) if isinstance(value, tuple | list) else repr(value)
        raise OptionError(f"the option {name} cannot be {shown}: give {_wanted(name)}") from None
    if options.replace_tail is not None:
        _require_a_cut(options)
    if options.freeze is not None and options.regime not in ("auto", "partial"):
        raise OptionError(f"the option freeze is for the regime partial: leave out regime {options.regime}, or freeze")
    if options.time is not None and options.epochs is not None:
        raise OptionError("the option epochs cannot be given together with time, which decides them: leave one out")
    if options.yes and options.exclude is None:
        raise OptionError("the option yes is for the list that exclude names, and none is given: leave yes out")
    if options.mirror == "no" and options.augment in ("photos", "small-photos"):
        raise OptionError(
            f"the option augment cannot be {options.augment!r} where mirror is no, since it mirrors pictures: give "
            "photos-unmirrored or shift, or leave mirror out"
        )
    return options


def require_used(options: TrainOptions, regimes: Iterable[Regime], *, why: str) -> None:
    """Raises OptionError for options that were given, whatever their value, and that none of `regimes` uses.

    why: those regimes, as the end of a sentence: "this run is frozen".
    """
    for name in TrainOptions.model_fields:
        users = USED_BY.get(name)
        if name in options.model_fields_set and users and not set(users) & set(regimes):
            raise OptionError(
                f"the option {name} is only for the regime{'s' * (len(users) > 1)} {some(users)}, and {why}: leave "
                f"the option out, or choose regime {' or '.join(users)}"
            )


def _require_a_cut(options: TrainOptions) -> None:
    from eyespot.training.tail_words import parse_tail

    if options.freeze is None:
        raise OptionError("the option replace_tail needs the stage after which the new layers come: give freeze, too")
    if options.head:
        layers = ", ".join(f"fc {width}" for width in options.head)
        raise OptionError(
            f"the option head cannot be given together with replace_tail: write its layers there, {layers}"
        )
    parse_tail(str(options.replace_tail))


def _wanted(name: str) -> str:
    """What an option takes, in words."""
    field = TrainOptions.model_fields[name]
    if field.description:
        return field.description
    words = [
        word for each in get_args(field.annotation) for word in (get_args(each) or (each,)) if word is not type(None)
    ]
    return f"{', '.join(words[:-1])} or {words[-1]}"
