"""Exact softmax heads on features: multinomial logistic regression by L-BFGS, its L2 by cross-validation. No torch.

The loss of a head on N weighted pictures is

    mean over pictures of  weight * -log softmax(head(features))[label]   +   l2 / 2 * sum of squared weights

which for a head of one layer is convex: every run ends at the same minimum. Features are first rotated to their
principal axes, which changes neither loss nor answers, and each weight is scaled so that the loss curves about equally
in all directions where L-BFGS starts; it then needs a tenth of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eyespot import machine
from eyespot.data.copies import is_unbalanced
from eyespot.data.split import stratified_folds
from eyespot.errors import MachineError
from eyespot.heads.head import Head, HeadOptions, Samples
from eyespot.heads.problems import Problems, mean_loss
from eyespot.heads.rotation import Rotated

FOLDS = 5
STEP = 10**0.5
"""Ratio of neighbouring L2 values that are tried."""
FIRST_STRENGTH = 3e-5
"""The L2 tried first, as a share of the features' total variance."""
STRENGTHS = (1e-9, 1.0)
"""The range in which L2 is looked for, as shares of the features' total variance."""
SCORE_BYTES = 40
"""Memory that is reckoned with for each view and class: logits out of fold, and all that is made of them."""
LOOSE, TIGHT = 3e-5, 1e-8
"""Relative decrease of the loss at which L-BFGS stops: while comparing L2 values, and for the head that is kept."""


@dataclass(frozen=True)
class Trial:
    """One candidate, judged by cross-validation."""

    l2: float
    mirror: bool
    accuracy: float
    loss: float
    """Mean negative log likelihood of the true class, out of fold."""


@dataclass(frozen=True)
class FittedHead:
    """The head that is kept, and the cross-validation that chose it."""

    head: Head
    chosen: Trial
    trials: tuple[Trial, ...]
    out_of_fold: np.ndarray
    """Logits (N, classes) of every picture, from a head that had not seen it or its mirror image."""
    rotated: Rotated | None = None
    """The samples; None where the head was not fitted just now."""


def require_memory(views: int, classes: int) -> None:
    """Raises MachineError, before any features are computed, where a head for this many would not fit into memory.

    views: of all pictures together.
    """
    needed, there = views * classes * SCORE_BYTES, machine.memory_bytes()
    if there is not None and needed > there:
        raise MachineError(
            f"a head for {classes:,} classes on {views:,} views of pictures needs about {needed / 1e9:.0f} GB, "
            f"and this machine has {there / 1e9:.0f} GB of memory: leave out classes or pictures, or give --mirror no"
        )


def fit_head(samples: Samples, options: HeadOptions, *, rotated: Rotated | None = None) -> FittedHead:
    """The head with the L2, and with or without mirror images, that cross-validation finds best, fitted on everything.

    A picture and its mirror image always lie in the same fold.
    rotated: the same features along their axes, whatever its labels, where those are known.
    """
    options = settled(options, samples)
    rotated = rotated.with_labels(samples) if rotated else Rotated.of(samples)
    cv = _CrossValidation(rotated, options)
    chosen = cv.best()
    everything = np.ones((len(samples), 1), bool)
    problems = Problems(rotated, options, mirror=chosen.mirror, trained_on=everything)
    start = _between(cv.heads(chosen))
    (head,) = problems.minimise(np.array([chosen.l2]), start=[start], tolerance=TIGHT)
    return FittedHead(rotated.rotation.undo(head), chosen, tuple(cv.trials), cv.out_of_fold(chosen), rotated)


def out_of_fold_logits(samples: Samples, options: HeadOptions, *, repeats: int) -> np.ndarray:
    """Logits (repeats, N, classes) of every picture by heads that never saw it, not even to choose their L2."""
    options = settled(options, samples)
    runs = []
    for seeded in _seeded(options, repeats):
        fold = folds_of(samples.labels, seed=seeded.seed, group=samples.group)
        logits = np.zeros((len(samples), samples.classes), np.float32)
        for held_out in np.unique(fold):
            fitted = fit_head(samples.take(fold != held_out), seeded)
            logits[fold == held_out] = fitted.head.logits(samples.identity[fold == held_out])
        runs.append(logits)
    return np.stack(runs)


def repeated_logits(
    samples: Samples, options: HeadOptions, *, repeats: int, torn: bool = False, rotated: Rotated | None = None
) -> np.ndarray:
    """Logits (repeats, N, classes) out of fold, each time with other folds; each chooses one L2 for all its heads.

    torn: as they would be had the folds torn the groups apart: too good by what is shared.
    rotated: the samples, where that is known.
    """
    options, rotated = settled(options, samples), rotated or Rotated.of(samples)
    if torn:
        rotated = replace(rotated, samples=replace(rotated.samples, group=None))
    runs = [_CrossValidation(rotated, seeded) for seeded in _seeded(options, repeats)]
    return np.stack([run.out_of_fold(run.best()) for run in runs])


def _seeded(options: HeadOptions, repeats: int) -> list[HeadOptions]:
    return [replace(options, seed=options.seed + repeat) for repeat in range(repeats)]


def folds_of(labels: np.ndarray, *, seed: int, group: np.ndarray | None = None) -> np.ndarray:
    """The fold of every picture (N,): five, or as many as there are groups where they are fewer. None is torn apart.

    Where the groups are so few that those of some fold hold all classes but one, they are: see `are_torn`.
    """
    folds = max(2, min(FOLDS, len(labels)))
    found = stratified_folds(labels, folds=folds, seed=seed, group=group)
    if group is not None and min(len(np.unique(labels[found != fold])) for fold in np.unique(found)) < 2:
        return stratified_folds(labels, folds=folds, seed=seed)
    return found


def are_torn(group: np.ndarray | None, fold: np.ndarray) -> bool:
    """Whether pictures of one group are in several folds. Both (N,)."""
    if group is None:
        return False
    pairs = np.stack([group, fold], axis=1)
    return len(np.unique(pairs, axis=0)) > len(np.unique(group))


def settled(options: HeadOptions, samples: Samples) -> HeadOptions:
    """Whether classes are balanced is decided once, from all pictures: no fold shall decide it otherwise."""
    if options.class_weight != "auto":
        return options
    counts = np.bincount(samples.labels, minlength=samples.classes)
    return replace(options, class_weight="balanced" if is_unbalanced(counts.tolist()) else "none")


class _CrossValidation:
    """Tries L2 values on a logarithmic grid: a first one, its neighbours, then further downhill.

    A fold's later trials start from its earlier ones, which saw the same pictures.
    """

    def __init__(self, rotated: Rotated, options: HeadOptions) -> None:
        self._rotated, self._samples, self._options = rotated, rotated.samples, options
        self.trials: list[Trial] = []
        self._heads: dict[Trial, list[Head]] = {}
        self._logits: dict[Trial, np.ndarray] = {}
        self._fold = folds_of(self._samples.labels, seed=options.seed, group=self._samples.group)
        self._problems: dict[bool, Problems] = {}

    def best(self) -> Trial:
        """The L2 with the lowest loss; with mirror images where that is not worse."""
        wish = self._options.mirror if self._samples.mirror is not None else "no"
        best = self._walk(mirror=wish == "yes")
        if wish == "auto":
            self._problems.clear()
            (mirrored,) = self._try([best.l2], mirror=True, start=self.heads(best))
            return mirrored if mirrored.loss <= best.loss else best
        return best

    def out_of_fold(self, trial: Trial) -> np.ndarray:
        """Logits (N, classes) of the best trial."""
        return self._logits[trial]

    def heads(self, trial: Trial) -> list[Head]:
        """The head of every fold, for rotated features."""
        return self._heads[trial]

    def _walk(self, *, mirror: bool) -> Trial:
        total = float(self._rotated.rotation.variance.sum()) or 1.0
        first = FIRST_STRENGTH * total
        (middle,) = self._try([first], mirror=mirror)
        lower, upper = self._try([first / STEP, first * STEP], mirror=mirror, start=self.heads(middle))
        best = min((middle, lower, upper), key=lambda trial: trial.loss)
        factor = best.l2 / first  # 1 where the middle is best: nothing further is tried
        while factor != 1 and STRENGTHS[0] <= best.l2 * factor / total <= STRENGTHS[1]:
            (trial,) = self._try([best.l2 * factor], mirror=mirror, start=self.heads(best))
            if trial.loss >= best.loss:
                break
            best = trial
        return best

    def _try(self, strengths: Sequence[float], *, mirror: bool, start: Sequence[Head] = ()) -> list[Trial]:
        """One trial for each L2: every picture answered by a head that was fitted on the other folds."""
        folds = range(self._fold.max() + 1)
        if mirror not in self._problems:
            trained_on = self._fold[:, None] != np.array(folds)  # (N, folds)
            self._problems[mirror] = Problems(self._rotated, self._options, mirror=mirror, trained_on=trained_on)
        heads = self._problems[mirror].minimise(
            np.repeat(strengths, len(folds)), start=[*start] * len(strengths), tolerance=LOOSE
        )
        return [
            self._judge(l2, mirror, heads[number * len(folds) : (number + 1) * len(folds)])
            for number, l2 in enumerate(strengths)
        ]

    def _judge(self, l2: float, mirror: bool, heads: Sequence[Head]) -> Trial:
        labels = self._samples.labels
        logits = np.zeros((len(labels), self._samples.classes), np.float32)
        for fold, head in enumerate(heads):
            logits[self._fold == fold] = self._rotated.logits(head, self._fold == fold)
        trial = Trial(l2, mirror, float((logits.argmax(axis=1) == labels).mean()), mean_loss(logits, labels))
        self.trials.append(trial)
        if not any(each.loss < trial.loss for each in self._logits):  # large, and a worse one is not needed
            self._logits = {each: kept for each, kept in self._logits.items() if not each.loss > trial.loss}
            self._logits[trial] = logits
        self._heads[trial] = list(heads)
        return trial


def _between(heads: Sequence[Head]) -> Head:
    """A head to start from: of heads with one layer their mean, which lies close to what all pictures ask for."""
    if len(heads[0].layers) > 1:
        return heads[0]
    weight, bias = (np.mean([head.layers[0][i] for head in heads], axis=0) for i in (0, 1))
    return Head(((weight, bias),), heads[0].output)
