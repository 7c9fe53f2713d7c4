"""The benchmark of k-variance runs, and the exact solvers agree."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "speed" / "k_variance.py"


def test_every_way_runs_and_the_exact_ones_agree():
    pytest.importorskip("ot")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--sizes", "16", "48", "--rounds", "3"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[4:]]
    assert [row[0] for row in rows] == ["16", "48"]
    for row in rows:
        assert float(row[2]) < 1e-9
        assert 0.3 < float(row[4]) < 0.9  # overlap brings the samples closer
        assert 0.2 < float(row[5]) < 0.8
