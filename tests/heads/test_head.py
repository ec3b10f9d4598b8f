import numpy as np
from head_samples import blobs, with_mirror


def test_taking_rows_takes_pictures_with_their_mirror_images():
    samples = with_mirror(blobs(10, 3, 2))
    some = samples.take(np.array([3, 1]))
    np.testing.assert_array_equal(some.identity, samples.identity[[3, 1]])
    np.testing.assert_array_equal(some.mirror, samples.mirror[[3, 1]])
    assert (some.labels.tolist(), len(some)) == (samples.labels[[3, 1]].tolist(), 2)
