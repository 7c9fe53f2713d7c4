"""``graphlab run`` with ``task = "link"`` or ``"pair"``, and ``reproduce psgnn``."""

import pytest

from graphlab.benchmark import store

LINK = """
task = "link"
dataset = ["grid", "communities"]
split = "pairs-80-10-10"
model = ["mypackage.module:MyGNN", "torch_geometric.nn:GraphSAGE"]
model_args = { hidden_channels = 4, out_channels = 4 }
baseline = "GraphSAGE"
runs = 2

[training]
epochs = 3

[settings.GraphSAGE."*"]
model_args = { num_layers = 1 }
"""


@pytest.fixture
def link(project):
    """Writes ``link.toml`` with some replacements."""

    def write(*changes):
        text = LINK
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (project / "link.toml").write_text(text)

    write()
    return write


def test_the_short_form_takes_a_task(graphlab, link, project):
    answer = graphlab("run", "link.toml")
    assert answer.code == 0, answer.err
    assert "link, full profile: 4 cells, 8 runs" in answer.err
    assert "communities MyGNN: ROC-AUC " in answer.err and "4/4 cells" in answer.err
    assert "Paired differences against GraphSAGE, points" in answer.out
    assert "none" not in answer.out.split("Notes")[0]
    runs, _ = store.load_all(project / "runs")
    assert [run["status"] for run in runs] == ["ok"] * 8
    again = graphlab("run", "link.toml", "--set", "split_args.max_positives=40")
    assert again.code == 0 and "there already" not in again.err
    assert "max_positives 40" in again.out


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('"link"', '"links"', ["link.toml: task: unknown 'links'", "'link'?"]),
        ('"link"', '"pair"', ["dataset: grid has no labels, which task 'pair' needs"]),
        ('"grid"', '"gird"', ["link.toml", "dataset: unknown 'gird'", "'grid'?"]),
        ("pairs-80-10-10", "pairs-80-20", ["split: unknown 'pairs-80-20'"]),
        ("pairs-80-10-10", "geom-gcn-10", ["split: unknown 'geom-gcn-10' for pairs"]),
        ("epochs = 3", "patience = 3", ["training.patience: a setting of node"]),
        ("runs = 2", 'runs = 2\nlabel = "LS"', ["label: a link table has no label"]),
        ('baseline = "GraphSAGE"', 'baseline = "SAGE"', ["baseline: unknown 'SAGE'"]),
        ("num_layers = 1", "layers = 1", ["GraphSAGE", "'num_layers'"]),
        ("epochs = 3", "prepare_every = 0", ["training: prepare_every must be a pos"]),
    ],
)
def test_mistakes_are_two_lines_at_most(graphlab, link, old, new, parts):
    link((old, new))
    answer = graphlab("run", "link.toml")
    assert answer.code == 2 and not answer.out and "Traceback" not in answer.err
    assert answer.err.startswith("error: ") and answer.err.strip().count("\n") <= 1
    text = " ".join(answer.err.split())
    assert [part for part in parts if part not in text] == []


def test_a_model_that_answers_for_the_graph_is_named(graphlab, link, project):
    with open(project / "mypackage" / "module.py", "a") as file:
        file.write(
            "\n\nclass Pooled(MyGNN):\n"
            "    def forward(self, x, edge_index):\n"
            "        return super().forward(x, edge_index).mean(0)\n"
        )
    link(("module:MyGNN", "module:Pooled"))
    answer = graphlab("run", "link.toml")
    assert answer.code == 2 and "Traceback" not in answer.err
    assert "grid Pooled: model must return one row per node, (400, D)" in answer.err


def test_a_pair_too_many_for_the_graph_is_named(graphlab, link, project):
    """A split that leaves a part empty is a mistake of the recipe."""
    answer = graphlab("run", "link.toml", "--set", "split_args.max_positives=5")
    assert answer.code == 2 and "grid MyGNN: data: graph 0 has 5 positive" in answer.err


def test_search_works_on_pairs(graphlab, link, project):
    pytest.importorskip("optuna")
    with open("link.toml", "a") as file:
        file.write("\n[search]\ntraining = { lr = [1e-6, 0.05] }\n")
    chosen = ("--dataset", "communities", "--model", "MyGNN")
    answer = graphlab("run", "link.toml", *chosen, "--search", "--search-splits=1")
    assert answer.code == 0, answer.err
    assert "judged by mean validation ROC-AUC" in answer.out
    assert "[settings.MyGNN.communities]" in answer.out


def test_the_recipe_of_psgnn_runs_and_shows_its_tables(graphlab, project):
    shown = graphlab("show", "psgnn").out
    assert "task      pair" in shown and "(compared with P-GNN)" in shown
    assert "labels" not in shown and "max_positives 20000" in shown
    assert graphlab("cite", "psgnn").out.startswith("@misc{")
    chosen = (
        "psgnn",
        "--table",
        "link",
        "--dataset",
        "grid",
        "--model",
        "P-GNN,random",
    )
    few = ("--quick", "--set", "runs=2", "--set", "training.epochs=2")
    answer = graphlab("reproduce", *chosen, *few)
    assert answer.code == 0, answer.err
    assert "2 of 2 cells measured. Models against P-GNN" in answer.out
    table = graphlab("table", *chosen, *few, "--format", "md")
    assert table.code == 0 and "### Paired differences against P-GNN" in table.out
