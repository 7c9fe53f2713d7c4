"""``graphlab copl``: the stages from the command line, killed, and told nonsense."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from graphlab.preference import VectorTable

TRAIN = ("copl", "train-graph", "--set", "epochs=5", "--set", "dim=8")
SIZES = ("num_prompts=40", "num_users=40", "num_unseen=10", "num_test=6")


def small(*sizes):
    return [part for size in sizes or SIZES for part in ("--size", size)]


@pytest.fixture
def run(graphlab, tmp_path, monkeypatch):
    """A trained run in the default folder."""
    monkeypatch.chdir(tmp_path)
    done = graphlab(*TRAIN, *small(), "--annotations", "5", "--beside", "BT")
    assert done.code == 0, done.err
    return done


def test_from_pairs_to_a_table(run, graphlab, tmp_path):
    assert "uf2, 5 annotations a user, seed 0: 40 seen users" in run.out
    assert "CoPL-GCF released: lr 0.00" in run.out and "setting 6 of 6" in run.err
    done = graphlab("copl", "adapt")
    assert done.code == 0 and "10 new users by two_hop, made of" in done.out
    done = graphlab("copl", "evaluate")
    assert done.code == 0 and "240 pairs of 40 users" in done.out
    assert "new users by two_hop" in done.out and "beside it" in done.out
    assert (tmp_path / "copl" / "evaluation.md").is_file()
    again = graphlab(*TRAIN, *small(), "--annotations", "5", "--beside", "BT")
    assert again.out.count("there already") == 2
    assert "there already" in graphlab("copl", "adapt").out


def test_users_of_ones_own(run, graphlab, tmp_path):
    pairs = pd.DataFrame(
        {"user": ["ann", "ann", 7], "winner": [0, 2, 1], "loser": [1, 3, 0]}
    )
    pairs.to_json(tmp_path / "mine.jsonl", orient="records", lines=True)
    done = graphlab("copl", "adapt", "--pairs", "mine.jsonl", "--to", "mine.npz")
    assert done.code == 0 and "2 new users by two_hop" in done.out
    assert VectorTable.load("mine.npz").ids.ids == ["ann", 7]
    done = graphlab(
        "copl", "adapt", "--pairs", "mine.jsonl", "--to", "one.npz", "--user=7"
    )
    assert done.code == 0 and VectorTable.load("one.npz").ids.ids == [7]


def test_the_help_names_all_sources_and_models():
    import inspect

    from graphlab.benchmark.copl import MODELS, SOURCES
    from graphlab.cli.copl.train_graph import train_graph

    told = inspect.get_annotations(train_graph)
    for option, names in (("source", SOURCES), ("model", MODELS)):
        help_ = told[option].__metadata__[0].help
        assert all(name in help_ for name in names), option


BAD = {
    "unknown source": ([*TRAIN, "--source", "uf3"], "source: unknown 'uf3'"),
    "unknown model": ([*TRAIN, "--model", "GCF"], "model: unknown 'GCF'"),
    "too few annotations": ([*TRAIN, "--annotations", "1"], "annotations must be a"),
    "unknown size": ([*TRAIN, "--size", "users=3"], "users: source 'uf2' has no such"),
    "size that is none": (
        [*TRAIN, "--out", "new", "--size", "num_users=few"],
        "num_users must be a",
    ),
    "noise that is none": ([*TRAIN, "--size", "noise=high"], "noise must be a number"),
    "truth that is none": (
        [*TRAIN, "--size", "average=maybe"],
        "average must be true or false, got 'maybe'",
    ),
    "negative seed": ([*TRAIN, "--seed", "-1"], "seed must be a whole number of at"),
    "setting that is none": ([*TRAIN, "--set", "lr=high"], "lr must be a number"),
    "odd assignment": (
        [*TRAIN, "--set", "epochs"],
        "--set: 'epochs' must have the form",
    ),
    "unknown setting": ([*TRAIN, "--set", "depth=2"], "unexpected keyword argument"),
    "missing files": (
        [*TRAIN, "--out", "new", "--source", "tldr"],
        "summarize_from_feed",
    ),
    "missing table": (
        [*TRAIN, "--source", "pairs"],
        "path: source 'pairs' needs a table",
    ),
    "unreadable table": (
        [*TRAIN, "--out", "new", "--source", "pairs", "--path", "no.csv"],
        "no.csv cannot be read: ",
    ),
    "other settings": ([*TRAIN, "--seed", "1"], "seed 1 instead of 0"),
    "missing stage": (["copl", "adapt", "--out", "new"], "graphlab copl train-graph"),
    "missing stage too": (["copl", "evaluate", "--out", "new"], "copl train-graph"),
    "another's folder": (
        [*TRAIN, "--out", "theirs"],
        "holds notes.txt but no run.json",
    ),
    "unknown rule": (
        ["copl", "adapt", "--rule", "hop"],
        "rule: must be one of 'two_hop'",
    ),
    "no file to write": (
        ["copl", "adapt", "--pairs", "mine.csv"],
        "--to: --pairs needs",
    ),
    "user without a table": (["copl", "adapt", "--user", "ann"], "go with --pairs"),
    "unknown user": (
        ["copl", "adapt", "--pairs", "mine.csv", "--to", "a.npz", "--user", "bob"],
        "known to the table of pairs, but 'bob' is not",
    ),
    "response never seen": (
        ["copl", "adapt", "--pairs", "mine.csv", "--to", "a.npz"],
        "known to the graph, but 999 is not",
    ),
    "table without a column": (
        ["copl", "adapt", "--pairs", "half.csv", "--to", "a.npz"],
        "it lacks loser",
    ),
    "empty table": (
        ["copl", "adapt", "--pairs", "empty.csv", "--to", "a.npz"],
        "must hold a pair, got none",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_answered_in_a_line_or_two(
    case, graphlab, tmp_path, monkeypatch, trained_once
):
    monkeypatch.chdir(trained_once)
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    arguments, message = BAD[case]
    done = graphlab(*arguments)
    assert done.code == 2 and message in done.err, done.err
    assert "Traceback" not in done.err and len(done.err.splitlines()) <= 4


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """A run that bad input does not change, and files with mistakes beside it."""
    from graphlab.benchmark.copl.train_graph import SplitSettings, train_graph

    folder = tmp_path_factory.mktemp("bad")
    sizes = {k: int(v) for k, _, v in (size.partition("=") for size in SIZES)}
    settings = SplitSettings("uf2", 5, sizes=sizes)
    train_graph(folder / "copl", settings, beside=(), fixed={"epochs": 3, "dim": 8})
    (folder / "theirs").mkdir()
    (folder / "theirs" / "notes.txt").touch()
    (folder / "mine.csv").write_text("user,winner,loser\nann,1,0\nann,999,0\n")
    (folder / "half.csv").write_text("user,winner\nann,1\n")
    (folder / "empty.csv").write_text("user,winner,loser\n")
    return folder


def test_a_killed_training_goes_on(graphlab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["copl", "train-graph", "--beside", "none", "--set", "epochs=50"]
    arguments += small("num_users=60", "num_unseen=10", "num_prompts=60")
    call = "from graphlab.cli import main; main()"
    code = f"import sys; sys.argv[1:] = {arguments!r}; {call}"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("copl/graph/.tries-*/01.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "copl" / "graph" / "graph.json").exists()
    first = next(tmp_path.glob("copl/graph/.tries-*/00.users.npz")).stat().st_mtime_ns
    done = graphlab(*arguments)
    assert done.code == 0 and "setting 6 of 6" in done.err
    assert "setting 1 of 6" not in done.err and "setting 2 of 6" not in done.err
    assert first < (tmp_path / "copl/graph/users.npz").stat().st_mtime_ns
    assert not list(tmp_path.rglob(".tries*"))
