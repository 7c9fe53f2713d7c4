"""Shared fixtures: real data is opt-in, everything else needs no network."""

import os
from pathlib import Path

import pytest
import torch

# The graphs of the tests are tiny: a second thread costs more than it gives.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real datasets, or a skip with the reason."""
    root = os.environ.get("GRAPHLAB_DATA")
    if not root:
        pytest.skip("GRAPHLAB_DATA is not set: tests on real datasets are skipped")
    if not Path(root).is_dir():
        pytest.skip(f"GRAPHLAB_DATA={root} is not a folder")
    return Path(root)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """Processed files go to a folder of the test session, not to the user's cache."""
    cache = tmp_path_factory.getbasetemp() / "graphlab-cache"
    monkeypatch.setenv("GRAPHLAB_CACHE", str(cache))
