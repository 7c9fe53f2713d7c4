"""The benchmark of the distances runs, and all methods agree."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "speed" / "distances.py"


def test_every_method_runs_and_agrees():
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, str(SCRIPT), "--sizes", "144", "--anchors", "9"]
    done = subprocess.run(
        [*command, "--rounds", "1"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines()[4:]]
    assert [(row[0][2:], row[1]) for row in rows] == [("BA", "144")] * 5 + [
        ("grid", "144")
    ] * 5
    assert {row[-1] for row in rows} == {"yes |"}
    assert {row[3] for row in rows if row[0] == "| grid"} <= {
        str(hops) for hops in range(11, 23)
    }
