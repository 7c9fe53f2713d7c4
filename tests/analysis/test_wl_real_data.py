"""Numbers of colours and histograms that papers print."""

from itertools import product

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.nn import global_add_pool

from graphlab.analysis import WLEncoder, wl_colors, wl_rounds
from graphlab.datasets import load_graphs
from graphlab.nn import GCN, GIN

pytestmark = pytest.mark.real_data

#: Distinct histograms after each round without labels: the "VC dimension" of Table 2
#: in Li et al. (ICLR 2025), L = 1, 2, ...
PRINTED = {
    "MUTAG": [51, 121, 135, 139, 139, 139],
    "ENZYMES": [586, 595, 595, 595, 595, 595],
    "PROTEINS": [929, 996, 996, 996, 996, 996],
}


def numbers_of_histograms(colors) -> list[int]:
    rounds = range(len(colors.colors))
    return [int(colors.graph_classes(t).max()) + 1 for t in rounds]


@pytest.mark.parametrize("name", PRINTED)
@pytest.mark.parametrize("exact", [False, True])
def test_distinct_histograms_without_labels(name, exact, data_root):
    colors = wl_colors(load_graphs(name, data_root), 6, "none", exact=exact)
    assert numbers_of_histograms(colors)[1:] == PRINTED[name]


@pytest.mark.parametrize("exact", [False, True])
def test_colors_of_enzymes_with_labels(exact, data_root):
    """The counts in the code of "WL meet VC" (Morris et al., ICML 2023)."""
    found = wl_colors(load_graphs("ENZYMES", data_root), 6, exact=exact)
    assert found.num_colors == (3, 231, 10416, 15208, 16029, 16450, 16722)


SETS = [
    ("NCI1", ()),
    *product(
        ("MUTAG", "PTC_MR", "ENZYMES", "PROTEINS"),
        ((), ("P2", "P5"), ("C3", "C6"), ("K3", "K6")),
    ),
]


@pytest.mark.parametrize(("name", "patterns"), SETS)
def test_hashed_and_exact_colors_agree(name, patterns, data_root):
    graphs = load_graphs(name, data_root)
    hashed, exact = (wl_colors(graphs, 4, "label", patterns, e) for e in (False, True))
    assert hashed.num_colors == exact.num_colors
    for a, b, number in zip(hashed.colors, exact.colors, exact.num_colors, strict=True):
        assert len(np.unique(a * number + b)) == number  # one to one


def test_train_and_test_graphs(data_root):
    graphs = load_graphs("MUTAG", data_root)
    encoder = WLEncoder(3)
    train = encoder.fit_transform(graphs[:150])
    test = encoder.transform(graphs[150:])
    assert train.shape[1] < test.shape[1]
    assert test.sum() == sum(graph.num_nodes for graph in graphs[150:])
    whole = WLEncoder(3).fit_transform(graphs)
    assert whole.shape[1] == test.shape[1]
    train.resize(150, test.shape[1])
    products = (train @ test.T).toarray()
    assert np.array_equal(products, (whole[:150] @ whole[150:].T).toarray())


@pytest.mark.parametrize("kind", [GCN, GIN])
def test_one_layer_of_gcn_sees_further_than_one_round(kind, data_root):
    """Pairs of MUTAG's graphs with equal histograms and different outputs."""
    torch.manual_seed(0)
    graphs = load_graphs("MUTAG", data_root)
    batch = Batch.from_data_list(graphs)
    model = kind(batch.x.size(1), 16, 16, num_layers=1).double().eval()
    with torch.no_grad():
        out = global_add_pool(model(batch.x.double(), batch.edge_index), batch.batch)
    # Differences themselves: products of matrices would round what is equal.
    distance = torch.cdist(out, out, compute_mode="donot_use_mm_for_euclid_dist")
    far = distance > 1e-9 * out.abs().max()
    for rounds in (1, 2):
        classes = torch.from_numpy(wl_colors(graphs, rounds).graph_classes())
        alike = classes[:, None] == classes
        assert alike.sum() > len(graphs)
        if rounds < wl_rounds(model):
            assert (alike & far).any()
        else:
            assert not (alike & far).any()
