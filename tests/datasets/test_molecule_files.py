"""The file of a MoleculeNet set: missing, packed, broken, exchanged; rdkit missing."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch_geometric.datasets import MoleculeNet

from graphlab.datasets import (
    graph_list_card,
    graphs_checksum,
    load_graphs,
    load_molecules,
    molecule_files,
    molecule_reader,
    raw,
)
from graphlab.datasets.graph_list_cards import archive_urls
from graphlab.datasets.molecule_cards import MOLECULE_CARDS, TASKS
from graphlab.errors import DatasetError


@pytest.mark.parametrize("card", MOLECULE_CARDS, ids=lambda card: card.name)
def test_files_and_addresses_are_those_of_pyg(card):
    key = card.name.lower()
    title, archive, csv, _, labels = MoleculeNet.names[key]
    assert (card.name, card.files) == (title, (f"{csv}.csv",))
    assert archive_urls(card) == (MoleculeNet.url.format(archive),)
    assert card.raw == f"MoleculeNet/{key}/raw"
    count = labels.stop - labels.start if isinstance(labels, slice) else 1
    assert TASKS[card.name] == count


def test_a_missing_file_is_not_fetched_but_told(molecules, monkeypatch):
    monkeypatch.setattr(raw.urllib.request, "urlopen", None)
    with pytest.raises(DatasetError) as caught:
        load_graphs("SIDER", molecules.root)
    text = str(caught.value)
    assert "SIDER: sider.csv is not at hand; `graphlab data fetch SIDER`" in text
    assert (
        f"{graph_list_card('SIDER').url}/sider.csv.gz into MoleculeNet/sider/raw/"
        in text
    )
    assert len(text.splitlines()) == 2


def test_without_rdkit_the_error_names_the_extra(molecules, monkeypatch):
    molecules.write("BACE")
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(DatasetError, match=r"pip install 'graphlab-pyg\[molecules\]'"):
        load_molecules("BACE", molecules.root)


def test_a_packed_file_is_the_same_set(molecules):
    plain = molecules.write("SIDER")
    first = load_molecules("SIDER", molecules.root)
    plain.unlink()
    packed = molecules.write("SIDER", packed=True)
    second = load_molecules("SIDER", molecules.root)
    assert first.sha256 == second.sha256
    assert graphs_checksum(first.graphs) == graphs_checksum(second.graphs)
    packed.write_bytes(packed.read_bytes()[:50])
    with pytest.raises(DatasetError, match="sider.csv.gz cannot be read\n.*ended"):
        load_molecules("SIDER", molecules.root)
    packed.write_bytes(b"smiles")
    with pytest.raises(DatasetError, match="cannot be read\nNot a gzipped file"):
        load_molecules("SIDER", molecules.root)


def test_the_second_load_reads_the_cache(molecules, monkeypatch):
    molecules.write("BACE")
    first = load_molecules("BACE", molecules.root)
    monkeypatch.setattr(molecule_reader, "from_smiles", None)
    second = load_molecules("BACE", molecules.root)
    assert first.warnings == second.warnings and first.remarks == second.remarks
    assert graphs_checksum(first.graphs) == graphs_checksum(second.graphs)


@pytest.mark.parametrize("damage", ["bytes", "content"])
def test_a_damaged_cache_is_made_anew(molecules, tmp_path, damage):
    molecules.write("BACE")
    first = graphs_checksum(load_molecules("BACE", molecules.root).graphs)
    (kept,) = (tmp_path / "cache").rglob("BACE-*.pt")
    if damage == "bytes":
        kept.write_bytes(kept.read_bytes()[:100])
    else:
        content = torch.load(kept, weights_only=True)
        torch.save(content | {"num_nodes": content["num_nodes"][:-1]}, kept)
    again = load_molecules("BACE", molecules.root).graphs
    assert graphs_checksum(again) == first
    assert not list((tmp_path / "cache").rglob(".*"))


def test_another_file_than_the_one_first_read_is_refused(molecules):
    molecules.write("BACE")
    first = load_molecules("BACE", molecules.root)
    molecules.write("BACE", smiles=molecules.smiles[:-1])
    with pytest.raises(DatasetError, match="not the one first read here") as caught:
        load_molecules("BACE", molecules.root)
    text = str(caught.value)
    assert f"expected sha256 {first.sha256}" in text and len(text.splitlines()) == 2
    record = text.rpartition("remove ")[2]
    Path(record).unlink()
    assert len(load_molecules("BACE", molecules.root).graphs) == 10


def test_a_file_with_a_known_hash_is_compared_with_it(molecules, monkeypatch):
    molecules.write("BACE")
    known = {"MoleculeNet/bace/raw/bace.csv": "0" * 64}
    monkeypatch.setattr(molecule_files, "known_hashes", lambda: known)
    with pytest.raises(
        DatasetError, match="corrupt or another version\nexpected sha256 0"
    ):
        load_molecules("BACE", molecules.root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "the header is not that of BACE in MoleculeNet"),
        (lambda text: text.replace("mol,", "name,"), "the header is not that of BACE"),
        (lambda text: "mol\nCC\n", "the header is not that of BACE"),
        (lambda text: text.splitlines()[0] + "\n", "it holds no molecule"),
        (lambda text: text + "CC,1,1\n", "line 14: 3 fields, but 5 titles"),
        (lambda text: text + "CC,a,2,b,c\n", "line 14: a label must be 0, 1 or empty"),
        (lambda text: text + "CC,a,yes,b,c\n", "line 14: could not convert string"),
        (lambda text: text + 'CC,"a,1,b,c\n', "line 14: 2 fields, but 5 titles"),
        (lambda text: "mol,CID,Class,M,p\n?,a,1,b,c\n", "no SMILES of it can be read"),
    ],
)
def test_broken_tables_are_refused_by_line(molecules, change, message):
    file = molecules.write("BACE", text=change(molecules.table("BACE")))
    with pytest.raises(DatasetError) as caught:
        load_molecules("BACE", molecules.root)
    assert f"BACE: {file} cannot be read\n{message}" in str(caught.value)
    molecules.write("BACE")  # what could not be read was not recorded
    load_molecules("BACE", molecules.root)


def test_quotes_a_last_line_without_end_and_empty_lines(molecules):
    text = 'num,name,p_np,smiles\n\n1,"a ""b"", c",1,CC\n2,"d\ne",0.0,CO'
    molecules.write("BBBP", text=text)
    graphs = load_molecules("BBBP", molecules.root).graphs
    assert [(graph.smiles, int(graph.y)) for graph in graphs] == [("CC", 1), ("CO", 0)]


def test_a_label_that_no_molecule_has(molecules):
    molecules.write("Tox21", label=lambda row, column: "" if column else 1)
    with pytest.raises(DatasetError, match="Tox21: no molecule has the label 4"):
        load_molecules("Tox21:4", molecules.root)


def test_fetched_on_request_and_then_found(molecules, tmp_path, monkeypatch):
    packed = molecules.write("SIDER", packed=True)
    card = replace(graph_list_card("SIDER"), url=packed.parent.as_uri())
    assert molecule_files.whereabouts(card, tmp_path) == "to fetch"
    folder = molecule_files.fetch(card)
    assert [file.name for file in folder.iterdir()] == ["sider.csv.gz"]
    assert molecule_files.whereabouts(card, tmp_path) == "cache"
    assert molecule_files.whereabouts(card, molecules.root) == "data root"
    assert len(load_molecules("SIDER").graphs) == 11
