"""The benchmark against the size of the graph: points, resuming, table and plot."""

import importlib.util
from argparse import Namespace
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "psgnn" / "scaling.py"
NAMES = ["PSGNN, K = 16", "P-GNN"]


@pytest.fixture(scope="module")
def scaling():
    spec = importlib.util.spec_from_file_location("psgnn_scaling", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def options(tmp_path):
    shared = dict(out=tmp_path, sizes=[100, 200], models=NAMES, seeds=1, epochs=12)
    return Namespace(**shared)


@pytest.fixture
def _one_process(scaling, monkeypatch):
    def point(path, *rest):
        scaling._point(str(path), *map(str, rest))

    monkeypatch.setattr(scaling, "_in_own_process", point)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_process")
def test_points_table_and_plot(scaling, options, tmp_path):
    scaling.measure(options)
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 4
    kept = {path: path.stat().st_mtime_ns for path in files}
    files[0].unlink()
    scaling.measure(options)  # runs the missing one alone
    changed = [p for p in files if p.stat().st_mtime_ns != kept[p]]
    assert changed == files[:1]

    points = scaling.load(options)
    for name in NAMES:
        assert [len(points[name][size]) for size in (100, 200)] == [1, 1]
        for one in points[name][200]:
            assert one["cpu_seconds_per_epoch"] > 0 and one["memory"] >= 0
            assert 0 <= one["near_auc"] <= 1 and 0 <= one["own_code"] <= 1
    assert points["P-GNN"][200][0]["num_anchors"] == 49
    rows = scaling.report(points).splitlines()
    assert len(rows) == 6 and rows[2].startswith("| 100 | PSGNN, K = 16 | 16 | 1 |")

    picture = tmp_path / "plot.svg"
    scaling.plot(points, picture)
    text = picture.read_text()
    assert all(title in text for title in (*scaling.PANELS.values(), *NAMES))


def test_pairs_of_neighbouring_cliques(scaling):
    first, second = scaling._next_cliques(100, torch.empty(2, 400), 0)
    assert torch.equal((first // 20 + 1) % 5, second // 20)
    assert len(first.unique()) > 50 and len(second.unique()) > 50
