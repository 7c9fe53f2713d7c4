"""Reading recipes: what is accepted, and the message for each thing that is not."""

import pytest

from graphlab.benchmark.recipe_file import load_recipe
from graphlab.errors import RecipeError

GRID = """
[paper]
key = "foo"
title = "Foo"

[defaults]
runs = 4
split = "bernnet-10"
training = { epochs = 9, lr = 0.1 }

[models]
GCN = { path = "graphlab.nn:GCN", args = { hidden_channels = 64 } }
GAT = { path = "graphlab.nn:GAT", training = { lr = 0.2 } }

[labels]
none = { path = "graphlab.training:no_smoothing" }
LS = { path = "graphlab.training:label_smoothing", args = { beta = 0.1 } }
ALS = { unavailable = "no formula", models = ["GCN"] }

[table.one]
source = "Table 1"
datasets = ["Cora", "Texas"]
copied_from = { none = "an older paper" }

[table.one.not_published]
GAT = "not in the paper"

[table.one.published.GCN]
none = ["87.14±1.01", "77.38"]
LS = ["-", "80.00±2.5"]

[table.one.settings."*".Texas]
training = { lr = 0.3 }

[table.one.settings.GCN.Texas]
model_args = { dropout = 0.9 }
LS = { label_args = { beta = 0.5 }, training = { lr = 0.4 } }

[table.two]
like = "one"
split = "stratified-60-20-20"
labels = ["LS"]
runs = 2
"""

SHORT = """
dataset = "Cora"
split = "bernnet-10"
model = "mypackage.module:MyGNN"
model_args = { hidden_channels = 16 }
label = ["none", "PosteL"]
label_args = { PosteL = { alpha = 0.5 } }
runs = 3

[training]
lr = 0.05
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def _read(text):
        file = tmp_path / "x.toml"
        file.write_text(text, encoding="utf-8")
        return load_recipe(file)

    return _read


def cell(recipe, table, dataset, model, label):
    (found,) = [
        c
        for c in recipe.cells
        if (c.table, c.dataset, c.model_name, c.label_name)
        == (table, dataset, model, label)
    ]
    return found


def test_a_grid_has_a_cell_for_each_combination_that_exists(read):
    recipe = read(GRID)
    one, two = recipe.tables
    assert len(one.cells) == 2 * (2 + 2 + 1)  # ALS exists for GCN alone
    assert len(two.cells) == 2 * 2 * 1
    assert cell(recipe, "one", "Cora", "GCN", "ALS").unavailable == "no formula"
    assert {c.split for c in two.cells} == {"stratified-60-20-20"}
    assert {c.runs for c in one.cells} == {4} and {c.runs for c in two.cells} == {2}


def test_settings_go_from_the_general_to_the_particular(read):
    recipe = read(GRID)
    assert cell(recipe, "one", "Cora", "GCN", "LS").training == {"epochs": 9, "lr": 0.1}
    assert cell(recipe, "one", "Cora", "GAT", "LS").training["lr"] == 0.2
    assert cell(recipe, "one", "Texas", "GAT", "LS").training["lr"] == 0.3
    tuned = cell(recipe, "one", "Texas", "GCN", "LS")
    assert tuned.training == {"epochs": 9, "lr": 0.4}
    assert tuned.label_args == {"beta": 0.5}
    assert tuned.model_args == {"hidden_channels": 64, "dropout": 0.9}
    assert cell(recipe, "one", "Texas", "GCN", "none").training["lr"] == 0.3
    # A table like another one takes its settings over, but never its numbers.
    assert cell(recipe, "two", "Texas", "GCN", "LS").training["lr"] == 0.4
    assert cell(recipe, "two", "Texas", "GCN", "LS").published is None


def test_published_numbers_keep_source_and_origin(read):
    recipe = read(GRID)
    copied = cell(recipe, "one", "Cora", "GCN", "none").published
    assert (copied.mean, copied.half_width, copied.source) == (87.14, 1.01, "Table 1")
    assert copied.copied and copied.copied_from == "an older paper"
    assert cell(recipe, "one", "Texas", "GCN", "none").published.half_width is None
    own = cell(recipe, "one", "Texas", "GCN", "LS").published
    assert (own.mean, own.copied) == (80.0, False)
    assert cell(recipe, "one", "Cora", "GCN", "LS").published is None
    missing = cell(recipe, "one", "Cora", "GAT", "LS")
    assert missing.published is None and missing.published_note == "not in the paper"


def test_the_short_form_states_one_table_for_ones_own_model(read):
    recipe = read(SHORT)
    assert recipe.key == "x"
    plain, postel = recipe.cells
    assert (plain.model, plain.model_name) == ("mypackage.module:MyGNN", "MyGNN")
    assert plain.model_args == {"hidden_channels": 16}
    assert plain.label == "graphlab.training:no_smoothing" and plain.label_args == {}
    assert postel.label_args == {"alpha": 0.5}
    assert postel.training == {"lr": 0.05} and postel.runs == 3


def test_the_short_form_takes_settings_that_a_search_found(read):
    recipe = read(SHORT + "[settings.MyGNN.Cora]\nnone = { training = { lr = 1.0 } }\n")
    assert [c.training["lr"] for c in recipe.cells] == [1.0, 0.05]


def test_the_identifier_depends_on_settings_and_data_alone(read):
    first, second = read(SHORT), read(SHORT.replace("lr = 0.05", "lr = 0.01"))
    more = read(SHORT.replace("runs = 3", "runs = 5"))
    ids = [r.cells[0].cell_id("data") for r in (first, second, more)]
    assert ids[0] == ids[2] != ids[1]
    assert first.cells[0].cell_id("other data") != ids[0]
    assert all(len(i) == 12 and int(i, 16) >= 0 for i in ids)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('key = "foo"', "key = foo", "x.toml: not valid TOML: .*line 3"),
        ('title = "Foo"', "", r"x.toml: paper.title: missing, must be a string"),
        ("runs = 4", 'runs = "4"', r"defaults.runs: must be a whole number, not a str"),
        ("runs = 4", "runs = true", r"defaults.runs: must be a whole number"),
        ("runs = 4", "runs = 0", r"defaults.runs: must be at least 1"),
        ("runs = 4", "rns = 4", r"defaults.rns: unknown key; did you mean 'runs'"),
        ("lr = 0.1", "learning_rate = 0.1", r"training.learning_rate: unknown key"),
        ("lr = 0.1", 'lr = "fast"', r"defaults.training.lr: must be a number, not a"),
        ('"graphlab.nn:GCN"', '"GCN"', r"models.GCN.path: must be an import path"),
        ("path = ", "pth = ", r"models.GCN.path: missing, .*'pth' is not a key"),
        ('like = "one"', 'like = "ones"', r"table.two.like: .*did you mean 'one'"),
        ('labels = ["LS"]', 'labels = ["LSS"]', r"two.labels: .*did you mean 'LS'"),
        ('["Cora", "Texas"]', '["Cora", "Cora"]', r"one.datasets: names something"),
        ('", "77.38"]', '"]', r"published.GCN.none: has 1 numbers for 2"),
        ("87.14±1.01", "87,14", r"published.GCN.none: must hold strings like"),
        ('source = "Table 1"', "", r"table.one.source: missing, must say where"),
        ("settings.GCN.Texas", "settings.GCN.Txas", r"GCN.Txas: .*mean 'Texas'"),
        ("settings.GCN.Texas", "settings.GNC.Texas", r"settings.GNC: unknown name"),
        ("published.GCN]", "published.GNC]", r"one.published.GNC: unknown name"),
        ("LS = { label_args", "SL = { label_args", r"GCN.Texas.SL: unknown key"),
        ("[table.one]", "[tabl.one]", r"x.toml: table"),
    ],
)
def test_errors_name_file_and_key(read, old, new, message):
    with pytest.raises(RecipeError, match=message) as caught:
        read(GRID.replace(old, new, 1))
    assert str(caught.value).startswith("x.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('split = "bernnet-10"', "", r"x.toml: split: missing"),
        ('label = ["none", "PosteL"]', 'label = "postel"', r"did you mean 'PosteL'"),
        ("runs = 3", "runs = 3.5", r"runs: must be a whole number, not a number"),
        ("runs = 3", "run = 3", r"x.toml: run: unknown key; did you mean 'runs'"),
        ("mypackage.module:MyGNN", "mypackage.module:", r"model: must be an import"),
        ("PosteL = { alpha", "Postl = { alpha", r"label_args.Postl: unknown key"),
    ],
)
def test_errors_of_the_short_form(read, old, new, message):
    with pytest.raises(RecipeError, match=message):
        read(SHORT.replace(old, new, 1))


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        load_recipe(tmp_path / "absent.toml")
    with pytest.raises(RecipeError, match="not valid TOML"):
        (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
        load_recipe(tmp_path / "binary.toml")


MIXED = """
[paper]
key = "mixed"
title = "Two tasks"

[defaults]
split = "bernnet-10"
training = { epochs = 9 }

[models]
GCN = { path = "graphlab.nn:GCN", args = { hidden_channels = 4 } }
SAGE = { path = "torch_geometric.nn:GraphSAGE" }

[labels]
none = { path = "graphlab.training:no_smoothing" }
LS = { path = "graphlab.training:label_smoothing", training = { patience = 3 } }

[table.nodes]
datasets = ["Cora"]
baseline = "SAGE"

[table.links]
task = "link"
split = "pairs-80-10-10"
split_args = { max_positives = 100 }
datasets = ["Cora", "grid"]
settings = { "*" = { grid = { training = { decay_epoch = 6 } } } }

[table.labels]
like = "links"
task = "pair"
datasets = ["Cora"]

[table.others]
like = "nodes"
labels = ["LS"]
models = ["GCN"]
"""


def test_tables_of_several_tasks_may_share_a_file(read):
    recipe = read(MIXED)
    nodes, links, labels, others = recipe.tables
    assert [t.task for t in recipe.tables] == ["node", "link", "pair", "node"]
    assert [t.metric for t in recipe.tables] == ["accuracy"] + ["roc_auc"] * 2 + [
        "accuracy"
    ]
    assert (nodes.labels, links.labels) == (("none", "LS"), ("none",))
    assert (nodes.baseline, links.baseline) == ("SAGE", "")
    assert others.baseline == ""  # that model is not in the table
    # A task of the same kind takes over split, arguments and settings.
    assert labels.split == "pairs-80-10-10"
    assert {c.split_args["max_positives"] for c in labels.cells} == {100}
    assert cell(recipe, "links", "grid", "GCN", "none").training["decay_epoch"] == 6
    assert "decay_epoch" not in cell(recipe, "links", "Cora", "GCN", "none").training
    assert cell(recipe, "nodes", "Cora", "GCN", "LS").training["patience"] == 3
    assert all(c.label == "graphlab.training:no_smoothing" for c in links.cells)
    titles = [c.title for c in recipe.cells if c.model_name == "GCN"]
    assert titles[:3] == ["Cora GCN none", "Cora GCN LS", "Cora GCN"]


def test_without_labels_there_is_training_on_the_labels_as_they_are(read):
    text = MIXED[: MIXED.index("[labels]")] + '[table.nodes]\ndatasets = ["Cora"]\n'
    recipe = read(text)
    assert {c.label_name for c in recipe.cells} == {"none"}
    assert {c.label for c in recipe.cells} == {"graphlab.training:no_smoothing"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "epochs = 9",
            "patience = 9",
            "defaults.training.patience: a setting of node and graph and preference "
            "tables, not of link and pair; accepted: epochs, ",
        ),
        (
            'GraphSAGE" }',
            'GraphSAGE", training = { prepare_every = 1 } }',
            "models.SAGE.training.prepare_every: a setting of link and pair tables, "
            "not of node",
        ),
        (
            "decay_epoch = 6",
            "stopping = 'none'",
            r"table.links.settings.\*.grid.training.stopping: a setting of node tables",
        ),
        ("patience = 3", "decay_epoch = 3", r"labels.LS.training.decay_epoch: a setti"),
        ('task = "link"', 'task = "links"', "table.links.task: unknown 'links'; did "),
        (
            'datasets = ["Cora", "grid"]',
            'datasets = ["Cora", "grid"]\nlabels = ["LS"]',
            "table.links.labels: a link table has no label methods",
        ),
        (
            "max_positives = 100",
            "most = 1",
            "split_args.most: unknown key; acc.*max_po",
        ),
        (
            'datasets = ["Cora"]\nbaseline',
            'datasets = ["Cora"]\nsplit_args = { max_positives = 1 }\nbaseline',
            "table.nodes.split_args.max_positives: unknown key",
        ),
        ('baseline = "SAGE"', 'baseline = "SAG"', "nodes.baseline: unknown 'SAG'; did"),
        (
            'datasets = ["Cora", "grid"]',
            'datasets = ["Cora", "grid"]\nmetric = "accuracy"',
            "table.links.metric: unknown 'accuracy'",
        ),
    ],
)
def test_keys_of_another_task_are_errors_with_file_and_key(read, old, new, message):
    with pytest.raises(RecipeError, match=f"x.toml: .*{message}"):
        read(MIXED.replace(old, new, 1))


def test_label_methods_without_a_table_that_has_them_are_an_error(read):
    text = MIXED.replace('[table.nodes]\ndatasets = ["Cora"]\nbaseline = "SAGE"\n', "")
    text = text[: text.index("[table.others]")].replace(
        'split = "bernnet-10"', 'task = "link"'
    )
    with pytest.raises(
        RecipeError, match="x.toml: labels: there is no table of a task"
    ):
        read(text)
