"""The benchmark of k-variance runs, and the exact solvers agree."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "speed" / "k_variance.py"


def test_every_way_runs_and_the_exact_ones_agree(monkeypatch, capsys):
    pytest.importorskip("ot")
    monkeypatch.syspath_prepend(SCRIPT.parent)  # it imports the file beside it
    arguments = ["--sizes", "16", "48", "--rounds", "3"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()[4:]
    rows = [line.strip("| ").split(" | ") for line in lines]
    assert [row[0] for row in rows] == ["16", "48"]
    for row in rows:
        assert float(row[2]) < 1e-9
        assert 0.3 < float(row[4]) < 0.9  # overlap brings the samples closer
        assert 0.2 < float(row[5]) < 0.8
