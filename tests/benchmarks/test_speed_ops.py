"""The benchmark of the operations runs, agrees with PyG, and goes on after a stop."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "speed" / "ops.py"
PEERS = ["pyg", "edge_index", "torch_csr", "torch_reduce", "ours"]
KNOWN = {
    "graph": "t",
    "features": 16,
    "op": "mean",
    "threads": 1,
    "device": "cpu",
    "nodes": 50,
    "edges": 200,
    "max_degree": 11,
    "median_degree": 3,
    "peers": {peer: {"cpu_ms": 1.0, "wall_ms": 123.0} for peer in PEERS},
    "floor": {"cpu_ms": 1.0, "wall_ms": 1.0},
    "gather_gb_s": 1.0,
    "copy_gb_s": 1.0,
    "pyg_with_torch_scatter": False,
    **dict.fromkeys(("date", "machine", "torch", "pyg", "backend", "malloc"), ""),
}


def test_a_killed_run_goes_on_and_measures_the_rest(tmp_path):
    save = tmp_path / "rows.jsonl"
    # One row is known, and of another there is half a line.
    known = json.dumps(KNOWN) + "\n" + json.dumps({**KNOWN, "op": "gat"})[:40]
    save.write_text(known)
    command = [sys.executable, str(SCRIPT), "--graphs", "t", "--features", "16"]
    command += ["--threads", "1", "--rounds", "1", "--format", "md"]
    command += ["--peers", *PEERS, "--save", str(save)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| t | 16 | mean | 123 | 1.0x |" in done.stdout
    assert "GAT, 8 heads" in done.stdout

    text = save.read_text()
    assert text.startswith(known + "\n")
    rows = [json.loads(line) for line in text.removeprefix(known + "\n").splitlines()]
    ops = [row["op"] for row in rows]
    assert ops == ["sum_fwd", "sum", "max", "wsum", "wsum_grad", "gat"]
    for row in rows:
        assert row["edges"] == 200
        assert row["peers"]["pyg"]["cpu_ms"] > 0
        assert row["peers"]["ours"]["wall_ms"] > 0
        assert row["peers"]["ours"]["error"] < 1e-4
        reasons = {figure.get("skipped", "") for figure in row["peers"].values()}
        assert reasons <= {"", "has no such operation"}
