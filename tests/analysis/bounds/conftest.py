"""A small sample of training graphs with a model that is bounded by its histograms."""

import numpy as np
import pytest

from graphlab.analysis import GraphSample, NetworkNorms


@pytest.fixture
def make_sample():
    """A function that makes a sample; keywords replace its parts."""

    def make(sizes=(7, 5), seed=0, groups=None, **parts):
        rng = np.random.default_rng(seed)
        y = np.repeat(np.arange(len(sizes)), sizes)
        histograms = rng.integers(0, 4, size=(groups or len(y), 5)).astype(float)
        histograms = histograms[np.arange(len(y)) % len(histograms)]
        logits = histograms @ rng.normal(size=(5, len(sizes)))
        given = {"histograms": histograms, "embeddings": None, "logits": logits}
        return GraphSample(**{**given, "y": y, "num_classes": len(sizes), **parts})

    return make


@pytest.fixture
def norms() -> NetworkNorms:
    """Two layers of GIN-like and one readout, numbers without a pattern."""
    return NetworkNorms(
        names=("a", "b", "head"),
        spectral=(1.5, 0.7, 2.0),
        frobenius=(2.5, 1.1, 2.2),
        widths=(8, 6, 3),
        layers=(0, 1, -1),
        num_layers=2,
        feature_norm=3.0,
        max_degree=4,
        adjacency_norm=2.5,
        diffusion_norm=1.2,
        hessian_traces=(5.0, -1.0, 0.25),
    )
