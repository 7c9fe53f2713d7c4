import re
import subprocess
import sys

import pytest
import torch_geometric.datasets as pyg

from graphlab.datasets import dataset_card, dataset_names
from graphlab.datasets.content_checksums import CONTENT_CHECKSUMS
from graphlab.datasets.raw import known_hashes
from graphlab.errors import DatasetError


def test_every_name_of_the_catalogue_is_there_once():
    names = dataset_names()
    assert len(set(map(str.lower, names))) == len(names) == 26
    papers = "Cora CiteSeer PubMed Computers Photo Chameleon Squirrel Actor Texas"
    assert set(papers.split()) | {"cornell-geom", "Cornell"} <= set(names)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("cora", "Cora"),
        ("CORNELL_GEOM", "cornell-geom"),
        ("Roman_Empire", "roman-empire"),
    ],
)
def test_case_and_underscores_do_not_matter(given, name):
    assert dataset_card(given).name == name


def test_an_unknown_name_lists_the_accepted_ones_and_guesses():
    with pytest.raises(DatasetError, match="did you mean Texas") as error:
        dataset_card("texsa")
    assert "Cora, CiteSeer" in str(error.value)


def test_the_cards_need_no_torch():
    code = (
        "import sys, graphlab.datasets as d; d.dataset_card(d.dataset_names()[0]);"
        "import graphlab.cli.data; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_addresses_are_those_of_the_pyg_classes():
    """Where PyG moves an address, ours should follow."""
    for name in dataset_names():
        card = dataset_card(name)
        base = getattr(getattr(pyg, card.loader, None), "url", None)
        if card.loader == "WikipediaNetwork":
            base = pyg.WikipediaNetwork.processed_url
        if base is not None:
            assert card.url.startswith(base.rstrip("/")), name


def test_required_files_are_those_the_pyg_classes_read():
    for name in dataset_names():
        card = dataset_card(name)
        pyg_class = getattr(pyg, card.loader, None)
        if pyg_class is None:
            continue
        dataset = pyg_class.__new__(pyg_class)
        dataset.root, dataset.split, dataset.geom_gcn_preprocess = "root", "public", 1
        dataset.name = card.raw.split("/")[1]
        wanted = dataset.raw_file_names
        wanted = [wanted] if isinstance(wanted, str) else wanted
        assert list(card.required) == wanted
        assert dataset.raw_dir == f"root/{card.raw.split('/', 1)[1]}"


def test_known_hashes_are_well_formed_and_belong_to_a_card():
    files = {
        f"{card.raw}/{file}"
        for card in map(dataset_card, dataset_names())
        for file in card.files + card.split_files
    }
    assert len(known_hashes()) == 117
    for path, digest in known_hashes().items():
        assert re.fullmatch("[0-9a-f]{64}", digest)
        assert path in files


def test_pickles_have_hashes():
    """Planetoid's raw files can run code: none may be read unchecked."""
    for name in ("Cora", "CiteSeer", "PubMed"):
        card = dataset_card(name)
        assert all(f"{card.raw}/{file}" in known_hashes() for file in card.files)


def test_measured_contents_belong_to_a_card():
    assert set(CONTENT_CHECKSUMS) <= set(dataset_names())
    assert len(set(CONTENT_CHECKSUMS.values())) == len(CONTENT_CHECKSUMS)
