"""Sets of molecules in recipes: names, label columns, files that are not there."""

import json
from dataclasses import replace

import pytest

from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.recipe_file import load_recipe
from graphlab.benchmark.runner import run_recipe
from graphlab.benchmark.tasks import pairs
from graphlab.errors import RecipeError

RECIPE = """
task = "graph"
dataset = ["BACE", "SIDER:3"]
split = "random-90-10"
model = "GIN"
runs = 1
model_args = { hidden_channels = 4, num_layers = 1 }
training = { epochs = 2, monitor = "last" }
"""


@pytest.fixture
def recipe(tmp_path):
    def make(old="", new=""):
        file = tmp_path / "mine.toml"
        file.write_text(RECIPE.replace(old, new))
        return load_recipe(file)

    return make


@pytest.mark.filterwarnings("ignore:.*rows in the file")
def test_molecules_are_trained_on_and_missing_ones_are_unavailable(
    recipe, molecules, tmp_path
):
    molecules.write("SIDER", smiles=molecules.smiles[:10] * 3)
    run_recipe(recipe(), tmp_path / "runs", data_root=molecules.root)
    found = {
        record["cell"]["dataset"]: record
        for file in (tmp_path / "runs").rglob("run-*.json")
        for record in [json.loads(file.read_text())]
    }
    assert found["SIDER:3"]["status"] == "ok"
    assert found["SIDER:3"]["info"]["bounds"]["rounds"] == 1
    assert found["BACE"]["status"] == "unavailable"
    assert "graphlab data fetch BACE" in found["BACE"]["message"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SIDER:27", "dataset: SIDER has no label column 27"),
        ("Tox21", "dataset: Tox21 has 12 label columns"),
        ("MUTAG:1", "dataset: unknown 'MUTAG:1' for graphs"),
        ("grid", "dataset: unknown 'grid' for graphs"),
    ],
)
def test_names_are_checked_before_anything_is_read(recipe, name, message):
    with pytest.raises(RecipeError, match=message):
        check_cells(recipe("SIDER:3", name).cells)


def test_a_pair_task_refuses_molecules(recipe):
    cell = replace(recipe().cells[0], task="pair", split="pairs-80-10-10")
    with pytest.raises(RecipeError, match="BACE has one label per graph"):
        pairs.check_names(cell)
