"""The benchmark of colour refinement runs, and all methods agree."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "speed" / "wl.py"


def test_every_method_runs_and_agrees():
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, str(SCRIPT), "--datasets", "generated"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--wl-rounds", "3"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("| gen")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    methods = ["ours, hashed", "ours, exact", "dictionary", "strings"]
    assert [row[4] for row in rows] == [*methods, "ours", "graph by graph"]
    assert {row[-1] for row in rows} == {"yes"}
