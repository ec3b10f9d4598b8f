"""A trained model in Python: `eyespot.load(run)`, then `predict` and `evaluate`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from eyespot.answering.opened import Opened, predictions
from eyespot.answering.results import Prediction, ValResult
from eyespot.answering.rules import RuleOptions, rules_of
from eyespot.bundle.exported import is_exported, read_exported
from eyespot.bundle.files import GRAPH, MANIFEST, DetectorBundle, MultilabelBundle, read_any_bundle, what_holds
from eyespot.data.read_as import read_as
from eyespot.errors import BundleError
from eyespot.progress import Progress, silent

if TYPE_CHECKING:
    from eyespot.answering.detector import Detector
    from eyespot.answering.multilabel import MultilabelModel
    from eyespot.bundle.files import AnyBundle


class Model(Opened):
    """A trained model, ready to answer. Made by `load`."""

    def predict(
        self,
        pictures: str | Path | Iterable[str | Path],
        *,
        topk: int = 3,
        refuse: float | None = None,
        threshold: float | Literal["auto"] = "auto",
        set: float | None = None,
        progress: Progress = silent,
    ) -> list[Prediction]:
        """The likeliest classes of each picture, in the order given; folders are searched through.

        pictures: one path or several, of files or folders.
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

    def evaluate(
        self, data: str | Path, *, split: str = "auto", progress: Progress = silent, **reading: str | None
    ) -> ValResult:
        """Accuracy with its interval, and everything else that `eyespot val` measures.

        data: a folder of class folders, split or not, or "digits".
        split: the part to read: train, val, test or all; auto is test, else val, else all.
        reading: `layout`, `image_column`, `label_column` and `split_column`, as `train` has them.
        """
        from eyespot.answering.evaluation import evaluation  # which `predict` does without

        return evaluation(self, data, split=split, progress=progress, how=read_as(**reading))


def load(path: str | Path) -> Model | Detector | MultilabelModel:
    """The model in a run folder, in its `bundle`, in a copied bundle, or in a file that `export` made.

    A Model names classes; a Detector, of a run on pictures with boxes, finds boxes; a MultilabelModel gives pictures
    labels, of which each may have several. The graph in a bundle stands for it. Raises BundleError if there is none,
    or if it is damaged, unsafe or of a newer format.

    >>> model = eyespot.load("runs/train/digits")
    >>> model.classes
    ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
    """
    folder = Path(path).parent
    of_bundle = Path(path).name == GRAPH and (folder / MANIFEST).is_file()
    if is_exported(path) and not of_bundle:
        bundle: AnyBundle = read_exported(path)
    else:
        bundle = read_any_bundle(folder if of_bundle else path)
    if isinstance(bundle, DetectorBundle):
        from eyespot.answering.detector import Detector

        return Detector(bundle)
    if isinstance(bundle, MultilabelBundle):
        from eyespot.answering.multilabel import MultilabelModel

        return MultilabelModel(bundle)
    return Model(bundle)


def load_classifier(path: str | Path) -> Model:
    """The same for what only models that name classes can do. Raises BundleError for others."""
    model = load(path)
    if not isinstance(model, Model):
        raise BundleError(f"{path} holds {what_holds(model.bundle)}; this is for models that name classes")
    return model
