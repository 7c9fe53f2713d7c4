"""From a trained classifier to bounds: what enters, and what a run file says."""

import json

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from graphlab.analysis import k_variance_bound, vc_bound, wl_colors
from graphlab.datasets import GraphSplit, load_graph_splits
from graphlab.errors import ArgumentError
from graphlab.nn import GIN, PSGNN, GraphClassifier
from graphlab.training import GraphConfig, bound_terms, fit_graphs, graph_sample

CONFIG = GraphConfig(epochs=3, batch_size=16, lr=0.01, monitor="last")


@pytest.fixture(scope="module")
def graphs():
    """Forty paths of 2 to 9 nodes with random labels; long ones are of class 1."""
    torch.manual_seed(0)
    found = []
    for g in range(40):
        n = 2 + g % 8
        edge = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
        x = torch.eye(3)[torch.randint(3, (n,))]
        both = torch.cat([edge, edge.flip(0)], dim=1)
        found.append(Data(x=x, edge_index=both, y=torch.tensor([int(n > 5)])))
    return found


@pytest.fixture(scope="module")
def split(graphs):
    return load_graph_splits("random-90-10", graphs)[0]


@pytest.fixture(scope="module")
def result(graphs, split):
    def make():
        return GraphClassifier(GIN(3, 8, 8, dropout=0.0), 8, 2)

    return fit_graphs(make, graphs, split, CONFIG)


def test_a_sample_holds_the_training_graphs(graphs, split, result):
    histograms = wl_colors(graphs, 2).histograms()
    sample = graph_sample(result, graphs, split, histograms, probes=1, name="it")
    train, test = split.train_mask, split.test_mask
    assert (sample.histograms - histograms[train.numpy()]).nnz == 0
    for name, mask in (("logits", train), ("embeddings", train), ("test_logits", test)):
        assert np.array_equal(getattr(sample, name), result.logits[mask].double())
    assert np.array_equal(sample.y, result.y[train])
    assert sample.error_gap == pytest.approx(result.error_gap)
    assert sample.encoder_bounds_model is None and sample.name == "it"
    assert sample.norms.num_layers == 2 and len(sample.norms.hessian_traces) == 6
    assert graph_sample(result, graphs, split, histograms, norms=False).norms is None


def test_terms_of_a_run_file(graphs, split, result):
    terms = bound_terms(result, graphs, split)
    assert json.loads(json.dumps(terms)) == terms and terms["rounds"] == 2
    sample = graph_sample(
        result, graphs, split, wl_colors(graphs, 2).histograms(), norms=False
    )
    assert terms["k-variance, theorem-D2"] == k_variance_bound(sample).value
    assert terms["VC"] == vc_bound(sample).value
    parts = ("W1 term", "diameter term", "confidence term")
    total = sum(terms[part] for part in parts)
    assert total == pytest.approx(terms["k-variance, theorem-D2"])


def test_where_there_is_no_bound_the_reason_stands(graphs, split, result):
    def distances():
        return GraphClassifier(PSGNN(3, 8, 8), 8, 2)

    other = fit_graphs(distances, graphs, split, CONFIG)
    assert (
        "no number of rounds is known" in bound_terms(other, graphs, split)["refused"]
    )
    few = torch.zeros(40, dtype=torch.bool)
    few[[0, 1, 2, 3, 4]] = True  # one graph of class 1
    small = GraphSplit("few", 0, None, few, few & False, ~few)
    found = bound_terms(result, graphs, small)
    assert "at least 4 graphs of each" in found["refused"]
    with pytest.raises(ArgumentError, match="at least 4 graphs"):
        graph_sample(result, graphs, small, wl_colors(graphs, 2).histograms())


def test_a_model_that_gives_all_graphs_the_same_has_a_bound(graphs, split):
    model = GraphClassifier(GIN(3, 8, 8), 8, 2, head=torch.nn.Linear(8, 2))
    result = fit_graphs(model, graphs, split, CONFIG)
    torch.nn.init.zeros_(model.head.weight)
    flat = fit_graphs(model, graphs, split, GraphConfig(1, lr=1e-30, monitor="last"))
    assert flat.logits.std(dim=0).max() == 0 < result.logits.std(dim=0).min()
    terms = bound_terms(flat, graphs, split)
    assert terms["Lip(f)"] == terms["W1 term"] == terms["diameter term"] == 0
