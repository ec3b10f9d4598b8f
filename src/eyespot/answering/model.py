"""A trained model in Python: `eyespot.load(run)`, then `predict` and `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from eyespot.answering.opened import Opened, predictions
from eyespot.answering.results import Prediction, ValResult
from eyespot.answering.rules import RuleOptions, rules_of
from eyespot.bundle.exported import is_exported, read_exported
from eyespot.bundle.files import GRAPH, MANIFEST, DetectorBundle, MultilabelBundle, read_any_bundle, what_holds
from eyespot.data.handed import Pictures
from eyespot.data.read_as import ReadKeywords, read_as
from eyespot.errors import BundleError
from eyespot.files import from_home
from eyespot.progress import Progress, shows_progress, silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from eyespot.answering.detector import Detector
    from eyespot.answering.multilabel import MultilabelModel
    from eyespot.bundle.files import AnyBundle
    from eyespot.data.handed_sets import Data


M = TypeVar("M", "Model", "Detector", "MultilabelModel")


class Model(Opened):
    """A trained model, ready to answer. Made by `load`."""

    @shows_progress
    def predict(
        self,
        pictures: Pictures,
        *,
        topk: int = 3,
        refuse: float | None = None,
        threshold: float | Literal["auto"] = "auto",
        set: float | None = None,
        progress: Progress = silent,
    ) -> list[Prediction]:
        """The likeliest classes of each picture, in the order given; folders are searched through.

        pictures: one or several: paths of files, folders or patterns such as "new/*.jpg", PIL pictures, arrays
            (H, W, 3) or (H, W) of uint8 or of floats 0 to 1, torch tensors (3, H, W), batches of these (N, H, W, 3),
            bytes of picture files, open files.
        topk: classes named for each picture, at least 1.
        refuse: the share of pictures of known classes that may be refused, 0.1, 0.05, 0.02 or 0.01; 0 refuses none.
            None for 0.05 where the model can promise that.
        threshold: the probability below which an answer is refused; auto for the model's own rule, which is the
            likeness to its classes.
        set: the share of sets that hold the true class, 0.8, 0.9, 0.95 or 0.99; None for no sets.
        """
        options = RuleOptions(refuse=refuse, threshold=threshold, set=set)
        rules = rules_of(self.manifest, options, model=self.bundle.folder)
        return predictions(self, pictures, topk=topk, rules=rules, progress=progress)

    @shows_progress
    def probabilities(self, pictures: Pictures, *, progress: Progress = silent) -> NDArray[np.float32]:
        """The probability of each class for each picture, (N, classes), float32, in the order of `classes`.

        pictures: as for `predict`; each has a row, in the order given, and none is refused.
        Raises DataError for a picture that cannot be read.
        """
        from eyespot.answering.numbers import probabilities_of

        return probabilities_of(self, pictures, progress=progress)

    @shows_progress
    def embed(self, pictures: Pictures, *, progress: Progress = silent) -> NDArray[np.float32]:
        """The features of each picture, (N, D), float32: what the network gives before its head.

        pictures: as for `predict`; each has a row, in the order given.
        Raises DataError for a picture that cannot be read, BundleError for an exported file, which gives no features.

        >>> eyespot.load("runs/train/digits").embed("seven.png").shape
        (1, 84)
        """
        from eyespot.answering.numbers import features_of

        return features_of(self, pictures, progress=progress)

    @shows_progress
    def evaluate(
        self,
        data: Data | None = None,
        *,
        split: str = "auto",
        progress: Progress = silent,
        **reading: Unpack[ReadKeywords],
    ) -> ValResult:
        """Accuracy with its interval, and everything else that `eyespot val` measures.

        data: labelled pictures of any kind that `train` takes; None for the pictures that the run kept.
        split: the part to read: train, val, test or all; auto is test, else val, else all.
        reading: `layout`, `image_column`, `label_column` and `split_column`, as `train` has them.
        """
        from eyespot.answering.evaluation import evaluation  # which `predict` does without

        return evaluation(self, data, split=split, progress=progress, how=read_as(**reading))


@overload
def load(path: str | Path, kind: type[M]) -> M: ...


@overload
def load(path: str | Path, kind: None = None) -> Model | Any: ...


def load(path: str | Path, kind: type[Any] | None = None) -> Any:
    """The model in a run folder, in its `bundle`, in a copied bundle, or in a file that `export` made.

    A Model names classes; a Detector, of a run on pictures with boxes, finds boxes; a MultilabelModel gives pictures
    labels, of which each may have several. The graph in a bundle stands for it.
    kind: Model, Detector or MultilabelModel, where only that will do: editors know then which one comes out.
    Raises BundleError if there is none, or if it is damaged, unsafe, of a newer format or another kind.

    >>> model = eyespot.load("runs/train/digits")
    >>> model.classes
    ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
    """
    from_home(path)  # which says that it is no path
    folder = Path(path).parent
    of_bundle = Path(path).name == GRAPH and (folder / MANIFEST).is_file()
    if is_exported(path) and not of_bundle:
        bundle: AnyBundle = read_exported(path)
    else:
        bundle = read_any_bundle(folder if of_bundle else path)
    if isinstance(bundle, DetectorBundle):
        from eyespot.answering.detector import Detector

        return _of_kind(Detector(bundle), kind, path)
    if isinstance(bundle, MultilabelBundle):
        from eyespot.answering.multilabel import MultilabelModel

        return _of_kind(MultilabelModel(bundle), kind, path)
    return _of_kind(Model(bundle), kind, path)


def load_classifier(path: str | Path) -> Model:
    """The same for what only models that name classes can do. Raises BundleError for others."""
    return load(path, Model)


def _of_kind(
    model: Model | Detector | MultilabelModel, kind: type[Any] | None, path: str | Path
) -> Model | Detector | MultilabelModel:
    if kind is None or isinstance(model, kind):
        return model
    wanted = {"Model": "that name classes", "Detector": "that find boxes"}.get(kind.__name__, "of several labels")
    raise BundleError(f"{path} holds {what_holds(model.bundle)}; this is for models {wanted}")
