"""The benchmark of the graph filter runs, and the peer's scores are ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_ours_and_the_peer_agree():
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    script = ROOT / "benchmarks" / "speed" / "preference.py"
    command = [sys.executable, str(script), "--users", "50", "--prompts", "40"]
    done = subprocess.run(
        [*command, "--dim", "8", "--layers", "2", "--rounds", "1"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"differ by at most (\S+)", done.stdout)[1]) < 1e-5
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 6 and "epoch of 1 step: like the release" in rows[4]
