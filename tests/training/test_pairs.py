"""Training on pairs: determinism, selection, batches of graphs, the prepare hook."""

import copy
import math

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.nn import GIN
from torch_geometric.transforms import RandomLinkSplit

from graphlab.datasets import communities, grid
from graphlab.errors import ArgumentError
from graphlab.nn import GAT, GCN, SAGEConv
from graphlab.training import PairConfig, PairScore, fit_pairs, pair_roc_auc
from graphlab.transforms import NodeFeatures, RandomPairSplit


def pair_graphs(number=2, seed=0, features="identity") -> list:
    graphs = [communities(3, 6, seed=place) for place in range(number)]
    graphs = [NodeFeatures(features)(graph) for graph in graphs]
    return RandomPairSplit(0.2, 0.2, "pair", seed=seed)(graphs)


def make_gcn():
    return GCN(18, 16, 8, num_layers=2, dropout=0.5)


def run(graphs=None, make=make_gcn, seed=0, progress=None, **settings):
    config = PairConfig(**{"epochs": 20, "evaluate_every": 2} | settings)
    return fit_pairs(make, graphs or pair_graphs(), config, seed, progress)


class Table(torch.nn.Module):
    """A free state per node: an encoder whose training can be followed by hand."""

    def __init__(self, num_nodes=18, dim=8):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(num_nodes, dim))

    def forward(self, x, edge_index):
        return self.weight


class Sage(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = SAGEConv(3, 8)

    def forward(self, x, edge_index):
        return self.conv(x, edge_index)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GCN(3, 16, 8, num_layers=2),
        lambda: GAT(3, 4, 8, num_layers=2),
        Sage,
        lambda: GIN(3, 8, 2, 8),
        lambda: GIN(-1, 8, 2, 8),  # lazy
    ],
    ids=["GCN", "GAT", "SAGEConv", "PyG GIN", "lazy"],
)
def test_separable_communities_are_separated(make):
    """The features are the labels, so the state of a node can be its label."""
    graphs = pair_graphs(1)
    for part in graphs[0]:
        part.x = torch.nn.functional.one_hot(part.y).float()
    result = run(graphs, make, epochs=60, evaluate_every=60)
    assert result.val_auc == result.test_auc == 1
    assert not result.nan and result.epochs == 60


def test_the_same_seed_gives_the_same_bits():
    first, second, other = run(seed=3), run(seed=3), run(seed=4)
    assert first.history == second.history != other.history
    for name, weight in first.state_dict.items():
        assert torch.equal(weight, second.state_dict[name])
    assert first.test_auc == second.test_auc


def test_the_callers_random_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run()
    assert torch.equal(before, torch.get_rng_state())


def test_test_labels_select_nothing():
    graphs = pair_graphs(features="constant")
    turned = copy.deepcopy(graphs)
    for triple in turned:
        triple[2].edge_label = 1 - triple[2].edge_label
    settings = dict(make=lambda: GIN(1, 8, 2, 8), epochs=30)
    a, b = run(graphs, **settings), run(turned, **settings)
    assert (a.best_epoch, a.val_auc, a.history) == (b.best_epoch, b.val_auc, b.history)
    assert a.test_auc == pytest.approx(1 - b.test_auc)


def test_reported_is_the_first_best_epoch_and_its_weights():
    graphs = pair_graphs()
    model = make_gcn()
    result = run(graphs, lambda: model)
    best = max(row["val_auc"] for row in result.history)
    first = next(row for row in result.history if row["val_auc"] == best)
    assert (result.val_auc, result.best_epoch) == (best, first["epoch"])
    assert [row["epoch"] for row in result.history] == list(range(1, 20, 2))
    with torch.no_grad():
        parts = [triple[2] for triple in graphs]
        z = [model(part.x, part.edge_index) for part in parts]
    scores = [PairScore()(h, p.edge_label_index) for h, p in zip(z, parts, strict=True)]
    mean, each = pair_roc_auc(scores, [part.edge_label for part in parts])
    assert (mean, each) == (result.test_auc, result.test_auc_per_graph)
    assert not model.training


def test_the_last_epoch_is_evaluated():
    assert [r["epoch"] for r in run(epochs=5, evaluate_every=3).history] == [2, 4]


def by_hand(graphs, epochs, batch, decay) -> list[torch.Tensor]:
    """The loop with dense scores; every batch holds all graphs, so order is idle."""
    torch.manual_seed(0)
    model = Table()
    adam = torch.optim.Adam(model.parameters(), 0.01, weight_decay=5e-4)
    for epoch in range(epochs):
        if epoch == decay:
            adam.param_groups[0]["lr"] = 0.001
        adam.zero_grad()
        total = 0
        for train, _, _ in graphs:
            z = model.weight / model.weight.norm(dim=1, keepdim=True)
            score = (z @ z.T)[tuple(train.edge_label_index)]
            wrong = torch.where(train.edge_label == 1, -score, score)
            total = total + torch.log1p(wrong.exp()).mean() / batch
        total.backward()
        adam.step()
    return model.weight.detach()


def test_the_step_is_that_of_the_mean_loss():
    graphs = pair_graphs(3)
    torch.manual_seed(0)
    model = Table()
    config = PairConfig(epochs=6, evaluate_every=6, decay_epoch=4)
    result = fit_pairs(model, graphs, config)
    torch.testing.assert_close(result.state_dict["weight"], by_hand(graphs, 6, 3, 4))


def test_graphs_share_steps():
    """Five graphs by twos: three steps an epoch, and every graph is in one."""
    seen, versions = [], []

    class Counting(Table):
        def forward(self, x, edge_index):
            if self.training:
                seen.append(id(edge_index))
                versions.append(self.weight._version)
            return self.weight

    graphs = pair_graphs(5)
    fit_pairs(Counting(), graphs, PairConfig(epochs=2, batch_graphs=2))
    names = [id(train.edge_index) for train, _, _ in graphs]
    assert sorted(seen[:5]) == sorted(seen[5:]) == sorted(names)
    assert seen[:5] != seen[5:]  # in another order
    steps = [versions.count(version) for version in dict.fromkeys(versions)]
    assert steps == [2, 2, 1, 2, 2, 1]


class Prepared(Table):
    """Draws a number per graph and edge set, and returns it as its state."""

    def __init__(self):
        super().__init__()
        self.calls, self.given = [], []

    def prepare(self, edge_index, num_nodes, generator):
        draw = torch.rand((), generator=generator).item()
        self.calls.append((edge_index.size(1), num_nodes, draw))
        return {"draw": draw}

    def forward(self, x, edge_index, draw):
        self.given.append((edge_index.size(1), draw))
        return self.weight


def test_prepare_is_called_once_per_edge_set_and_passed_on():
    model = Prepared()
    graphs = pair_graphs(2)
    result = fit_pairs(model, graphs, PairConfig(epochs=3), seed=1)
    assert len(model.calls) == 2
    known = {(entries, draw) for entries, _, draw in model.calls}
    assert set(model.given) <= known
    assert result.prepared[1][0] == {"draw": model.calls[1][2]}
    assert len({draw for _, _, draw in model.calls}) == 2

    again = Prepared()
    fit_pairs(again, graphs, PairConfig(epochs=3), seed=1)
    assert again.calls == model.calls  # from the seed


def test_prepare_can_be_repeated():
    model = Prepared()
    config = PairConfig(epochs=5, evaluate_every=1, prepare_every=2)
    result = fit_pairs(model, pair_graphs(1), config)
    assert len(model.calls) == 3  # before epochs 0, 2, 4
    number = result.best_epoch // 2
    assert result.prepared[0][2] == {"draw": model.calls[number][2]}


def test_each_part_is_encoded_from_its_own_edges():
    """PyG's own split lets the test part see the validation edges."""
    data = grid(6, 6)
    split = RandomLinkSplit(0.2, 0.2, is_undirected=True)
    model = Prepared()
    model.weight = torch.nn.Parameter(torch.randn(36, 4))
    parts = split(data)
    fit_pairs(model, parts, PairConfig(epochs=1))
    sizes = {part.edge_index.size(1) for part in parts}
    assert {entries for entries, _, _ in model.calls} == sizes and len(sizes) == 2


def test_an_affine_score_is_trained_and_kept():
    plain, affine = run(epochs=4), run(epochs=4, affine=True, evaluate_every=4)
    assert affine.num_parameters == plain.num_parameters + 2
    assert set(affine.score_state_dict) == {"scale", "shift"}
    assert affine.score_state_dict["scale"] != 1
    assert plain.score_state_dict == {}


def test_a_nan_ends_the_training_and_is_not_selected():
    class Breaks(Table):
        steps = 0

        def forward(self, x, edge_index):
            self.steps += self.training
            return self.weight * (math.nan if self.steps > 5 else 1)

    result = fit_pairs(Breaks(), pair_graphs(1), PairConfig(epochs=9, evaluate_every=2))
    assert result.nan and result.epochs == 6
    assert result.best_epoch < 5 and result.val_auc >= 0
    assert bool(result.state_dict["weight"].isfinite().all())


def test_progress_is_reported_at_evaluations():
    reports = []
    run(progress=reports.append, epochs=5)
    assert [(r.done, r.total) for r in reports] == [(2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(epochs=0), "epochs must be"),
        (dict(evaluate_every=1.5), "evaluate_every must be"),
        (dict(batch_graphs=True), "batch_graphs must be"),
        (dict(prepare_every=0), "prepare_every must be"),
        (dict(lr=0), "lr must be"),
        (dict(temperature=-1), "temperature must be"),
        (dict(weight_decay=-1), "weight_decay must not"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ArgumentError, match=message):
        PairConfig(**settings)


def without(key):
    def change(part: Data):
        del part[key]

    return change


def only(kind):
    def change(part: Data):
        part.edge_label = torch.full_like(part.edge_label, kind)

    return change


def put(key, value):
    return lambda part: part.__setitem__(key, value)


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (0, without("x"), "training part of graph 1 has no x"),
        (1, without("edge_label"), "validation part of graph 1 has no edge_label"),
        (1, only(1), "validation part of graph 1 has positive pairs only"),
        (2, only(0), "test part of graph 1 has negative pairs only"),
        (2, only(2), "0 and 1 only"),
        (0, put("edge_label", torch.ones(1)), r"shape \(2, 1\)"),
        (0, lambda p: p.edge_label_index.add_(99), "must lie in 0 to 17"),
    ],
)
def test_parts_are_checked(place, change, message):
    graphs = pair_graphs(2)
    change(graphs[1][place])
    with pytest.raises(ArgumentError, match=message):
        run(graphs)


def test_other_errors_say_what_is_accepted():
    with pytest.raises(ArgumentError, match="empty"):
        fit_pairs(make_gcn, [])
    with pytest.raises(ArgumentError, match="entry 0 is not a"):
        fit_pairs(make_gcn, [communities()])
    with pytest.raises(ArgumentError, match=r"one row per node, \(18, D\), got \(5,"):
        run(make=lambda: Table(5))
    with pytest.raises(ArgumentError, match="no parameter"):
        run(make=lambda: Table().requires_grad_(False))


class Telling(Table):
    """Says of itself what it holds at the moment it is asked."""

    def forward(self, x, edge_index):
        self.seen = edge_index.size(1)
        return super().forward(x, edge_index)

    def facts(self):
        return {"edges": self.seen, "size": float(self.weight.detach().norm())}


def test_facts_are_those_of_each_graph_at_the_best_epoch():
    graphs = pair_graphs()
    model = Telling()
    result = run(graphs, model)
    assert [f["edges"] for f in result.facts] == [g[2].num_edges for g in graphs]
    size = float(result.state_dict["weight"].norm())
    assert {f["size"] for f in result.facts} == {size}
    plain = run(graphs, Table())
    assert plain.facts == []
    seeded = [run(graphs, make, seed=3).test_auc for make in (Telling, Table)]
    assert seeded[0] == seeded[1]  # asking changes nothing


def test_facts_that_json_cannot_hold_are_refused():
    class Wrong(Table):
        def facts(self):
            return {"weight": self.weight}

    with pytest.raises(ArgumentError, match="facts\\(\\) of Wrong must return"):
        run(make=Wrong, epochs=1)
