import multiprocessing
from pathlib import Path

import pytest
import torch
from torch_geometric.utils import is_undirected

from graphlab.datasets import load_dataset, readers
from graphlab.errors import DatasetError

from .conftest import LABELS, write_platonov, write_webkb

pytestmark = pytest.mark.usefixtures("any_size")


def test_a_graph_has_the_promised_form(tiny_root):
    data = load_dataset("wisconsin", tiny_root)
    assert (data.name, data.num_classes, data.num_nodes) == ("Wisconsin", 3, 10)
    assert data.x.dtype == torch.float32 and data.x.shape == (10, 3)
    assert data.edge_index.dtype == data.y.dtype == torch.int64
    assert data.y.tolist() == LABELS
    assert len(data.checksum) == 64
    assert "train_mask" not in data


def test_webkb_is_made_undirected_with_its_self_loops(tiny_root):
    data = load_dataset("Wisconsin", tiny_root)
    edges = set(map(tuple, data.edge_index.t().tolist()))
    both = {(0, 1), (4, 5), (7, 2), (8, 9)}
    assert edges == both | {(b, a) for a, b in both} | {(3, 3)}
    assert data.num_edges == len(edges)


def test_platonov_files_are_read_without_pickle(tiny_root):
    data = load_dataset("chameleon-filtered", tiny_root)
    assert is_undirected(data.edge_index) and data.x.shape == (10, 4)


def test_the_data_root_may_come_from_the_environment(tiny_root, monkeypatch):
    expected = load_dataset("Wisconsin", tiny_root).checksum
    monkeypatch.setenv("GRAPHLAB_DATA", str(tiny_root))
    assert load_dataset("Wisconsin").checksum == expected


def test_the_data_root_is_only_read(tiny_root):
    before = sorted(tiny_root.rglob("*"))
    load_dataset("Wisconsin", tiny_root)
    assert sorted(tiny_root.rglob("*")) == before


def test_a_second_load_reads_the_processed_file(tiny_root, monkeypatch):
    first = load_dataset("Wisconsin", tiny_root)
    monkeypatch.setattr(readers, "read_raw", None)
    second = load_dataset("Wisconsin", tiny_root)
    assert torch.equal(first.x, second.x)
    assert torch.equal(first.edge_index, second.edge_index)
    assert first.checksum == second.checksum


def test_a_changed_raw_file_never_meets_a_stale_result(tiny_root):
    before = load_dataset("Wisconsin", tiny_root)
    write_webkb(tiny_root / "WebKB/wisconsin/raw", labels=LABELS[::-1])
    after = load_dataset("Wisconsin", tiny_root)
    assert after.y.tolist() == LABELS[::-1]
    assert before.checksum != after.checksum


def test_a_damaged_processed_file_is_rebuilt(tiny_root, tmp_path):
    expected = load_dataset("Wisconsin", tiny_root).checksum
    (processed,) = (tmp_path / "cache").rglob("*.pt")
    processed.write_bytes(processed.read_bytes()[:100])
    assert load_dataset("Wisconsin", tiny_root).checksum == expected


def test_nothing_else_is_left_in_the_cache(tiny_root, tmp_path):
    load_dataset("Wisconsin", tiny_root)
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert [path.suffix for path in files] == [".pt"]
    assert files[0].parts[-3] == "processed-v1"
    assert [p for p in files[0].parent.iterdir() if p.is_dir()] == []


def test_raw_files_are_copied_where_links_cannot_be_made(tiny_root, monkeypatch):
    def refuse(self, target):
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert load_dataset("Wisconsin", tiny_root).num_nodes == 10


def test_processing_prints_nothing(tiny_root, capfd, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)  # PyG looks at it
    load_dataset("Wisconsin", tiny_root)
    assert capfd.readouterr() == ("", "")


def _load(root):
    return load_dataset("chameleon-filtered", root).checksum


def test_processes_may_load_at_once(tiny_root, tmp_path):
    """Four start with an empty cache; all see the same whole graph."""
    with multiprocessing.get_context("fork").Pool(4) as pool:
        checksums = pool.map(_load, [tiny_root] * 8, chunksize=1)
    assert set(checksums) == {_load(tiny_root)}
    assert len(list((tmp_path / "cache").rglob("*.pt"))) == 1


def test_a_corrupt_raw_file_is_named(tiny_root):
    path = tiny_root / "platonov_npz/chameleon_filtered.npz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DatasetError, match="platonov_npz cannot be read") as error:
        load_dataset("chameleon-filtered", tiny_root)
    assert len(str(error.value).splitlines()) == 2


def test_a_corrupt_text_file_is_named(tiny_root):
    (tiny_root / "WebKB/wisconsin/raw/out1_graph_edges.txt").write_text("x\n1\tno\n")
    with pytest.raises(DatasetError, match="cannot be read"):
        load_dataset("Wisconsin", tiny_root)


def test_a_label_out_of_range_is_refused(tiny_root):
    write_platonov(tiny_root / "platonov_npz", labels=[-1, *LABELS[1:]])
    with pytest.raises(DatasetError, match=r"labels must be .* -1\.\.2"):
        load_dataset("chameleon-filtered", tiny_root)


def test_an_unwritable_cache_names_the_variable(tiny_root, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match="set GRAPHLAB_CACHE to a folder"):
        load_dataset("Wisconsin", tiny_root)


def test_a_data_root_that_is_no_folder_is_named(tiny_root, monkeypatch):
    with pytest.raises(DatasetError, match="data_root=nowhere is not a folder"):
        load_dataset("Wisconsin", "nowhere")
    monkeypatch.setenv("GRAPHLAB_DATA", "nowhere")
    with pytest.raises(DatasetError, match="GRAPHLAB_DATA=nowhere is not a folder"):
        load_dataset("Wisconsin")
