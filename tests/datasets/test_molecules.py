"""Sets of MoleculeNet from made-up tables: graphs, labels, what is left out."""

import pytest
import torch
from torch_geometric.datasets import MoleculeNet
from torch_geometric.utils import is_undirected
from torch_geometric.utils.smiles import x_map

from graphlab.analysis import wl_colors
from graphlab.datasets import load_graph_splits, load_graphs, load_molecules
from graphlab.datasets.molecule_cards import NUM_FEATURES, TASKS
from graphlab.datasets.molecules import label_columns
from graphlab.errors import ArgumentError, DatasetError

ODD = "ignore:.*rows in the file"


def numbers(graph) -> list[int]:
    """The atomic number of each atom."""
    return graph.x[:, :119].argmax(1).tolist()


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.filterwarnings("ignore:Skipping molecule")
def test_graphs_are_those_of_pyg(molecules, tmp_path, name):
    file = molecules.write(name)
    task = TASKS[name] - 1
    found = load_molecules(f"{name}:{task}", molecules.root)
    raw = tmp_path / "pyg" / name.lower() / "raw"
    raw.mkdir(parents=True)
    (raw / file.name).write_bytes(file.read_bytes())
    theirs = list(MoleculeNet(tmp_path / "pyg", name))
    codes = load_molecules(f"{name}:{task}", molecules.root, features="codes").graphs
    assert len(found.graphs) == len(theirs) == len(molecules.smiles) - 1
    for mine, code, other in zip(found.graphs, codes, theirs, strict=True):
        assert torch.equal(mine.edge_index, other.edge_index)
        assert torch.equal(code.x, other.x.float())
        assert mine.y.tolist() == [int(other.y[0, task])] and mine.y.dtype == torch.long
        assert mine.smiles == other.smiles
        assert mine.x.shape == (other.num_nodes, NUM_FEATURES)
        assert (
            bool((mine.x.sum(1) == 9).all()) and numbers(mine) == other.x[:, 0].tolist()
        )
    titles = molecules.titles[name][MoleculeNet.names[name.lower()][4]]
    assert found.column == (titles if isinstance(titles, str) else titles[-1])


def test_the_width_of_one_hot_features_is_that_of_pygs_categories():
    assert sum(map(len, x_map.values())) == NUM_FEATURES


def test_awkward_molecules(molecules):
    molecules.write("BACE")
    graphs, column, warnings, remarks, _ = load_molecules("bace", molecules.root)
    graphs = {graph.smiles: graph for graph in graphs}
    salt, alone, charged = (
        graphs[smiles] for smiles in ("CC(=O)[O-].[Na+]", "C", "C[N+](C)(C)C")
    )
    assert numbers(salt) == [6, 6, 8, 8, 11] and salt.num_edges == 6
    assert alone.edge_index.shape == (2, 0) and alone.edge_index.dtype == torch.long
    charge = slice(119 + 9 + 11, 119 + 9 + 11 + 12)  # from -5 to 6
    assert charged.x[:, charge].argmax(1).tolist() == [5, 6, 5, 5, 5]
    assert all(is_undirected(graph.edge_index) for graph in graphs.values())
    assert column == "Class"
    assert warnings[0] == "1 of 12 rows left out: line 12, 'C1CC', cannot be parsed"
    assert warnings[1].startswith("12 rows in the file, 1,513 in PyG's")
    assert remarks == (
        "1 graphs have no bond",
        "1 graphs repeat the SMILES of another",
    )


def test_molecules_that_pyg_has_no_code_for_are_left_out(molecules):
    smiles = ["CC", "", "[C+7]", "*C", "C1C", "c", "CO"]
    molecules.write("BBBP", smiles=smiles)
    found = load_molecules("BBBP", molecules.root)
    assert [graph.smiles for graph in found.graphs] == ["CC", "*C", "CO"]
    text = found.warnings[0]
    assert "4 of 7 rows left out" in text and "'', is empty" in text
    assert "'[C+7]', has no code in PyG" in text and "; and 1 more" in text


def test_labels_that_are_missing_are_told(molecules):
    def label(row, column):
        return "" if row % 2 and column == 3 else row % 3 // 2

    molecules.write("Tox21", label=label)
    whole = load_molecules("Tox21:2", molecules.root)
    part = load_molecules("Tox21:NR-3", molecules.root)
    assert len(whole.graphs) == 11 and "without a label" not in str(whole.warnings)
    assert len(part.graphs) == 5 and part.column == "NR-3"
    assert "6 molecules without a label 'NR-3' left out" in part.warnings
    assert {graph.smiles for graph in part.graphs} < set(molecules.smiles[::2])
    with pytest.warns(UserWarning, match="Tox21:3: .*6 molecules without"):
        load_graphs("tox21:3", molecules.root)


@pytest.mark.filterwarnings(ODD)
def test_a_label_is_chosen_by_number_or_title(molecules):
    molecules.write("SIDER")
    alone, number, title, other = (
        load_graphs(name, molecules.root)
        for name in ("sider", "SIDER:021", "Sider: Disorder 21 ", "SIDER:20")
    )
    labels = [[int(g.y) for g in graphs] for graphs in (alone, number, title, other)]
    assert labels[0] == labels[1] == labels[2] != labels[3]
    assert alone[0].name == number[0].name == "SIDER:21"
    assert label_columns("SIDER", molecules.root)[26] == "disorder 26"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "Tox21",
            "Tox21 has 12 label columns: name one\naccepted: Tox21:0 to Tox21:11",
        ),
        ("SIDER:27", "SIDER has no label column 27\naccepted: SIDER:0 to SIDER:26"),
        ("SIDER:-1", "SIDER has no label column -1"),
        ("BACE:1", "BACE has no label column 1"),
        ("SIDER:teeth", "'teeth'\naccepted: 0 to 26, disorder 0, disorder 1"),
        ("MUTAG", "MUTAG is no set of molecules\naccepted: BACE, BBBP"),
        ("MUTAG:1", "unknown list of graphs 'MUTAG:1'"),
        ("QM9", "unknown list of graphs 'QM9'"),
    ],
)
def test_names_that_are_none(molecules, name, message):
    molecules.write("SIDER")
    with pytest.raises(DatasetError) as caught:
        load_molecules(name, molecules.root)
    assert message in str(caught.value)


def test_features_are_one_of_two(molecules):
    with pytest.raises(ArgumentError, match="features must be one of one-hot, codes"):
        load_molecules("BACE", molecules.root, features="embedding")


def test_colours_and_splits_take_the_graphs(molecules):
    molecules.write("BACE")
    graphs = load_molecules("BACE", molecules.root).graphs
    colors = wl_colors(graphs, 3, "attribute").histograms()
    same = [place for place, graph in enumerate(graphs) if graph.smiles == "CCO"]
    assert (colors[same[0]] != colors[same[1]]).nnz == 0
    assert (colors[0] != colors[1]).nnz > 0
    assert int(load_graph_splits("random-90-10", graphs)[0].test_mask.sum()) == 2
