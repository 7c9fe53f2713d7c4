import pytest
from typer.testing import CliRunner

from graphlab.cli.data import app
from graphlab.datasets import raw
from graphlab.errors import DatasetError, SplitError

runner = CliRunner()


@pytest.fixture(autouse=True)
def _no_data(monkeypatch, tmp_path):
    """No data root and an empty cache; a wide terminal, so that no line is folded."""
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    monkeypatch.setenv("GRAPHLAB_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


def _offline(monkeypatch):
    def refuse(*args, **options):
        raise OSError("no network")

    monkeypatch.setattr(raw.urllib.request, "urlopen", refuse)


def test_list_marks_what_is_here_and_what_is_to_fetch():
    result = runner.invoke(app, ["list"])
    rows = {line.split()[0]: line for line in result.output.splitlines() if line}
    assert result.exit_code == 0
    assert rows["digits"].endswith("built in") or "built in" in rows["digits"]
    assert "to fetch" in rows["Cora"] and "10,556" in rows["Cora"]


def test_list_ends_with_the_lists_of_graphs():
    output = runner.invoke(app, ["list"]).output
    rows = {line.split()[0]: line.split() for line in output.splitlines() if line}
    assert rows["grid"] == ["grid", "1", "400", "1,520", "1", "?", "built", "in"]
    assert rows["email"][1:6] == ["7", "920", "14,402", "1", "41"]
    assert " ".join(rows["protein"][6:]) == "to unpack"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("grid", ["400 nodes, 1,520 edges", "labels:   none"]),
        ("Communities", ["measured (of seed 0): 400 nodes", "/20 nodes per class"]),
        (
            "email",
            ["graphs     7, figures are sums", "to unpack", "email-Eu-core.txt.gz"],
        ),
        ("protein", ["364", "warning", "PROTEINS_full", "PROTEINS.zip"]),
    ],
)
def test_show_knows_the_lists_of_graphs(name, parts):
    result = runner.invoke(app, ["show", name])
    assert result.exit_code == 0
    assert [part for part in parts if part not in result.output] == []


def test_fetch_and_verify_of_a_list_say_what_to_unpack():
    for command in ("fetch", "verify"):
        result = runner.invoke(app, [command, "email", "grid"])
        text = " ".join(result.output.split())
        assert result.exit_code == 2 and "ok grid" in text
        assert "failed email" in text and "EmailEUCore/raw/" in text


def test_show_prints_card_statistics_and_splits():
    result = runner.invoke(app, ["show", "digits"])
    assert result.exit_code == 0
    assert "12,618 edges" in result.output and "scikit-learn" in result.output
    assert "constant majority on test: 10.03%" in result.output
    assert "bernnet-10 (10 splits, the first shown)" in result.output
    assert "108/108/108" in result.output and "1941488137" in result.output


def test_show_split_prints_every_run():
    result = runner.invoke(app, ["show", "digits", "--split", "stratified-60-20-20"])
    assert "2424918363" in result.output and "bernnet-10" not in result.output


def test_show_of_a_set_that_is_not_here_prints_the_card():
    result = runner.invoke(app, ["show", "texas"])
    assert result.exit_code == 0
    assert "Class 1 has a single node" in result.output
    assert "graphlab data fetch Texas" in result.output


def test_errors_reach_the_caller():
    error = runner.invoke(app, ["show", "korah"]).exception
    assert isinstance(error, DatasetError)
    assert "lists of graphs: grid, communities" in str(error)
    result = runner.invoke(app, ["show", "digits", "--split", "nope"])
    assert isinstance(result.exception, SplitError)


def test_fetch_reports_each_set_and_fails_at_the_end(monkeypatch):
    _offline(monkeypatch)
    result = runner.invoke(app, ["fetch", "texas", "digits"])
    assert result.exit_code == 2
    assert "failed  Texas" in result.output and "no network" in result.output
    assert "ok      digits: built in" in result.output


def test_verify_checks_what_is_here():
    result = runner.invoke(app, ["verify", "digits"])
    assert result.exit_code == 0
    assert "content equals the measured copy" in result.output


def test_verify_never_downloads(monkeypatch):
    _offline(monkeypatch)
    result = runner.invoke(app, ["verify", "texas"])
    assert result.exit_code == 2
    assert "Texas is not on this machine" in result.output


@pytest.mark.real_data
def test_show_texas_warns_of_its_test_parts(data_root):
    result = runner.invoke(app, ["show", "texas", "--data-root", str(data_root)])
    output = result.output
    assert "22/1/18/22/22" in output and "5/0/0/52/4" in output
    assert "constant majority on test: 80.33% (from 75.4% to 85.2%)" in output
    assert "1 (10 of 10), 2 (10 of 10)" in output
    assert "75.4% to 85.2% of the test nodes in 10 of 10 splits" in output


@pytest.mark.real_data
def test_lists_of_graphs_are_read_and_compared_with_their_cards(data_root):
    options = ["--data-root", str(data_root)]
    shown = runner.invoke(app, ["show", "email", *options]).output
    assert "7 graphs of 32 to 245 nodes (median 139), 920 nodes" in shown
    result = runner.invoke(app, ["verify", "email", *options])
    assert result.exit_code == 0 and "14,402 edges as on the card" in result.output


@pytest.mark.real_data
def test_verify_checks_hashes(data_root):
    options = ["cora", "--data-root", str(data_root)]
    result = runner.invoke(app, ["verify", *options])
    assert "equal for 18 of 18 raw files" in result.output
