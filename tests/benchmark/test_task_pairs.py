"""Tasks on pairs of nodes in recipes, on small generated graphs."""

import dataclasses
import json
import math

import pytest
import torch

import graphlab.datasets
from graphlab.benchmark import store
from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.discovery import find_recipe
from graphlab.benchmark.recipe_file import load_recipe
from graphlab.benchmark.runner import run_recipe
from graphlab.benchmark.selection import override, quick_recipe
from graphlab.benchmark.tasks import pairs
from graphlab.errors import ArgumentError, RecipeError

MODELS = """
import torch

class Linear(torch.nn.Module):
    def __init__(self, in_channels, out_channels=4):
        super().__init__()
        self.lin = torch.nn.Linear(in_channels, out_channels)

    def forward(self, x, edge_index):
        return self.lin(x)

class Pooled(Linear):
    def forward(self, x, edge_index):
        return self.lin(x).mean(0, keepdim=True)

class Diverging(Linear):
    def forward(self, x, edge_index):
        return self.lin(x) * float("nan")
"""

RECIPE = """
task = "link"
dataset = "grid"
split = "pairs-80-10-10"
model = "PSGNN"
model_args = { hidden_channels = 4, num_anchors = 4 }
runs = 3
training = { epochs = 4, evaluate_every = 2 }
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Reads a short recipe with some replacements; its models lie beside it."""
    (tmp_path / "pair_models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(*changes):
        text = RECIPE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "mine.toml"
        file.write_text(text)
        return load_recipe(file)

    return make


COMMUNITIES = (
    'task = "link"\ndataset = "grid"',
    'task = "pair"\ndataset = "communities"',
)


def records(folder):
    return [json.loads(f.read_text()) for f in sorted(folder.rglob("run-*.json"))]


def test_a_run_file_tells_split_metrics_and_what_the_model_reports(recipe, tmp_path):
    assert run_recipe(recipe(), tmp_path / "runs")["done"] == 1
    first, second, third = records(tmp_path / "runs")
    assert [r["split_seed"] for r in (first, second, third)] == [0, 1, 2]
    assert len({r["split_checksum"] for r in (first, second, third)}) == 3
    assert len({r["seed"] for r in (first, second, third)}) == 3
    assert first["status"] == "ok" and first["epochs"] == 4
    assert first["best_epoch"] in (1, 3)
    assert set(first["metrics"]) == {"val", "test"}
    assert 0 < first["metrics"]["test"]["roc_auc"] < 1
    assert first["constant_majority"] is None and first["num_parameters"] > 0
    assert first["selection"] == "highest validation ROC-AUC"
    told = first["info"]["model"]
    assert told["num_anchors"] == 4 and len(told["anchors"]) == 4
    assert first["cell"]["task"] == "link" and first["cell"]["split_args"] == {}
    assert first["seconds"] > 0 and first["cell_runs"] == 1


def test_the_numbers_are_those_of_fit_pairs(recipe, tmp_path):
    from graphlab.benchmark.seeds import run_seed
    from graphlab.datasets import communities
    from graphlab.nn import PSGNN
    from graphlab.training import PairConfig, fit_pairs
    from graphlab.transforms import RandomPairSplit

    run_recipe(recipe(COMMUNITIES, ("runs = 3", "runs = 2")), tmp_path / "runs")
    for run, record in enumerate(records(tmp_path / "runs")):
        parts = RandomPairSplit(kind="pair", seed=run)(communities(seed=run))
        result = fit_pairs(
            lambda: PSGNN(1, 4, num_anchors=4),
            [parts],
            PairConfig(4, evaluate_every=2),
            run_seed(run),
        )
        assert record["metrics"]["test"]["roc_auc"] == result.test_auc
        assert record["metrics"]["val"]["roc_auc"] == result.val_auc


def test_models_of_a_run_meet_the_same_pairs_on_a_graph_of_their_own(recipe):
    cell = recipe(COMMUNITIES).cells[0]
    data = pairs.load(cell)
    one, same = (pairs.split_of(cell, data, 1) for _ in range(2))
    for a, b in zip(one[0], same[0], strict=True):
        assert torch.equal(a.edge_label_index, b.edge_label_index)
        assert torch.equal(a.edge_index, b.edge_index)
    other = pairs.split_of(cell, data, 2)
    assert one[0][0].edge_index.shape != other[0][0].edge_index.shape or not (
        torch.equal(one[0][0].edge_index, other[0][0].edge_index)
    )


def test_a_named_split_says_shares_and_sampler(recipe):
    few = ("runs = 3", "runs = 3\nsplit_args = { max_positives = 50 }")
    for name, official in (
        ("pairs-70-10-20", False),
        ("official-pairs-70-10-20", True),
    ):
        mine = recipe(("pairs-80-10-10", name), few)
        check_cells(mine.cells)
        (triple,) = pairs.split_of(mine.cells[0], pairs.load(mine.cells[0]), 0)
        assert [int(part.edge_label.sum()) for part in triple] == [35, 5, 10]
        ends = torch.cat([part.edge_label_index for part in triple], 1)
        ordered = bool((ends[0] < ends[1]).all())
        assert ordered != official  # the published sampler draws ordered pairs
    assert mine.cells[0].split_args == {"max_positives": 50}
    changed = override(mine, ["split_args.max_positives=20", "training.lr=0.5"])
    assert changed.cells[0].split_args == {"max_positives": 20}
    assert changed.cells[0].training["lr"] == 0.5
    with pytest.raises(
        ArgumentError, match="split_args.max_positives: must be a whole"
    ):
        override(mine, ["split_args.max_positives=many"])
    with pytest.raises(ArgumentError, match="unknown key 'training.patience'"):
        override(mine, ["training.patience=3"])


def test_lists_of_graphs_are_averaged(recipe, tmp_path, monkeypatch):
    from graphlab.datasets import communities

    def two(name, data_root=None, *, seed=0):
        return [communities(4, 6, seed=0), communities(5, 7, seed=1)]

    monkeypatch.setattr(graphlab.datasets, "load_graphs", two, raising=False)
    mine = recipe(COMMUNITIES, ('"communities"', '"email"'), ("runs = 3", "runs = 1"))
    run_recipe(mine, tmp_path / "runs")
    (record,) = records(tmp_path / "runs")
    each = record["info"]["test_roc_auc_per_graph"]
    assert len(each) == 2
    assert record["metrics"]["test"]["roc_auc"] == pytest.approx(sum(each) / 2)
    assert record["info"]["model"]["num_anchors"] == 4
    assert "anchors" not in record["info"]["model"]  # of two graphs


def test_facts_are_averaged_over_graphs():
    told = [
        {"share": 0.5, "sound": True, "steps": 3, "nodes": [1], "limit": math.nan},
        {"share": 1.0, "sound": False, "nodes": [2], "limit": 2.0},
    ]
    mean = {"share": 0.75, "sound": False, "steps": 3.0, "limit": 2.0}
    assert pairs.mean_facts(told) == mean
    assert pairs.mean_facts(told[:1])["nodes"] == [1]


def test_any_node_dataset_is_a_list_of_one(recipe, tmp_path):
    mine = recipe(('"grid"', '"digits"'), ("runs = 3", "runs = 1"))
    run_recipe(mine, tmp_path / "runs")
    (record,) = records(tmp_path / "runs")
    card = graphlab.datasets.dataset_card("digits")
    assert record["dataset_checksum"] == card.checksum  # as in a node table
    assert record["num_parameters"] > 64 * 4  # of 64 features


def test_features_can_be_normalized(recipe):
    rows = ("runs = 3", "runs = 3\nnormalize_features = true")
    cell = recipe(('"grid"', '"digits"'), rows).cells[0]
    (triple,) = pairs.split_of(cell, pairs.load(cell), 0)
    assert torch.allclose(triple[0].x.sum(1), torch.ones(1797))


def test_runs_are_kept_one_by_one(recipe, tmp_path, one_thread):
    """Ctrl-C in the second run loses that run only; the same command goes on."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_recipe(recipe(), whole)
    texts = []

    def interrupt(event):
        texts.append(event.text)
        if event.text.startswith("run 2 of 3, "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_recipe(recipe(), broken, listener=interrupt)
    assert "run 1 of 3, epoch 2, validation ROC-AUC 0." in " ".join(texts)
    assert [r["run"] for r in records(broken)] == [0]
    assert run_recipe(recipe(), broken)["done"] == 1
    for a, b in zip(records(whole), records(broken), strict=True):
        assert (a["run"], a["metrics"], a["info"]) == (
            b["run"],
            b["metrics"],
            b["info"],
        )
    assert run_recipe(recipe(), broken)["skip"] == 1


def test_a_failed_run_does_not_take_the_others_with_it(recipe, tmp_path, monkeypatch):
    real = pairs.split_of

    def flaky(cell, data, run):
        if run == 1:
            raise MemoryError
        return real(cell, data, run)

    monkeypatch.setattr(pairs, "split_of", flaky)
    assert run_recipe(recipe(), tmp_path / "runs")["failed"] == 1
    assert [r["status"] for r in records(tmp_path / "runs")] == ["ok", "oom", "ok"]


def test_a_diverging_model_is_a_finished_run(recipe, tmp_path):
    mine = recipe(
        ('"PSGNN"', '"pair_models:Diverging"'),
        ("model_args = { hidden_channels = 4, num_anchors = 4 }\n", ""),
    )
    assert run_recipe(mine, tmp_path / "runs")["done"] == 1
    assert {r["status"] for r in records(tmp_path / "runs")} == {"nan"}
    assert run_recipe(mine, tmp_path / "runs")["skip"] == 1


# ----------------------------------------------------------------- identity


def test_cells_of_nodes_keep_their_identity():
    """The hash of a cell before there were other tasks."""
    cell = load_recipe(find_recipe("embedded")).cells[0]
    assert cell.cell_id("data") == "cc4f1a585108"
    assert "task" not in cell.settings() and "split_args" not in cell.settings()


def test_task_and_arguments_of_the_split_are_part_of_the_identity(recipe):
    link = recipe().cells[0]
    others = [
        dataclasses.replace(link, task="pair"),
        dataclasses.replace(link, split_args={"max_positives": 9}),
        dataclasses.replace(link, task="node"),
    ]
    assert len({cell.cell_id("") for cell in (link, *others)}) == 4


def test_stored_runs_are_matched_by_task(recipe, tmp_path):
    mine = recipe(COMMUNITIES, ("runs = 3", "runs = 1"))
    run_recipe(mine, tmp_path / "runs")
    runs, _ = store.load_all(tmp_path / "runs")
    assert len(store.matching_runs(mine, runs)) == 1
    link = recipe(('"grid"', '"communities"'), ("runs = 3", "runs = 1"))
    assert store.matching_runs(link, runs) == []


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"grid"', '"gird"', "dataset: unknown 'gird'; did you mean 'grid'"),
        ('"link"', '"pair"', "dataset: grid has no labels, which task 'pair' needs"),
        (
            'task = "link"\ndataset = "grid"',
            'task = "pair"\ndataset = "MUTAG"',
            "dataset: MUTAG has one label per graph",
        ),
        ("pairs-80-10-10", "pairs-80-10-20", "split: unknown 'pairs-80-10-20'"),
        ("pairs-80-10-10", "pairs-90-10-0", "split: unknown 'pairs-90-10-0'"),
        ("pairs-80-10-10", "bernnet-10", "split: unknown 'bernnet-10' for pairs"),
        ('"PSGNN"', '"PSGN"', "graphlab.nn has no 'PSGN'; did you mean 'PSGNN'"),
        ('"PSGNN"', '"GCN"', "graphlab.nn:GCN.*'out_channels'"),
        ("epochs = 4", "epochs = 0", "training: epochs must be a positive"),
        ("runs = 3", "runs = 3\nsplit_args = { max_positives = 0 }", "at least 1"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(recipe, old, new, message):
    with pytest.raises(RecipeError, match=message):
        check_cells(recipe((old, new)).cells)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"link"', '"lnik"', "mine.toml: task: unknown 'lnik'; did you mean 'link'"),
        (
            "epochs = 4",
            "patience = 4",
            "mine.toml: training.patience: a setting of node and graph and preference "
            "tables, not of link; accepted: epochs, ",
        ),
        ("epochs = 4", "epoch = 4", "training.epoch: unknown key; did you mean"),
        ("epochs = 4", 'epochs = "4"', "training.epochs: must be a whole number"),
        ("runs = 3", 'runs = 3\nlabel = "LS"', "label: a link table has no label"),
        ("runs = 3", 'runs = 3\nmetric = "accuracy"', "metric: unknown 'accuracy'"),
        ("runs = 3", "runs = 3\nsplit_args = { most = 1 }", "split_args.most: unknown"),
        ("runs = 3", 'runs = 3\nbaseline = "GCN"', "baseline: unknown 'GCN'"),
        ('task = "link"', "", "model_args|training.evaluate_every: a setting of link"),
    ],
)
def test_mistakes_are_found_when_the_file_is_read(recipe, old, new, message):
    with pytest.raises(RecipeError, match=message):
        recipe((old, new))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("num_anchors = 4", "num_anchors = 0")], "grid PSGNN: num_anchors"),
        (
            [
                ('"PSGNN"', '"pair_models:Pooled"'),
                ("hidden_channels = 4, num_anchors = 4", "out_channels = 4"),
            ],
            r"grid Pooled: model must return one row per node, \(400, D\), got \(1, 4",
        ),
    ],
)
def test_mistakes_that_show_while_training_stop_the_sweep(
    recipe, tmp_path, changes, message
):
    with pytest.raises(ArgumentError, match=message):
        run_recipe(recipe(*changes), tmp_path / "runs")
    assert not list((tmp_path / "runs").rglob("run-*.json"))


def test_more_anchors_than_nodes_are_all_nodes(recipe, tmp_path):
    most = 'num_anchors = 401, selector = "random"'
    most = recipe(("num_anchors = 4", most), ("runs = 3", "runs = 1"))
    run_recipe(most, tmp_path / "runs")
    assert records(tmp_path / "runs")[0]["info"]["model"]["num_anchors"] == 400


# -------------------------------------------------------------------- search


def test_a_search_is_judged_by_the_validation_pairs(recipe, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    from graphlab.benchmark.search import run_search
    from graphlab.benchmark.search_space import Budget

    mine = recipe()
    with open(mine.file, "a") as file:
        file.write("\n[search]\ntraining = { lr = [1e-6, 0.05] }\n")
        file.write("model_args = { PSGNN = { num_anchors = [2, 8] } }\n")
    mine = load_recipe(mine.file)
    seen = []
    real = pairs._fit

    def spy(cell, parts, run, progress):
        seen.append(real(cell, parts, run, progress).val_auc)
        return real(cell, parts, run, progress)

    monkeypatch.setattr(pairs, "_fit", spy)
    (found,) = run_search(mine, tmp_path, Budget(trials=4, splits=2))
    assert len(found["trials"]) == 4 and len(seen) == 8
    means = [sum(seen[k : k + 2]) / 2 for k in range(0, 8, 2)]
    assert [t["value"] for t in found["trials"]] == pytest.approx(means)
    assert found["value"] == max(means)
    assert found["objective"] == "mean validation ROC-AUC, ties to the first"
    bad = mine.file.read_text().replace("lr = [1e-6", "patience = [3], lr = [1e-6")
    mine.file.write_text(bad)
    with pytest.raises(RecipeError, match="search.training.patience: unknown key"):
        load_recipe(mine.file)


# --------------------------------------------------------- the shipped recipe


def test_the_recipe_of_psgnn_compares_with_p_gnn():
    recipe = load_recipe(find_recipe("psgnn"))
    assert {table.baseline for table in recipe.tables} == {"P-GNN"}
    assert {table.task for table in recipe.tables} == {"link", "pair"}
    for cell in recipe.cells:
        assert cell.runs == 10 and cell.split_args == {"max_positives": 20_000}
        every = 1 if cell.model_name == "P-GNN" else None
        assert cell.training.get("prepare_every") == every
        assert cell.training["decay_epoch"] == pytest.approx(
            cell.training["epochs"] * 2 / 3, abs=1
        )
    quick = quick_recipe(recipe)
    sets = {cell.dataset for cell in quick.cells}
    assert sets == {"grid", "communities", "debian-packages"}  # needs no data
