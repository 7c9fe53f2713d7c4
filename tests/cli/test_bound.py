"""``graphlab bound``: from a set of graphs to tables and files, and bad input."""

import json

import pytest

MODULE = """
import torch


class Broken(torch.nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_layers):
        super().__init__()
        self.lin = torch.nn.Linear(in_channels, out_channels)

    def forward(self, x, edge_index):
        return self.lin(x) * float("nan")
"""


def write_set(folder, classes, sizes):
    """Cycles of some sizes in TU format, with labels that go round."""
    folder.mkdir(parents=True)
    edges, indicator, labels, start = [], [], [], 1
    for g, n in enumerate(sizes):
        for v in range(n):
            u, w = start + v, start + (v + 1) % n
            edges += [f"{u}, {w}", f"{w}, {u}"]
        indicator += [g + 1] * n
        labels += [(g * v) % 3 for v in range(n)]
        start += n
    parts = {"A": edges, "graph_indicator": indicator, "graph_labels": classes}
    for part, lines in (parts | {"node_labels": labels}).items():
        text = "\n".join(map(str, lines)) + "\n"
        (folder / f"x_{part}.txt").write_text(text)


@pytest.fixture
def mine(project):
    sizes = [3 + g % 5 for g in range(40)]
    write_set(project / "mine/raw", [int(n > 5) for n in sizes], sizes)
    write_set(project / "one", [1] * 40, sizes)
    write_set(project / "few", [1] * 37 + [2] * 3, sizes)
    (project / "mypackage/broken.py").write_text(MODULE)
    (project / "empty").mkdir()
    return project


SMALL = ("--quick", "--epochs", "2", "--hidden", "4")


def test_tables_and_files(graphlab, mine):
    first = graphlab("bound", "--dataset", "mine", "--depths", "1-3", *SMALL)
    assert first.code == 0, first.err
    assert first.out.startswith("Generalization bounds: mine GIN\n")
    for text in (
        "k-variance, theorem-D2",
        "vacuous",
        "trivial: num layers",
        "p = 0.33",
    ):
        assert text in first.out
    assert max(map(len, first.out.splitlines()[:-1])) <= 100
    assert first.err.count("depth") == 3
    assert (mine / "bound/report.md").is_file()
    again = graphlab("bound", "--dataset", "mine", "--depths", "1-3", *SMALL)
    assert again.out == first.out and again.err.count("there already") == 3


def test_one_depth_shows_the_whole_ledger(graphlab, mine):
    options = ("--depths", "2", "--set", "pooling=mean", "--out", "there")
    answer = graphlab("bound", "--dataset", "mine", *options, *SMALL)
    assert answer.code == 0, answer.err
    assert "Lip(f) holds for all graphs" in answer.out
    assert (mine / "there/ledgers").is_dir()


@pytest.mark.parametrize(
    ("format_", "start"),
    [("markdown", "# Generalization bounds: mine GCN"), ("latex", "% \\usepackage")],
)
def test_other_formats(graphlab, mine, format_, start):
    options = ("--depths", "1", "--model", "GCN", "--format", format_)
    answer = graphlab("bound", "--dataset", "mine", *options, *SMALL)
    assert answer.code == 0 and answer.out.startswith(start)


def test_json_is_json(graphlab, mine):
    options = ("--depths", "1,2", "--format", "json", "--patterns", "C3,K3")
    answer = graphlab("bound", "--dataset", "mine", *options, *SMALL)
    content = json.loads(answer.out)
    assert content["depths"] == [1, 2] and len(content["ledgers"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dataset", "MUTAX"), "called 'MUTAX'; did you mean 'MUTAG'?"),
        (("--dataset", "Cora"), "called 'Cora'; accepted: MUTAG"),
        (("--dataset", "protein"), "called 'protein'"),
        (("--dataset", "empty"), "empty: a set in TU format has one file"),
        (("--dataset", "one"), "with one class there is nothing to confuse"),
        (("--dataset", "few"), "at least 4 graphs of each of the 2 classes"),
        (("--depths", "0"), "--depths: must be numbers of at least 1"),
        (("--depths", "4-1"), "--depths: names no depth"),
        (("--depths", "1-2-3"), "--depths: must be numbers"),
        (("--patterns", "C3,Q7"), "patterns must be out of"),
        (("--format", "xml"), "--format must be one of terminal"),
        (("--gamma", "0"), "gamma must be positive"),
        (("--delta", "1"), "delta must lie between 0 and 1"),
        (("--lr", "-1"), "lr must be positive"),
        (("--loss", "hinge"), "loss must be one of"),
        (("--split", "nope"), "no split 'nope'"),
        (("--model", "GINN"), "did you mean 'GIN'?"),
        (("--model", "PSGNN"), "no number of rounds is known"),
        (("--model", "mypackage.broken:Broken", "--rounds", "1"), "not finite"),
        (("--set", "num_layers=3"), "--depths sets num_layers"),
        (("--set", "pooling=median"), "pooling: must be one of"),
        (("--set", "width=3"), "unexpected keyword argument 'width'"),
        (("--set", "track_running_stats=false"), "statistics over the batch"),
        (("--data-root", "nowhere", "--dataset", "MUTAG"), "is not a folder"),
    ],
)
def test_bad_input_is_told_in_two_lines(graphlab, mine, options, message):
    given = () if "--dataset" in options else ("--dataset", "mine")
    answer = graphlab("bound", *given, "--depths", "1", *SMALL, *options)
    assert answer.code == 2 and answer.out == ""
    assert message in answer.err and "Traceback" not in answer.err
    assert len(answer.err.strip().splitlines()) <= 2


def test_a_set_that_is_not_there_says_what_to_unpack(graphlab, mine, monkeypatch):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    answer = graphlab("bound", "--dataset", "mutag", *SMALL)
    assert answer.code == 2 and "MUTAG.zip into TUDataset/MUTAG/raw/" in answer.err
