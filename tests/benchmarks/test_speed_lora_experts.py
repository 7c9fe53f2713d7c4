"""The benchmark of the experts runs, and the loop over experts agrees with them."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("peft", reason="the extra 'lm' is not installed")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "speed" / "lora_experts.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("lora_experts", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for sizes in module.SIZES.values():  # the same shapes, narrower
        sizes["hidden_size"] = 16 * sizes["num_attention_heads"]
        sizes.update(intermediate_size=64, num_hidden_layers=2)
    return module


@pytest.mark.parametrize("case", ["llama-576", "phi3-1536", "phi3-1536 q, v"])
def test_every_method_runs_and_agrees(benchmark, case):
    rows = benchmark.compare(case, batch=3, rounds=1)
    loop = ["loop over experts"] * (case != "phi3-1536 q, v")
    assert [row[2] for row in rows] == ["ours", *loop, "one LoRA (PEFT)"]
    assert all(row[3] > 0 and row[4] > 0 for row in rows)
    if loop:
        assert float(rows[1][5]) < 1e-5
    lines = [*benchmark.HEAD.splitlines(), *benchmark.table(rows).splitlines()]
    assert {line.count("|") for line in lines} == {7} and len(lines) == 2 + len(rows)
