"""A model of graphs: read-out and head against the formula, one graph at a time."""

import pytest
import torch
import torch_geometric.nn as pyg

from graphlab.errors import ArgumentError
from graphlab.nn import GCN, GIN, GPRGNN, GraphClassifier

POOL = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}


@pytest.fixture
def graphs():
    """Three random graphs and one node by itself, block by block."""
    torch.manual_seed(0)
    sizes = [5, 1, 7, 4]
    xs = [torch.randn(n, 6) for n in sizes]
    edges = [torch.randint(n, (2, 3 * n if n > 1 else 0)) for n in sizes]
    return list(zip(xs, edges, strict=True))


def collate(graphs):
    start = torch.tensor([0] + [len(x) for x, _ in graphs]).cumsum(0)
    edges = [e + s for (_, e), s in zip(graphs, start, strict=False)]
    count = torch.tensor([len(x) for x, _ in graphs])
    batch = torch.arange(len(graphs)).repeat_interleave(count)
    return torch.cat([x for x, _ in graphs]), torch.cat(edges, dim=1), batch


@pytest.mark.parametrize("pooling", POOL)
@pytest.mark.parametrize("act", [True, False])
@pytest.mark.parametrize("order", [1, -1])
def test_pooled_states_go_through_the_head(graphs, pooling, act, order):
    model = GraphClassifier(GIN(6, 8, 8), 8, 3, pooling, act=act).eval()
    graphs = graphs[::order]
    found = model.embed(*collate(graphs))
    rows = []
    for x, edge_index in graphs:
        states = model.encoder(x, edge_index)
        rows.append(POOL[pooling](states.relu() if act else states, dim=0))
    phi = torch.stack(rows)
    torch.testing.assert_close(found.phi, phi, atol=1e-4, rtol=1e-4)
    hidden = model.head[2](model.head[1](model.head[0](phi)))
    torch.testing.assert_close(
        found.logits, model.head[3](hidden), atol=1e-4, rtol=1e-4
    )
    assert torch.equal(model(*collate(graphs)), found.logits)


def test_a_graph_does_not_depend_on_its_batch_but_with_the_papers_norm_it_does(graphs):
    whole = collate(graphs)
    for track in (True, False):
        torch.manual_seed(1)
        model = GraphClassifier(GCN(6, 8, 8), 8, 2, track_running_stats=track).eval()
        alone = model(*graphs[0])
        torch.testing.assert_close(alone, model(*graphs[0], torch.zeros(5).long()))
        same = torch.allclose(model(*whole)[:1], alone, atol=1e-4)
        assert same == track
        if not track:  # a batch of one graph is normalized to nothing
            assert torch.equal(model(*graphs[0]), model(*graphs[2]))


def test_an_empty_graph_pools_to_zero_and_gradients_reach_everything(graphs):
    x, edge_index, batch = collate(graphs)
    model = GraphClassifier(GIN(6, 8, 8, train_eps=True), 8, 2)
    phi, logits = model.embed(x, edge_index, batch, num_graphs=6)
    assert not phi[4:].any() and logits.shape == (6, 2)
    logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


def test_encoders_may_be_classes_functions_and_pygs(graphs):
    whole = collate(graphs)
    model = GraphClassifier(GIN, 8, 2, in_channels=6, num_layers=3, dropout=0.0)
    assert len(model.encoder.convs) == 3 and model(*whole).shape == (4, 2)
    theirs = GraphClassifier(
        pyg.GraphSAGE(6, 8, 2, 8), 8, 2, head=torch.nn.Linear(8, 5)
    )
    assert theirs(*whole).shape == (4, 5)
    weighted = GraphClassifier(GCN(6, 8, 8), 8, 2).eval()
    weight = torch.rand(whole[1].size(1))
    assert not torch.equal(weighted(*whole), weighted(*whole, edge_weight=weight))
    assert list(GraphClassifier(GPRGNN(6, 8, 8), 8, 2).optim_overrides) == [
        "encoder.prop."
    ]


def test_reset_draws_encoder_and_head(graphs):
    for encoder in (GIN(6, 8, 8), torch.nn.Sequential(torch.nn.Linear(6, 8))):
        model = GraphClassifier(encoder, 8, 2)
        before = {n: p.detach().clone() for n, p in model.named_parameters()}
        model.reset_parameters()
        changed = [
            n for n, p in model.named_parameters() if not torch.equal(p, before[n])
        ]
        assert {n.split(".")[0] for n in changed} == {"encoder", "head"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoder": GIN}, "in_channels: must be given"),
        ({"encoder": 3}, "encoder: must be a module or a class"),
        ({"dropout": 0.1}, "encoder: must be a class to be given dropout"),
        ({"in_channels": 6}, "to be given in_channels"),
        ({"pooling": "median"}, "pooling: must be one of 'sum', 'mean', 'max'"),
        ({"num_classes": 0}, "num_classes: must be a whole number"),
        ({"hidden_channels": 1.5}, "hidden_channels: must be a whole number"),
    ],
)
def test_what_is_refused(arguments, message):
    accepted = {"encoder": GIN(6, 8, 8), "hidden_channels": 8, "num_classes": 2}
    with pytest.raises(ArgumentError, match=message):
        GraphClassifier(**accepted | arguments)
