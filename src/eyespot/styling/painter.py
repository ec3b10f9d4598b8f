"""Whoever paints: photos of any number in the style of the same paintings, in one pass or in steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eyespot import machine
from eyespot.building.create import require_torch
from eyespot.errors import OptionError
from eyespot.progress import Progress
from eyespot.styling.colors import Pixels, grain_at, grain_between, with_grain
from eyespot.styling.fast import FastPainter, Style, blended
from eyespot.styling.options import LEAST_SIDE, NETWORK, StylizeOptions, Way
from eyespot.styling.published import is_installed

if TYPE_CHECKING:
    from eyespot.styling.looking import Looking
    from eyespot.styling.optimise import Budget, Step

LEFT_FOR_WRITING = 0.6
"""Seconds of a time that are kept for the last picture's way to the disk, and for the process to end."""
MEMORY: dict[Way, tuple[float, float]] = {"fast": (200e6, 260), "optimise": (500e6, 1900)}
"""Bytes that a process takes without a picture, and for each pixel of the result."""
MOST_MEMORY = 0.8
"""Of the machine's."""


@dataclass(frozen=True)
class Painting:
    """A painting, and how much it counts beside others."""

    name: str
    pixels: Pixels
    weight: float
    path: Path | None = None
    """Where it was read from."""


class Painter:
    """Paints photos. What looks at pictures, and at the paintings, is made ready once, when it is first needed."""

    def __init__(self, paintings: Sequence[Painting], options: StylizeOptions, *, cache_folder: Path | None) -> None:
        self.paintings, self._options = paintings, options
        self._fast = FastPainter(cache_folder=cache_folder)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the paintings."""
        return tuple(each.name for each in self.paintings)

    def paint(
        self,
        photo: Pixels,
        write: Callable[[Pixels], None],
        *,
        started: float,
        progress: Progress,
        taken: Callable[[Step], None] | None = None,
    ) -> Step | None:
        """Paints a photo and writes it, in steps several times, from coarse to fine; the last step, or None.

        started: what `time.monotonic` said when the time began. taken: told of every step.
        Raises OptionError where that takes more memory than there is, MissingExtra.
        """
        require_memory(photo, self._options.way)
        if self._options.strength == 0:
            write(photo)
        elif self._options.way == "fast":
            write(self.at_once(photo))
        else:
            return self._in_steps(photo, write, taken or (lambda step: None), started, progress)
        return None

    def at_once(self, photo: Pixels) -> Pixels:
        """The photo painted in one pass."""
        return self._smoothed(self._fast.painted_in_part(photo, self._style, self._options.strength), photo)

    def _in_steps(
        self,
        photo: Pixels,
        write: Callable[[Pixels], None],
        taken: Callable[[Step], None],
        started: float,
        progress: Progress,
    ) -> Step:
        require_torch("painting in steps", otherwise="one pass works without it: leave out --steps and --time")
        from eyespot.styling.optimise import How, painted, sized

        options, begin = self._options, None
        if (options.network, options.stages, options.weights) != (NETWORK, None, None):
            self._require_seen(photo)
        if is_installed():
            begin = self.at_once(photo)
            write(begin)  # the first preview
            self._fast.put_away()
        looking = self.looking
        how = How(
            looking.stages, looking.content_stages, options.content, options.strength, options.strokes, options.seed
        )
        paintings = [(sized(each.pixels, like=photo), each.weight) for each in self.paintings]
        budget, begun = self._budget(started), None if begin is None else sized(begin)(1)
        step: Step | None = None
        for step in painted(sized(photo), paintings, looking.see, how, budget, begin=begun):
            taken(step)
            progress(f"painting: style {step.style:.2f}, content {step.content:.2f}", round(100 * step.spent), 100)
            if step.ends_size:
                write(self._smoothed(step.picture, photo))
        assert step is not None  # there is one at the last size, however little time there is
        return step

    def _smoothed(self, picture: Pixels, photo: Pixels) -> Pixels:
        """A painted picture without more colored grain than what was asked for has."""
        grains = [grain_at(each.pixels, max(picture.shape[:2])) for each in self.paintings]
        asked = float(np.average(grains, weights=[each.weight for each in self.paintings]))
        return with_grain(picture, most=grain_between(photo, asked, self._options.strength))

    def _require_seen(self, photo: Pixels) -> None:
        """Raises, before anything is written, for a wrong name, and where the network cannot take such pictures."""
        import torch

        from eyespot.styling.optimise import SCALES, SIZES, sized

        smallest, _ = SIZES[self._options.strokes][0]
        stages = [*self.looking.stages, *self.looking.content_stages]
        with torch.no_grad():
            for pixels in (photo, *(each.pixels for each in self.paintings)):
                self.looking.see(sized(pixels, like=photo)(smallest * min(SCALES)), stages)

    @cached_property
    def _style(self) -> Style:
        return blended([(self._fast.style_of(each.pixels), each.weight) for each in self.paintings])

    @cached_property
    def looking(self) -> Looking:
        """The network that looks at pictures that are painted in steps."""
        from eyespot.styling.looking import opened

        return opened(self._options.network, self._options.stages, weights=self._options.weights)

    def _budget(self, started: float) -> Budget:
        """The steps or the time that there is, from now on."""
        from eyespot.styling.optimise import StepBudget, TimeBudget

        if self._options.seconds is None:
            assert self._options.steps is not None
            return StepBudget(self._options.steps)
        return TimeBudget(time.monotonic(), started + self._options.seconds - LEFT_FOR_WRITING)


def require_memory(photo: Pixels, way: Way) -> None:
    """Raises OptionError where painting that many pixels would take more memory than the machine may give."""
    base, each = MEMORY[way]
    height, width = photo.shape[:2]
    needed, there = base + each * height * width, machine.memory_bytes()
    if there is None or needed <= MOST_MEMORY * there:
        return
    share = max(0.0, (MOST_MEMORY * there - base) / each / (height * width)) ** 0.5
    fits = int(share * max(height, width))
    choose = f"choose --imgsz {fits} or less" if fits >= LEAST_SIDE else "that is too little for any picture"
    raise OptionError(
        f"painting {width} x {height} pixels takes about {needed / 1e9:.1f} GB of memory, and this machine has "
        f"{there / 1e9:.1f} GB: {choose}"
    )
