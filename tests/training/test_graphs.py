"""Classifiers of graphs: batches against a loop, losses, selection, determinism."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch_geometric.data import Batch, Data

from graphlab.datasets import load_graph_splits
from graphlab.errors import ArgumentError
from graphlab.nn import GCN, GIN, GraphClassifier
from graphlab.ops import Csr
from graphlab.training import GraphConfig, fit_graphs
from graphlab.training.graph_batches import GraphSet
from graphlab.training.graphs import _batches

SHORT = GraphConfig(epochs=8, batch_size=16, lr=0.01)


def cycle(n):
    node = torch.arange(n)
    one_way = torch.stack([node, (node + 1) % n])
    return torch.cat([one_way, one_way.flip(0)], dim=1)[:, torch.randperm(2 * n)]


@pytest.fixture(scope="module")
def graphs():
    """Long cycles of class 1 and short ones of class 0, a third feature of noise."""
    torch.manual_seed(0)
    sizes = torch.randint(3, 12, (60,)).tolist()
    return [
        Data(
            x=torch.cat([torch.ones(n, 2), torch.rand(n, 1)], dim=1),
            edge_index=cycle(n),
            y=torch.tensor([int(n > 7)]),
        )
        for n in sizes
    ]


@pytest.fixture(scope="module")
def split(graphs):
    return load_graph_splits("stratified-80-10-10", graphs)[0]


def make():
    return GraphClassifier(GIN(3, 8, 8), 8, 2)


def test_batches_are_what_pyg_collates(graphs):
    index = torch.tensor([7, 3, 3, 59, 0])
    part = GraphSet(graphs).batch(index)
    want = Batch.from_data_list([graphs[i] for i in index.tolist()])
    assert torch.equal(part.x, want.x) and torch.equal(part.batch, want.batch)
    assert torch.equal(part.y, want.y)
    edges, expected = (
        set(map(tuple, e.t().tolist())) for e in (part.edge_index, want.edge_index)
    )
    assert edges == expected and part.edge_index.shape == want.edge_index.shape


def test_the_remembered_structure_is_the_one_that_would_be_built(graphs):
    edge_index = GraphSet(graphs).batch(torch.tensor([5, 2, 9])).edge_index
    size = int(edge_index.max()) + 1
    known = Csr.from_edge_index(edge_index, size)
    built = Csr.from_edge_index(edge_index.clone(), size)
    assert known is not built and known.perm is None is built.perm
    assert torch.equal(known.rowptr, built.rowptr) and torch.equal(known.col, built.col)


def test_graphs_without_edges_can_be_collated():
    lonely = Data(
        x=torch.ones(2, 3), edge_index=torch.empty(2, 0).long(), y=torch.tensor(1)
    )
    part = GraphSet([lonely, lonely]).batch(torch.tensor([1, 0]))
    assert part.edge_index.shape == (2, 0) and part.batch.tolist() == [0, 0, 1, 1]
    assert make()(*part.arguments).isfinite().all()


def test_it_learns_and_holds_the_reported_weights(graphs, split):
    config = GraphConfig(epochs=60, batch_size=16, lr=0.01)
    result = fit_graphs(make, graphs, split, config, seed=1)
    assert min(result.accuracy.values()) > 0.8 and not result.nan
    assert result.history[0]["loss"] > 2 * result.history[-1]["loss"]
    one = graphs[4]
    alone = result.model.embed(one.x, one.edge_index)
    torch.testing.assert_close(alone.logits[0], result.logits[4], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(alone.phi[0], result.embeddings[4], atol=1e-4, rtol=1e-4)
    for part, mask in zip(("train", "val", "test"), split.masks, strict=True):
        loss = F.cross_entropy(result.logits[mask], result.y[mask]).item()
        hits = (result.logits[mask].argmax(1) == result.y[mask]).double().mean().item()
        assert (result.loss[part], result.accuracy[part]) == pytest.approx((loss, hits))
    assert result.loss_gap == result.loss["test"] - result.loss["train"]
    assert result.error_gap == pytest.approx(
        result.accuracy["train"] - result.accuracy["test"]
    )
    assert result.num_parameters == sum(p.numel() for p in result.model.parameters())


def test_the_margin_loss_is_the_papers(graphs, split):
    config = replace(SHORT, loss="margin")
    result = fit_graphs(make, graphs, split, config)
    scores, y = result.logits.log_softmax(1), result.y
    own = scores.gather(1, y[:, None])
    excess = (1 - own + scores).clamp(min=0).scatter(1, y[:, None], 0)
    want = (excess.sum(1) / 2)[split.test_mask].mean().item()
    assert result.loss["test"] == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_the_best_validation_epoch_is_reported(graphs, split, monitor):
    config = replace(SHORT, epochs=30, lr=0.1, monitor=monitor)
    result = fit_graphs(make, graphs, split, config, seed=3)
    rows = result.history
    keys = [(-row["val_loss"],) for row in rows]
    if monitor == "val_accuracy":
        keys = [(row["val_accuracy"], -row["val_loss"]) for row in rows]
    assert result.best_epoch == keys.index(max(keys)) < 29
    best = rows[result.best_epoch]
    assert result.loss["val"] == pytest.approx(best["val_loss"], rel=1e-4)
    assert result.accuracy["val"] == best["val_accuracy"]


def test_patience_ends_the_training_without_changing_it(graphs, split):
    long = fit_graphs(make, graphs, split, replace(SHORT, epochs=40, lr=0.1))
    short = fit_graphs(
        make, graphs, split, replace(SHORT, epochs=40, lr=0.1, patience=3)
    )
    stale = [
        e - max(range(e + 1), key=lambda i: -long.history[i]["val_loss"])
        for e in range(40)
    ]
    assert short.epochs == stale.index(3) + 1 < 40
    assert short.history == long.history[: short.epochs]
    assert short.best_epoch == short.epochs - 4


def test_the_same_seed_gives_the_same_bits(graphs, split):
    dropped = lambda: GraphClassifier(GCN(3, 8, 8), 8, 2, "mean")  # noqa: E731
    state = torch.get_rng_state()
    first, again = (fit_graphs(dropped, graphs, split, SHORT, seed=5) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.logits, again.logits)
    assert torch.equal(first.embeddings, again.embeddings)
    assert first.history == again.history
    other = fit_graphs(dropped, graphs, split, SHORT, seed=6)
    assert not torch.equal(first.logits, other.logits)


def test_test_graphs_leave_no_trace_in_the_training(graphs, split):
    changed = [
        Data(x=-g.x, edge_index=g.edge_index, y=1 - g.y) if held else g
        for g, held in zip(graphs, split.test_mask.tolist(), strict=True)
    ]
    one, two = (fit_graphs(make, g, split, SHORT) for g in (graphs, changed))
    assert one.history == two.history
    assert torch.equal(one.logits[split.train_mask], two.logits[split.train_mask])


def test_the_last_epoch_needs_no_validation(graphs):
    split = load_graph_splits("random-90-10", graphs)[0]
    result = fit_graphs(make, graphs, split, replace(SHORT, monitor="last"))
    assert result.best_epoch == 7 and math.isnan(result.loss["val"])
    assert set(result.history[0]) == {"epoch", "loss"}
    with pytest.raises(ArgumentError, match="monitor val_loss needs validation graphs"):
        fit_graphs(make, graphs, split, SHORT)


def test_a_loss_of_nan_ends_the_training(graphs, split):
    model = make()
    torch.nn.init.constant_(model.head[0].weight, math.nan)
    result = fit_graphs(model, graphs, split, SHORT)
    assert result.nan and result.epochs == 1 and result.logits.isnan().all()


def test_a_last_graph_is_not_left_alone():
    sizes = [[len(p) for p in _batches(torch.arange(n), 4)] for n in (1, 4, 5, 9, 10)]
    assert sizes == [[1], [4], [5], [4, 5], [4, 4, 2]]


def test_a_model_of_ones_own_needs_only_forward(graphs, split):
    class Mine(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = torch.nn.LazyLinear(2)

        def forward(self, x, edge_index, batch):
            out = torch.zeros(int(batch.max()) + 1, 2)
            return out.index_add(0, batch, self.lin(x))

    told = []
    result = fit_graphs(Mine, graphs, split, SHORT, progress=told.append)
    assert torch.equal(result.embeddings, result.logits) and result.num_parameters == 8
    assert [(p.done, p.total) for p in told] == [(1, 8), (8, 8)]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"y": torch.tensor([0.0])}, "graph 1 must have one class"),
        ({"y": torch.tensor([0, 1])}, "graph 1 must have one class"),
        ({"y": None}, "graph 1 has no y"),
        ({"x": torch.ones(4, 2)}, "graph 1 must have one row or more of 3 features"),
        ({"x": torch.ones(0, 3)}, "graph 1 must have one row or more"),
        ({"edge_index": torch.tensor([[0], [12]])}, "graph 1 has an edge to a node"),
    ],
)
def test_graphs_that_do_not_fit_are_refused(graphs, split, broken, message):
    known = {key: graphs[1][key] for key in ("x", "edge_index", "y")}
    with pytest.raises(ArgumentError, match=message):
        fit_graphs(make, [graphs[0], Data(**known | broken), *graphs[2:]], split, SHORT)


def test_models_and_splits_that_do_not_fit_are_refused(graphs, split):
    with pytest.raises(
        ArgumentError, match=r"one row of class scores .* got \(\d+, 2\)"
    ):
        fit_graphs(lambda: NodeScores(), graphs, split, SHORT)
    with pytest.raises(ArgumentError, match="returns 1 class scores, but .* 2 classes"):
        fit_graphs(lambda: GraphClassifier(GCN(3, 8, 8), 8, 1), graphs, split, SHORT)
    with pytest.raises(
        ArgumentError, match="split is one of 60 graphs, but there are 9"
    ):
        fit_graphs(make, graphs[:9], split, SHORT)
    with pytest.raises(ArgumentError, match="at least one graph"):
        fit_graphs(make, [], split, SHORT)
    frozen = make().requires_grad_(False)
    with pytest.raises(ArgumentError, match="no parameter to train"):
        fit_graphs(frozen, graphs, split, SHORT)


class NodeScores(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = torch.nn.Linear(3, 2)

    def forward(self, x, edge_index, batch):
        return self.lin(x)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of cross_entropy, margin"),
        ({"monitor": "test_loss"}, "monitor must be one of val_loss"),
        ({"epochs": 0}, "epochs must be a positive whole number"),
        ({"batch_size": 1.5}, "batch_size must be a positive"),
        ({"patience": 0}, "patience must be a positive"),
        ({"patience": 3, "monitor": "last"}, "patience must be None where monitor"),
        ({"lr": 0}, "lr must be positive"),
        ({"weight_decay": -1}, "weight_decay must not be negative"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ArgumentError, match=message):
        GraphConfig(**settings)


def test_the_rule_of_selection_in_words():
    assert GraphConfig().selection == "lowest validation loss"
    assert GraphConfig(monitor="last").selection == "last epoch"
