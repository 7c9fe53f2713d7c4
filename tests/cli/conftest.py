"""Running the command line inside the test process."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

MODULE = """
import torch


class MyGNN(torch.nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels):
        super().__init__()
        self.first = torch.nn.Linear(in_channels, hidden_channels)
        self.second = torch.nn.Linear(hidden_channels, out_channels)

    def forward(self, x, edge_index):
        return self.second(self.first(x).relu())


def interrupted(problem):
    raise KeyboardInterrupt


def out_of_memory(problem):
    raise MemoryError


def half_the_mask(problem):
    from dataclasses import replace

    return replace(problem, train_mask=problem.train_mask & False)


def bad_label(problem):
    from dataclasses import replace

    return replace(problem, y=problem.y + 5)
"""

MINE = """
dataset = "digits"
split = "stratified-60-20-20"
model = "mypackage.module:MyGNN"
model_args = { hidden_channels = 8 }
label = "none"
runs = 2

[training]
epochs = 3
patience = 3
"""


@pytest.fixture
def graphlab(monkeypatch, capsys):
    """Calls ``graphlab ARGS`` and returns exit code, output and errors."""
    from graphlab.cli import main

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["graphlab", *map(str, args)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        code = end.value.code or 0
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """The working folder of a user: a package with a model, and a recipe for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "mypackage"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text(MODULE)
    (tmp_path / "mine.toml").write_text(MINE)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("mypackage")]:
        del sys.modules[name]


@pytest.fixture
def recipe(project):
    """Writes ``mine.toml`` with one replacement."""

    def write(old="", new=""):
        assert old in MINE
        (project / "mine.toml").write_text(MINE.replace(old, new, 1))

    return write
