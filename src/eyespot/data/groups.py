"""Pictures that belong together: links between them, joined to groups that no split and no fold may tear apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

LARGEST_SHARE, LARGEST_COUNT, LARGEST_OF_FEW = 0.05, 50, 0.25
"""A group of more than this share of all pictures and of more than so many, or of more than this share of few ones, is
no series: its weakest links go."""
STRICTER = (0.84, 0.90, 0.95)
"""Likeness that the links of such a group must have, one after the other, until it is small enough."""


@dataclass(frozen=True)
class Links:
    """Pairs of pictures that belong together."""

    first: np.ndarray
    """(P,), the row of one picture of each pair."""
    second: np.ndarray
    """(P,), that of the other."""
    likeness: np.ndarray
    """(P,), how alike they are, at most 1; infinite where a person said that they belong together."""

    @classmethod
    def none(cls) -> Links:
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))

    @classmethod
    def of(cls, *several: Links) -> Links:
        """All links of several."""
        firsts, seconds, likenesses = zip(*((each.first, each.second, each.likeness) for each in several), strict=True)
        return cls(np.concatenate(firsts), np.concatenate(seconds), np.concatenate(likenesses))

    @classmethod
    def of_names(cls, names: Sequence[Collection[str]]) -> Links:
        """Links between the pictures of each name. names: of each picture; none for one by itself, and several join."""
        first_of: dict[str, int] = {}
        pairs = [(first_of.setdefault(name, row), row) for row, several in enumerate(names) for name in several]
        rows = np.array([pair for pair in pairs if pair[0] != pair[1]], np.int64).reshape(-1, 2)
        return cls(rows[:, 0], rows[:, 1], np.full(len(rows), np.inf, np.float32))

    def __len__(self) -> int:
        return len(self.first)

    def take(self, which: np.ndarray) -> Links:
        """Those links (indices or a mask)."""
        return Links(self.first[which], self.second[which], self.likeness[which])


@dataclass(frozen=True)
class Grouped:
    """The group of every picture."""

    group: np.ndarray
    """(N,), the first row of its group; its own where it is alone."""
    cut: int
    """Pictures of groups that were too large, and are in smaller ones now."""


@dataclass(frozen=True)
class Series:
    """The pictures of a data set that belong together: no split and no fold tears a series apart."""

    of: Mapping[str, str] = field(default_factory=dict)
    """The series of each content that is in one: the smallest content of it."""
    cut: int = 0
    """Pictures whose links were too many to be believed; the weaker ones are cut."""

    @classmethod
    def joined(cls, links: Links, contents: Sequence[str]) -> Series:
        """contents: those of the pictures that the links join, in ascending order."""
        grouped = join(links, len(contents))
        sizes = _sizes(grouped.group)
        rows = np.flatnonzero(sizes > 1).tolist()
        return cls({contents[row]: contents[grouped.group[row]] for row in rows}, grouped.cut)

    def __len__(self) -> int:
        return len(set(self.of.values()))

    @property
    def largest(self) -> int:
        """Pictures of the largest series; 0 where there is none."""
        return max(Counter(self.of.values()).values(), default=0)

    def names(self, contents: Iterable[str]) -> set[str]:
        """The series that these pictures are in."""
        return {self.of[content] for content in contents if content in self.of}

    def only(self, contents: Collection[str]) -> Series:
        """Those of these pictures alone."""
        of = {content: series for content, series in self.of.items() if content in contents}
        sizes = Counter(of.values())
        return replace(self, of={content: series for content, series in of.items() if sizes[series] > 1})

    def different(self, contents: Sequence[str]) -> int:
        """How many of these pictures differ: those of one series count as one."""
        return len({self.of.get(content, content) for content in contents})

    def group(self, contents: Sequence[str]) -> np.ndarray | None:
        """The number of each picture's group, (N,), or None where no two of them are in one."""
        names = [self.of.get(content, content) for content in contents]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([numbers[name] for name in names]) if len(numbers) < len(names) else None


def join(links: Links, count: int) -> Grouped:
    """The groups that the links make among `count` pictures.

    A group that is too large to be a series keeps only links that are strong enough. What a person said belongs
    together does not make it larger, and is never cut.
    """
    most = max(LARGEST_SHARE * count, min(LARGEST_COUNT, LARGEST_OF_FEW * count))
    is_named = np.isinf(links.likeness)
    named, kept = links.take(is_named), forest(links.take(~is_named), count)
    whole = _joined(Links.of(kept, named), count)
    for least in STRICTER:
        too_large = _sizes(_joined(kept, count)) > most
        if not too_large.any():
            break
        kept = kept.take(~(too_large[kept.first] & (kept.likeness < least)))
    group = _joined(Links.of(kept, named), count)
    return Grouped(group, int((_sizes(group) < _sizes(whole)).sum()))


def forest(links: Links, count: int) -> Links:
    """As few of the links as join the same of `count` pictures, whatever likeness is asked for: fewer than pictures.

    Each tree takes the likest link that leads out of it, until none does.
    Source: Boruvka, O jistem problemu minimalnim, 1926.
    """
    links = links.take(np.argsort(-links.likeness, kind="stable"))
    every = np.arange(count)
    tree, kept = every, [Links.none()]
    while True:
        links = links.take(tree[links.first] != tree[links.second])
        if not len(links):
            return Links.of(*kept)
        one, other = tree[links.first], tree[links.second]
        likest = np.full(count, len(links))
        for end in (one, other):
            np.minimum.at(likest, end, np.arange(len(links)))
        trees = np.flatnonzero(likest < len(links))
        taken = likest[trees]
        kept.append(links.take(np.unique(taken)))
        parent = every.copy()
        parent[trees] = np.where(one[taken] == trees, other[taken], one[taken])
        parent = np.where((parent[parent] == every) & (every < parent), every, parent)  # two that took the same link
        while (parent != parent[parent]).any():
            parent = parent[parent]
        tree = parent[tree]


def effective_count(group: np.ndarray) -> float:
    """As many independent pictures as these are worth, 1..N: N^2 / sum of squared group sizes.

    group: the group of each picture, (N,), N at least 1. Pictures of one series say nearly the same.
    Source: Kish, Survey Sampling, 1965, the effective sample size of unequal clusters.
    """
    counts = np.unique(group, return_counts=True)[1].astype(np.float64)
    return float(counts.sum() ** 2 / (counts**2).sum())


def _joined(links: Links, count: int) -> np.ndarray:
    """The first row of each picture's group, (N,): union-find, every root the smallest row."""
    root = list(range(count))

    def find(row: int) -> int:
        while root[row] != row:
            root[row] = row = root[root[row]]
        return row

    for pair in zip(links.first.tolist(), links.second.tolist(), strict=True):
        one, other = sorted(map(find, pair))
        root[other] = one
    return np.array([find(row) for row in range(count)], np.int64)


def _sizes(group: np.ndarray) -> np.ndarray:
    """The number of pictures in each picture's group, (N,)."""
    return np.asarray(np.bincount(group, minlength=len(group))[group])
