"""Files are written whole or not at all."""

import pytest

from graphlab.files import cache_dir, replace_file


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "a.npz"
    path.write_text("old")
    seen = []

    def write(file):
        seen.append(file)
        file.write_text("new")
        assert path.read_text() == "old"

    replace_file(path, write)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    assert seen[0].name.startswith(".") and seen[0].suffix == ".npz"


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")

    def write(file):
        file.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OSError):
        replace_file(tmp_path / "no" / "a", lambda file: file.write_text("x"))


def test_where_the_cache_is(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"
    monkeypatch.delenv("GRAPHLAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "graphlab"
