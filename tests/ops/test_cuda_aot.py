"""The Triton kernels compile for GPUs that are not here, and stay in registers."""

import importlib.util
import os
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

if importlib.util.find_spec("triton") is None:
    pytest.skip("needs Triton (pip install triton)", allow_module_level=True)
if tuple(map(int, version("triton").split(".")[:2])) < (3, 9):
    pytest.skip("tiles are sized for Triton 3.9's compiler", allow_module_level=True)
if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("the interpreter compiles nothing", allow_module_level=True)

MAX_REGISTERS = 128  # more halve the number of warps that hide the wait for memory
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "speed" / "kernels_aot.py"
# All pairs are compiled by the script itself; here each type, shape and target once.
CASES = [
    (torch.float32, 8, 8, 90),
    (torch.float32, 8, 32, 80),
    (torch.bfloat16, 8, 32, 100),
    (torch.float16, 1, 64, 90),
    (torch.float64, 1, 7, 90),
]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("kernels_aot", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _compile_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("dtype", "heads", "channels", "target"), CASES, ids=lambda v: str(v)
)
def test_kernels_compile_without_spills(script, dtype, heads, channels, target):
    found = script.launches(dtype, heads, channels)
    assert len({launch.kernel.__name__ for launch in found.values()}) == 14
    for name, launch in found.items():
        resources = script.compile_launch(launch, target)
        assert resources.spilled == 0, name
        assert 0 < resources.registers <= MAX_REGISTERS, name


def test_kernels_compile_for_graphs_without_hubs(script):
    calls = dict(script.operations(torch.float32, 8, 8, hub=0))
    names = []
    for call in calls.values():
        for launch in script.record(call):
            assert launch.arguments.get("partial") is None
            names.append(launch.kernel.__name__)
            assert script.compile_launch(launch, 90).spilled == 0
    assert not [name for name in names if "partials" in name or "split" in name]


def test_table_of_bytes(script):
    table = script.traffic_table()
    assert table.row_count == len(script.GRAPHS) * len(script.MODELS)
