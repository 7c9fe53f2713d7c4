"""TU sets: tiny raw files, broken ones, and PyG's own reader on the real ones."""

import shutil

import numpy as np
import pytest
import torch
from torch_geometric.datasets import TUDataset

from graphlab.datasets import (
    graph_list_card,
    graphs_checksum,
    load_graphs,
    load_tu_folder,
)
from graphlab.datasets.tu_cards import TU_CARDS
from graphlab.datasets.tu_reader import read_tu
from graphlab.errors import DatasetError

# A triangle, a single node, and an edge with a duplicate and a self-loop.
EDGES = ["1, 2", "2, 1", "2, 3", "3, 2", "3, 1", "1, 3"]
EDGES += ["6, 5", "5, 6", "5, 6", "5, 5"]
FILES = {
    "A": EDGES,
    "graph_indicator": [1, 1, 1, 2, 3, 3],
    "graph_labels": [4, -1, 4],
    "node_labels": [2, 5, 2, 3, 3, 5],
}


def write(folder, name="X", **changed):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for part, lines in (FILES | changed).items():
        paths.append(folder / f"{name}_{part}.txt")
        paths[-1].write_text("\n".join(map(str, lines)) + "\n")
    return paths


def test_graphs_are_cut_in_order(tmp_path):
    first, second, third = read_tu(*write(tmp_path))
    triangle = [[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]]
    assert first.edge_index.tolist() == triangle
    assert second.edge_index.shape == (2, 0) and second.edge_index.dtype == torch.long
    assert third.edge_index.tolist() == [[0, 1], [1, 0]]
    assert [g.y.tolist() for g in (first, second, third)] == [[1], [0], [1]]
    one_hot = torch.eye(4)  # labels 2 to 5, of which 4 does not occur
    assert torch.equal(
        torch.cat([first.x, second.x, third.x]), one_hot[[0, 3, 0, 1, 1, 3]]
    )
    first.x.zero_()
    assert third.x.sum() == 2  # graphs share no memory


def test_without_node_labels_the_feature_is_constant(tmp_path):
    graphs = read_tu(*write(tmp_path)[:3])
    assert [g.x.tolist() for g in graphs] == [[[1.0]] * n for n in (3, 1, 2)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"A": ["1, 2", "2, 7"]}, "an edge leaves the 6 nodes"),
        ({"A": ["1, 0"]}, "an edge leaves the 6 nodes"),
        ({"A": ["3, 4"]}, "an edge joins two graphs"),
        ({"graph_indicator": [1, 1, 2, 1, 3, 3]}, "not in the order of 3 graphs"),
        ({"graph_indicator": [1, 1, 1, 2, 3, 4]}, "not in the order of 3 graphs"),
        ({"node_labels": [1, 2]}, "labels for 6 nodes"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message):
        read_tu(*write(tmp_path, **changed))


def test_other_or_broken_files_are_refused_by_name(tmp_path):
    folder = tmp_path / "TUDataset/MUTAG/raw"
    write(folder, "MUTAG")
    with pytest.raises(DatasetError, match=r"graphs 3 \(card: 188\)"):
        load_graphs("MUTAG", tmp_path)
    write(folder, "MUTAG", graph_labels=[1, "x", 2])
    with pytest.raises(DatasetError, match="MUTAG: the raw files .* cannot be read"):
        load_graphs("mutag", tmp_path)


def test_a_missing_set_says_which_archive_to_unpack_where(tmp_path):
    with pytest.raises(DatasetError) as caught:
        load_graphs("ptc-mr", tmp_path)
    text = str(caught.value)
    assert "PTC_MR_A.txt" in text and "PTC_MR.zip into TUDataset/PTC_MR/raw/" in text


def test_names_in_any_case_and_protein_is_another_set():
    assert graph_list_card("imdb_binary").name == "IMDB-BINARY"
    assert graph_list_card("Proteins").loader == "tu"
    assert graph_list_card("protein").loader == "protein"


@pytest.mark.parametrize("below", ["mine", "mine/raw"])
def test_a_folder_of_your_own(tmp_path, below):
    write(tmp_path / below)
    graphs = load_tu_folder(tmp_path / "mine")
    assert [g.num_nodes for g in graphs] == [3, 1, 2] and graphs[0].num_features == 4
    (tmp_path / below / "X_node_labels.txt").unlink()
    assert load_tu_folder(str(tmp_path / "mine"))[0].num_features == 1


def test_a_folder_that_is_no_set_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="one file NAME_A.txt, found no file"):
        load_tu_folder(tmp_path)
    with pytest.raises(DatasetError, match="found no file"):
        load_tu_folder(tmp_path / "nowhere")
    write(tmp_path, node_labels=[1, "x"])
    with pytest.raises(DatasetError, match="cannot be read: could not convert"):
        load_tu_folder(tmp_path)
    (tmp_path / "X_graph_labels.txt").unlink()
    with pytest.raises(DatasetError, match="X_graph_labels.txt are missing"):
        load_tu_folder(tmp_path)
    write(tmp_path, "Y")
    with pytest.raises(DatasetError, match="found 2 files"):
        load_tu_folder(tmp_path)


def test_the_checksum_of_a_set_is_that_of_its_content_and_order(tmp_path):
    graphs = read_tu(*write(tmp_path))
    known = graphs_checksum(graphs)
    assert known == graphs_checksum(read_tu(*write(tmp_path)))
    assert known != graphs_checksum(graphs[::-1])
    graphs[0].y = 1 - graphs[0].y
    assert known != graphs_checksum(graphs)


@pytest.mark.real_data
@pytest.mark.parametrize("card", TU_CARDS, ids=lambda card: card.name)
def test_graphs_are_those_of_pyg_and_of_the_card(card, data_root, tmp_path):
    if not (data_root / card.raw).is_dir():
        pytest.skip(f"{card.name} is not below GRAPHLAB_DATA")
    ours = load_graphs(card.name, data_root)
    copy = tmp_path / card.name / "raw"
    copy.mkdir(parents=True)
    for file in card.files:
        shutil.copyfile(data_root / card.raw / file, copy / file)
    for mine, theirs in zip(ours, TUDataset(tmp_path, card.name), strict=True):
        assert torch.equal(mine.edge_index, theirs.edge_index)
        assert torch.equal(mine.y, theirs.y)
        assert theirs.x is None or torch.equal(mine.x, theirs.x)
    assert len(ours) == card.graphs
    assert sum(g.num_nodes for g in ours) == card.nodes
    assert sum(g.num_edges for g in ours) == card.edges
    assert {g.num_features for g in ours} == {card.features}
    assert np.unique([int(g.y) for g in ours]).tolist() == list(range(card.classes))
