"""What is said of a photo and a painting before one becomes the other."""

import numpy as np

from eyespot.styling.notes import notes_on

DOWN, ACROSS = np.mgrid[0:160, 0:240]
PHOTO = np.stack([DOWN, ACROSS, (DOWN + ACROSS) // 2], axis=2).astype(np.uint8)


def said(**paintings):
    return list(notes_on("photo.jpg", PHOTO, paintings))


def test_of_a_photo_and_another_painting_nothing_is_said():
    assert said(a=PHOTO[:, ::-1], b=PHOTO[:100], c=PHOTO.transpose(1, 0, 2)) == []


def test_one_color_is_one_color_whatever_its_noise():
    flat = np.full((50, 70, 3), (200, 30, 30), np.uint8)
    noisy = flat + np.random.default_rng(1).integers(0, 4, flat.shape, np.uint8)
    assert [note.partition(" ")[0] for note in said(flat=flat, noisy=noisy)] == ["flat", "noisy"]
    assert "only one color" in said(flat=flat)[0]


def test_the_same_picture_is_known_at_another_size():
    [note] = said(copy=PHOTO[::2, ::2])
    assert note.startswith("copy shows the same as photo.jpg")
