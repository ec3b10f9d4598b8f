import numpy as np
import pytest
from head_samples import blobs, with_mirror

from eyespot.heads.head import Head
from eyespot.heads.rotation import Rotation, principal_axes


@pytest.mark.parametrize(("count", "width"), [(100, 8), (8, 100), (20, 20)])
def test_principal_axes_are_orthonormal_and_hold_all_variance(count, width):
    features = np.random.default_rng(0).standard_normal((count, width)).astype(np.float32)
    centred = features - features.mean(axis=0)
    axes, variance = principal_axes(centred)
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-4)
    np.testing.assert_allclose((centred @ axes).var(axis=0), variance, rtol=1e-3)
    np.testing.assert_allclose(centred @ axes @ axes.T, centred, atol=1e-3)
    truth = np.linalg.svd(centred.astype(np.float64), compute_uv=False) ** 2 / count
    np.testing.assert_allclose(np.sort(variance)[::-1], truth[: len(variance)], rtol=1e-3)


@pytest.mark.parametrize(("count", "width"), [(50, 6), (6, 50)])
def test_a_head_on_rotated_features_answers_the_same_once_turned_back(count, width):
    samples = with_mirror(blobs(count, width, 2))
    rotation = Rotation.of(samples)
    random = np.random.default_rng(0)
    weight = random.standard_normal((2, len(rotation.variance))).astype(np.float32)
    head = Head(((weight, np.ones(2, np.float32)),), "softmax")
    rotated = rotation.apply(samples)
    turned = rotation.undo(head)
    np.testing.assert_allclose(turned.logits(samples.identity), head.logits(rotated.identity), atol=2e-3)
    np.testing.assert_allclose(turned.logits(samples.mirror), head.logits(rotated.mirror), atol=2e-3)
