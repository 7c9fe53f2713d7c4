"""What docs/positions.md says about awkward input, for anchors, layers and models."""

import pytest
import torch
from torch_geometric.data import Data

from graphlab.errors import ArgumentError
from graphlab.nn import (
    PGNN,
    PSGNN,
    Anchors,
    AnchorSelector,
    LearnedAnchors,
    PGNNConv,
    PSGNNConv,
)
from graphlab.ops import (
    anchor_distances,
    bourgain_sets,
    closest_members,
    degree_anchors,
    farthest_point_anchors,
    pagerank_anchors,
    random_anchors,
)
from graphlab.transforms import AddAnchorDistancePE

RULES = (random_anchors, degree_anchors, pagerank_anchors, farthest_point_anchors)
METHODS = ("random", "farthest_point", "degree", "pagerank", "bourgain", "learned")
NONE = torch.empty(2, 0, dtype=torch.long)
PATH = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
PARTS = torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]])  # two edges, four nodes
GRAPHS = {"nodes": (NONE, 0), "edges": (NONE, 3), "connection": (PARTS, 4)}
EACH = pytest.mark.parametrize("method", METHODS)


def models(method, k, out=None):
    yield PSGNN(1, 4, out, num_anchors=k, selector=method)
    yield PGNN(1, 4, out, num_anchors=k, selector=method)


# ------------------------------------------------------------------ more than nodes


@pytest.mark.parametrize("rule", RULES)
def test_rules_refuse_more_anchors_than_nodes(rule):
    with pytest.raises(ArgumentError, match="k must be .* num_nodes = 3, got 4"):
        rule(PATH, 3, 4)


@EACH
def test_models_take_all_nodes_as_anchors_then(method):
    for model in models(method, 9):
        z = model(torch.ones(3, 1), PATH)
        assert z.shape == (3, 9 if method == "bourgain" else 3)
    for model in models(method, 9, out=2):
        assert model(torch.ones(3, 1), PATH).shape == (3, 2)
    if method != "bourgain":
        conv = PSGNNConv(1, 4, num_anchors=9, selector=method)
        assert conv(torch.ones(3, 1), PATH)[0].shape == (3, 3)


def test_the_encoding_has_its_width_all_the_same():
    pe = AddAnchorDistancePE(9)(Data(edge_index=PATH, num_nodes=3)).anchor_pe
    assert pe.shape == (3, 9) and (pe[:, :3] > 0).all() and not pe[:, 3:].any()


def test_learned_anchors_are_all_candidates_then():
    hops = anchor_distances(PATH, [0, 1, 2], 3)
    learned = LearnedAnchors(1, num_anchors=9)
    anchors = learned(torch.ones(3, 1), PATH, Anchors(torch.arange(3), hops))
    assert anchors.chosen().nodes.sort().values.tolist() == [0, 1, 2]


# ------------------------------------------------------------------ graphs


@EACH
@pytest.mark.parametrize("without", GRAPHS)
@pytest.mark.parametrize("train", [True, False])
def test_graphs_without_something(method, without, train):
    """Values are finite, as are gradients, and facts can be told."""
    edge_index, number = GRAPHS[without]
    for out in (None, 3):
        for model in models(method, 2, out):
            model.train(train)
            z = model(torch.ones(number, 1), edge_index)
            assert len(z) == number and z.isfinite().all()
            z.sum().backward()
            grads = [p.grad for p in model.parameters() if p.grad is not None]
            assert grads and all(grad.isfinite().all() for grad in grads)
            reached = model.facts()["reached"]
            assert reached > 0 if number else reached == 0


@pytest.mark.parametrize("without", GRAPHS)
def test_layers_and_encodings_of_graphs_without_something(without):
    edge_index, number = GRAPHS[without]
    z, h = PSGNNConv(1, 4, num_anchors=2)(torch.ones(number, 1), edge_index)
    assert z.shape == (number, min(2, number)) and h.shape == (number, 4)
    data = Data(edge_index=edge_index, num_nodes=number)
    assert AddAnchorDistancePE(2)(data).anchor_pe.shape == (number, 2)
    member, hops = closest_members(edge_index, bourgain_sets(number, 2), number)
    assert member.shape == hops.shape == (number, 2)
    for rule in RULES:
        assert len(rule(edge_index, number, number)) == number


def test_unconnected_nodes_are_unreachable():
    assert anchor_distances(PARTS, [0], 4).view(-1).tolist() == [0, 1, -1, -1]
    anchors = AnchorSelector("farthest_point", 2)(torch.ones(4, 1), PARTS)
    first, second = anchors.nodes.tolist()
    assert (first < 2) != (second < 2)  # one each
    pe = AddAnchorDistancePE(torch.tensor([0]))(Data(edge_index=PARTS, num_nodes=4))
    assert pe.anchor_pe.view(-1).tolist() == [1, 0.5, 0, 0]
    assert anchor_distances(NONE, [1], 3).view(-1).tolist() == [-1, 0, -1]


def test_messages_of_unreachable_anchors_are_scaled_by_phi_of_zero():
    conv = PGNNConv(1, 4)
    nodes = torch.tensor([0])
    hops = anchor_distances(PARTS, nodes, 4)
    with torch.no_grad():
        z = conv(torch.ones(4, 1), Anchors(nodes, hops))[0].view(-1)
        phi = conv.distance_out(conv.distance_in(torch.zeros(1, 1)).relu())
        message = conv.lin(torch.cat([phi, torch.ones(1, 1)], 1)).relu()
        torch.testing.assert_close(z[2:], conv.position(message).view(1).expand(2))


def test_a_graph_without_nodes_has_no_anchors():
    with pytest.raises(ArgumentError, match="the graph has none"):
        anchor_distances(NONE, [0], 0)
    assert anchor_distances(NONE, [], 0).shape == (0, 0)


# ------------------------------------------------------------------ weights


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
@pytest.mark.parametrize("method", [m for m in METHODS if m != "bourgain"])
def test_lengths_below_zero_are_refused(method, bad):
    weight = torch.tensor([1.0, 1.0, bad, 1.0])
    x, match = torch.ones(3, 1), "edge_weight must not be negative or NaN"
    with pytest.raises(ArgumentError, match=match):
        AnchorSelector(method, 2, in_channels=1)(x, PATH, weight)
    for model in (*models(method, 2), PSGNNConv(1, 4, 2, method)):
        with pytest.raises(ArgumentError, match=match):
            model(x, PATH, weight)


def test_distances_and_encodings_refuse_them_too():
    weight = torch.tensor([1.0, 1.0, -0.5, 1.0])
    with pytest.raises(ArgumentError, match="smallest value of -0.5"):
        anchor_distances(PATH, [0], 3, edge_weight=weight)
    data = Data(edge_index=PATH, edge_weight=weight, num_nodes=3)
    with pytest.raises(ArgumentError, match="negative"):
        AddAnchorDistancePE(1, weighted=True)(data)
    assert AddAnchorDistancePE(1)(data).anchor_pe.numel() == 3  # not looked at
    with pytest.raises(ArgumentError, match="must be a tensor"):
        anchor_distances(PATH, [0], 3, edge_weight=[1.0] * 4)


def test_infinite_lengths_are_no_way_and_zeros_are_fine():
    weight = torch.tensor([0.0, 0.0, torch.inf, torch.inf])
    found = anchor_distances(PATH, [0], 3, edge_weight=weight)
    assert found.view(-1).tolist() == [0, 0, torch.inf]
    model = PSGNN(1, 4, num_anchors=2)
    assert model(torch.ones(3, 1), PATH, weight).isfinite().all()


def test_to_learned_anchors_another_part_is_as_far_as_the_farthest():
    """A path of five nodes and a lone one: its end and the lone node are equal."""
    path = torch.stack([torch.arange(4), torch.arange(1, 5)])
    select = AnchorSelector("learned", 2, in_channels=1, num_candidates=6).eval()
    hops = anchor_distances(path, torch.arange(6), 6, direction="both")
    x, order = torch.ones(6, 1), torch.tensor([0, 4, 5, 1, 2, 3])
    for first, second in ((4, 5), (5, 4)):  # whichever candidate comes first
        order[1:3] = torch.tensor([first, second])
        anchors = select(x, path, anchors=Anchors(order, hops[:, order]))
        assert anchors.chosen().nodes.tolist() == [0, first]


def test_sets_take_hops_only():
    with pytest.raises(ArgumentError, match="edge_weight: .* single nodes"):
        PGNN(1, 4)(torch.ones(3, 1), PATH, torch.ones(4))


# ------------------------------------------------------------------ no anchors


def test_no_anchors_where_they_are_data():
    for rule in RULES:
        assert rule(PATH, 3, 0).shape == (0,)
    sets = bourgain_sets(3, 0)
    assert sets.shape == (0, 0)
    member, hops = closest_members(PATH, sets, 3)
    assert member.shape == hops.shape == (3, 0)
    data = AddAnchorDistancePE(0)(Data(edge_index=PATH, num_nodes=3))
    assert data.anchor_pe.shape == (3, 0)
    none = Anchors(torch.empty(0).long(), torch.empty(3, 0).short())
    z, h = PGNNConv(1, 4)(torch.ones(3, 1), none)
    assert z.shape == (3, 0) and not h.any()


@pytest.mark.parametrize("k", [0, -1, 2.0, True])
@EACH
def test_no_anchors_where_they_are_a_setting(method, k):
    match = "num_anchors: must be a whole number of at least 1"
    for make in (
        lambda: AnchorSelector(method, k, in_channels=1),
        lambda: PSGNN(1, 4, num_anchors=k, selector=method),
        lambda: PGNN(1, 4, num_anchors=k, selector=method),
        lambda: PSGNNConv(1, 4, k, method),
        lambda: LearnedAnchors(1, k),
    ):
        with pytest.raises(ArgumentError, match=match):
            make()


# ------------------------------------------------------------------ what rules return


@pytest.mark.parametrize(
    "found", [torch.arange(2), torch.zeros(2, 3).long(), [0, 1, 2]], ids=str
)
def test_rules_must_return_as_many_nodes_as_asked(found):
    select = AnchorSelector(lambda *args: found, 3)
    with pytest.raises(ArgumentError, match="method: must return 3 nodes"):
        select(torch.ones(3, 1), PATH)


def test_rules_of_the_encoding_too():
    transform = AddAnchorDistancePE(2, lambda *args: torch.arange(3))
    with pytest.raises(ArgumentError, match="selector: returned .* are 2 nodes"):
        transform(Data(edge_index=PATH, num_nodes=3))


@pytest.mark.parametrize("found", [torch.tensor([0, 3]), torch.tensor([0.0, 1.0])])
def test_rules_must_return_nodes(found):
    with pytest.raises(ArgumentError, match="anchors must be"):
        AnchorSelector(lambda *args: found, 2)(torch.ones(3, 1), PATH)


# ------------------------------------------------------------------ odds and ends


@pytest.mark.parametrize("anchors", [None, 0, "ab", [None]])
def test_anchors_must_be_a_list_of_nodes(anchors):
    with pytest.raises(ArgumentError, match="anchors must be"):
        anchor_distances(PATH, anchors, 3)


@pytest.mark.parametrize("number", [-1, 3.0])
def test_numbers_of_nodes_are_whole(number):
    with pytest.raises(ArgumentError, match="num_nodes must be"):
        anchor_distances(PATH, [0], number)


@pytest.mark.parametrize("sets", [[[-1, 0]], [[0, -1], [1, 2]]])
def test_sets_have_members(sets):
    with pytest.raises(ArgumentError, match="sets must have a node each"):
        closest_members(PATH, torch.tensor(sets), 3)


def test_sets_are_a_matrix():
    with pytest.raises(ArgumentError, match="sets must have shape"):
        closest_members(PATH, torch.tensor([0]), 3)
    for k in (-1, 1.0, True):
        with pytest.raises(ArgumentError, match="k must be"):
            bourgain_sets(3, k)


def test_anchors_of_another_graph_are_refused():
    model = PSGNN(1, 4, num_anchors=2)
    with pytest.raises(ArgumentError, match="anchors: .* 3 nodes, .* not of 4"):
        model(torch.ones(3, 1), PATH, **model.prepare(PARTS, 4))


@pytest.mark.parametrize("nodes", [[-1], [0, 3]])
def test_answers_are_for_nodes_of_the_graph(nodes):
    model = PSGNN(1, 4, num_anchors=2)
    with pytest.raises(ArgumentError, match="nodes: must lie in 0 to 2"):
        model(torch.ones(3, 1), PATH, nodes=torch.tensor(nodes))
    with pytest.raises(ArgumentError, match="nodes: must be a tensor"):
        model(torch.ones(3, 1), PATH, nodes=nodes)


def test_answers_for_no_nodes():
    for model in models("learned", 2, out=3):
        none = model(torch.ones(3, 1), PATH, nodes=torch.empty(0).long())
        assert none.shape == (0, 3)


@pytest.mark.parametrize("method", ["learned", "random", "bourgain"])
def test_models_have_a_column_for_all_that_may_be_anchors(method):
    """P-GNN with learned anchors lost columns: they are of candidates, not of picks."""
    torch.manual_seed(0)
    model = PGNN(1, 4, 2, num_anchors=2, selector=method)
    columns = {"learned": 8, "random": 2, "bourgain": 2}[method]
    assert model.lin_out.in_features == 4 + columns
    number = 20
    ring = torch.stack([torch.arange(number), (torch.arange(number) + 1) % number])
    anchors = model.eval().prepare(ring, number)["anchors"]
    loss = model(torch.ones(number, 1), ring, anchors=anchors).sum()
    (grad,) = torch.autograd.grad(loss, model.lin_out.weight)
    used = grad[0, 4:].nonzero().view(-1)
    assert used.numel() == 2
    if method == "learned":
        picked = anchors.nodes[used].tolist()
        assert sorted(picked) == sorted(model.facts()["anchors"])
    assert PGNN(1, 4, 2).lin_out.in_features == 4  # the number depends on the graph
