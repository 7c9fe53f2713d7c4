"""Bounds depth by depth: what is trained, kept, resumed and written."""

import json

import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from graphlab.benchmark.bounds import BoundTask, files, run_bounds, tables
from graphlab.benchmark.bounds.task import file_name
from graphlab.errors import ArgumentError, StoreError
from graphlab.nn import GCN, GIN, PSGNN

TRAINING = {"epochs": 2, "batch_size": 16, "monitor": "last"}


@pytest.fixture(scope="module")
def graphs():
    """Forty paths of 2 to 9 nodes; long ones are of class 1."""
    torch.manual_seed(0)
    found = []
    for g in range(40):
        n = 2 + g % 8
        edge = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
        x = torch.eye(3)[torch.randint(3, (n,))]
        both = torch.cat([edge, edge.flip(0)], dim=1)
        found.append(Data(x=x, edge_index=both, y=torch.tensor([int(n > 5)])))
    return found


def task_of(**changes):
    settings = dict(
        dataset="paths",
        split="random-90-10",
        model=GIN,
        model_name="GIN",
        model_args={"hidden_channels": 4, "dropout": 0.0},
        depths=(1, 3),
        seeds=2,
        training=TRAINING,
    )
    return BoundTask(**settings | changes)


@pytest.fixture(scope="module")
def cells(graphs, tmp_path_factory):
    return run_bounds(task_of(), graphs, "sum", tmp_path_factory.mktemp("out"))


def test_every_depth_and_seed_has_a_ledger(cells):
    assert [(c.depth, c.seed) for c in cells] == [(1, 0), (1, 1), (3, 0), (3, 1)]
    assert [c.rounds for c in cells] == [1, 1, 3, 3] and not any(
        c.resumed for c in cells
    )
    for cell in cells:
        row = cell.row()
        assert row["num_layers"] == cell.depth and row["k-variance, theorem-D2"] > 0
        assert row["sum of training losses"] > 0 and row["num_parameters"] > 0
    first, second = (cell.ledger.measured for cell in cells[:2])
    assert first != second  # another split, other weights


def test_what_is_there_is_not_trained_again(graphs, tmp_path, monkeypatch):
    told = []
    task = task_of(depths=(2,))
    first = run_bounds(task, graphs, "sum", tmp_path)
    names = sorted(f.name for f in (tmp_path / "ledgers").iterdir())
    assert len(names) == 2 and names[0].startswith("paths-GIN-2-layers-seed-0-")
    one, other = (tmp_path / "ledgers" / name for name in names)
    before = one.read_bytes()
    other.write_text("{")  # damaged: made anew
    again = run_bounds(task, graphs, "sum", tmp_path, lambda *t: told.append(t))
    assert [cell.resumed for cell in again] == [True, False]
    assert one.read_bytes() == before and other.read_text() != "{"
    for old, new in zip(first, again, strict=True):
        assert new.ledger.to_json() == old.ledger.to_json()
    assert told[0] == ("paths GIN, depth 2, seed 0: there already", 0, 2)
    assert told[-1][1:] == (2, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"gamma": 2.0},
        {"delta": 0.2},
        {"rounds": 3},
        {"patterns": ("C3",)},
        {"training": TRAINING | {"lr": 0.1}},
        {"model_args": {"hidden_channels": 5, "dropout": 0.0}},
        {"model": GCN},
        {"probes": 1},
        {"split": "stratified-80-10-10"},
    ],
)
def test_other_settings_have_another_file(change):
    usual = task_of().settings(1, 0, "sum")
    assert file_name(task_of(**change).settings(1, 0, "sum")) != file_name(usual)
    assert file_name(task_of(depths=(1,), seeds=5).settings(1, 0, "sum")) == file_name(
        usual
    )
    for other in ((2, 0, "sum"), (1, 1, "sum"), (1, 0, "other")):
        assert file_name(task_of().settings(*other)) != file_name(usual)


def test_everything_wrong_is_found_before_a_training(graphs, tmp_path, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("trained")

    monkeypatch.setattr("graphlab.benchmark.bounds.run.fit_graphs", never)
    one_class = [Data(x=g.x, edge_index=g.edge_index, y=g.y * 0) for g in graphs]
    three = [
        Data(x=g.x, edge_index=g.edge_index, y=torch.tensor([int(place < 3)]))
        for place, g in enumerate(graphs)
    ]
    for wrong, of, message in (
        ({}, one_class, "paths, split random-90-10.*num_classes must be"),
        ({}, three, r"at least 4 graphs of each of the 2 classes, got \d of class 1"),
        ({"patterns": ("Q7",)}, graphs, "patterns must be out of"),
        ({"model": PSGNN}, graphs, "no number of rounds is known.*--rounds"),
        ({"split": "nope"}, graphs, "no split 'nope'"),
        ({"model_args": {"width": 3}}, graphs, "unexpected keyword argument 'width'"),
        ({"training": {"epochs": 0}}, graphs, "epochs must be"),
        ({"training": {"monitor": "val_loss"}}, graphs, None),
    ):
        error = ValueError if message else AssertionError
        if message is None:
            wrong |= {"split": "stratified-80-10-10"}
        with pytest.raises(error, match=message):
            run_bounds(task_of(**wrong), of, "sum", tmp_path)
    for wrong in ({"gamma": 0.0}, {"gamma": float("inf")}, {"delta": 1.0}):
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            task_of(**wrong)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--out"):
        run_bounds(task_of(), graphs, "sum", tmp_path / "file")


def test_logits_that_are_not_finite_are_refused(graphs, tmp_path):
    training = TRAINING | {"lr": 1e30, "epochs": 4}
    with pytest.raises(
        ArgumentError, match="depth 1, seed 0: the logits are not finite"
    ):
        run_bounds(task_of(training=training), graphs, "sum", tmp_path)
    assert not list((tmp_path / "ledgers").glob("*.json"))


def test_too_few_rounds_are_seen_in_the_data(graphs, tmp_path):
    """A graph of three rounds of 1-WL looks like others after none."""
    task = task_of(rounds=0, depths=(3,), seeds=1)
    (cell,) = run_bounds(task, graphs, "sum", tmp_path)
    assert "k-variance, theorem-D2" in cell.ledger.refused
    assert any("do not bound the model" in b for b in tables.banners([cell]))
    (cell,) = run_bounds(
        task_of(rounds=0, depths=(3,), seeds=1, allow_violations=True),
        *(graphs, "sum", tmp_path),
    )
    assert "k-variance, theorem-D2" not in cell.ledger.refused


def test_rounds_may_be_given_where_none_are_known(graphs, tmp_path):
    task = task_of(model=PSGNN, rounds=2, depths=(2,), seeds=1)
    (cell,) = run_bounds(task, graphs, "sum", tmp_path)
    assert cell.rounds == 2


def test_rows_by_depth_are_means_over_seeds(cells):
    rows = {row.name: row for row in tables.by_depth(cells)}
    values = [cell.ledger["k-variance, theorem-D2"].value for cell in cells]
    main = rows["k-variance, theorem-D2"]
    assert main.values == ((values[0], values[1]), (values[2], values[3]))
    assert float(main.means()[0]) == pytest.approx(sum(values[:2]) / 2, rel=1e-3)
    assert main.status == "vacuous" and "±" in main.spreads()[0]
    parts = [rows[n].values for n in ("W1 term", "diameter term", "confidence term")]
    assert sum(p[1][0] for p in parts) == pytest.approx(values[2])
    assert rows["kV-Margin"].status == "score"
    assert rows["rounds of colour refinement"].means() == ["1", "3"]


def test_correlations_are_over_depths_and_over_runs(cells):
    found = tables.correlations(cells)
    groups = {row.group: row.n for row in found.rows}
    assert groups == {"depths, means of seeds": 2, "all runs": 4}
    runs = pd.DataFrame([cell.row() for cell in cells])
    row = next(r for r in found.rows if r.measure == "VC" and r.n == 4)
    want = runs["VC"].corr(runs[row.gap], method="spearman")
    assert row.spearman == pytest.approx(want)
    trivial = {r.measure for r in found.rows if r.baseline}
    assert {"num_layers", "train_error", "sum of training losses"} <= trivial
    one = tables.correlations(cells[:1])
    assert {tables.interval(row) for row in one.rows} == {"–"}


def test_few_depths_come_with_a_caution(cells):
    assert tables.caution(cells) == ""  # of two there is no correlation at all

    class Cell:
        def __init__(self, depth):
            self.depth = depth

    assert "p = 0.083" in tables.caution([Cell(d) for d in range(4)])
    assert tables.caution([Cell(d) for d in range(6)]) == ""


def test_files_are_whole_and_say_everything(cells, tmp_path):
    written = files.write_files(task_of(), cells, tmp_path)
    names = {file.name for file in written}
    assert {"report.json", "report.md", "report.tex", "bounds.csv"} <= names
    assert {"bound-terms.svg", "bound-gap.png", "correlations.csv"} <= names
    assert {file.name for file in tmp_path.iterdir()} == names  # nothing else is left
    content = json.loads((tmp_path / "report.json").read_text())
    assert len(content["ledgers"]) == 4 and content["ledgers"][2]["depth"] == 3
    frame = pd.read_csv(tmp_path / "bounds.csv")
    assert frame["depth"].tolist() == [1, 1, 3, 3]
    text = (tmp_path / "report.md").read_text()
    assert "| k-variance, theorem-D2 |" in text and "1 layer |" in text
    assert text.count("## Generalization bounds: paths GIN, depth") == 2
    assert r"\begin{longtable}" in (tmp_path / "report.tex").read_text()
    before = (tmp_path / "bound-gap.svg").read_bytes()
    files.write_files(task_of(), cells, tmp_path)
    assert (tmp_path / "bound-gap.svg").read_bytes() == before
