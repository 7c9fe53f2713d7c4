"""Norms of weights and graphs against dense matrices; traces against the Hessian."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch_geometric.data import Batch, Data
from torch_geometric.nn import GCN, GIN, GraphSAGE, global_add_pool
from torch_geometric.utils import erdos_renyi_graph, to_dense_adj

from graphlab.analysis import NetworkNorms, hessian_traces, network_norms
from graphlab.errors import ArgumentError


def graphs(number=4, channels=3):
    torch.manual_seed(0)
    return [
        Data(
            torch.randn(n, channels), erdos_renyi_graph(n, 0.5), y=torch.tensor([n % 2])
        )
        for n in range(5, 5 + number)
    ]


class Classifier(nn.Module):
    """A smooth activation, so that second derivatives are everywhere."""

    def __init__(self, gnn, hidden=4):
        super().__init__()
        self.gnn, self.head = gnn, nn.Linear(hidden, 2)

    def forward(self, x, edge_index, batch):
        return self.head(global_add_pool(self.gnn(x, edge_index), batch).tanh())


def classifier(kind=GIN, layers=2):
    torch.manual_seed(1)
    return Classifier(kind(3, 4, layers, act="tanh")).double()


def dense(data):
    return to_dense_adj(data.edge_index, max_num_nodes=data.num_nodes)[0].double()


def test_norms_are_those_of_dense_matrices():
    model, many = classifier(), graphs()
    found = network_norms(model, many)
    weights = [p.detach() for p in model.parameters() if p.dim() == 2]
    assert found.names[-1] == "head.weight" and len(found.names) == len(weights) == 5
    assert found.layers == (0, 0, 1, 1, -1) and found.num_layers == 2
    assert found.widths == (4, 4, 4, 4, 2)
    for weight, s, f in zip(weights, found.spectral, found.frobenius, strict=True):
        assert s == pytest.approx(float(torch.linalg.svdvals(weight)[0]))
        assert f == pytest.approx(float(weight.square().sum().sqrt()))
    adjacencies = [dense(data) for data in many]
    largest = max(float(torch.linalg.svdvals(a)[0]) for a in adjacencies)
    assert found.adjacency_norm == pytest.approx(largest)
    assert found.max_degree == max(int(a.sum(1).max()) for a in adjacencies)
    features = max(float(torch.linalg.svdvals(d.x.double())[0]) for d in many)
    assert found.feature_norm == pytest.approx(features)


def test_what_layers_propagate_with():
    many = graphs()
    by_class = {
        kind: network_norms(classifier(kind), many) for kind in (GCN, GraphSAGE, GIN)
    }
    assert by_class[GCN].diffusion_norm == 1 and by_class[GCN].diffusion == "gcn"
    mean = max(
        float(torch.linalg.svdvals(a / a.sum(1, keepdim=True).clamp(min=1))[0])
        for a in map(dense, many)
    )
    assert by_class[GraphSAGE].diffusion_norm == pytest.approx(mean)
    assert by_class[GIN].diffusion_norm == by_class[GIN].adjacency_norm
    given = network_norms(classifier(), many, diffusion=2.5)
    assert (given.diffusion, given.diffusion_norm) == ("given", 2.5)


def test_parametrized_weights_are_those_that_are_used():
    model = classifier()
    parametrizations.spectral_norm(model.head, n_power_iterations=50)
    found = network_norms(model, graphs())
    assert found.spectral[-1] == pytest.approx(1, abs=1e-3)
    with pytest.raises(ArgumentError, match="parametrized"):
        hessian_traces(model, graphs())


def test_normalizations_are_named():
    model = Classifier(GIN(3, 4, 2, norm="batch_norm"))
    names = network_norms(model, graphs()).normalizations
    assert names and all("norm" in name for name in names)


def test_graphs_without_edges_have_no_norm():
    lonely = [Data(torch.zeros(3, 3), torch.empty(2, 0, dtype=torch.long))]
    found = network_norms(classifier(), lonely)
    norms = (found.adjacency_norm, found.diffusion_norm, found.feature_norm)
    assert (norms, found.max_degree) == ((0, 0, 0), 0)


def exact_traces(model, data):
    """From the whole Hessian of each weight matrix."""
    batch = Batch.from_data_list([data])
    found = []
    for name, weight in model.named_parameters():
        if weight.dim() != 2:
            continue

        def loss(flat, name=name, shape=weight.shape):
            args = (batch.x, batch.edge_index, batch.batch)
            replaced = {name: flat.view(shape)}
            logits = torch.func.functional_call(model, replaced, args)
            return nn.functional.cross_entropy(logits, batch.y)

        flat = weight.detach().flatten()
        found.append(float(torch.autograd.functional.hessian(loss, flat).trace()))
    return found


def as_double(many):
    return [Data(d.x.double(), d.edge_index, y=d.y) for d in many]


def test_traces_are_those_of_the_hessian():
    model, many = classifier(layers=1), as_double(graphs(3))
    wanted = torch.tensor([exact_traces(model, data) for data in many]).max(0).values
    found = torch.tensor(hessian_traces(model, many, probes=200, batch_size=2))
    assert ((found - wanted).abs() < 0.15 * wanted.abs() + 0.05).all(), (found, wanted)
    assert wanted.abs().min() > 0.01


def test_traces_of_a_linear_readout_are_exact():
    """The Hessian of row k of the readout is p_k (1 - p_k) z z^T, without its bias."""
    model, many = classifier(layers=1), as_double(graphs(2))
    wanted = max(exact_traces(model, data)[-1] for data in many)
    z = [model.gnn(d.x, d.edge_index).sum(0).tanh() for d in many]
    p = [model.head(each).softmax(0) for each in z]
    byhand = max(
        float((each.square().sum() * (q * (1 - q)).sum()).detach())
        for each, q in zip(z, p, strict=True)
    )
    assert wanted == pytest.approx(byhand)


def test_equal_seeds_give_equal_bits_and_the_model_stays_as_it_is():
    model, many = classifier(), as_double(graphs())
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, second = (hessian_traces(model, many, probes=2, seed=3) for _ in range(2))
    assert first == second != hessian_traces(model, many, probes=2, seed=4)
    assert model.training
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_a_weight_that_is_not_used_has_no_curvature():
    model = classifier(layers=1)
    model.unused = nn.Linear(3, 3).double()
    assert hessian_traces(model, as_double(graphs(2)), probes=1)[-1] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"graphs": []}, "graphs must hold at least one graph, got none"),
        ({"graphs": [Data(num_nodes=2)]}, "graphs: graph 0 must have features x"),
        ({"graphs": graphs(1) + graphs(1, 2)}, "the same number of features"),
        ({"model": nn.Linear(3, 2)}, "layers: no layers found"),
        ({"diffusion": "gat"}, "diffusion must be 'auto', 'gcn', 'mean'"),
        ({"diffusion": -1.0}, "diffusion must be"),
        ({"hessian_traces": [1.0]}, "hessian_traces must have a number for each of 5"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    given = {"model": classifier(), "graphs": graphs(), **change}
    with pytest.raises(ArgumentError, match=message):
        network_norms(**given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"graphs": []}, "graphs must hold at least one graph"),
        ({"probes": 0}, "probes must be a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_what_is_wrong_with_traces_is_named(change, message):
    given = {"model": classifier(), "graphs": as_double(graphs(1)), **change}
    with pytest.raises(ArgumentError, match=message):
        hessian_traces(**given)


def test_norms_by_hand_must_fit_each_other():
    with pytest.raises(
        ArgumentError, match="spectral must have a number for each of 2"
    ):
        NetworkNorms(("a", "b"), (1.0,), (1.0, 1.0), (1, 1), (0, -1), 1, 1, 1, 1, 1)
