"""Lists of graphs: tiny raw files cut by the rules, and the published sizes."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch_geometric.utils import contains_self_loops, is_undirected

from graphlab.datasets import graph_list_card, graph_list_names, load_graphs
from graphlab.datasets.graph_list_readers import read_email, read_protein
from graphlab.errors import DatasetError
from graphlab.transforms import RandomPairSplit, official_auc_cap

EMAIL_NODES = [245, 139, 32, 223, 186, 37, 58]
EMAIL_EDGES = [2185, 1091, 80, 1921, 1362, 152, 410]


def write(path, lines):
    path.write_text("\n".join(map(str, lines)) + "\n")
    return path


def test_email_is_cut_into_groups_and_components(tmp_path):
    """Paths of 12 nodes in group 0, of 11 in group 1, and of 10, which is dropped."""
    department = [0, 5] * 6 + [6, 7] * 5 + [11] + [2] * 10
    chain = [(v, v + 1) for v in range(11)]
    second = [(v + 1, v) for v in range(12, 22)]
    third = [(v, v + 1) for v in range(23, 32)]
    between, noise = [(0, 12), (22, 23)], [(4, 4), (1, 0)]
    edges = [f"{u} {v}" for u, v in chain + second + third + between + noise]
    labels = [f"{v} {d}" for v, d in reversed(list(enumerate(department)))]
    graphs = read_email(write(tmp_path / "a", edges), write(tmp_path / "b", labels))
    assert [(g.num_nodes, g.num_edges) for g in graphs] == [(12, 22), (11, 20)]
    assert graphs[1].node_id.tolist() == list(range(12, 23))
    assert graphs[1].y.tolist() == department[12:23]
    names = graphs[1].node_id[graphs[1].edge_index].t().tolist()
    assert {tuple(sorted(n)) for n in names} == {(v, v + 1) for v in range(12, 22)}


def test_protein_is_cut_by_size_and_labels(tmp_path):
    """Rings of 19, 20, 20 and 21 nodes; labels vary in the first two and the last."""
    sizes = [19, 20, 20, 21]
    start = np.cumsum([0, *sizes])
    edges, indicator, labels = [], [], []
    for graph, size in enumerate(sizes):
        for v in range(size):
            u, w = start[graph] + v, start[graph] + (v + 1) % size
            edges += [f"{u + 1}, {w + 1}", f"{w + 1}, {u + 1}"]
            indicator.append(graph + 1)
            labels.append(0 if graph == 2 else v % 3)
    indicator.append(4)  # an isolated node, which is dropped
    labels.append(1)
    files = [
        write(tmp_path / name, lines)
        for name, lines in (("a", edges), ("b", indicator), ("c", labels))
    ]
    graphs = read_protein(*files)
    assert [(g.num_nodes, g.num_edges) for g in graphs] == [(20, 40), (21, 42)]
    assert graphs[1].y.tolist() == [v % 3 for v in range(21)]
    assert graphs[1].node_id.tolist() == list(range(59, 80))


def test_every_set_has_a_card():
    names = ("grid", "communities", "email", "protein")
    names += ("MUTAG", "PTC_MR", "ENZYMES", "PROTEINS", "NCI1", "IMDB-BINARY")
    names += ("BACE", "BBBP", "HIV", "ClinTox", "SIDER", "Tox21", "ToxCast")
    assert graph_list_names() == names
    for name in graph_list_names():
        card = graph_list_card(name)
        assert card.licence and card.variant
    with pytest.raises(DatasetError, match="accepted: grid, communities"):
        graph_list_card("ppi")


@pytest.mark.parametrize("name", ("grid", "communities"))
def test_generated_sets_are_as_their_cards_say(name):
    (data,) = load_graphs(name)
    card = graph_list_card(name)
    assert (data.num_nodes, data.num_features) == (card.nodes, card.features)
    assert card.edges in (None, data.num_edges)
    assert bool((data.x == 1).all())


def test_a_node_classification_set_is_a_list_of_one(monkeypatch):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    (data,) = load_graphs("wordnet-verbs")
    assert data.num_features == 3022
    with pytest.raises(DatasetError, match="accepted: grid, .*, Cora"):
        load_graphs("ppi")


@pytest.mark.parametrize("name", ("email", "protein", "MUTAG", "IMDB-BINARY"))
def test_without_files_the_error_says_where_to_put_which(name, tmp_path, monkeypatch):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    for root in (None, tmp_path):
        with pytest.raises(DatasetError, match="not at hand") as caught:
            load_graphs(name, root)
        assert graph_list_card(name).raw in str(caught.value)
        assert "https://" in str(caught.value) and "GRAPHLAB_DATA" in str(caught.value)


def test_other_or_broken_files_are_refused(tmp_path):
    folder = tmp_path / "EmailEUCore/raw"
    folder.mkdir(parents=True)
    write(folder / "email-Eu-core.txt", [f"{v} {v + 1}" for v in range(20)])
    labels = folder / "email-Eu-core-department-labels.txt"
    write(labels, [f"{v} 0" for v in range(21)])
    with pytest.raises(DatasetError, match=r"graphs 1 \(card: 7\)"):
        load_graphs("email", tmp_path)
    write(labels, ["0 x"])
    with pytest.raises(DatasetError, match="cannot be read"):
        load_graphs("email", tmp_path)


def same_label_pairs(data) -> int:
    size = data.y.bincount()
    return int((size * (size - 1) // 2).sum())


@pytest.mark.real_data
def test_email_has_the_published_components(data_root):
    graphs = load_graphs("email", data_root)
    assert [g.num_nodes for g in graphs] == EMAIL_NODES
    assert [g.num_edges // 2 for g in graphs] == EMAIL_EDGES
    for graph in graphs:
        assert is_undirected(graph.edge_index)
        assert not contains_self_loops(graph.edge_index)
        assert len(graph.y.unique()) in (5, 6)


@pytest.mark.real_data
def test_protein_has_the_published_graphs(data_root):
    graphs = load_graphs("protein", data_root)
    nodes = [g.num_nodes for g in graphs]
    assert len(nodes) == 364 and max(nodes) == 504 and min(nodes) >= 20
    assert round(sum(nodes) / 364) == 49
    assert all(is_undirected(g.edge_index) for g in graphs)


def perfect_auc(part, y) -> float:
    source, target = part.edge_label_index
    return roc_auc_score(part.edge_label, y[source] == y[target])


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "low", "mean", "high"),
    [("email", 0.922, 0.937, 0.954), ("protein", 0.824, 0.841, 0.906)],
)
def test_the_official_sampler_caps_a_perfect_scorer(data_root, name, low, mean, high):
    graphs = load_graphs(name, data_root)
    caps = [official_auc_cap(g.num_nodes, same_label_pairs(g)) for g in graphs]
    assert [min(caps), sum(caps) / len(caps), max(caps)] == pytest.approx(
        [low, mean, high], abs=6e-4
    )
    drawn = []
    for seed in range(200 // len(graphs) + 1):  # email's smallest part has 8 pairs
        splits = RandomPairSplit(kind="pair", official=True, seed=seed)(graphs)
        pairs = zip(splits, graphs, strict=True)
        drawn += [perfect_auc(split[2], g.y) for split, g in pairs]
    assert np.mean(drawn) == pytest.approx(mean, abs=0.006)
    clean = RandomPairSplit(kind="pair")(graphs)
    pairs = zip(clean, graphs, strict=True)
    assert all(perfect_auc(part, g.y) == 1 for split, g in pairs for part in split)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ("Cora", "CiteSeer"))
def test_links_of_citation_graphs_can_be_split(data_root, name):
    (data,) = load_graphs(name, data_root)
    train, val, test = RandomPairSplit(seed=1)(data)
    assert train.x is data.x
    held = test.edge_label_index[:, test.edge_label == 1]
    code = (train.edge_index[0] * data.num_nodes + train.edge_index[1]).unique()
    for pair in (held, held.flip(0)):
        assert not torch.isin(pair[0] * data.num_nodes + pair[1], code).any()
