"""Graphs side by side: the same losses and steps as one by one, and who is refused."""

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.nn import GAT, GIN, GraphSAGE

from graphlab.datasets import communities, grid
from graphlab.errors import ArgumentError
from graphlab.nn import GCN, PSGNN
from graphlab.training import PairConfig, fit_pairs
from graphlab.training.pair_batches import join_pairs
from graphlab.transforms import RandomPairSplit


def graphs(number=5, width=1, dtype=torch.float32):
    """Graphs of several sizes with random features."""
    generator = torch.Generator().manual_seed(0)
    made = [communities(2 + place % 3, 6, seed=place) for place in range(number)]
    for graph in made:
        size = (graph.num_nodes, width)
        graph.x = torch.randn(size, generator=generator, dtype=dtype)
    return RandomPairSplit(0.2, 0.2, seed=0)(made)


def part(nodes, edges, pairs, label):
    return Data(
        x=torch.full((nodes, 1), float(nodes)),
        edge_index=torch.tensor(edges, dtype=torch.long).view(-1, 2).t(),
        edge_label_index=torch.tensor(pairs).t(),
        edge_label=torch.tensor(label),
    )


def test_nodes_are_numbered_one_graph_after_the_other():
    parts = [
        part(3, [(0, 1), (2, 2)], [(0, 2)], [1.0]),
        part(1, [], [(0, 0), (0, 0)], [0.0, 1.0]),
        part(2, [(1, 0)], [(0, 1), (1, 0), (1, 1), (0, 0)], [1.0, 0.0, 0.0, 1.0]),
    ]
    joined = join_pairs(parts)
    assert joined.x.view(-1).tolist() == [3, 3, 3, 1, 2, 2]
    assert joined.edge_index.t().tolist() == [[0, 1], [2, 2], [5, 4]]
    pairs = [[0, 2], [3, 3], [3, 3], [4, 5], [5, 4], [5, 5], [4, 4]]
    assert joined.pairs.t().tolist() == pairs
    assert joined.label.tolist() == [1, 0, 1, 1, 0, 0, 1]
    each = [1 / 3] + [1 / 6] * 2 + [1 / 12] * 4
    torch.testing.assert_close(joined.weight, torch.tensor(each))


ENCODERS = {
    "GIN": lambda: GIN(-1, 8, 2, 8),
    "GraphSAGE": lambda: GraphSAGE(-1, 8, 2, 8),
    "GAT": lambda: GAT(-1, 8, 2, 8),
    "GCN": lambda: GCN(4, 8, 8, num_layers=2, dropout=0.0),
}


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("affine", [False, True])
def test_training_is_that_of_one_by_one(name, affine):
    """Five graphs by threes, so that steps have three and two graphs.

    In float64: Adam makes whole steps of what is nothing but rounding in float32.
    """
    found, given = [], graphs(5, 4, torch.float64)
    for join in (False, True):
        config = PairConfig(
            epochs=5, evaluate_every=5, batch_graphs=3, affine=affine, join_graphs=join
        )
        torch.manual_seed(0)
        found.append(fit_pairs(lambda: ENCODERS[name]().double(), given, config))
    alone, joined = found
    assert alone.history[0]["loss"] == pytest.approx(joined.history[0]["loss"], 1e-6)
    assert alone.test_auc == pytest.approx(joined.test_auc)
    for key, weight in alone.state_dict.items():
        torch.testing.assert_close(joined.state_dict[key], weight, atol=1e-5, rtol=1e-5)
    if affine:
        assert joined.score_state_dict["scale"] != 1


@pytest.mark.parametrize("size, calls", [(5, [5]), (2, [2, 2, 1]), (1, [1] * 5)])
def test_the_encoder_is_called_once_a_step(size, calls):
    seen = []

    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = torch.nn.Linear(1, 4)

        def forward(self, x, edge_index):
            if self.training:
                seen.append(len(x))
            return self.lin(x)

    config = PairConfig(epochs=1, batch_graphs=size, join_graphs=True)
    fit_pairs(Counting(), graphs(), config)
    assert len(seen) == len(calls) and sum(seen) == sum((12, 18, 24, 12, 18))


def test_the_same_seed_gives_the_same_bits():
    config = PairConfig(epochs=3, join_graphs=True)
    a, b = (fit_pairs(lambda: GIN(1, 8, 2, 8, dropout=0.5), set_, config)
            for set_ in (graphs(),) * 2)  # fmt: skip
    assert a.history == b.history and a.test_auc == b.test_auc


class Centred(torch.nn.Module):
    """States relative to the mean over all nodes, whichever graph they are of."""

    def __init__(self):
        super().__init__()
        self.lin = torch.nn.Linear(1, 4)

    def forward(self, x, edge_index):
        return self.lin(x) - self.lin(x).mean(0) + torch.arange(len(x)).view(-1, 1)


def test_encoders_that_look_at_other_graphs_are_refused():
    config = PairConfig(epochs=1, join_graphs=True)
    with pytest.raises(ArgumentError, match="join_graphs must be False .* own graph"):
        fit_pairs(Centred(), graphs(), config)
    with pytest.raises(ArgumentError, match="join_graphs .* method prepare"):
        fit_pairs(PSGNN(1, 4), graphs(), config)


def test_features_of_other_kinds_are_refused():
    config = PairConfig(epochs=1, join_graphs=True)
    sparse = graphs(2)
    for triple in sparse:
        for each in triple:
            each.x = each.x.to_sparse_csr()
    other = graphs(2)
    for each in other[1]:
        each.x = each.x.expand(-1, 2)
    for given in (sparse, other):
        with pytest.raises(ArgumentError, match="join_graphs .* dense and of one size"):
            fit_pairs(GCN(1, 4, 4), given, config)


def test_one_graph_is_trained_as_ever():
    whole = RandomPairSplit(0.2, 0.2)([grid(5, 5)])
    config = PairConfig(epochs=3)
    plain = fit_pairs(lambda: GIN(1, 8, 2, 8, dropout=0.5), whole, config)
    config = PairConfig(epochs=3, join_graphs=True)
    joined = fit_pairs(lambda: GIN(1, 8, 2, 8, dropout=0.5), whole, config)
    assert plain.history == joined.history
