"""A small user project: models and label methods outside the package, and recipes."""

import sys
from pathlib import Path

import pytest

FAKES = '''
import os, signal, time
import torch
from graphlab.training import no_smoothing


class Tiny(torch.nn.Module):
    def __init__(self, in_channels, out_channels, bias=True):
        super().__init__()
        self.lin = torch.nn.Linear(in_channels, out_channels, bias=bias)

    def forward(self, x, edge_index):
        return self.lin(x)


class Random(Tiny):
    """Its forward pass is random while training: seeds must decide everything."""

    def forward(self, x, edge_index):
        return self.lin(torch.nn.functional.dropout(x, 0.5, self.training))


class Telling(Tiny):
    def facts(self):
        return {"converged": False, "residual": float("nan"), "steps": 3}


def plain(problem):
    return no_smoothing(problem)


def slow(problem, seconds=0.4):
    time.sleep(seconds)
    return no_smoothing(problem)


def cpu_oom(problem):
    raise RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: not enough "
        "memory: you tried to allocate 4000000000000 bytes."
    )


def memory_error(problem):
    raise MemoryError


def cuda_oom(problem):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")


def boom(problem):
    raise ValueError("boom\\nand more")


def dies(problem):
    os.kill(os.getpid(), signal.SIGKILL)
'''

RECIPE = """
[paper]
key = "small"
title = "A small recipe"

[defaults]
runs = {runs}
split = "stratified-60-20-20"
training = {{ epochs = 3, patience = 3 }}

[models]
Tiny = {{ path = "fakes:Random" }}

[labels]
{labels}

[table.main]
datasets = ["digits"]
"""


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder with the module ``fakes``, importable for the length of a test."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "fakes.py").write_text(FAKES)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "fakes", raising=False)
    yield folder
    sys.modules.pop("fakes", None)


@pytest.fixture
def small_recipe(project):
    """Writes and reads a recipe with some label methods on ``digits``."""
    from graphlab.benchmark.recipe_file import load_recipe

    def make(labels=("plain",), runs=2, name="small.toml", extra=""):
        entries = [
            f'{label} = {{ path = "fakes:{label}" }}' if "=" not in label else label
            for label in labels
        ]
        file = project / name
        file.write_text(RECIPE.format(runs=runs, labels="\n".join(entries)) + extra)
        return load_recipe(file)

    return make


@pytest.fixture
def one_thread():
    """Sums depend on the number of threads in their last bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
