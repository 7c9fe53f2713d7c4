import hashlib
import pickle
import urllib.error
from dataclasses import replace
from pathlib import Path

import pytest

from graphlab.datasets import dataset_card, load_dataset, raw
from graphlab.datasets.raw import fetch_raw, raw_folder, whereabouts
from graphlab.errors import DatasetError


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A card whose files are fetched from a folder of this machine."""
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "wisconsin.txt").write_bytes(b"content")
    card = dataset_card("Wisconsin")
    return replace(card, files=("wisconsin.txt",), split_files=(), url=folder.as_uri())


class Bomb:
    """A pickle that leaves a trace when it is read."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def test_a_pickle_with_the_wrong_hash_is_never_read(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data/Planetoid/Cora/raw"
    folder.mkdir(parents=True)
    trace = tmp_path / "executed"
    for file in dataset_card("Cora").files:
        (folder / file).write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(DatasetError) as error:
        load_dataset("Cora", tmp_path / "data")
    assert not trace.exists()
    first = folder / "ind.cora.x"
    digest = hashlib.sha256(first.read_bytes()).hexdigest()
    assert str(first) in str(error.value)
    assert f"found {digest}" in str(error.value) and "expected sha256" in str(
        error.value
    )


def test_fetched_files_lie_in_the_cache_and_are_found_again(source, monkeypatch):
    assert whereabouts(source) == "to fetch"
    folder = raw_folder(source, source.files)
    assert (folder / "wisconsin.txt").read_bytes() == b"content"
    assert whereabouts(source) == "cache"
    monkeypatch.setattr(raw.urllib.request, "urlopen", None)
    assert raw_folder(source, source.files) == folder


def test_a_fetched_file_with_the_wrong_hash_is_not_kept(source, monkeypatch):
    hashes = {f"{source.raw}/wisconsin.txt": "0" * 64}
    monkeypatch.setattr(raw, "known_hashes", lambda: hashes)
    with pytest.raises(DatasetError, match="corrupt or another version"):
        fetch_raw(source, source.files)
    assert not [p for p in raw.cache_dir().rglob("*") if p.is_file()]


def test_an_interrupted_download_leaves_no_file(source, monkeypatch):
    class Broken:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

        def read(self, size):
            if hasattr(self, "half"):
                raise ConnectionResetError("connection reset")
            self.half = True
            return b"half"

    monkeypatch.setattr(raw.urllib.request, "urlopen", lambda *a, **k: Broken())
    with pytest.raises(DatasetError, match="connection reset"):
        fetch_raw(source, source.files)
    assert not [p for p in raw.cache_dir().rglob("*") if p.is_file()]


def test_offline_the_error_has_address_file_and_folder(tmp_path, monkeypatch):
    def offline(*args, **options):
        raise urllib.error.URLError("name or service not known")

    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path))
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    monkeypatch.setattr(raw.urllib.request, "urlopen", offline)
    with pytest.raises(DatasetError) as error:
        load_dataset("roman-empire")
    first, second = str(error.value).splitlines()
    assert "roman_empire.npz" in first and "name or service not known" in first
    assert dataset_card("roman-empire").file_url("roman_empire.npz") in second
    folder = tmp_path / "downloads/HeterophilousGraphDataset/roman_empire/raw"
    assert str(folder) in second and "GRAPHLAB_DATA" in second


def test_a_data_root_without_the_set_falls_back_to_the_cache(source, tmp_path):
    fetch_raw(source, source.files)
    (tmp_path / "empty").mkdir()
    assert whereabouts(source, tmp_path / "empty") == "cache"
