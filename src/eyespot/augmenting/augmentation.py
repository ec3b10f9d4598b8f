"""What augmentation does to pictures in training, and how strongly: one record, and a preset for each kind of picture.

A view is a picture as it might have been taken as well: turned a little, closer, in another light. What still shows
the same class may be done, and nothing else: a mirrored shoe is a shoe, a mirrored letter is none.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from eyespot.records import Fraction, Record

VERSION = 1
"""Changes whenever the same record and chance would make another view of a picture: features of views are kept."""

Padding = Literal["reflect", "edge", "zero"]
Factor = Annotated[float, Field(ge=0, lt=1, description="a number from 0 up, below 1")]
Range = tuple[float, float]
_MOST = {"crop_area": 4, "crop_aspect": 100, "erase_area": 1}


class Augmentation(Record):
    """What is done to a picture before training sees it. By default nothing is.

    A description is what an error asks for.
    """

    mirror: bool = Field(default=False, description="true or false")
    """Half of the views are mirrored, left to right: a picture's in every other epoch."""
    crop_area: Range = Field(
        default=(1.0, 1.0), description="two numbers above 0, at most 4, the smaller first, such as 0.6,1"
    )
    """A window of the picture fills the view; its area, as a share of the picture's, lies between these. Above 1 the
    view shows the whole picture, smaller."""
    crop_aspect: Range = Field(
        default=(3 / 4, 4 / 3), description="a number above 0, at most 1, and one from 1 to 100, such as 0.75,1.33"
    )
    """Width by height of that window, in terms of the picture's, lies between these, as far as the window fits."""
    shift_px: int = Field(default=0, ge=0, le=256, description="a whole number of pixels from 0 to 256")
    """Moved by up to this many whole pixels each way, as by padding and cropping at random."""
    rotation_degrees: float = Field(default=0, ge=0, le=180, description="degrees from 0 to 180")
    """Turned by up to this much either way."""
    shear_degrees: float = Field(default=0, ge=0, le=60, description="degrees from 0 to 60")
    """Slanted by up to this much either way: upright lines lean."""
    elastic_px: float = Field(default=0, ge=0, le=10_000, description="pixels from 0 to 10000")
    """Strength alpha of elastic distortion (Simard et al. 2003, section 2): each pixel is moved by noise between minus
    and plus this many pixels, smoothed."""
    elastic_smoothing_px: float = Field(default=4, gt=0, le=1000, description="pixels above 0, at most 1000")
    """Standard deviation sigma of the Gaussian that smooths that noise; theirs is 4."""
    padding: Padding = Field(default="reflect", description="reflect, edge or zero")
    """What lies outside the picture: its mirror image, its edge repeated, or black."""
    brightness: Factor = 0
    """All values are multiplied by a factor between 1 minus and 1 plus this."""
    contrast: Factor = 0
    """Distances from the picture's mean grey are multiplied by such a factor."""
    saturation: Factor = 0
    """Distances from each pixel's own grey are multiplied by such a factor. Grey pictures have none."""
    pca_color: float = Field(default=0, ge=0, le=10, description="a number from 0 to 10")
    """Standard deviation of the steps along the principal axes of ImageNet's colours (AlexNet, section 4.1: 0.1); grey
    pictures have none."""
    erase_probability: Fraction = Field(default=0, description="a number from 0 to 1")
    """Share of the views in which a rectangle is painted over with one colour (Zhong et al., arXiv:1708.04896)."""
    erase_area: Range = Field(
        default=(0.02, 0.2), description="two numbers above 0, at most 1, the smaller first, such as 0.02,0.2"
    )
    """The rectangle's area, as a share of the view's, lies between these."""

    @field_validator("crop_area", "crop_aspect", "erase_area")
    @classmethod
    def _is_a_range(cls, given: Range, info: ValidationInfo) -> Range:
        low, high = given
        if not 0 < low <= high <= _MOST[str(info.field_name)]:
            raise ValueError(f"{given} is no range of numbers above 0")
        if info.field_name == "crop_aspect" and not low <= 1 <= high:
            raise ValueError("1 must lie between the ends, or no window may fit")
        return given

    @property
    def resamples(self) -> bool:
        """Whether views have values between the picture's pixels; else pixels only change their places."""
        return self.crop_area != (1, 1) or any((self.rotation_degrees, self.shear_degrees, self.elastic_px))

    @property
    def recolors(self) -> bool:
        return any((self.brightness, self.contrast, self.saturation, self.pca_color))


PHOTOS = Augmentation(
    mirror=True,
    crop_area=(0.6, 1),  # the classifier's preprocessing has cut the picture already: a smaller window loses the object
    rotation_degrees=10,  # as a hand holds a camera
    shear_degrees=5,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    pca_color=0.1,  # AlexNet's
)
"""Photos whose class a mirror does not change."""

PHOTOS_UNMIRRORED = PHOTOS.model_copy(update={"mirror": False})
"""Photos in which left and right matter: text, road signs, X-rays."""

SMALL_SIDE = 64
"""Images of at most this many pixels a side are small: moved, not resampled, and learned from scratch where grey."""

SMALL_PHOTOS = Augmentation(mirror=True, shift_px=4)
"""Photos of about 32 pixels, such as CIFAR's: pad by 4, crop, mirror (He et al. 2015, section 4.2). No resampling:
it would blur the little there is."""

DIGITS = Augmentation(
    crop_area=(0.8, 1.25),  # about 10 % smaller or larger
    crop_aspect=(0.9, 1 / 0.9),
    shift_px=2,
    rotation_degrees=10,  # more would make a 1 of a 7
    shear_degrees=15,  # handwriting leans
    padding="edge",
)
"""Handwritten digits and letters of about 28 pixels. Never mirrored: none keeps its meaning but by chance."""


def describe(augmentation: Augmentation) -> str:
    """What is done, in one sentence for a report."""
    a = augmentation
    done = [
        (a.mirror, "half of them mirrored"),
        (a.crop_area != (1, 1), f"cut to {100 * a.crop_area[0]:.3g} to {100 * a.crop_area[1]:.3g} % of their area"),
        (a.shift_px, f"moved by up to {a.shift_px} pixels each way"),
        (a.rotation_degrees, f"turned by up to {a.rotation_degrees:g}°"),
        (a.shear_degrees, f"slanted by up to {a.shear_degrees:g}°"),
        (a.elastic_px, f"distorted elastically (alpha {a.elastic_px:g}, sigma {a.elastic_smoothing_px:g} pixels)"),
        (a.brightness, f"brightness changed by up to {100 * a.brightness:.3g} %"),
        (a.contrast, f"contrast by up to {100 * a.contrast:.3g} %"),
        (a.saturation, f"saturation by up to {100 * a.saturation:.3g} %"),
        (a.pca_color, f"color shifted along ImageNet's principal axes (standard deviation {a.pca_color:g})"),
        (a.erase_probability, f"a rectangle painted over in {100 * a.erase_probability:.3g} % of them"),
    ]
    words = [text for asked, text in done if asked]
    return f"Pictures are drawn anew in each epoch: {', '.join(words)}." if words else "Pictures are used as they are."
