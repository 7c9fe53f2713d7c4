"""Profiles of any model, and what they leave behind: nothing."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch_geometric.nn import GATConv, GCNConv
from torch_geometric.nn.models import GCN, GraphSAGE

import graphlab.nn as gnn
from graphlab.analysis import (
    dirichlet_energy,
    distance_to_constant,
    distance_to_degree_subspace,
    find_layers,
    gradient_profile,
    mean_cosine_similarity,
    representation_profile,
)
from graphlab.errors import ArgumentError

EDGES = torch.tensor([[0, 1, 1, 2, 2, 3, 4, 5], [1, 0, 2, 1, 3, 2, 5, 4]])
Y = torch.tensor([0, 1, 2, 0, 1, 2])
MASK = torch.tensor([True, True, False, True, False, True])


@pytest.fixture
def x():
    torch.manual_seed(1)
    return torch.randn(6, 5)


class Residual(nn.Module):
    """Tied weights and a branch whose input is used twice."""

    def __init__(self, depth=3):
        super().__init__()
        torch.manual_seed(0)
        self.depth = depth
        self.first, self.last = nn.Linear(5, 4), nn.Linear(4, 3)
        self.conv = GCNConv(4, 4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x, edge_index):
        x = self.first(x)
        for _ in range(self.depth):
            x = x + self.conv(x=self.drop(x), edge_index=edge_index).relu_()
        return self.last(x)


def states_by_hand(model, x):
    """States that enter the layer, and the gradient of each."""
    h = model.first(x)
    states = [h]
    for _ in range(model.depth):
        h = h + model.conv(h, EDGES).relu()
        states.append(h)
    for state in states:
        state.retain_grad()
    F.cross_entropy(model.last(h)[MASK], Y[MASK]).backward()
    model.zero_grad(set_to_none=True)
    return states[:-1], [state.grad for state in states[:-1]]


def test_a_profile_is_the_measures_of_states_and_gradients(x):
    model = Residual()
    states, gradients = states_by_hand(model, x)
    rows = gradient_profile(model, x, EDGES, Y, MASK).rows
    assert [(r["layer"], r["call"]) for r in rows] == [("conv", k) for k in range(3)]
    for row, state, gradient in zip(rows, states, gradients, strict=True):
        expected = {
            "norm": state.norm(),
            "dirichlet_energy": dirichlet_energy(state, EDGES),
            "relative_dirichlet_energy": dirichlet_energy(state, EDGES, relative=True),
            "mean_cosine_similarity": mean_cosine_similarity(state),
            "gradient_norm": gradient.norm(),
        }
        for prefix, value in (("", state), ("gradient_", gradient)):
            for way in (True, False):
                word = prefix + ("relative_" if way else "")
                name = f"{word}distance_to_degree_subspace"
                expected[name] = distance_to_degree_subspace(value, EDGES, way)
                name = f"{word}distance_to_constant"
                expected[name] = distance_to_constant(value, way)
        for name, value in expected.items():
            assert row[name] == pytest.approx(value.item(), rel=1e-5), name
        assert set(row) == {"layer", "call", *expected}


def test_writing_in_place_later_does_not_change_what_was_measured(x):
    class Double(nn.Module):
        def forward(self, x):
            return 2 * x

    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([Double()])

        def forward(self, x, edge_index):
            x = x * 1
            return x.add_(self.layers[0](x))

    (row,) = gradient_profile(
        InPlace(), x, EDGES, Y, loss=lambda out, y: out.sum()
    ).rows
    assert row["norm"] == pytest.approx(float(x.norm()))
    assert row["gradient_norm"] == pytest.approx(3 * 30**0.5)


def test_representations_need_no_labels(x):
    model = Residual()
    with_gradients = gradient_profile(model, x, EDGES, Y, MASK).rows
    without = representation_profile(model, x, EDGES).rows
    for row, other in zip(without, with_gradients, strict=True):
        assert row == {name: other[name] for name in row}
        assert not any(name.startswith("gradient") for name in row)


def test_what_leaves_a_layer_can_be_measured(x):
    model = GCN(5, 4, num_layers=2, out_channels=3)
    rows = representation_profile(model, x, EDGES, at="output").rows
    out = model(x, EDGES)
    assert rows[-1]["norm"] == pytest.approx(out.norm().item(), rel=1e-6)
    with pytest.raises(ArgumentError, match="at must be"):
        representation_profile(model, x, EDGES, at="inside")


def test_nothing_is_left_behind(x):
    model = GCN(5, 4, num_layers=3, out_channels=3, norm="batch", dropout=0.5)
    model.train()
    model.convs[1].eval()
    modes = [module.training for module in model.modules()]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    random = torch.get_rng_state()
    gradient_profile(model, x, EDGES, Y, MASK)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.equal(torch.get_rng_state(), random)
    assert not x.requires_grad and x.grad is None


def test_nothing_is_left_behind_by_a_failure(x):
    class Failing(Residual):
        def forward(self, x, edge_index):
            super().forward(x, edge_index)
            raise RuntimeError("on purpose")

    model = Failing().train()
    with pytest.raises(RuntimeError, match="on purpose"):
        representation_profile(model, x, EDGES)
    assert model.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_gradient_that_was_there_stays(x):
    model = Residual()
    model.first.weight.grad = torch.ones_like(model.first.weight)
    gradient_profile(model, x, EDGES, Y)
    assert torch.equal(model.first.weight.grad, torch.ones(4, 5))


def test_batch_normalization_normalizes_before_training(x):
    model = GCN(5, 4, num_layers=3, norm="batch")
    rows = representation_profile(model, 1e3 * x, EDGES).rows
    assert rows[1]["norm"] < 10  # with running statistics it would be about 1e3


def test_equal_calls_give_equal_bits(x):
    model = gnn.GCN(5, 8, 3, num_layers=4)
    first, second = (gradient_profile(model, x, EDGES, Y).rows for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "make",
    [
        lambda: gnn.GCN(5, 4, 3, num_layers=3),
        lambda: gnn.GAT(5, 4, 3, num_layers=3),
        lambda: GraphSAGE(5, 4, 3, 3),
        lambda: gnn.LipschitzResGNN(5, 4, 3, num_layers=3),
        lambda: gnn.ResGCN(5, 4, 3, num_layers=3, norm="pair"),
        lambda: gnn.GCNII(5, 4, 3, num_layers=3),
    ],
)
def test_models_are_understood_as_they_come(make, x):
    for features in (x, x.to_sparse_csr()):
        rows = gradient_profile(make(), features, EDGES, Y, MASK).rows
        assert len(rows) == 3 and all(row["gradient_norm"] > 0 for row in rows)


def test_layers_by_list_by_message_passing_by_name_and_by_function():
    inner = nn.ModuleDict({"a": GCNConv(2, 2), "b": GATConv(2, 2)})
    nested = nn.Module()
    nested.blocks = nn.ModuleList([inner, inner["a"], nn.Linear(2, 2)])
    nested.gnn = GCNConv(2, 2)
    assert list(find_layers(nested)) == ["blocks.0", "blocks.2"]
    assert list(find_layers(inner)) == ["a", "b"]
    assert list(find_layers(inner, ["b"])) == ["b"]
    assert list(find_layers(inner, "a.lin")) == ["a.lin"]
    linear = find_layers(nested, lambda name, module: isinstance(module, nn.Linear))
    assert list(linear) == ["blocks.2"]
    with pytest.raises(ArgumentError, match="no module 'c' in ModuleDict.* a, "):
        find_layers(inner, ["a", "c"])
    with pytest.raises(ArgumentError, match="layers: no layers found in Linear"):
        find_layers(nn.Linear(2, 2))
    with pytest.raises(ArgumentError, match="no layers found"):
        find_layers(inner, lambda name, module: False)


def test_a_model_may_name_its_states_itself(x):
    class Named(Residual):
        def layer_states(self, x, edge_index):
            first = self.first(x)
            second = first + self.conv(first, edge_index).relu()
            return {"start": first, "end": second, "output": self.last(second)}

    model = Named(depth=1)
    rows = gradient_profile(model, x, EDGES, Y, MASK).rows
    assert [row["layer"] for row in rows] == ["start", "end"]
    hooked = gradient_profile(model, x, EDGES, Y, MASK, layers=["conv"]).rows[0]
    for name, value in hooked.items():
        if name not in ("layer", "call"):
            assert rows[0][name] == pytest.approx(value, rel=1e-6)


def test_layers_that_are_never_called_are_an_error(x):
    class Fused(Residual):
        def forward(self, x, edge_index):
            return self.last(self.first(x))

    with pytest.raises(ArgumentError, match="Fused called none of conv; .*layer_state"):
        representation_profile(Fused(), x, EDGES)


def test_states_that_the_loss_does_not_see_have_no_gradient(x):
    class Detached(Residual):
        def forward(self, x, edge_index):
            self.conv(self.first(x), edge_index)
            with torch.no_grad():
                self.conv(self.first(x), edge_index)
            return self.last(self.conv(self.first(x), edge_index))

    norms = [r["gradient_norm"] for r in gradient_profile(Detached(), x, EDGES, Y).rows]
    assert norms[0] != norms[0] and norms[1] != norms[1] and norms[2] > 0


def test_frozen_weights_let_gradients_through(x):
    model = Residual().requires_grad_(False)
    rows = gradient_profile(model, x, EDGES, Y).rows
    assert all(row["gradient_norm"] > 0 for row in rows)


def test_binary_models_and_own_losses(x):
    model = GCN(5, 4, num_layers=2, out_channels=1)
    labels = Y.clamp(max=1)
    default = gradient_profile(model, x, EDGES, labels).rows

    def loss(out, y):
        return F.binary_cross_entropy(out[:, 0].sigmoid(), y.float()) * 2

    own = gradient_profile(model, x, EDGES, labels, loss=loss).rows
    for one, two in zip(default, own, strict=True):
        assert two["gradient_norm"] == pytest.approx(2 * one["gradient_norm"], rel=1e-4)


def test_heads_are_flattened_and_other_shapes_refused(x):
    class Heads(nn.Module):
        def __init__(self, wrong):
            super().__init__()
            self.wrong, self.layers = wrong, nn.ModuleList([nn.Identity()])

        def forward(self, x, edge_index):
            x = x.view(3, 10) if self.wrong else x.view(6, 5, 1)
            return self.layers[0](x).flatten(1)

    rows = representation_profile(Heads(False), x, EDGES).rows
    assert rows[0]["norm"] == pytest.approx(float(x.norm()))
    with pytest.raises(ArgumentError, match=r"layers.0 has shape \[3, 10\].*\[6, "):
        representation_profile(Heads(True), x, EDGES)


def test_a_state_that_overflows_is_in_the_table(x):
    class Exploding(Residual):
        def forward(self, x, edge_index):
            return super().forward(x, edge_index) * 1

    model = Exploding(depth=2)
    with torch.no_grad():
        model.conv.lin.weight.fill_(1e30)
        model.first.weight.fill_(1e20)
    frame = gradient_profile(model, x.abs(), EDGES, Y).to_dataframe()
    assert frame["norm"].iloc[1] == float("inf")
    assert frame["mean_cosine_similarity"].isna().iloc[1]
    assert list(frame["call"]) == [0, 1]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"x": torch.full((6, 5), torch.nan)}, "x must be finite"),
        ({"x": torch.full((6, 5), torch.inf)}, "x must be finite"),
        ({"x": torch.ones(6, 5, dtype=torch.long)}, "x must be a floating point"),
        ({"y": Y[:3]}, r"y must have shape \[6\]"),
        ({"mask": MASK & False}, "mask must select at least one"),
        ({"mask": MASK.long()}, "mask must be boolean"),
        ({"mask": MASK[:2]}, "mask must be boolean of shape"),
    ],
)
def test_bad_arguments_are_named(x, change, text):
    arguments = {"x": x, "edge_index": EDGES, "y": Y, "mask": MASK} | change
    with pytest.raises(ArgumentError, match=text):
        gradient_profile(Residual(), **arguments)


def test_one_node_and_no_edges():
    none = torch.empty(2, 0, dtype=torch.long)
    model = gnn.GCN(5, 4, 3, num_layers=2)
    (first, second) = gradient_profile(model, torch.ones(1, 5), none, Y[:1]).rows
    assert first["norm"] > 0 and first["distance_to_degree_subspace"] == 0
    assert first["mean_cosine_similarity"] != first["mean_cosine_similarity"]
    assert len(gradient_profile(model, torch.randn(6, 5), none, Y).rows) == 2
