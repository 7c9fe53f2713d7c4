"""Choosing cells and overriding their settings."""

import pytest

from graphlab.benchmark.selection import override, quick_recipe, select
from graphlab.errors import ArgumentError, RecipeError

LABELS = ("plain", 'LS = { path = "fakes:slow", args = { seconds = 0.1 } }')
QUICK = """
[quick]
runs = 1
training = { epochs = 2, patience = 3 }
label_args = { LS = { seconds = 0.0 } }
"""


def test_select_keeps_matching_cells_and_the_columns_that_are_left(small_recipe):
    recipe = select(small_recipe(LABELS), label=["ls"], dataset=["DIGITS"], model=[])
    assert [c.label_name for c in recipe.cells] == ["LS"]
    assert recipe.tables[0].labels == ("LS",)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"label": ["LSS"]}, r"--label: unknown 'LSS' in small; did you mean 'LS'"),
        ({"dataset": ["Cora"]}, r"--dataset: unknown 'Cora' in small"),
        ({"split": ["x"]}, r"--split: unknown 'x'.*stratified-60-20-20"),
    ],
)
def test_unknown_names_are_errors(small_recipe, filters, message):
    with pytest.raises(ArgumentError, match=message):
        select(small_recipe(LABELS), **filters)


def test_quick_changes_what_it_states_and_says_so(small_recipe):
    full = small_recipe(LABELS, extra=QUICK)
    recipe = quick_recipe(full)
    assert {c.profile for c in recipe.cells} == {"quick"}
    assert {(c.runs, c.training["epochs"]) for c in recipe.cells} == {(1, 2)}
    assert recipe.cells[1].label_args == {"seconds": 0.0}
    assert recipe.cuts == (
        "runs: 1 instead of 2",
        "epochs: 2 instead of 3",
        "LS.seconds: 0.0 instead of 0.1",
    )
    # The same settings run in full must not be taken for it.
    assert recipe.cells[0].cell_id("") != full.cells[0].cell_id("")
    with pytest.raises(ArgumentError, match="no .quick. profile"):
        quick_recipe(small_recipe())


def test_quick_may_keep_some_tables_only(small_recipe):
    other = '\n[table.other]\nlike = "main"\n'
    full = small_recipe(extra=f'{other}[quick]\ntables = ["other"]\nruns = 1\n')
    recipe = quick_recipe(full)
    assert [table.name for table in recipe.tables] == ["other"]
    assert recipe.cuts == ("tables: only other", "runs: 1 instead of 2")
    assert len(full.tables) == 2
    with pytest.raises(ArgumentError, match="has only the tables other; use --full"):
        quick_recipe(select(full, table=["main"]))
    with pytest.raises(RecipeError, match="quick.tables: unknown 'othr'; did you mean"):
        small_recipe(extra=f'{other}[quick]\ntables = ["othr"]\n')


def test_quick_may_keep_some_data_sets_only(small_recipe):
    other = '\n[table.other]\nlike = "main"\ndatasets = ["digits", "wordnet-verbs"]\n'
    quick = '[quick]\ndatasets = ["wordnet-verbs"]\n'
    recipe = quick_recipe(small_recipe(extra=other + quick))
    assert [table.name for table in recipe.tables] == ["other"]
    assert {cell.dataset for cell in recipe.cells} == {"wordnet-verbs"}
    assert recipe.cuts == ("data sets: only wordnet-verbs",)
    with pytest.raises(
        ArgumentError, match="only the data sets wordnet-verbs; use --f"
    ):
        quick_recipe(select(small_recipe(extra=other + quick), table=["main"]))
    with pytest.raises(RecipeError, match="quick.datasets: unknown 'digit'; did you"):
        small_recipe(extra=other + quick.replace("wordnet-verbs", "digit"))


def test_override_sets_typed_values(small_recipe):
    recipe = override(
        small_recipe(LABELS),
        [
            "training.lr=1e-3",
            "runs = 7",
            "split=bernnet-10",
            "label_args.seconds=2",
            "model_args.Tiny.bias=false",
            "normalize_features=true",
        ],
    )
    for cell in recipe.cells:
        assert cell.training["lr"] == 1e-3 and cell.training["epochs"] == 3
        assert (cell.runs, cell.split) == (7, "bernnet-10") and cell.normalize_features
        assert cell.model_args == {"bias": False}
    # Only the label method that states the argument is changed.
    assert [c.label_args for c in recipe.cells] == [{}, {"seconds": 2}]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.lrr=1", r"unknown key 'training.lrr'; did you mean 'training.lr'"),
        ("training.lr=fast", r"--set training.lr: must be a number, not a string"),
        ("training.epochs=1.5", r"--set training.epochs: must be a whole number"),
        ("training.lr", r"must have the form key=value"),
        ("runs=0", r"must be at least 1"),
        ("label_args.second=1", r"no cell states 'second'; did you mean 'seconds'"),
        ("label_args.SL.seconds=1", r"unknown name 'SL'"),
        ("lr=1", r"unknown key 'lr'"),
    ],
)
def test_override_explains_what_is_wrong(small_recipe, assignment, message):
    with pytest.raises(ArgumentError, match=message):
        override(small_recipe(LABELS), [assignment])
