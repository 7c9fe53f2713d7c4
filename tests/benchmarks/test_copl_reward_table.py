"""The script of the reward table trains, resumes, tunes and reports."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from graphlab.benchmark.copl import MODELS, graph_stage

pytest.importorskip("transformers", reason="the extra 'lm' is not installed")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "copl" / "reward_table.py"


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("reward_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sizes = dict(num_users=30, num_unseen=8, num_prompts=30, new_prompts=16)
    monkeypatch.setitem(
        module.DATASETS, "style", ("style", sizes | dict(num_test=5, num_new=3))
    )
    real, few = module.config_of, dict(backbone="tiny-phi3", steps=2, batch_size=8)
    monkeypatch.setattr(
        module,
        "config_of",
        lambda row, vectors, seed, **changes: real(
            row, vectors, seed, **few, **changes
        ),
    )
    quick = {name: model.fixed({"epochs": 3}) for name, model in MODELS.items()}
    monkeypatch.setattr(module, "graph_model", quick.get)
    monkeypatch.setattr(graph_stage, "RIDGES", (0.1,))
    monkeypatch.setattr(sys, "argv", [])
    return module


def run(script, folder, *more):
    sys.argv = ["reward_table.py", "--out", str(folder), *more]
    script.main()


def test_train_report_and_go_on(script, tmp_path, capsys):
    methods = ["--methods", "agnostic", "concat, head alone", "experts"]
    methods.append("none: ids alone")
    where = ["--seeds", "0", "1", "--vectors", "CoPL-GCF", "MF"]
    run(script, tmp_path, *methods, *where, "--pairs", "20")
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 14  # the agnostic model needs no vectors
    one = json.loads(files[2].read_text())
    assert one["parts"]["unseen"]["pairs"] == 20 and one["minutes_training"] > 0
    out = capsys.readouterr().out
    assert "**style**" in out and "| MF | experts | 2 |" in out
    assert "| – | agnostic | 2 |" in out and "| MF | none: ids alone | 2 |" in out
    stamps = [file.stat().st_mtime_ns for file in files]
    run(script, tmp_path, *methods, *where)
    assert [file.stat().st_mtime_ns for file in files] == stamps
    assert not list((tmp_path / "models").iterdir())


def test_tune_keeps_validation_accuracy_only(script, tmp_path):
    run(script, tmp_path, "--tune", "--seeds", "7", "--methods", "experts")
    run(
        script,
        tmp_path,
        "--tune",
        "--seeds",
        "7",
        "--methods",
        "experts",
        "--set",
        "lr=0.1",
    )
    files = sorted((tmp_path / "tune").glob("*.json"))
    found = [json.loads(file.read_text()) for file in files]
    assert [one["settings"]["lr"] for one in found] == [0.1, 0.003]
    assert all("parts" not in one and one["val_pairs"] for one in found)
