"""``graphlab diagnose``: from classes to CSV, plot and table."""

import csv

import pytest

SMALL = ("--dataset", "digits", "--hidden", "8", "--depths", "2,6")

MODULE = """
import torch


class Deep(torch.nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_layers, gain=1):
        super().__init__()
        self.gain = gain
        sizes = [in_channels] + [hidden_channels] * (num_layers - 1) + [out_channels]
        self.layers = torch.nn.ModuleList(map(torch.nn.Linear, sizes[:-1], sizes[1:]))

    def forward(self, x, edge_index):
        for layer in self.layers:
            x = self.gain * layer(x)
        return x


class Shallow(torch.nn.Linear):
    def __init__(self, in_channels, hidden_channels, out_channels):
        super().__init__(in_channels, out_channels)


class Loud(Deep):
    def forward(self, x, edge_index):
        raise RuntimeError("cannot be run")


NUMBER = 3
"""


@pytest.fixture
def mine(project):
    (project / "mypackage" / "deep.py").write_text(MODULE)
    return project


def rows_of(file):
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


def test_from_classes_to_files(graphlab, mine):
    models = ("--model", "GCN", "--model", "torch_geometric.nn:GCN,norm=batch")
    own = ("--model", "mine=mypackage.deep:Deep,gain=1e30")
    answer = graphlab("diagnose", *models, *own, *SMALL, "--out", "here", "--seed", 3)
    assert answer.code == 0, answer.err
    first = answer.out.splitlines()[0]
    assert first == "digits, split stratified-60-20-20, seed 3, 8 hidden channels"
    for name in ("GCN", "GCN (norm=batch)", "mine"):
        assert name in answer.out
    assert "NaN" in answer.out  # 1e30 to the sixth is no float32
    assert "6/6 mine, 6 layers" in answer.err
    rows = rows_of("here/diagnose.csv")
    assert len(rows) == 3 * (2 + 6)
    start = ["dataset", "split", "hidden", "seed", "model", "depth", "epoch", "layer"]
    assert list(rows[0])[: len(start)] == start
    assert {row["model"] for row in rows} == {"GCN", "GCN (norm=batch)", "mine"}
    assert {row["gradient_norm"] for row in rows if row["model"] == "mine"} >= {"NaN"}
    assert not any("" in row.values() for row in rows)
    assert (mine / "here" / "diagnose.svg").read_text().startswith("<?xml")
    assert (mine / "here" / "diagnose.png").stat().st_size > 1000
    before = (mine / "here" / "diagnose.csv").read_bytes()
    graphlab("diagnose", *models, *own, *SMALL, "--out", "again", "--seed", 3)
    assert (mine / "again" / "diagnose.csv").read_bytes() == before


def test_training_set_and_split(graphlab, mine):
    options = ("--epochs", "0,5", "--set", "dropout=0.1", "--split", "bernnet-10")
    answer = graphlab("diagnose", "--model", "GCN", *SMALL, *options)
    assert answer.code == 0, answer.err
    assert "split bernnet-10" in answer.out and "epoch" in answer.out
    rows = rows_of("diagnose/diagnose.csv")
    assert [row["epoch"] for row in rows] == ["0"] * 2 + ["5"] * 2 + ["0"] * 6 + [
        "5"
    ] * 6
    assert rows[0]["gradient_norm"] != rows[2]["gradient_norm"]
    names = {file.name for file in (mine / "diagnose").glob("*.svg")}
    assert names == {"diagnose-epoch-0.svg", "diagnose-epoch-5.svg"}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["GATT"], ["graphlab.nn has no 'GATT'; did you mean 'GAT'?"]),
        (["mypackage.dep:Deep"], ["no module 'mypackage.dep'"]),
        (["mypackage.deep:Depe"], ["has no 'Depe'; did you mean 'Deep'?"]),
        (["mypackage.deep:NUMBER"], ["mypackage.deep:NUMBER cannot be called"]),
        (["mypackage.deep:Shallow"], ["Shallow(", "has no num_layers"]),
        (["mypackage.deep:Loud"], ["Loud with 2 layers: RuntimeError: cannot be run"]),
        (["GCN,gain=2"], ["graphlab.nn:GCN(", "unexpected keyword argument 'gain'"]),
        (["GCN,GAT"], ["'GAT' must have the form KEY=VALUE; each model has"]),
        (["GCN,num_layers=3"], ["--depths sets num_layers"]),
        (["=GCN"], ["must be [NAME=]PATH"]),
        (["GCN", "--model", "GCN"], ["two are called 'GCN'; name one"]),
        (["MLP"], ["MLP with 2 layers: layers: no layers found"]),
        (["GCN", "--depths", "2,x"], ["--depths: must be whole numbers", "'x'"]),
        (["GCN", "--depths", "0"], ["--depths: must be", "at least 1", "'0'"]),
        (["GCN", "--depths", ","], ["--depths: must name at least one"]),
        (["GCN", "--epochs", "-1"], ["--epochs: must be whole numbers"]),
        (["GCN", "--dataset", "digts"], ["digts", "digits"]),
        (["GCN", "--split", "nope"], ["nope"]),
        (["GCN", "--set", "dropout"], ["--set: 'dropout' must have the form"]),
        (["GCN", "--out", "mypackage/deep.py/x"], ["cannot be written", "--out"]),
    ],
)
def test_mistakes_are_a_line(graphlab, mine, arguments, parts):
    answer = graphlab("diagnose", *SMALL, "--model", *arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err and "error: " in answer.err
    text = " ".join(answer.err.split())
    for part in parts:
        assert part in text, answer.err


def test_a_model_must_be_named(graphlab, mine):
    assert graphlab("diagnose").code == 2
    assert graphlab("diagnose", "--model", "GCN", "--hidden", "0").code == 2
