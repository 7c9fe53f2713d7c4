"""A run of CoPL so small that all its stages take a second."""

import shutil

import pytest

from graphlab.benchmark.copl.train_graph import SplitSettings, train_graph

SIZES = {"num_prompts": 40, "num_users": 40, "num_unseen": 10, "num_test": 6}


@pytest.fixture
def settings():
    def make(**changes):
        given = {"annotations": 5, "sizes": SIZES} | changes
        return SplitSettings("uf2", **given)

    return make


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    settings = SplitSettings("uf2", 5, sizes=SIZES)
    fixed = {"epochs": 6, "dim": 8, "num_layers": 2}
    folder = tmp_path_factory.mktemp("copl")
    train_graph(folder, settings, beside=("BT",), fixed=fixed)
    return folder


@pytest.fixture
def trained(tmp_path, trained_once):
    """A folder with a trained graph model, and BT beside it."""
    shutil.copytree(trained_once, tmp_path / "run")
    return tmp_path / "run"
