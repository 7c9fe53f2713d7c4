import hashlib
import importlib.util
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from graphlab.datasets import embedded
from graphlab.datasets.embedded import (
    DebianPackages,
    WordNetVerbs,
    embedded_splits,
    load_embedded,
)
from graphlab.errors import DatasetError, SplitError

NAMES = ["wordnet-verbs", "debian-packages"]
BUILDERS = Path(__file__).resolve().parents[2] / "datasets"


def builder(path):
    """A module of the repository's datasets/ folder, which is no package."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def frozen():
    return builder(str(BUILDERS / "frozen.py"))


def build_script(name):
    return builder(str(BUILDERS / name / "build.py"))


@pytest.mark.parametrize(
    "name, nodes, edges, features, classes, isolated",
    [
        ("wordnet-verbs", 13767, 31306, 3022, 15, 100),
        ("debian-packages", 4225, 37258, 552, 10, 0),
    ],
)
def test_graphs_are_what_the_cards_say(name, nodes, edges, features, classes, isolated):
    data = load_embedded(name.upper())
    assert (data.name, data.version, data.num_classes) == (name, "1.0", classes)
    assert data.x.shape == (nodes, features) and data.x.dtype == torch.float32
    assert data.edge_index.shape == (2, edges) and data.edge_index.dtype == torch.int64
    assert data.y.unique().tolist() == list(range(classes))
    assert data.x.unique().tolist() == [0, 1]
    assert data.is_coalesced() and data.is_undirected() and not data.has_self_loops()
    degree = torch.bincount(data.edge_index[0], minlength=nodes)
    assert int((degree == 0).sum()) == isolated
    assert data.validate()


def test_known_nodes_have_their_known_neighbours_words_and_class():
    verbs = WordNetVerbs()
    data = verbs[0]
    # "breathe" (draw air into, and expel out of, the lungs) heads "hiccup".
    row = [verbs.words.index(word) for word in ("draw", "air", "expel", "lungs")]
    (node,) = [
        n for n in torch.nonzero(data.x[:, row].all(1)).flatten().tolist()
        if verbs.node_names[n] == "breathe"
    ]  # fmt: skip
    assert verbs.class_names[data.y[node]] == "verb.body"
    near = data.edge_index[1, data.edge_index[0] == node].tolist()
    assert "hiccup" in {verbs.node_names[n] for n in near}

    packages = DebianPackages()
    data = packages[0]
    gimp = packages.node_names.index("gimp")
    assert packages.class_names[data.y[gimp]] == "graphics"
    near = data.edge_index[1, data.edge_index[0] == gimp].tolist()
    assert "gimp-gmic" in {packages.node_names[n] for n in near}


@pytest.mark.parametrize("dataset_class", [WordNetVerbs, DebianPackages])
def test_classes_look_like_pygs(dataset_class):
    dataset = dataset_class(transform=lambda data: setattr(data, "seen", 1) or data)
    data = dataset[0]
    assert len(dataset) == 1 and isinstance(data, Data) and data.seen == 1
    assert dataset.num_classes == data.num_classes == len(dataset.class_names)
    assert dataset.num_features == data.num_features == len(dataset.words)
    assert len(dataset.node_names) == data.num_nodes
    data.x = None  # an access hands out a fresh object
    assert dataset[0].x is not None


@pytest.mark.parametrize("dataset_class", [WordNetVerbs, DebianPackages])
def test_no_class_name_stands_among_the_words(dataset_class):
    dataset = dataset_class()
    names = {name.removeprefix("verb.") for name in dataset.class_names}
    assert not names & set(dataset.words)


def test_loading_takes_less_than_a_second_of_processor_time():
    start = time.process_time()
    for name in NAMES:
        load_embedded(name)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_disjoint_and_of_the_stated_sizes(name):
    y = load_embedded(name).y
    for split, runs in [("stratified-60-20-20", 10), ("bernnet-10", 10)]:
        stored = embedded_splits(name, split)
        assert len(stored) == runs
        assert len({train.numpy().tobytes() for train, *_ in stored}) == runs
        for train, val, test, _ in stored:
            assert (train.int() + val.int() + test.int() == 1).all()
    for train, val, test, _ in embedded_splits(name, "stratified-60-20-20"):
        size = torch.bincount(y)
        assert ((torch.bincount(y[train]) - 0.6 * size).abs() <= 1).all()
        assert ((torch.bincount(y[val]) - 0.2 * size).abs() <= 1).all()
        assert ((torch.bincount(y[test]) - 0.2 * size).abs() <= 1).all()
    ((train, val, test, seed),) = embedded_splits(name, "planetoid-20")
    assert (seed, int(val.sum()), int(test.sum())) == (0, 500, 1000)
    assert torch.bincount(y[train]).eq(20).all()
    assert not (train & val).any() and not ((train | val) & test).any()


def bernnet_by_the_letter(y, seed):
    """postel.md's wording, with lists and sets and nothing clever."""
    rng = np.random.RandomState(seed)
    count = int(round(0.6 * len(y) / (max(y) + 1)))
    train = []
    for c in range(max(y) + 1):
        members = [i for i in range(len(y)) if y[i] == c]
        whole = len(members) < count
        train += members if whole else list(rng.choice(members, count, replace=False))
    kept = set(train)
    rest = [i for i in range(len(y)) if i not in kept]
    val = rng.choice(rest, int(round(0.2 * len(y))), replace=False)
    return sorted(train), sorted(val.tolist())


def test_bernnet_splits_are_bit_equal_to_the_definition():
    y = load_embedded("debian-packages").y.tolist()
    stored = embedded_splits("debian-packages", "bernnet-10")
    assert stored[0][3] == 1941488137 and stored[9][3] == 2424918363
    for train, val, _, seed in stored:
        want_train, want_val = bernnet_by_the_letter(y, seed)
        assert torch.nonzero(train).flatten().tolist() == want_train
        assert torch.nonzero(val).flatten().tolist() == want_val


@pytest.mark.parametrize("name", NAMES)
def test_stored_splits_are_those_the_builder_draws(name, frozen):
    arrays, seeds = frozen.all_splits(load_embedded(name).y.numpy())
    for split in seeds:
        for code, (train, val, test, seed) in zip(
            arrays[f"split_{split}"], embedded_splits(name, split), strict=True
        ):
            assert seed in seeds[split]
            assert (train.numpy() == (code == 0)).all()
            assert (val.numpy() == (code == 1)).all()
            assert (test.numpy() == (code == 2)).all()


def test_an_altered_or_missing_file_is_refused(tmp_path, monkeypatch):
    blob = bytearray((embedded.DATA / "debian_packages.npz").read_bytes())
    blob[1000] ^= 1
    (tmp_path / "debian_packages.npz").write_bytes(blob)
    monkeypatch.setattr(embedded, "DATA", tmp_path)
    with pytest.raises(DatasetError, match="SHA-256"):
        load_embedded("debian-packages")
    with pytest.raises(DatasetError, match="cannot read"):
        load_embedded("wordnet-verbs")


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(DatasetError, match="wordnet-verbs, debian-packages"):
        load_embedded("cora")
    with pytest.raises(SplitError, match="bernnet-10, planetoid-20, strat"):
        embedded_splits("debian-packages", "geom-gcn-10")


def test_files_are_small_and_the_licence_notice_is_there():
    assert sum(file.stat().st_size for file in embedded.DATA.glob("*.npz")) < 450_000
    notice = (embedded.DATA / "WORDNET-LICENSE.txt").read_text()
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in notice


@pytest.mark.parametrize("name", NAMES)
def test_cards_state_version_and_checksum(name):
    frozen = embedded._FROZEN[name]
    file = embedded.DATA / frozen.file
    card = (BUILDERS / name / "README.md").read_text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in card
    assert f"version {frozen.version}" in card


SYNSETS = """\
  1 This line stands for the licence
00000001 38 v 01 go 0 002 ~ 00000002 v 0000 + 00000009 n 0101 01 + 02 00 | move motion
00000002 30 v 01 turn 0 001 @ 00000001 v 0000 01 + 02 00 | change or move a wheel
"""


def stanza(name, section, summary, **fields):
    lines = {"Package": name, "Section": section, "Description": summary} | fields
    return "".join(f"{k.replace('_', '-')}: {v}\n" for k, v in lines.items())


def test_wordnet_builder_on_two_synsets():
    build = build_script("wordnet-verbs")
    goer, turner = build.parse(SYNSETS)
    assert goer["label"] == 9 and turner["label"] == 1  # verb.motion, verb.change
    assert goer["pointers"] == ["00000002"]  # the noun is no neighbour
    assert turner["words"] == {"change", "move", "wheel"}


def test_debian_builder_on_a_handful_of_packages():
    build = build_script("debian-packages")
    source = "\n".join(
        [
            stanza(
                "chess", "games", "Board of chess", Depends="libx (>= 1), web1 | mta"
            ),
            stanza("chess-data", "games", "Board of chess"),
            stanza("old", "games", "transitional package"),
            stanza("web1", "web", "Web of things", Suggests="libx:any", Source="w (2)"),
            stanza("web2", "web", "Web of things", Source="w"),
            stanza("libx", "libs", "Library"),
            stanza("draw", "graphics", "Draw", Recommends="libx [amd64]\n continued"),
        ]
    )
    packages = build.parse(source)
    assert sorted(packages) == ["chess", "draw", "web1", "web2"]
    assert packages["chess"]["relations"]["Depends"] == {"libx", "web1", "mta"}
    kept = build.without_twins(packages)
    assert sorted(kept) == ["chess", "draw", "web1"]  # web2 is web1's twin
    # libx stands outside and is shared by all three; chess names web1 as well.
    assert build.relations(kept) == {
        ("chess", "draw"), ("chess", "web1"), ("draw", "web1"),
    }  # fmt: skip


def test_building_twice_gives_the_same_bytes(frozen, tmp_path):
    files = []
    for run in range(2):
        texts = [frozen.words_of(f"alpha beta gamma{'x' * (i % 3)}") for i in range(40)]
        path = tmp_path / str(run) / "out.npz"
        made = frozen.freeze(
            path,
            names=[f"n{i}" for i in range(40)],
            words=frozen.vocabulary(texts, 2, banned=["beta"]),
            classes=["a", "b"],
            texts=texts,
            edges={(i, (7 * i) % 40) for i in range(40)},
            labels=[i % 2 for i in range(40)],
            meta={"name": "toy"},
        )
        files.append((path.read_bytes(), made["content_sha256"]))
    assert files[0] == files[1]
    with np.load(tmp_path / "0" / "out.npz", allow_pickle=False) as arrays:
        assert frozen.content_digest(dict(arrays)) == files[0][1]
        assert bytes(arrays["words"]).decode().split("\n") == [
            "alpha", "gamma", "gammax", "gammaxx",
        ]  # fmt: skip
        # 7 i = i (mod 40) only for i = 0 and 20: self-loops, and those are gone.
        pairs = {frozenset((i, 7 * i % 40)) for i in range(40) if i % 20}
        assert arrays["edge_counts"].sum() == len(pairs)
    with zipfile.ZipFile(tmp_path / "0" / "out.npz") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
