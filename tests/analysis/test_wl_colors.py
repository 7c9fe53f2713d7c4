"""Colours against the definition, written as nested tuples."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from graphlab.analysis import rooted_homomorphism_counts, wl_colors
from graphlab.errors import ArgumentError

ROUNDS = 4


def undirected(edges, num_nodes: int, **attributes) -> Data:
    edges = torch.tensor(edges, dtype=torch.long).view(-1, 2).t()
    both = torch.cat([edges, edges.flip(0)], 1)
    return Data(edge_index=both, num_nodes=num_nodes, **attributes)


def random_graphs(seed: int) -> list[Data]:
    """Directed, with self-loops and parallel edges, some without edges or nodes."""
    generator = torch.Generator().manual_seed(seed)
    graphs = []
    for size in (0, 1, 1, 3, 4, 4, 5, 5, 5, 6, 7, 8, 8, 9):
        number = int(torch.randint(0, 2 * size + 1, (), generator=generator))
        edges = torch.randint(0, max(size, 1), (2, number), generator=generator)
        label = torch.randint(0, 2, (size,), generator=generator)
        graphs.append(
            Data(
                x=torch.nn.functional.one_hot(label, 3).float(),
                edge_index=edges,
                edge_attr=torch.randint(0, 2, (number,), generator=generator),
            )
        )
    return graphs


def by_definition(graphs: list[Data], init: str, edge_labels: bool) -> list[list]:
    """The colours of each round, not shortened in any way."""
    start = {
        "none": lambda graph: [0] * graph.num_nodes,
        "label": lambda graph: graph.x.argmax(1).tolist() if graph.num_nodes else [],
        "attribute": lambda graph: [tuple(row) for row in graph.x.tolist()],
        "degree": lambda graph: [
            graph.edge_index[1].tolist().count(node) for node in range(graph.num_nodes)
        ],
    }[init]
    colors = [start(graph) for graph in graphs]
    rounds = [colors]
    for _ in range(ROUNDS):
        after = []
        for graph, color in zip(graphs, colors, strict=True):
            around = [[] for _ in color]
            edges = torch.cat([graph.edge_index, graph.edge_attr[None]]).t()
            for u, v, label in edges.tolist():
                item = (color[u], u == v, label if edge_labels else 0)
                around[v].append(item)
            after.append(
                [(c, tuple(sorted(a))) for c, a in zip(color, around, strict=True)]
            )
        colors = after
        rounds.append(colors)
    return [[c for graph in colors for c in graph] for colors in rounds]


def same_partition(first, second) -> bool:
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len(set(first)) == len(set(second))


@pytest.mark.parametrize("edge_labels", [False, True])
@pytest.mark.parametrize("init", ["label", "attribute", "degree", "none"])
def test_hashed_and_exact_colors_are_those_of_the_definition(init, edge_labels):
    graphs = [graph for seed in range(8) for graph in random_graphs(seed)]
    truth = by_definition(graphs, init, edge_labels)
    for exact in (False, True):
        found = wl_colors(
            graphs, ROUNDS, init, exact=exact, use_edge_labels=edge_labels
        )
        for t in range(ROUNDS + 1):
            assert same_partition(found.colors[t].tolist(), truth[t])
            assert found.num_colors[t] == len(set(truth[t]))
            assert set(found.colors[t]) == set(range(found.num_colors[t]))


def test_large_random_graphs_agree_with_the_exact_colors():
    graphs = []
    for seed in range(20):
        graph = nx.gnm_random_graph(300, 450, seed=seed)
        graphs.append(undirected(list(graph.edges()), 300))
    hashed, exact = (wl_colors(graphs, 6, "none", exact=e) for e in (False, True))
    assert hashed.num_colors == exact.num_colors
    assert hashed.num_colors[-1] > 1000
    for a, b in zip(hashed.colors, exact.colors, strict=True):
        assert same_partition(a.tolist(), b.tolist())


def test_histograms_and_classes():
    graphs = random_graphs(3)
    found = wl_colors(graphs, ROUNDS)
    assert [int(n) for n in np.diff(found.ptr)] == [g.num_nodes for g in graphs]
    for t in range(ROUNDS + 1):
        table = found.histograms(t)
        assert table.dtype == np.int64
        assert table.shape == (len(graphs), found.num_colors[t])
        for g in range(len(graphs)):
            colors = found.colors[t][found.ptr[g] : found.ptr[g + 1]].tolist()
            row = table[[g]].toarray()[0]
            assert {c: n for c, n in enumerate(row.tolist()) if n} == Counter(colors)
        rows = [tuple(row) for row in table.toarray().tolist()]
        assert same_partition(found.graph_classes(t).tolist(), rows)
    assert (found.histograms() != found.histograms(ROUNDS)).nnz == 0


@pytest.mark.parametrize("exact", [False, True])
def test_the_order_of_nodes_edges_and_graphs_does_not_matter(exact):
    generator = torch.Generator().manual_seed(0)
    graphs = [graph for seed in range(5) for graph in random_graphs(seed)]
    other = []
    for graph in graphs:
        place = torch.randperm(graph.num_nodes, generator=generator)
        order = torch.randperm(graph.num_edges, generator=generator)
        x = torch.empty_like(graph.x)
        x[place] = graph.x
        edges = place[graph.edge_index][:, order]
        other.append(Data(x=x, edge_index=edges, edge_attr=graph.edge_attr[order]))
    turn = torch.randperm(len(graphs), generator=generator).tolist()
    settings = dict(patterns=["C3", "P2"], exact=exact, use_edge_labels=True)
    first = wl_colors(graphs, 3, **settings).histograms().toarray()
    second = wl_colors([other[i] for i in turn], 3, **settings).histograms().toarray()
    # Not only up to names of colours: columns too come in the same order.
    assert np.array_equal(second, first[turn])


def test_equal_input_gives_equal_output():
    graphs = random_graphs(1)
    for exact in (False, True):
        first, second = (wl_colors(graphs, 4, exact=exact) for _ in range(2))
        for a, b in zip(first.colors, second.colors, strict=True):
            assert np.array_equal(a, b)


def case_study() -> list[Data]:
    """The two labelled graphs of Li et al., Table 1."""
    g = [
        *nx.complete_graph(4).edges(),
        *nx.complete_graph([3, 4, 5, 6]).edges(),
        (2, 4),
    ]
    h = [*nx.complete_graph(4).edges(), (2, 4), (3, 4), (3, 5), (4, 5), (4, 6), (4, 7)]
    h += [(5, 6), (6, 7)]
    labels = [[1, 2, 2, 2, 1, 2, 2], [1, 2, 2, 1, 2, 1, 2, 1]]
    return [
        undirected(e, len(c), x=torch.nn.functional.one_hot(torch.tensor(c) - 1))
        for e, c in zip((g, h), labels, strict=True)
    ]


@pytest.mark.parametrize(
    ("patterns", "squared"), [((), 23), (("C4",), 17), (("K4",), 21)]
)
def test_case_study(patterns, squared):
    """Distances 4.796 and 4.123 as printed, and 4.583 where 5.000 is printed."""
    graphs = case_study()
    assert [graph.num_edges // 2 for graph in graphs] == [13, 14]
    table = wl_colors(graphs, 1, patterns=patterns).histograms().toarray()
    assert int(np.square(table[0] - table[1]).sum()) == squared


def test_patterns_tell_apart_what_rounds_do_not():
    ring = undirected([(i, (i + 1) % 6) for i in range(6)], 6)
    triangles = undirected([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)], 6)
    graphs = [ring, triangles]
    assert set(wl_colors(graphs, 6, "none").graph_classes()) == {0}
    for patterns in (["P5"], ["P2", "P3", "P4"]):  # trees say nothing new
        assert set(wl_colors(graphs, 1, "none", patterns).graph_classes()) == {0}
    for pattern in ("C3", "K3", "C5"):
        assert set(wl_colors(graphs, 0, "none", [pattern]).graph_classes()) == {0, 1}


def test_patterns_enter_the_first_colour():
    graphs = random_graphs(2)
    union = Batch.from_data_list(graphs)
    counts = rooted_homomorphism_counts(
        union.edge_index, union.num_nodes, ["P2", "C3", "K4"]
    )
    rows = [(*x, *c) for x, c in zip(union.x.tolist(), counts.tolist(), strict=True)]
    for init in ("label", "attribute"):
        found = wl_colors(graphs, 0, init, ["P2", "C3", "K4"])
        assert same_partition(found.colors[0].tolist(), rows)


def test_attributes_are_compared_as_numbers():
    x = torch.tensor([[0.0, 1.5], [-0.0, 1.5], [0.1, 1.5], [float("inf"), 1.5]])
    graph = Data(x=x, edge_index=torch.empty(2, 0, dtype=torch.long))
    colors = wl_colors([graph], 0, "attribute").colors[0].tolist()
    assert colors[0] == colors[1]
    assert len(set(colors)) == 3
    single = Data(x=torch.tensor([3, 1, 3]), edge_index=graph.edge_index)
    assert wl_colors([single], 0, "attribute").colors[0].tolist() == [1, 0, 1]


def test_edge_labels_may_be_one_hot():
    label = torch.tensor([0, 2, 1])
    edges = torch.tensor([[0, 0, 0], [1, 2, 3]])
    forms = [label, label[:, None], torch.nn.functional.one_hot(label).float()]
    for form in forms:
        graph = Data(edge_index=edges, num_nodes=4, edge_attr=form)
        assert wl_colors([graph], 1, "none").num_colors == (1, 2)
        found = wl_colors([graph], 1, "none", use_edge_labels=True)
        assert found.num_colors == (1, 4)


def test_sets_of_graphs_in_other_forms():
    graphs = random_graphs(4)[3:]
    truth = wl_colors(graphs, 2)
    for form in (tuple(graphs), iter(graphs), Batch.from_data_list(graphs)):
        found = wl_colors(form, 2)
        assert (found.histograms() != truth.histograms()).nnz == 0
    no_edges = wl_colors([Data(x=torch.eye(2))], 3)
    assert no_edges.num_colors == (2, 2, 2, 2)


EDGES = torch.tensor([[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("graphs", "arguments", "problem"),
    [
        ([], {}, "graphs must hold at least one graph"),
        (Data(num_nodes=2), {}, "graphs must be a sequence of Data, got Data"),
        (3, {}, "graphs must be a sequence of Data, got int"),
        ([Data(edge_index=EDGES, num_nodes=2)], {}, "x must have a row for each node"),
        ([Data(x=torch.ones(2, 2))], {}, "x must be one-hot .* 'attribute' takes"),
        ([Data(x=torch.zeros(2, 2))], {}, "x must be one-hot"),
        ([Data(x=torch.tensor([[1.0, 0.5]]))], {}, "x must be one-hot"),
        (
            [Data(x=torch.eye(2)), Data(x=torch.eye(3))],
            {},
            "x must have the same width",
        ),
        ([Data(x=torch.eye(2)), Data(num_nodes=2)], {}, "x must be a dense .* graph 1"),
        ([Data(x=torch.eye(2).to_sparse())], {}, "x must be a dense tensor"),
        (
            [Data(x=torch.tensor([[float("nan")]]))],
            {"init": "attribute"},
            "x must not have a NaN",
        ),
        ([Data(x=torch.eye(2), edge_index=EDGES + 1)], {}, "nodes from 0 to 1, got"),
        ([Data(x=torch.eye(2), edge_index=EDGES - 1)], {}, "edge_index of graph 0"),
        ([Data(x=torch.eye(2), edge_index=EDGES[0])], {}, r"shape \[2, E\]"),
        ([Data(x=torch.eye(2))], {"init": "colour"}, "init must be one of 'label'"),
        ([Data(x=torch.eye(2))], {"rounds": -1}, "rounds must be a whole number >= 0"),
        ([Data(x=torch.eye(2))], {"rounds": 1.0}, "rounds must be"),
        ([Data(x=torch.eye(2))], {"rounds": True}, "rounds must be"),
        ([Data(x=torch.eye(2))], {"patterns": ["C9"]}, "patterns must be out of P2"),
        (
            [Data(x=torch.eye(2), edge_index=EDGES)],
            {"use_edge_labels": True},
            "use_edge_labels needs edge_attr",
        ),
        (
            [Data(x=torch.eye(2), edge_index=EDGES, edge_attr=torch.tensor([0.5, 1]))],
            {"use_edge_labels": True},
            "edge_attr must have a row of whole numbers",
        ),
        (
            [Data(x=torch.eye(2), edge_index=EDGES, edge_attr=torch.tensor([0]))],
            {"use_edge_labels": True},
            "for 2 edges",
        ),
    ],
)
def test_what_is_refused(graphs, arguments, problem):
    with pytest.raises(ArgumentError, match=problem):
        wl_colors(graphs, **({"rounds": 1} | arguments))
