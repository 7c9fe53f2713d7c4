"""The script of the graph's table trains, resumes and reports."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from graphlab.benchmark.copl import MODELS
from graphlab.preference import SyntheticGroups

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "copl" / "graph_table.py"


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("graph_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    small = dict(num_prompts=60, num_users=40, num_unseen=10, num_test=10)
    quick = {name: model.fixed({"epochs": 3}) for name, model in MODELS.items()}
    monkeypatch.setattr(module, "MODELS", quick)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(
        module,
        "load_split",
        lambda source, annotations, seed, data_root: SyntheticGroups(
            **small, num_annotations=annotations, seed=seed
        ).split(),
    )
    return module


def run(script, folder, *more):
    sys.argv = ["graph_table.py", "--out", str(folder), "--datasets", "uf2"]
    sys.argv += ["--annotations", "4", "--seeds", "2", *more]
    script.main()


def test_the_table(script, tmp_path, capsys, monkeypatch):
    run(script, tmp_path)
    table = capsys.readouterr().out
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(MODELS)
    assert all(row.split(" | ")[1] == "2" for row in rows[2:])
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 2 * len(MODELS)
    one = json.loads(files[0].read_text())
    best = max(one["tried"], key=lambda tried: tried["val_accuracy"])
    assert len(one["tried"]) == 6 and one["val_accuracy"] == best["val_accuracy"]
    assert sum(one["seen"]["count"]) == 400
    assert set(one["unseen"]) == {*script.RULES, "two_hop, other lengths"}
    monkeypatch.setattr(script, "run", None)  # nothing is left to be run
    run(script, tmp_path)
    assert capsys.readouterr().out == table
    drawn = tmp_path / "plot.svg"
    run(script, tmp_path, "--plot", str(drawn))
    assert all(f">{name}<" in drawn.read_text() for name in MODELS)
