import builtins
import gzip
import io
import sys
import zipfile
from dataclasses import replace

import pytest

from graphlab.datasets import dataset_card
from graphlab.datasets.ogb import load_ogb
from graphlab.errors import DatasetError

RAW = {
    "raw/edge": "0,1\n1,2\n2,2\n",
    "raw/num-node-list": "4\n",
    "raw/num-edge-list": "3\n",
    "raw/node-feat": "0.5,1\n1,0\n0,0\n2,1\n",
    "raw/node-label": "0\n1\n2\n0\n",
    "raw/node_year": "2001\n2002\n2003\n2004\n",
    "split/time/train": "0\n1\n",
    "split/time/valid": "2\n",
    "split/time/test": "3\n",
}


@pytest.fixture
def card(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(builtins, "input", None)  # any question would be an error
    return replace(dataset_card("ogbn-arxiv"), nodes=None)


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "data/ogb/ogbn_arxiv"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "arxiv.zip", "w") as content:
        for name, text in RAW.items():
            content.writestr(f"arxiv/{name}.csv.gz", gzip.compress(text.encode()))
    return folder


def _check(data):
    assert data.edge_index.tolist() == [[0, 1, 2], [1, 2, 2]]
    assert data.y.tolist() == [0, 1, 2, 0] and data.x.shape == (4, 2)
    assert data.train_mask.tolist() == [True, True, False, False]
    assert data.test_mask.tolist() == [False, False, False, True]


def test_an_archive_is_read_without_a_question(card, archive, monkeypatch):
    pytest.importorskip("ogb", reason="the extra 'ogb' is not installed")
    _check(load_ogb(card, archive.parents[1]))
    monkeypatch.setitem(sys.modules, "ogb.nodeproppred", None)
    _check(load_ogb(card, archive.parents[1]))  # the processed file needs no ogb


def test_an_unpacked_folder_is_only_read(card, archive):
    pytest.importorskip("ogb", reason="the extra 'ogb' is not installed")
    with zipfile.ZipFile(archive / "arxiv.zip") as content:
        content.extractall(archive)
    (archive / "arxiv.zip").unlink()
    for part in ("raw", "split"):
        (archive / "arxiv" / part).rename(archive / part)
    before = sorted(archive.rglob("*"))
    _check(load_ogb(card, archive.parents[1]))
    assert sorted(archive.rglob("*")) == before


def test_a_missing_extra_is_named(card, archive, monkeypatch):
    monkeypatch.setitem(sys.modules, "ogb", None)
    monkeypatch.setitem(sys.modules, "ogb.nodeproppred", None)
    with pytest.raises(DatasetError, match=r"graphlab-pyg\[ogb\]"):
        load_ogb(card, archive.parents[1])


def test_a_corrupt_archive_is_named(card, archive):
    pytest.importorskip("ogb", reason="the extra 'ogb' is not installed")
    (archive / "arxiv.zip").write_bytes(io.BytesIO(b"no archive").getvalue())
    with pytest.raises(DatasetError, match="cannot be read"):
        load_ogb(card, archive.parents[1])
