"""Distances to anchors against networkx, on every backend."""

import networkx as nx
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch_geometric import EdgeIndex

from graphlab.errors import ArgumentError
from graphlab.ops import Csr, anchor_distances, cpu, reference, torch_csr
from graphlab.ops._hops import hops_by_products

BACKENDS = ["reference", "torch"] + ["cpu"] * (not cpu.why_not())
WAYS = ("to", "from", "both")


@pytest.fixture(params=BACKENDS)
def each_backend(request, monkeypatch):
    monkeypatch.setenv("GRAPHLAB_BACKEND", request.param)
    return request.param


def random_graph(seed, number=40, edges=60):
    """Directed, with loops and duplicates, and mostly a few nodes out of reach."""
    g = torch.Generator().manual_seed(seed)
    edge_index = torch.randint(number - 3, (2, edges), generator=g)
    return torch.cat([edge_index, edge_index[:, :5]], 1), number


def path(number, both=True):
    edges = torch.stack([torch.arange(number - 1), torch.arange(1, number)])
    return torch.cat([edges, edges.flip(0)], 1) if both else edges


def grid(side):
    node = torch.arange(side * side).view(side, side)
    right = torch.stack([node[:, :-1].flatten(), node[:, 1:].flatten()])
    down = torch.stack([node[:-1].flatten(), node[1:].flatten()])
    edges = torch.cat([right, down], 1)
    return torch.cat([edges, edges.flip(0)], 1)


def by_networkx(edge_index, number, anchors, direction="to", cutoff=None):
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(number))
    graph.add_edges_from(edge_index.t().tolist())
    graph = {"to": graph.reverse, "both": graph.to_undirected}.get(
        direction, graph.copy
    )()
    out = torch.full((number, len(anchors)), -1)
    for column, anchor in enumerate(anchors):
        found = nx.single_source_shortest_path_length(graph, int(anchor), cutoff)
        for node, hops in found.items():
            out[node, column] = hops
    return out


def agree(ours, theirs):
    return ours.dtype == torch.int16 and torch.equal(ours.long(), theirs.long())


@pytest.mark.parametrize("direction", WAYS)
def test_awkward_graphs(each_backend, graph, direction):
    edge_index, number = graph
    anchors = torch.arange(number)
    ours = anchor_distances(edge_index, anchors, number, direction=direction)
    assert agree(ours, by_networkx(edge_index, number, anchors, direction))


@pytest.mark.parametrize("direction", WAYS)
@pytest.mark.parametrize("columns", [3, 40])  # few are walked, many are swept
def test_random_graphs(each_backend, direction, columns):
    found = set()
    for seed in range(5):
        edge_index, number = random_graph(seed)
        anchors = torch.arange(columns).flip(0)
        ours = anchor_distances(edge_index, anchors, number, direction=direction)
        theirs = by_networkx(edge_index, number, anchors, direction)
        assert agree(ours, theirs)
        found |= set(theirs.unique().tolist())
    assert -1 in found and max(found) > 3  # the graphs are real cases


def test_all_directions_are_one_on_an_undirected_graph(each_backend):
    edge_index, number = random_graph(0)
    edge_index = torch.cat([edge_index, edge_index.flip(0)], 1)
    found = [
        anchor_distances(edge_index, torch.arange(9), number, direction=direction)
        for direction in WAYS
    ]
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


@pytest.mark.parametrize("cutoff", [0, 1, 3, 100])
@pytest.mark.parametrize("columns", [3, 40])
def test_cutoff(each_backend, cutoff, columns):
    edge_index, number = random_graph(1)
    anchors = torch.arange(columns)
    ours = anchor_distances(edge_index, anchors, number, cutoff=cutoff)
    assert agree(ours, by_networkx(edge_index, number, anchors, cutoff=cutoff))


@pytest.mark.parametrize("columns", [1, 70])
def test_deep_graph(each_backend, columns):
    """A grid of more than 64 levels, where the distance is known."""
    side = 45
    anchors = torch.randperm(side * side, generator=torch.Generator().manual_seed(0))
    anchors = anchors[:columns]
    anchors[0] = 0
    node = torch.arange(side * side).unsqueeze(1)
    truth = (node // side - anchors // side).abs() + (
        node % side - anchors % side
    ).abs()
    assert truth.max() > 64
    ours = anchor_distances(grid(side), anchors)
    assert agree(ours, truth)
    near = anchor_distances(grid(side), anchors, cutoff=66)
    assert torch.equal(near, ours.masked_fill(ours > 66, -1))


@pytest.mark.parametrize("number", [64, 65, 66, 67])
def test_around_the_change_of_method(each_backend, number):
    ours = anchor_distances(path(number), torch.tensor([0, 1, 2, 3, 4, number - 1]))
    truth = (torch.arange(number).unsqueeze(1) - torch.tensor([0, 1, 2, 3, 4])).abs()
    assert agree(ours[:, :5], truth)
    assert agree(ours[:, 5], number - 1 - torch.arange(number))


@pytest.mark.parametrize("name", BACKENDS[1:])
@pytest.mark.parametrize("anchors", [[0], [0] * 6])
def test_more_hops_than_int16_holds(name, anchors, monkeypatch):
    monkeypatch.setenv("GRAPHLAB_BACKEND", name)
    for number, dtype in [(32_767, torch.int16), (32_768, torch.int32)]:
        edge_index = path(number)
        ours = anchor_distances(edge_index, torch.tensor(anchors))
        truth = torch.arange(number).unsqueeze(1).expand(-1, len(anchors))
        assert ours.dtype == dtype
        assert torch.equal(ours.long(), truth)
    near = anchor_distances(edge_index, torch.tensor(anchors), cutoff=32_766)
    assert near.dtype == torch.int16 and (near[-1] == -1).all()
    wide = anchor_distances(edge_index, torch.tensor(anchors), dtype=torch.int32)
    assert torch.equal(wide.long(), truth)


def test_the_last_hop_that_int16_holds_leads_nowhere():
    """Nodes are left at the limit, and yet no distance is beyond it."""
    edge_index = path(32_767)
    far = torch.tensor([[40_000], [40_001]])
    edge_index = torch.cat([edge_index, far], 1)
    ours = anchor_distances(edge_index, torch.tensor([0]))
    assert ours.dtype == torch.int16 and ours[32_766] == 32_766


@pytest.mark.parametrize("columns", [64, 65, 130])
def test_more_anchors_than_bits(each_backend, columns):
    edge_index, number = random_graph(2, 150, 300)
    anchors = torch.arange(columns) % 140  # some of them twice
    ours = anchor_distances(edge_index, anchors, number)
    assert agree(ours, by_networkx(edge_index, number, anchors))


def test_no_anchors_and_no_nodes(each_backend):
    none = torch.empty(0, dtype=torch.long)
    assert anchor_distances(path(4), none).shape == (4, 0)
    assert anchor_distances(path(4), []).shape == (4, 0)
    assert anchor_distances(torch.empty(2, 0).long(), none, 0).shape == (0, 0)
    assert anchor_distances(torch.empty(2, 0).long(), [0], 1).tolist() == [[0]]


@pytest.mark.parametrize("columns", [2, 20])
def test_the_nearest_of_several(each_backend, columns):
    edge_index, number = random_graph(3)
    sets = torch.randint(number, (4, columns))
    sets[1, 0] = sets[0, 0]  # the same node twice
    single = anchor_distances(edge_index, sets.flatten(), number).view(number, 4, -1)
    nearest = single.masked_fill(single < 0, 99).amin(1)
    nearest = nearest.masked_fill(nearest == 99, -1)
    assert torch.equal(anchor_distances(edge_index, sets, number), nearest)


def test_batch_of_graphs(each_backend):
    """Row g of the anchors are those of graph g; the second graph has fewer."""
    first, second = random_graph(4), (path(5), 5)
    own = [torch.tensor([3, 7, 1]), torch.tensor([4, 0])]
    batch = torch.cat([first[0], second[0] + first[1]], 1)
    anchors = torch.tensor([[3, 7, 1], [4 + first[1], first[1], -1]])
    ours = anchor_distances(batch, anchors, first[1] + 5)
    assert torch.equal(ours[: first[1]], anchor_distances(first[0], own[0], first[1]))
    assert torch.equal(ours[first[1] :, :2], anchor_distances(second[0], own[1], 5))
    assert (ours[first[1] :, 2] == -1).all()


def test_anchors_reach_their_own_graph_only(each_backend):
    batch = torch.cat([path(4), path(3) + 4], 1)
    ours = anchor_distances(batch, torch.tensor([1, 6]))
    assert (ours[4:, 0] == -1).all() and (ours[:4, 1] == -1).all()


@pytest.mark.parametrize("direction", WAYS)
def test_permutation_equivariance(each_backend, direction):
    edge_index, number = random_graph(5)
    anchors, order = torch.arange(12), torch.randperm(number)
    place = order.argsort()  # node v is called place[v]
    ours = anchor_distances(edge_index, anchors, number, direction=direction)
    mixed = place[edge_index[:, torch.randperm(edge_index.size(1))]]
    renamed = anchor_distances(mixed, place[anchors], number, direction=direction)
    assert torch.equal(renamed[place], ours)


@pytest.mark.parametrize("edges", ["wide", "deep"])
def test_threads_change_nothing(edges):
    edge_index = random_graph(6, 3000, 9000)[0] if edges == "wide" else path(700)
    anchors = torch.arange(140)
    number = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(anchor_distances(edge_index, anchors, 3000))
    finally:
        torch.set_num_threads(number)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


@pytest.mark.parametrize("limit", [2, 40])
def test_products_on_any_device(limit, monkeypatch):
    """What serves CUDA, here by a product on the CPU, in blocks of two columns."""
    edge_index, number = random_graph(7)
    monkeypatch.setattr("graphlab.ops._hops.FRONTIER_BYTES", 2 * 4 * number)
    graph = Csr.from_edge_index(edge_index, number)
    ptr, node = torch.tensor([0, 1, 3, 4, 4, 5]), torch.tensor([3, 1, 7, 3, 0])
    given = (graph, ptr, node, limit, torch.int16)
    for kernels in (torch_csr, reference):
        ours, cut = hops_by_products(kernels.spmm, *given)
        theirs, also_cut = reference.hops(*given)
        assert torch.equal(ours, theirs) and cut == also_cut
        assert cut == (limit == 2)


def test_forms_of_the_edges(each_backend):
    edge_index, number = random_graph(8)
    truth = anchor_distances(edge_index, torch.arange(9), number)
    ordered = edge_index[:, edge_index[1].argsort()]
    forms = [
        Csr.from_edge_index(edge_index, number),
        EdgeIndex(ordered, sparse_size=(number, number), sort_order="col"),
    ]
    for form in forms:
        assert torch.equal(anchor_distances(form, torch.arange(9)), truth)
    assert torch.equal(
        anchor_distances(edge_index, torch.arange(9, dtype=torch.int32), number), truth
    )


class _NoLargeTensor(TorchDispatchMode):
    def __init__(self, entries):
        super().__init__()
        self.entries = entries

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            assert out.numel() < self.entries, func
        return out


def test_nothing_has_as_many_entries_as_pairs_of_nodes():
    number = 3000
    edge_index = random_graph(9, number, 2 * number)[0]
    with _NoLargeTensor(number * 64 + 1):
        anchor_distances(edge_index, torch.arange(64), number, direction="both")
    with pytest.raises(AssertionError), _NoLargeTensor(number * 64):
        anchor_distances(edge_index, torch.arange(64), number, direction="both")


# ------------------------------------------------------------------ weighted edges


def weighted_networkx(edge_index, weight, number, anchors, direction, cutoff=None):
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(number))
    for (u, v), w in zip(edge_index.t().tolist(), weight.tolist(), strict=True):
        graph.add_edge(u, v, weight=w)
        if direction == "both":
            graph.add_edge(v, u, weight=w)
    graph = graph.reverse() if direction == "to" else graph
    out = torch.full((number, len(anchors)), float("inf"))
    for column, anchor in enumerate(anchors.tolist()):
        found = nx.single_source_dijkstra_path_length(graph, anchor, cutoff)
        for node, length in found.items():
            out[node, column] = length
    return out


@pytest.mark.parametrize("direction", WAYS)
@pytest.mark.parametrize("cutoff", [None, 1.5])
def test_weighted(direction, cutoff):
    for seed in range(3):
        edge_index, number = random_graph(seed)
        weight = torch.rand(edge_index.size(1), dtype=torch.float64)
        weight[::7] = 0
        anchors = torch.arange(6)
        ours = anchor_distances(
            edge_index,
            anchors,
            number,
            edge_weight=weight,
            direction=direction,
            cutoff=cutoff,
        )
        args = (edge_index, weight, number, anchors, direction, cutoff)
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, weighted_networkx(*args))


@pytest.mark.parametrize("direction", WAYS)
def test_unit_weights_are_hops(direction):
    edge_index, number = random_graph(3)
    anchors = torch.tensor([[0, 5, 9], [7, -1, -1]])
    ones = torch.ones(edge_index.size(1), dtype=torch.long)
    hops = anchor_distances(edge_index, anchors, number, direction=direction)
    ours = anchor_distances(
        edge_index, anchors, number, edge_weight=ones, direction=direction
    )
    assert torch.equal(ours, hops.float().masked_fill(hops < 0, float("inf")))


def test_weighted_without_anchors_or_edges():
    none = torch.empty(0)
    edges = torch.empty(2, 0).long()
    assert anchor_distances(edges, [], 3, edge_weight=none).shape == (3, 0)
    ours = anchor_distances(edges, [1], 2, edge_weight=none)
    assert ours.tolist() == [[float("inf")], [0.0]]
    column = anchor_distances(edges, torch.tensor([[-1]]), 1, edge_weight=none)
    assert column.tolist() == [[float("inf")]]


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    "anchors, options, name",
    [
        (torch.tensor([4]), {}, "anchors"),
        (torch.tensor([-1]), {}, "anchors"),
        (torch.tensor([[-2]]), {}, "anchors"),
        (torch.tensor([0.0]), {}, "anchors"),
        (torch.tensor([True]), {}, "anchors"),
        (torch.tensor(0), {}, "anchors"),
        (torch.zeros(1, 1, 1).long(), {}, "anchors"),
        (torch.tensor([0]), {"direction": "out"}, "direction"),
        (torch.tensor([0]), {"cutoff": -1}, "cutoff"),
        (torch.tensor([0]), {"cutoff": 1.5}, "cutoff"),
        (torch.tensor([0]), {"cutoff": True}, "cutoff"),
        (torch.tensor([0]), {"dtype": torch.int8}, "dtype"),
        (torch.tensor([0]), {"edge_weight": torch.ones(5)}, "edge_weight"),
        (torch.tensor([0]), {"edge_weight": -torch.ones(6)}, "negative"),
        (torch.tensor([0]), {"edge_weight": torch.full((6,), torch.nan)}, "NaN"),
        (torch.tensor([0]), {"edge_weight": torch.ones(6).bool()}, "edge_weight"),
        (
            torch.tensor([0]),
            {"edge_weight": torch.ones(6), "cutoff": float("nan")},
            "cutoff",
        ),
    ],
)
def test_bad_input(anchors, options, name):
    with pytest.raises(ArgumentError, match=name):
        anchor_distances(path(4), anchors, 4, **options)


def test_bipartite_edges_are_refused():
    graph = Csr.from_edge_index(torch.tensor([[0, 1], [2, 0]]), (2, 3))
    with pytest.raises(ArgumentError, match="edge_index"):
        anchor_distances(graph, [0])
    with pytest.raises(ArgumentError, match="edge_index"):
        anchor_distances(Csr.from_edge_index(path(4), 4), [0], 5)
