"""What a person may choose for `train`, checked once, for the command line and Python alike."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator

from eyespot.errors import OptionError
from eyespot.records import Record

ModelName = Literal["auto", "efficientnet_lite0", "lenet5"]
USED_BY: dict[str, str] = {
    **dict.fromkeys(("head", "output", "class_weight", "mirror"), "efficientnet_lite0"),
    **dict.fromkeys(("epochs", "batch", "lr", "patience"), "lenet5"),
}
"""Options that one model alone uses; all others are for every model."""
OF_TAILS = ("epochs", "batch", "lr")
"""Options of training from scratch that training a tail uses, too."""
_FORBIDDEN = '<>:"/\\|?*'
"""In the name of a folder, on one system or another."""


class TrainOptions(Record):
    """Every option of `train`; each has a default that suits a newcomer.

    A description is what an error asks for; options that are one of several words need none.
    """

    model: ModelName = "auto"
    """auto: LeNet-5 for grey pictures of at most 64 px, else the pretrained EfficientNet-Lite0, frozen."""
    regime: Literal["auto", "frozen", "partial"] = "auto"
    """How much of the pretrained network trains: frozen, its head alone; partial, all behind `freeze`. auto: frozen,
    which is best for up to some hundred pictures a class and takes seconds, unless `freeze` is given."""
    freeze: str | None = Field(default=None, min_length=1, description="a stage's name such as stage5, or a count")
    """Up to where the network stays frozen: a stage's name, or how many stages, the stem being the first. For the
    regime partial, which it chooses, too; there its default is stage5."""
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
    epochs: int = Field(default=30, ge=1, le=100_000, description="a whole number from 1 to 100000")
    """Most passes over the pictures, when training from scratch; it stops early. Partial: passes, 4 unless given."""
    batch: int = Field(default=32, ge=1, le=65_536, description="a whole number from 1 to 65536")
    """Pictures in a step, when training from scratch or partially."""
    lr: float = Field(default=4e-3, gt=0, le=10, description="a number above 0, at most 10")
    """Highest learning rate of Adam, when training from scratch; partial: of AdamW, 0.001 unless given."""
    patience: int = Field(default=10, ge=1, description="a whole number from 1 up")
    """Epochs without a better validation loss before training from scratch stops."""
    seed: int = Field(default=0, ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
    """Decides the split, the folds, and the first weights when training from scratch."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where the processor has it, else fp32."""
    name: str | None = Field(default=None, description=f"a plain folder name without any of {_FORBIDDEN}")
    """Name of the run's folder; by default the data's name and a number."""
    out: Path = Field(default=Path("runs"), description="the path of a folder")
    """Folder under which `train/NAME` is made."""

    @property
    def is_partial(self) -> bool:
        return self.regime == "partial" or self.freeze is not None

    @field_validator("name")
    @classmethod
    def _is_a_folder_name(cls, name: str | None) -> str | None:
        if name is not None and (not name.strip(" .") or any(c in _FORBIDDEN or ord(c) < 32 for c in name)):
            raise ValueError
        return name


def train_options(**given: Any) -> TrainOptions:
    """The options, checked. Raises OptionError for a name that does not exist and for a value that cannot be used."""
    for name in given.keys() - TrainOptions.model_fields.keys():
        close = difflib.get_close_matches(name, TrainOptions.model_fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(TrainOptions.model_fields)}"
        raise OptionError(f"train has no option {name!r}: {hint}")
    try:
        options = TrainOptions(**given)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        value = given[name]
        shown = ",".join(map(str, value)) if isinstance(value, tuple | list) else repr(value)
        raise OptionError(f"the option {name} cannot be {shown}: give {_wanted(name)}") from None
    if options.freeze is not None and options.regime == "frozen":
        raise OptionError("the option freeze is for the regime partial: leave out regime frozen, or freeze")
    if options.model != "auto":
        require_used(options, options.model)
    return options


def require_used(options: TrainOptions, model: str) -> None:
    """Raises OptionError for options that were given, whatever their value, and that `model` does not use."""
    idle = [name for name in TrainOptions.model_fields if name in options.model_fields_set and name in USED_BY]
    idle = [name for name in idle if USED_BY[name] != model]
    if model == "lenet5" and (options.freeze or options.regime != "auto"):
        raise OptionError(
            f"the option {'freeze' if options.freeze else 'regime'} is for the pretrained efficientnet_lite0, and the "
            "model is lenet5, which learns from scratch: leave the option out, or choose model efficientnet_lite0"
        )
    if options.is_partial:
        idle = [name for name in idle if name not in OF_TAILS]
    if idle:
        other = USED_BY[idle[0]]
        why = " (auto chose it for these pictures)" if options.model == "auto" else ""
        tails = idle[0] in OF_TAILS
        raise OptionError(
            f"the option {idle[0]} is used by {other}{' and by the regime partial' * tails} alone, and the model is "
            f"{model}{why}: leave the option out, or choose model {other}{' or regime partial' * tails}"
        )


def _wanted(name: str) -> str:
    """What an option takes, in words."""
    field = TrainOptions.model_fields[name]
    if field.description:
        return field.description
    *words, last = get_args(field.annotation)
    return f"{', '.join(words)} or {last}"
