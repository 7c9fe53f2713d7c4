import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from graphlab.datasets import dataset_card, load_dataset, load_splits, split_names
from graphlab.datasets.random_splits import SEEDS, stratified_split
from graphlab.errors import ArgumentError, DatasetError, SplitError

# Digits is built on the fly; its graph and NumPy's frozen streams give these.
FIRST = {
    "bernnet-10": "6f647b83b4af67fb",
    "stratified-60-20-20": "3da6f44c0613fcd4",
    "planetoid-20": "1cc79c53fd5d47aa",
}


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@pytest.mark.parametrize("name", FIRST)
def test_random_splits_are_the_same_on_every_machine(digits, name):
    splits = load_splits(name, digits)
    assert [split.seed for split in splits] == list(SEEDS)
    assert [split.index for split in splits] == list(range(10))
    assert splits[0].checksum[:16] == FIRST[name]
    assert len({split.checksum for split in splits}) == 10


def test_runs_takes_the_first_ones(digits):
    every = load_splits("bernnet-10", digits)
    some = load_splits("bernnet-10", digits, runs=3)
    assert [s.checksum for s in some] == [s.checksum for s in every[:3]]


def test_runs_is_checked(digits):
    with pytest.raises(ArgumentError, match="runs must be at least 1, got 0"):
        load_splits("bernnet-10", digits, runs=0)
    with pytest.raises(SplitError, match="has 10 splits, 11 were asked for"):
        load_splits("bernnet-10", digits, runs=11)


def test_an_unknown_split_lists_the_accepted_ones(digits):
    with pytest.raises(SplitError) as error:
        load_splits("geom-gcn-10", digits)
    accepted = "accepted: bernnet-10, stratified-60-20-20, planetoid-20"
    assert str(error.value).splitlines() == [
        "digits has no split 'geom-gcn-10'",
        accepted,
    ]


def test_a_graph_of_the_users_own_has_the_random_splits():
    data = Data(y=torch.arange(100) % 4, x=torch.zeros(100, 1))
    split = load_splits("stratified-60-20-20", data, runs=1)[0]
    expected = stratified_split(data.y.numpy(), 4, SEEDS[0])
    for mask, wanted in zip(split.masks, expected, strict=True):
        assert np.array_equal(mask.numpy(), wanted)
    with pytest.raises(SplitError, match="a graph without a name has no"):
        load_splits("planetoid-public", data)


def test_labels_out_of_range_are_refused():
    data = Data(y=torch.tensor([0, 1, 5, -1]), x=torch.zeros(4, 1))
    with pytest.raises(ArgumentError, match=r"one label of 0\.\.5 per node"):
        load_splits("bernnet-10", data)


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize(
    ("dataset", "name"),
    [("Wisconsin", "geom-gcn-10"), ("chameleon-filtered", "platonov-10")],
)
def test_published_splits_come_from_the_raw_files(tiny_root, dataset, name):
    data = load_dataset(dataset, tiny_root)
    splits = load_splits(name, data, data_root=tiny_root)
    assert len(splits) == 10 and splits[0].seed is None
    for i, split in enumerate(splits):
        part = (np.arange(10) + i) % 3
        for code, mask in enumerate(split.masks):
            assert np.array_equal(mask.numpy(), part == code)


@pytest.mark.usefixtures("any_size")
def test_a_published_split_of_another_graph_is_refused(tiny_root):
    data = load_dataset("Wisconsin", tiny_root).subgraph(torch.arange(8))
    data.name = "Wisconsin"
    with pytest.raises(SplitError, match="covers 10 nodes, the graph has 8"):
        load_splits("geom-gcn-10", data, data_root=tiny_root)


@pytest.mark.usefixtures("any_size")
def test_a_corrupt_split_file_is_named(tiny_root):
    data = load_dataset("Wisconsin", tiny_root)
    file = tiny_root / "WebKB/wisconsin/raw/wisconsin_split_0.6_0.2_4.npz"
    file.write_bytes(b"not an archive")
    with pytest.raises(DatasetError, match=file.name):
        load_splits("geom-gcn-10", data, data_root=tiny_root)


def test_names_fit_the_dataset():
    assert split_names(dataset_card("Cora")) == (
        *("bernnet-10", "stratified-60-20-20", "planetoid-20"),
        *("planetoid-public", "geom-gcn-10"),
    )
    assert "planetoid-20" not in split_names(dataset_card("Texas"))
    assert "platonov-10" in split_names(dataset_card("Cornell"))
    assert "geom-gcn-10" not in split_names(dataset_card("Cornell"))


@pytest.mark.parametrize("name", ["wordnet-verbs", "debian-packages"])
def test_embedded_sets_prefer_the_stored_splits(name):
    """They were drawn by the same rules, from the seeds stored beside them."""
    from graphlab.datasets import splits as module

    data = load_dataset(name)
    for family in ("bernnet-10", "stratified-60-20-20", "planetoid-20"):
        for split in load_splits(family, data):
            drawn = module._RANDOM[family](data.y.numpy(), data.num_classes, split.seed)
            for mask, wanted in zip(split.masks, drawn, strict=True):
                assert np.array_equal(mask.numpy(), wanted)
