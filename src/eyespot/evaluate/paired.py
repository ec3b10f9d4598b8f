"""Which of two models is better, by their answers to the same pictures, and how sure that is.

Only pictures tell them apart on which one is right and the other wrong. Pictures of one series show the same thing, and
are right or wrong together: a series has one say, however many pictures it has. Where every picture stands by itself
this is McNemar's test and Bonett and Price's interval, as published.

Sources: M. W. Fagerland, S. Lydersen and P. Laake 2013, The McNemar test for binary matched-pairs data, BMC Medical
Research Methodology 13:91 (mid-p). D. G. Bonett and R. M. Price 2012, Adjusted Wald confidence interval for a
difference of binomial proportions based on paired data, Journal of Educational and Behavioral Statistics 37:479.
R. J. Connor 1987, Sample size for testing differences in proportions for the paired-sample design, Biometrics 43:207
(power). S. Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6:65.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.records import Difference

Verdict = Literal["better", "worse", "no difference"]
"""Of the second model, compared with the first."""
SIGNIFICANCE = 0.05
"""How often two equal models may be told apart."""
USUALLY = 0.8
"""How often a difference must be found to be one that is usually seen."""
FEWEST_COMPARED = 30
"""Pictures below which a better model cannot be told from a luckier one."""


class Counts(NamedTuple):
    """Pictures of one series: those that the model has right and the other wrong, the other way round, and all."""

    won: int
    lost: int
    size: int


@dataclass(frozen=True)
class Comparison:
    """How a model's answers to some pictures differ from another's to the same."""

    won: int
    """Pictures that it has right, and the other wrong."""
    lost: int
    """Pictures that it has wrong, and the other right."""
    count: int
    """Pictures, at least one."""
    series: tuple[Counts, ...] = ()
    """What of these lies in series of more than one picture."""

    @property
    def difference(self) -> float:
        """Of the accuracies."""
        return (self.won - self.lost) / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Where the difference lies, 95 %: of the pictures and two more series, of which one is won and one lost."""
        nets, sizes = self._with_one_more_each
        middle = nets.sum() / sizes.sum()
        reach = _z(SIGNIFICANCE / 2) * math.sqrt(np.square(nets - middle * sizes).sum()) / sizes.sum()
        return max(-1.0, float(middle - reach)), min(1.0, float(middle + reach))

    @property
    def gain(self) -> Difference:
        """The difference with its interval, as it is written down."""
        low, high = self.interval
        return Difference(value=self.difference, low=low, high=high)

    @property
    def p_better(self) -> float:
        """How likely a model that is not better would have so much more right by chance, one-sided mid-p."""
        return self._tails[1]

    @property
    def p(self) -> float:
        """How likely equal models would differ so much by chance, either way: McNemar's mid-p."""
        return min(1.0, 2 * min(self._tails))

    @property
    def is_better(self) -> bool:
        """By a rule that calls one of two equal models better in one of 20 cases, about."""
        return self._tails[1] < SIGNIFICANCE

    @property
    def is_worse(self) -> bool:
        return self._tails[0] < SIGNIFICANCE

    @property
    def is_the_same(self) -> bool:
        """Whether enough pictures were asked, and each was answered as before."""
        return self.won == self.lost == 0 and self.count >= FEWEST_COMPARED

    @property
    def verdict(self) -> Verdict:
        """Whether it is better or worse, where nobody asked for one of the two: equal models differ in one of 20."""
        return verdict(self.difference, self.p)

    @property
    def smallest_seen(self) -> float | None:
        """The smallest difference that pictures like these usually show; None where they could not show any."""
        nets, sizes = self._with_one_more_each
        mean_size = sizes[-1]
        differing = np.square(nets).sum() / (sizes.sum() * mean_size)
        return smallest_seen(differing=float(differing), count=self.count / float(mean_size))

    def in_words(self, name: str) -> str:
        """name: what the other one is called."""
        differing = f"{self.won} right that {name} had wrong and {self.lost} wrong that it had right"
        return f"{differing}: {self.gain}, p {self.p_better:.2g}"

    @property
    def _each(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What each series won less what it lost, and its pictures; a picture by itself is a series of one."""
        of_series = np.array(self.series, np.int64).reshape(-1, len(Counts._fields))
        won, lost, count = (self.won, self.lost, self.count) - of_series.sum(axis=0)
        alone = np.repeat([1, -1, 0], [won, lost, count - won - lost])
        nets = np.concatenate([alone, of_series[:, 0] - of_series[:, 1]])
        return nets.astype(np.float64), np.concatenate([np.ones(count), of_series[:, 2]])

    @property
    def _with_one_more_each(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same with one more series that is won and one that is lost, as large as a picture's series is on average.

        So that where few pictures differ the interval is not too narrow.
        """
        nets, sizes = self._each
        mean_size = np.square(sizes).sum() / sizes.sum()
        return np.append(nets, [mean_size, -mean_size]), np.append(sizes, [mean_size, mean_size])

    @property
    def _tails(self) -> tuple[float, float]:
        """How likely chance would bring so little, and so much: mid-p, half of what is just as much belongs to each.

        If the models are equal, a coin could say of each series which of them has won it.
        """
        nets = self._each[0].astype(np.int64)
        chances, won = _chances_of_sums(np.abs(nets)), int(nets[nets > 0].sum())
        just = chances[won] / 2
        return float(chances[:won].sum() + just), float(chances[:won:-1].sum() + just)


def paired(before: ArrayLike, after: ArrayLike, *, series: ArrayLike | None = None) -> Comparison:
    """How `after` differs from `before`.

    before, after: (N,), whether each picture was answered right, N at least 1.
    series: (N,), a number for each picture that pictures of one series share; None: each stands by itself.
    """
    before, after = np.asarray(before, bool), np.asarray(after, bool)
    assert before.shape == after.shape, f"{before.shape} answers and {after.shape} others"
    won, lost = after & ~before, before & ~after
    _, numbers = np.unique(np.arange(len(won)) if series is None else series, return_inverse=True)
    counts = np.stack([np.bincount(numbers, each) for each in (won, lost, np.ones(len(won)))], axis=1).astype(np.int64)
    several = tuple(Counts(*each) for each in counts.tolist() if each[2] > 1)
    return Comparison(int(won.sum()), int(lost.sum()), len(won), series=several)


def verdict(difference: float, p: float) -> Verdict:
    """What a difference with that p means."""
    if p >= SIGNIFICANCE:
        return "no difference"
    return "better" if difference > 0 else "worse"


def power(gain: float, *, differing: float, count: float) -> float:
    """How often that many pictures show that a model is better which is, about; where few differ, it is less often.

    gain: by how much it is, as a difference of accuracies, above 0.
    differing: share of the pictures on which one of the two is right and the other wrong.
    count: pictures that stand by themselves.
    """
    differing = max(differing, gain)
    reach = gain * math.sqrt(count) - _z(SIGNIFICANCE / 2) * math.sqrt(differing)
    spread = math.sqrt(differing - gain**2)
    return NormalDist().cdf(reach / spread) if spread else float(reach > 0)


def smallest_seen(*, differing: float, count: float) -> float | None:
    """The smallest gain that is found in 80 % of cases; None where there is none. Arguments as of `power`."""
    low, high = 0.0, 1.0
    if power(high, differing=differing, count=count) < USUALLY:
        return None
    for _ in range(30):
        middle = (low + high) / 2
        if power(middle, differing=differing, count=count) < USUALLY:
            low = middle
        else:
            high = middle
    return high


def holm(ps: Sequence[float]) -> list[float]:
    """The same for several questions at once: below 0.05 for any of those where nothing differs in one of 20 cases."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = largest
    return adjusted


def _z(tail: float) -> float:
    return NormalDist().inv_cdf(1 - tail)


def _chances_of_sums(weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """How likely each sum from 0 up to that of all weights is, if a coin says of each whether it counts."""
    ones = int((weights == 1).sum())
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, ones + 1)))])  # their logarithms
    chances: NDArray[np.float64] = np.exp(factorials[-1] - (factorials + factorials[::-1]) - ones * math.log(2))
    for weight in weights[weights > 1].tolist():
        chances = (np.pad(chances, (0, weight)) + np.pad(chances, (weight, 0))) / 2
    return chances
