import pytest

from graphlab.benchmark.report.headline import NOTHING, headline
from graphlab.benchmark.report.notes import notes
from graphlab.benchmark.report.table import Column, fill


@pytest.fixture
def report(sample):
    recipe, runs = sample
    return fill(recipe, recipe.tables[0], runs)


def entry(report, label, dataset="Cora", model="GCN"):
    (found,) = [
        e
        for e in report.entries
        if (e.row.label, e.column.dataset, e.row.model) == (label, dataset, model)
    ]
    return found


def test_texts_of_a_measured_cell(report):
    found = entry(report, "LS")
    assert (found.published, found.copied) == ("80.50 ± 1.00", "–")
    assert found.measured.startswith("81.09 ± 0.")
    assert found.runs == "10" and found.words == "within"
    assert found.difference.startswith("+0.59 ± 1.")


def test_copied_numbers_stand_apart(report):
    assert entry(report, "none").published == "–"
    assert entry(report, "none").copied == "80.00 ± 1.00ᶜ"


def test_partial_cells_show_how_many_runs(report):
    found = entry(report, "PosteL")
    assert found.runs == "3 of 10" and found.partial
    assert found.words == "above; 1 diverged"


def test_marks_of_collapsed_and_constant(report):
    assert entry(report, "PosteL", "Texas").measured == "80.00 ± 0.00†‡"


def test_one_run_has_no_spread(cell, runs, recipe):
    c = cell()
    r = recipe([c])
    (only,) = fill(r, r.tables[0], runs(c, [0.8])).entries
    assert only.measured == "80.00 ± –"


def test_rows_and_columns_keep_the_order_of_the_recipe(report):
    assert [c.dataset for c in report.columns] == ["Cora", "Texas"]
    rows = [(row.model, row.label) for row in report.rows]
    labels = ["none", "LS", "PosteL", "SALS"]
    assert rows == [(model, label) for model in ("GCN", "GAT_v2") for label in labels]


def test_models_and_datasets_without_runs_are_hidden_and_named(cell, runs, recipe):
    cells = [cell(), cell(model_name="GAT"), cell(dataset="Texas")]
    r = recipe(cells)
    report = fill(r, r.tables[0], runs(cells[0], [0.8, 0.9]))
    assert [row.model for row in report.rows] == ["GCN"]
    assert report.columns == (Column("Cora", "bernnet-10"),)
    assert dict(notes(report))["Not run"] == "GAT; Texas"


def test_cells_of_one_name_get_rows_of_their_own(cell, runs, recipe):
    cells = [cell(model_args={"K": k}) for k in (1, 2)]
    r = recipe(cells)
    both = [run for c in cells for run in runs(c, [0.8, 0.9])]
    report = fill(r, r.tables[0], both)
    assert [row.method for row in report.rows] == ["GCN", "GCN (2)"]
    assert len(report.grid) == 2


def test_headline_counts(report):
    assert headline(report) == [
        "5 of 16 cells measured, 1 of them with runs missing.",
        "Against the published numbers: 2 within, 1 above, 1 below "
        "and 1 not comparable.",
        "Label methods against none: 2 gains and 1 without a detected difference.",
        "1 cell had collapsed runs.",
        "2 cells do not beat a constant prediction.",
    ]


def test_nothing_was_run(cell, recipe):
    r = recipe([cell()])
    report = fill(r, r.tables[0], [])
    assert headline(report) == [NOTHING] and notes(report) == []


def test_notes_hold_what_the_rules_demand(report):
    found = dict(notes(report))
    assert "bernnet-10 (split seeds 1941488137, 4198936517" in found["Splits and seeds"]
    assert found["Splits and seeds"].endswith("training seeds 0 to 9")
    assert "lowest validation loss" in found["Selection"]
    assert "bootstrap" in found["Numbers"] and "10,000 draws" in found["Numbers"]
    assert (
        found["Runs"] == "3 to 10 per measured cell; 3 runs without a number left out"
    )
    assert found["Dates"] == "2026-11-20 to 2026-11-22"
    assert found["Versions"] == "graphlab 0.1.0, torch 2.13.0"
    assert found["Machine"] == "Some CPU, 2 cores"
    assert found["Commit"] == "0123456789ab"
    assert found["Profile"] == "full"
    assert "copied from Other et al. 2021" in found["Copied (ᶜ)"]
    assert "unavailable: raw file missing (GCN + LS on Texas)" in found["No number"]
    assert "no published formula (SALS)" in found["No number"]
    assert "2 tests" in found["Paired tests"]


def test_notes_never_name_the_host(report):
    assert "secret-name" not in str(notes(report))


def test_quick_profile_says_what_was_cut(cell, runs, recipe):
    quick = cell(profile="quick", training={"epochs": 200})
    r = recipe([quick], profile="quick", cuts=("training.epochs: 200 instead of 1000",))
    report = fill(r, r.tables[0], runs(quick, [0.8, 0.9]))
    profile = dict(notes(report))["Profile"]
    assert profile.startswith("quick: training.epochs: 200 instead of 1000.")
    # Without the recipe's own list the cut is read off the runs.
    full = recipe([cell()])
    again = fill(full, full.tables[0], runs(quick, [0.8, 0.9]))
    assert dict(notes(again))["Profile"] == profile


def test_changed_settings_are_marked_and_named(cell, runs, recipe):
    r = recipe([cell()])
    report = fill(r, r.tables[0], runs(cell(training={"epochs": 5}), [0.8, 0.9]))
    assert report.entries[0].measured.endswith("§")
    expected = "GCN on Cora: training.epochs: 5 instead of 1000"
    assert dict(notes(report))["Changed settings (§)"] == expected


def test_one_by_one_training_is_told(cell, runs, recipe):
    c = cell()
    r = recipe([c])
    alone = {"vectorized": False, "vectorized_note": "data-dependent shape"}
    report = fill(r, r.tables[0], runs(c, [0.8, 0.9], **alone))
    text = "2 runs trained one by one: data-dependent shape"
    assert dict(notes(report))["Training"] == text


def test_several_splits_are_told_apart_in_the_headings(cell, runs, recipe):
    cells = [cell(), cell(split="stratified")]
    r = recipe(cells)
    report = fill(r, r.tables[0], [x for c in cells for x in runs(c, [0.8, 0.9])])
    headings = [report.heading(column) for column in report.columns]
    assert headings == ["Cora, bernnet-10", "Cora, stratified"]


def test_runs_that_did_not_converge_are_counted_in_one_line(cell, runs, recipe):
    cells = [cell("none"), cell("none", dataset="Texas"), cell("LS")]
    found = runs(cells[0], [0.8] * 3, info={"model": {"converged": False}})
    found += runs(cells[1], [0.8] * 2, info={"model": {"converged": True}})
    found += runs(cells[2], [0.8] * 4)  # a model that says nothing of the kind
    said = dict(notes(fill(recipe(cells), recipe(cells).tables[0], found)))
    assert said["Not converged"] == "3 of 5 runs did not converge (GCN on Cora)"
    for run in found[:3]:
        run["info"] = {"model": {"well_posed": False}}
    said = dict(notes(fill(recipe(cells), recipe(cells).tables[0], found)))
    assert said["Ill-posed"].startswith("3 of 3 runs reversed diffusion for longer")
    assert "Not converged" not in said
    healthy = [run for run in found if run["cell"]["dataset"] == "Texas"]
    said = dict(notes(fill(recipe(cells), recipe(cells).tables[0], healthy)))
    assert "Not converged" not in said
