"""The script that measures gradients by depth runs, and prints both tables."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "lipschitz_resgnn" / "gradients.py"


def test_it_prints_a_table_by_depth_and_one_by_width():
    command = [sys.executable, str(SCRIPT), "--dataset", "digits"]
    command += ["--split", "stratified-60-20-20", "--hidden", "8"]
    command += ["--depths", "1", "40", "--seeds", "1"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line]
    table = {row[0].strip("| "): row[1:] for row in rows}
    assert len(rows) == 9 + 4 and table["width"][0] == "16"

    def first(name):
        return float(table[name][1].split(" / ")[0])

    assert first("GCN") < first("residual, spectral c = 1/L") < first("residual")
