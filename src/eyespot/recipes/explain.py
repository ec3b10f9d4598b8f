"""`explain`: where the answer to a picture, or one of its boxes, comes from, and whether that holds.

Needs no torch. A server asks an `Explainer`, which draws no page and makes no file.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pydantic import Field

from eyespot import machine
from eyespot.bundle.files import Bundle, DetectorBundle, MultilabelBundle, Naming, notes_on, read_any_bundle
from eyespot.data.framed import shown_in
from eyespot.data.pictures import naming, read_named, read_small, read_with_window
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import OptionError
from eyespot.explaining.deletion import Deletion, deletion_test
from eyespot.explaining.drawing import PANEL, Explained, draw
from eyespot.explaining.find_similar import find_similar, stored_similar
from eyespot.explaining.heat import HeatMap, Method, asking, heat_of, overlay_png
from eyespot.explaining.network import Grounded, Network
from eyespot.explaining.similar import MOST_SIMILAR, Near, Similar
from eyespot.files import chosen_file, write_chosen
from eyespot.keywords import require_known
from eyespot.names import printable
from eyespot.progress import Progress, announce, shows_progress, silent
from eyespot.records import Fraction, Record, Window
from eyespot.words import nearest

if TYPE_CHECKING:
    from eyespot.detecting.explained import BoxExplanation


@dataclass(frozen=True)
class Asked:
    """What is asked of an answer."""

    class_: str | None = None
    """The class to explain; None for the likeliest."""
    similar: int = 5
    """Training pictures shown, 0 to 12. They are looked for in what the run was trained on."""
    data: str | Path | None = None
    """Where that is now, if it was moved."""

    def __post_init__(self) -> None:
        if not 0 <= self.similar <= MOST_SIMILAR:
            raise OptionError(f"the option similar must be 0 to {MOST_SIMILAR}, not {self.similar}")


@dataclass(frozen=True)
class AskedOfBox:
    """What is asked of a detector's box."""

    box: int | None = None
    """Its number among those that `predict` names, the surest being 1; None for the surest."""
    class_: str | None = None
    """The class of which the surest box is explained."""
    threshold: float | None = None
    """Least score of a box; None for the model's own."""

    def __post_init__(self) -> None:
        if self.box is not None and self.box < 1:
            raise OptionError(f"the option box must be at least 1, the surest, not {self.box}")
        if self.box is not None and self.class_ is not None:
            raise OptionError("the options box and class exclude each other: each says which box to explain")


class ExplainKeywords(TypedDict, total=False):
    """The options of Asked and AskedOfBox as keywords of Python."""

    class_: str | None
    similar: int | None
    data: str | Path | None
    box: int | None
    threshold: float | None


class SimilarPicture(Record):
    """A picture that the model was trained on."""

    class_: str = Field(serialization_alias="class")
    similarity: float = Field(ge=-1, le=1)
    """The cosine of the angle between the features: 1 where the network sees no difference."""


class ExplainResult(Record):
    """Where the answer to one picture comes from."""

    picture: str
    out: str
    """The PNG that was written."""
    class_: str = Field(serialization_alias="class")
    """The class explained: the likeliest, where none was named."""
    probability: Fraction
    method: Method
    places_hw: tuple[int, int]
    """Height and width of the heat map."""
    window: Window
    """The part of the picture that the network saw."""
    deletion: Deletion
    similar: tuple[SimilarPicture, ...]
    """The most similar pictures that the model was trained on, the most similar first."""
    sentence: str
    """What the heat map can tell, and what it cannot."""
    notes: tuple[str, ...]


@shows_progress
def explain(
    run: str | Path,
    picture: str | Path,
    *,
    out: str | Path,
    overwrite: bool = False,
    progress: Progress = silent,
    **options: Unpack[ExplainKeywords],
) -> ExplainResult | Any:
    """Where the model's answer to a picture comes from, or one of its boxes, drawn into a PNG.

    run: a run folder or a bundle.
    out: the PNG to write; one that is there is replaced only with `overwrite`.
    options: `class_`, `similar` and `data`, as in `Asked`; of a detector those of `AskedOfBox`, and a BoxExplanation
        comes out.
    Raises OptionError, DataError if the picture cannot be read, BundleError.
    """
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    known = dict.fromkeys(each.name for kind in (Asked, AskedOfBox) for each in fields(kind))
    require_known(options, known, verb="explain", also=("out", "overwrite"))
    path = chosen_file(out, ".png", option="out", overwrite=overwrite)
    bundle = read_any_bundle(run)
    if isinstance(bundle, DetectorBundle):
        _require_meant(given, AskedOfBox, f"for models that name classes, and the model in {run} finds boxes")
        announce(progress, *notes_on(bundle))
        return _box(bundle, picture, path, AskedOfBox(**given))
    _require_meant(given, Asked, f"for detectors, and the model in {run} names classes")
    if isinstance(bundle, MultilabelBundle):
        _require_one_class(given, run)
    return _answer(bundle, picture, path, Asked(**given), progress)


def _require_meant(given: Mapping[str, Any], kind: type, whose: str) -> None:
    known = [each.name for each in fields(kind)]
    for name in given:
        if name not in known:
            raise OptionError(f"the option {name} is {whose}: leave it out")


def _require_one_class(given: Mapping[str, Any], run: str | Path) -> None:
    """Raises OptionError for what is asked of training pictures, of which a model of several labels keeps none."""
    for name in ("similar", "data"):
        if given.get(name):
            raise OptionError(
                f"the option {name} is for models that name one class, and the model in {run} gives pictures several "
                "labels: leave it out"
            )


def _box(bundle: DetectorBundle, picture: str | Path, path: Path, asked: AskedOfBox) -> BoxExplanation:
    """One box explained, and drawn into `path`."""
    from eyespot.answering.detector import Detector  # which naming classes does without
    from eyespot.detecting.explained import chosen_box, explained_box, see

    detector = Detector(bundle)
    if asked.class_ is not None:
        _index(bundle, asked.class_)  # which says what there is, where this is none
    name, file = read_named(picture)
    seen = see(detector, file, name=name, threshold=asked.threshold)
    number = chosen_box(seen, box=asked.box, class_=asked.class_)
    explained, said = explained_box(detector, seen, number, out=printable(str(path)))
    write_chosen(path, draw(explained))
    return said


def _answer(bundle: Naming, picture: str | Path, path: Path, asked: Asked, progress: Progress) -> ExplainResult:
    """An answer explained, and drawn into `path`."""
    index = None if asked.class_ is None else _index(bundle, asked.class_)
    name, file = read_named(picture)
    network, classes = _network_of(bundle), bundle.manifest.classes
    explained, answer = _explained(network, file, name, index)
    found, note = _similar(network, asked, progress)
    near = found.nearest(answer.features, asked.similar) if found else []
    write_chosen(path, draw(replace(explained, similar=near)))
    heat = explained.heat
    return ExplainResult(
        picture=name,
        out=printable(str(path)),
        class_=heat.class_,
        probability=heat.probability,
        method=heat.method,
        places_hw=heat.values.shape,
        window=explained.window,
        deletion=explained.deletion,
        similar=tuple(SimilarPicture(class_=classes[each.class_index], similarity=each.similarity) for each in near),
        sentence=heat.sentence,
        notes=(*notes_on(bundle), *filter(None, [note])),
    )


def _similar(network: Network, asked: Asked, progress: Progress) -> tuple[Similar | None, str]:
    """The training pictures that may be like it, where the model keeps some; or why there are none."""
    wanted = asked.similar and isinstance(network.bundle, Bundle)
    return find_similar(network, asked.data, progress) if wanted else (None, "")


class Explainer:
    """Explains the answers of a bundle, for a server: several threads may call it, which it serves one by one.

    The network is compiled when first needed. Raises BundleError for a damaged `similar.npz` beside the bundle.
    """

    def __init__(self, bundle: Naming) -> None:
        self._bundle, self._working = bundle, threading.Lock()
        self._similar = stored_similar(bundle) if isinstance(bundle, Bundle) else None

    @property
    def similar(self) -> bool:
        """True if training pictures lie beside the bundle: `eyespot explain` puts them there."""
        return self._similar is not None

    def __call__(self, picture: bytes, class_name: str, *, heat_map: bool, similar: int) -> dict[str, Any]:
        """The entries `heat_map` and `similar` of the answer to a picture, as far as they are asked for.

        picture: the file. class_name: the class to explain. similar: training pictures at most.
        Raises UnreadablePicture, and OptionError for a class that there is not.
        """
        index = _index(self._bundle, class_name)
        preprocess = self._bundle.manifest.preprocess
        image, window = read_with_window(picture, preprocess)
        shown_hw = None if preprocess.fit == "crop" else shown_in(picture, preprocess)
        said: dict[str, Any] = {}
        with self._working:
            answer = self._network.answer(image)
            if heat_map:
                said["heat_map"] = self._drawn(heat_of(self._network, image, answer, index), window, shown_hw)
        if similar and self._similar is not None:
            said["similar"] = [self._said(each) for each in self._similar.nearest(answer.features, similar)]
        return said

    @cached_property
    def _network(self) -> Network:
        return _network_of(self._bundle)

    def _drawn(self, heat: HeatMap, window: Window, shown_hw: tuple[int, int] | None) -> dict[str, Any]:
        png = overlay_png(heat.values, self._bundle.manifest.preprocess.crop_hw, shown_hw=shown_hw)
        return {
            "class": heat.class_,
            "method": heat.method,
            "png": base64.b64encode(png).decode(),
            "window": [window.left, window.top, window.width, window.height],
            "sentence": heat.sentence,
        }

    def _said(self, near: Near) -> dict[str, Any]:
        jpeg = base64.b64encode(near.jpeg).decode()
        return {"class": self._bundle.manifest.classes[near.class_index], "similarity": near.similarity, "jpeg": jpeg}


def _network_of(bundle: Naming) -> Network:
    return Network(bundle, cache_folder=compiled_folder(machine.cache_folder()))


def _explained(network: Network, file: bytes, name: str, index: int | None) -> tuple[Explained, Grounded]:
    """What is drawn of a picture, without similar ones, and the network's answer to it.

    index: the class to explain; None for the likeliest. Raises DataError if the picture cannot be read.
    """
    preprocess = network.bundle.manifest.preprocess
    with naming(name):
        image, window = read_with_window(file, preprocess)
        small = read_small(file, PANEL, preprocess.levels)
        answer = network.answer(image)
        heat = heat_of(network, image, answer, int(answer.probabilities.argmax()) if index is None else index)
        deletion = deletion_test(asking(network, heat.class_index), image, heat)
    return Explained(small, image, window, heat, deletion, network.classes), answer


def _index(bundle: Naming | DetectorBundle, class_: str) -> int:
    classes = bundle.manifest.classes
    if class_ in classes:
        return classes.index(class_)
    hint = nearest(class_, classes, otherwise=f"there are {', '.join(classes[:10])}")
    raise OptionError(f"the model knows no class {printable(class_)!r}: {hint}")
