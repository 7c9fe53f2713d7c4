"""The positional encoding on Data objects."""

import copy

import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.transforms import Compose

from graphlab.errors import ArgumentError
from graphlab.ops import (
    anchor_distances,
    degree_anchors,
    distance_similarity,
    farthest_point_anchors,
    pagerank_anchors,
    random_anchors,
)
from graphlab.transforms import AddAnchorDistancePE


def path(number, **attributes):
    edges = torch.stack([torch.arange(number - 1), torch.arange(1, number)])
    edges = torch.cat([edges, edges.flip(0)], 1)
    return Data(edge_index=edges, num_nodes=number, **attributes)


@pytest.mark.parametrize(
    "name, select",
    [
        ("random", random_anchors),
        ("degree", degree_anchors),
        ("pagerank", pagerank_anchors),
        ("farthest_point", farthest_point_anchors),
    ],
)
def test_selectors(name, select):
    data = AddAnchorDistancePE(4, name, seed=7)(path(12))
    anchors = select(data.edge_index, 12, 4, torch.Generator().manual_seed(7))
    assert torch.equal(data.anchor_index, anchors)
    distances = anchor_distances(data.edge_index, anchors, 12)
    assert torch.equal(data.anchor_pe, distance_similarity(distances))
    function = AddAnchorDistancePE(4, select, seed=7)(path(12))
    assert torch.equal(function.anchor_pe, data.anchor_pe)


def test_given_anchors_and_options():
    data = path(5)
    data.edge_weight = torch.full((8,), 0.5)
    anchors = torch.tensor([4, 0])
    raw = AddAnchorDistancePE(anchors, similarity=False, cutoff=2)(copy.copy(data))
    assert raw.anchor_pe.tolist() == [[-1, 0], [-1, 1], [2, 2], [1, -1], [0, -1]]
    weighted = AddAnchorDistancePE(anchors, similarity=False, weighted=True)(data)
    assert weighted.anchor_pe[:, 1].tolist() == [0, 0.5, 1, 1.5, 2]
    one_way = Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
    for direction, column in [
        ("to", [3, 2, 1]),
        ("from", [0, 0, 1]),
        ("both", [3, 2, 1]),
    ]:
        transform = AddAnchorDistancePE(torch.tensor([2]), direction=direction)
        pe = transform(copy.copy(one_way)).anchor_pe
        expected = [[1 / c if c else 0] for c in column]
        torch.testing.assert_close(pe, torch.tensor(expected))


def test_appended_to_features():
    x = torch.randn(6, 3)
    data = AddAnchorDistancePE(2, attr_name=None)(path(6, x=x))
    assert data.x.shape == (6, 5) and torch.equal(data.x[:, :3], x)
    assert "anchor_pe" not in data
    flat = AddAnchorDistancePE(2, attr_name=None)(path(6, x=x[:, 0]))
    assert flat.x.shape == (6, 3)
    alone = AddAnchorDistancePE(2, attr_name=None)(path(6))
    assert torch.equal(alone.x, data.x[:, 3:])


def test_seeds():
    once, again = (AddAnchorDistancePE(3, seed=1)(path(30)) for _ in range(2))
    assert torch.equal(once.anchor_index, again.anchor_index)
    free = AddAnchorDistancePE(3, "random", seed=None)
    drawn = {tuple(free(path(30)).anchor_index.tolist()) for _ in range(5)}
    assert len(drawn) > 1


@pytest.mark.parametrize(
    "options, value",
    [({}, 0.0), ({"similarity": False}, -1), ({"weighted": True}, 0.0)],
)
def test_small_graphs_keep_the_width(options, value):
    small = path(2)
    small.edge_weight = torch.ones(2)
    data = AddAnchorDistancePE(5, **options)(small)
    assert data.anchor_pe.shape == (2, 5) and data.anchor_index.numel() == 2
    assert (data.anchor_pe[:, 2:] == value).all()
    assert (data.anchor_pe[:, :2] != value).any()


def test_batches_number_the_anchors():
    transform = AddAnchorDistancePE(2)
    graphs = [transform(path(n)) for n in (4, 7)]
    batch = Batch.from_data_list(graphs)
    assert torch.equal(batch.anchor_index[:2], graphs[0].anchor_index)
    assert torch.equal(batch.anchor_index[2:], graphs[1].anchor_index + 4)
    own = anchor_distances(batch.edge_index, batch.anchor_index.view(2, 2), 11)
    assert torch.equal(distance_similarity(own), batch.anchor_pe)


def test_the_input_is_left_alone_and_others_compose():
    data = path(4)
    transform = Compose([AddAnchorDistancePE(2)])
    assert "anchor_pe" in transform(data) and "anchor_pe" not in data
    assert repr(AddAnchorDistancePE(2)) == (
        "AddAnchorDistancePE(k=2, selector='farthest_point', attr_name='anchor_pe', "
        "seed=0)"
    )


def test_empty_graphs_and_no_anchors():
    none = torch.empty(2, 0, dtype=torch.long)
    assert AddAnchorDistancePE(0)(path(3)).anchor_pe.shape == (3, 0)
    empty = AddAnchorDistancePE(2)(Data(edge_index=none, num_nodes=0))
    assert empty.anchor_pe.shape == (0, 2)
    lone = AddAnchorDistancePE(2)(Data(edge_index=none, num_nodes=2))
    assert lone.anchor_pe.sort().values.tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    "arguments, name",
    [
        ({"k": -1}, "k"),
        ({"k": 1.0}, "k"),
        ({"k": True}, "k"),
        ({"k": 2, "selector": "best"}, "selector"),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(ArgumentError, match=f"^{name}: "):
        AddAnchorDistancePE(**arguments)


def test_bad_data():
    with pytest.raises(ArgumentError, match="edge_index"):
        AddAnchorDistancePE(1)(Data(x=torch.zeros(2, 1)))
    with pytest.raises(ArgumentError, match="edge_weight"):
        AddAnchorDistancePE(1, weighted=True)(path(3))
    with pytest.raises(ArgumentError, match="anchors"):
        AddAnchorDistancePE(torch.tensor([3]))(path(3))
