import numpy as np
import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.preference import VectorTable

IDS = ["ann", 7, ("bob", 2, (True, 0.5)), "7", "", "ü"]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("bias", [True, False])
def test_files_bring_back_ids_and_bits(tmp_path, suffix, bias):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    vectors = torch.randn(6, 3)
    table = VectorTable(IDS, vectors, torch.randn(6) if bias else None, "response")
    path = tmp_path / "new" / f"table{suffix}"
    table.save(path)
    read = VectorTable.load(path)
    assert read.ids.ids == IDS and read.ids.name == "response"
    assert list(map(type, read.ids.ids)) == list(map(type, IDS))
    assert torch.equal(read.vectors, vectors) and read.vectors.dtype == vectors.dtype
    assert torch.equal(read.bias, table.bias) if bias else read.bias is None
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_numbers_stay_numbers(tmp_path, kind):
    table = VectorTable(kind([5, 2]), torch.eye(2))
    table.save(tmp_path / "t.npz")
    read = VectorTable.load(tmp_path / "t.npz")
    assert read.ids.ids == [5, 2] and torch.equal(read[[2]], torch.eye(2)[1:])


def test_vectors_are_found_by_id_whatever_the_order():
    table = VectorTable(IDS, torch.arange(6.0).unsqueeze(1))
    assert table[["7", ("bob", 2, (True, 0.5)), 7]].flatten().tolist() == [3, 2, 1]
    with pytest.raises(ArgumentError, match="known to the table, but 8 is not"):
        table[[7, 8]]


def test_ids_that_a_file_cannot_hold(tmp_path):
    table = VectorTable([frozenset({1})], torch.eye(1))
    with pytest.raises(ArgumentError, match="to be saved, got frozenset"):
        table.save(tmp_path / "t.npz")
    assert list(tmp_path.iterdir()) == []


def test_bad_files(tmp_path):
    table = VectorTable(["a"], torch.eye(1))
    with pytest.raises(ArgumentError, match="must end in .npz or .safetensors"):
        table.save(tmp_path / "t.pt")
    with pytest.raises(ArgumentError, match="is no table of vectors"):
        VectorTable.load(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK")
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    np.savez(tmp_path / "pickle.npz", ids_utf8=np.array([{}], dtype=object))
    for name in ("bad.npz", "other.npz", "pickle.npz"):
        with pytest.raises(ArgumentError, match="is no table of vectors"):
            VectorTable.load(tmp_path / name)


def test_rows_and_ids_must_agree():
    with pytest.raises(
        ArgumentError, match="vectors must have a row for each of the 2"
    ):
        VectorTable(["a", "b"], torch.eye(3))
    with pytest.raises(ArgumentError, match="bias must have a row"):
        VectorTable(["a", "b"], torch.eye(2), torch.ones(1))
