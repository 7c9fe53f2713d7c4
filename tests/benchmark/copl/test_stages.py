"""Stages on one folder: what is there stays, what is stale or damaged does not."""

import json
import shutil

import pandas as pd
import pytest
import torch

from graphlab.benchmark.copl import RunFolder
from graphlab.benchmark.copl.adapt_stage import Adaptation, adapt, adapt_pairs
from graphlab.benchmark.copl.evaluate_stage import evaluate
from graphlab.benchmark.copl.graph_stage import score_seen
from graphlab.benchmark.copl.train_graph import train_graph
from graphlab.errors import ArgumentError, DatasetError, StoreError

FIXED = {"epochs": 6, "dim": 8, "num_layers": 2}


def test_what_each_stage_leaves(trained):
    run = RunFolder(trained)
    split, vectors, users = run.split(), run.vectors(), run.user_vectors()
    assert users.ids.ids == split.users.tolist() and users.vectors.shape == (40, 8)
    torch.testing.assert_close(users.vectors.norm(dim=1), torch.ones(40))
    record = run.require("graph")
    assert record["unit_users"] and record["settings"]["model"] == "CoPL-GCF released"
    assert record["setting"] in [
        {k: v for k, v in one.items() if k not in ("val_accuracy", "nan")}
        for one in record["tried"]
    ]
    assert not list(trained.rglob(".tries*"))
    outcome = adapt(trained)
    adapted = run.adapted()
    assert adapted.ids.ids == split.unseen_users.tolist() and not outcome.resumed
    assert outcome.record["options"]["normalize"] and outcome.record["users"] == 10
    found = evaluate(trained)
    rows = {(row["name"], row["how"]): row["parts"] for row in found.rows}
    assert [name for name, _ in rows] == ["CoPL-GCF released"] * 2 + ["BT"] * 2
    seen = rows["CoPL-GCF released", "graph model"]["seen"]
    direct = score_seen(vectors, split.graph(), split.test)
    assert seen["accuracy"] == direct["accuracy"] and seen["pairs"] == 240
    assert rows["CoPL-GCF released", "new users by two_hop"]["unseen"]["users"] == 10
    text = (trained / "evaluation.md").read_text()
    assert (
        "uf2, 5 annotations a user, seed 0" in text and "240 pairs of 40 users" in text
    )
    stored = json.loads((trained / "evaluation.json").read_text())
    assert stored["rows"] == found.rows and stored["versions"]["torch"]


def test_what_is_there_is_not_done_again(trained, settings, monkeypatch):
    adapt(trained)
    first = evaluate(trained)
    files = {f: f.stat().st_mtime_ns for f in trained.rglob("*.npz")}
    monkeypatch.setattr("graphlab.benchmark.copl.train_graph.fit_chosen", None)
    monkeypatch.setattr("graphlab.benchmark.copl.evaluate_stage.score_seen", None)
    outcomes = train_graph(trained, settings(), beside=("BT",), fixed=FIXED)
    assert all(one.resumed for one in outcomes.values())
    assert adapt(trained).resumed
    assert evaluate(trained).rows == first.rows
    assert {f: f.stat().st_mtime_ns for f in trained.rglob("*.npz")} == files


def test_the_same_seed_gives_the_same_bits(trained, settings, tmp_path):
    train_graph(tmp_path / "again", settings(), beside=(), fixed=FIXED)
    for name in ("graph/users.npz", "graph/responses.npz", "split/split.json"):
        one, other = ((f / name).read_bytes() for f in (trained, tmp_path / "again"))
        assert one == other, name
    train_graph(tmp_path / "other", settings(seed=1), beside=(), fixed=FIXED)
    ids = {RunFolder(f).current_id("graph") for f in tmp_path.iterdir()}
    assert len(ids) == 2


def test_other_settings_are_an_error_that_names_them(trained, settings):
    with pytest.raises(StoreError, match=r"run.json: .* seed 1 instead of 0; give ano"):
        train_graph(trained, settings(seed=1), fixed=FIXED)
    with pytest.raises(StoreError, match="epochs 7 instead of 6; .*--force"):
        train_graph(trained, settings(), fixed=FIXED | {"epochs": 7})
    with pytest.raises(StoreError, match='model "MF" instead of "CoPL-GCF released"'):
        train_graph(trained, settings(), "MF")
    adapt(trained)
    with pytest.raises(StoreError, match='rule "mean" instead of "two_hop"'):
        adapt(trained, Adaptation(rule="mean"))
    before = RunFolder(trained).current_id("adapted")
    assert not adapt(trained, Adaptation(rule="mean"), force=True).resumed
    assert RunFolder(trained).current_id("adapted") != before


def test_what_was_made_from_something_else_is_stale(trained, settings):
    adapt(trained)
    fixed = FIXED | {"epochs": 3}
    train_graph(trained, settings(), beside=("BT",), fixed=fixed, force=True)
    with pytest.raises(
        StoreError, match=r"adapt.json: was made from another graph; run"
    ):
        evaluate(trained)
    assert not adapt(trained).resumed  # no --force is needed for that
    evaluate(trained)
    train_graph(trained, settings(seed=1), beside=(), fixed=fixed, force=True)
    adapt(trained)
    rows = evaluate(trained).rows
    assert {row["name"] for row in rows} == {"CoPL-GCF released"}  # BT is of seed 0


def test_users_and_pairs_under_reward_models_are_not_replaced(trained, settings):
    (trained / "rewards" / "mine").mkdir(parents=True)
    (trained / "rewards" / "mine" / "reward.json").touch()
    with pytest.raises(StoreError, match="has reward models of the users and pairs"):
        train_graph(trained, settings(seed=1), fixed=FIXED, force=True)


@pytest.mark.parametrize(
    ("file", "stage", "message"),
    [
        ("graph/users.npz", "adapt", r"users.npz: damaged, its checksum is another"),
        ("graph/graph.json", "adapt", r"graph.json: damaged, or of something else"),
        ("adapted/users.npz", "evaluate", r"users.npz: damaged"),
        ("split/test.jsonl", "evaluate", r"test.jsonl: damaged"),
        ("run.json", "evaluate", r"run.json: damaged"),
    ],
)
def test_a_damaged_file_is_named(trained, file, stage, message):
    adapt(trained)
    (trained / file).write_text("{}")
    with pytest.raises(StoreError, match=message):
        adapt(trained, force=True) if stage == "adapt" else evaluate(trained)


def test_a_damaged_result_is_made_again(trained, settings):
    bits = (trained / "graph" / "users.npz").read_bytes()
    (trained / "graph" / "users.npz").write_text("x")
    outcomes = train_graph(trained, settings(), beside=("BT",), fixed=FIXED)
    assert [one.resumed for one in outcomes.values()] == [True, False, True]
    assert (trained / "graph" / "users.npz").read_bytes() == bits


def test_a_missing_stage_names_its_command(tmp_path, trained):
    for stage in (adapt, evaluate):
        with pytest.raises(
            StoreError, match="no graph/graph.json yet; run `graphlab co"
        ):
            stage(tmp_path / "nowhere")
    with pytest.raises(
        StoreError, match="has no adapted/adapt.json yet; run `graphlab"
    ):
        RunFolder(trained).adapted()
    assert [row["how"] for row in evaluate(trained).rows] == [
        "graph model",
        "beside it",
    ]


def test_a_folder_of_something_else(tmp_path, settings):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(StoreError, match="holds thesis.tex but no run.json"):
        train_graph(tmp_path, settings())
    with pytest.raises(StoreError, match=r"thesis.tex: is a file"):
        train_graph(tmp_path / "thesis.tex", settings())


def test_wrong_names_are_found_before_anything_is_drawn(tmp_path, settings):
    for arguments, message in (
        (dict(model="GCF"), "model: unknown 'GCF'"),
        (dict(beside=["MFF"]), "model: unknown 'MFF'; did you mean 'MF'"),
        (dict(fixed={"depth": 1}), "unexpected keyword argument 'depth'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            train_graph(tmp_path / "run", settings(), **arguments)
    with pytest.raises(ArgumentError, match="annotations must be .* at least 2"):
        train_graph(tmp_path / "run", settings(annotations=1))
    assert not (tmp_path / "run").exists()


def test_a_source_without_files_leaves_nothing_behind(tmp_path, settings):
    from graphlab.benchmark.copl.train_graph import SplitSettings

    with pytest.raises(DatasetError, match="preferences/TLDR"):
        train_graph(tmp_path / "run", SplitSettings("tldr", path=str(tmp_path)))
    assert not (tmp_path / "run" / "run.json").exists()


def test_the_table_of_a_run_that_has_changed_is_noticed(tmp_path):
    from graphlab.benchmark.copl.train_graph import SplitSettings

    rows = [(f"u{u}", p, p + 9) for u in range(8) for p in range(6)]
    table = pd.DataFrame(rows, columns=["user", "winner", "loser"])
    file = tmp_path / "mine.csv"
    table.to_csv(file, index=False)
    settings = SplitSettings("pairs", path=str(file))
    train_graph(tmp_path / "run", settings, "BT", beside=(), fixed={"epochs": 2})
    table[:-1].to_csv(file, index=False)
    with pytest.raises(StoreError, match="sha256 of path"):
        train_graph(tmp_path / "run", settings, "BT", beside=(), fixed={"epochs": 2})


def test_users_of_ones_own(trained):
    split = RunFolder(trained).split()
    mine = split.adapt.assign(user=[f"new {u}" for u in split.adapt["user"]])
    adapt(trained)
    adapted = adapt_pairs(trained, mine)
    expected = RunFolder(trained).adapted()
    torch.testing.assert_close(adapted.vectors, expected.vectors)
    one = adapt_pairs(trained, mine, users=[mine["user"].iloc[-1]])
    torch.testing.assert_close(one.vectors[0], adapted.vectors[-1])


@pytest.mark.parametrize(
    ("change", "users", "message"),
    [
        ({}, ["nobody"], "user must be one of the 10 known to the table of pairs, but"),
        ({"winner": 10**6}, None, "response must be one of the 80 known to the graph"),
    ],
)
def test_unknown_users_and_responses_are_named(trained, change, users, message):
    pairs = RunFolder(trained).split().adapt.assign(**change)
    with pytest.raises(ArgumentError, match=message):
        adapt_pairs(trained, pairs, users=users)


def test_fold_in_chooses_its_strength_and_rules_are_checked(trained):
    record = adapt(trained, Adaptation(rule="fold_in")).record
    assert record["options"]["ridge"] in (0.01, 0.03, 0.1, 0.3)
    assert not record["options"]["normalize"]
    for how, message in (
        (Adaptation(rule="three_hop"), "rule: must be one of 'two_hop'"),
        (Adaptation(temperature=0.0), "temperature: must be a positive"),
        (Adaptation(fallback="none"), "fallback: must be one of"),
    ):
        with pytest.raises(ArgumentError, match=message):
            adapt(trained, how)  # before it is compared with what is there


def test_a_source_without_unseen_users(tmp_path, settings):
    from graphlab.benchmark.copl.train_graph import SplitSettings

    rows = [(u, p, p + 9) for u in range(8) for p in range(6)]
    file = tmp_path / "mine.csv"
    pd.DataFrame(rows, columns=["user", "winner", "loser"]).to_csv(file, index=False)
    settings = SplitSettings("pairs", path=str(file), sizes={"unseen_users": 0.0})
    train_graph(tmp_path / "run", settings, "BT", beside=(), fixed={"epochs": 2})
    with pytest.raises(ArgumentError, match="no unseen users; adapt some of your own"):
        adapt(tmp_path / "run")
    assert len(evaluate(tmp_path / "run").rows) == 1
    shutil.rmtree(tmp_path / "run")


def test_users_whose_responses_are_all_new_get_the_fall_back(tmp_path):
    from graphlab.benchmark.copl.train_graph import SplitSettings

    rows = [(u, p, p + 20) for u in range(20) for p in range(20)]
    rows += [(u, u - 20, u) for u in range(20, 40)]
    file = tmp_path / "mine.csv"
    pd.DataFrame(rows, columns=["user", "winner", "loser"]).to_csv(file, index=False)
    sizes = {"unseen_users": 0.4, "new_responses": 0.3}
    settings = SplitSettings("pairs", path=str(file), sizes=sizes)
    run = RunFolder(tmp_path / "run")
    train_graph(run.path, settings, "MF", beside=["BT"], fixed={"epochs": 2, "dim": 4})
    split = run.split()
    silent = split.unseen_users[~split.unseen_users.isin(split.adapt["user"])]
    assert len(silent) and len(silent) < len(split.unseen_users)
    with pytest.raises(
        ArgumentError, match=rf"{len(silent)} of .* unseen users have no pair"
    ):
        adapt(run.path, Adaptation(fallback="error"))
    assert adapt(run.path).record["fallbacks"] >= len(silent)
    mean = run.vectors().user.mean(0)
    torch.testing.assert_close(run.adapted()[silent], mean.expand(len(silent), -1))
    assert len(evaluate(run.path).rows) == 4
    assert not split.users.isin(split.context["user"]).all()
    assert adapt(run.path, Adaptation(rule="fold_in"), force=True).record["options"]


def test_force_repairs_what_is_damaged(trained, settings):
    checksum = RunFolder(trained).require("split")["checksum"]
    (trained / "split" / "val.jsonl").write_text("x")
    with pytest.raises(StoreError, match="val.jsonl: damaged"):
        train_graph(trained, settings(), beside=("BT",), fixed=FIXED)
    outcomes = train_graph(trained, settings(), beside=(), fixed=FIXED, force=True)
    assert not outcomes["split"].resumed
    assert RunFolder(trained).require("split")["checksum"] == checksum


def test_a_killed_evaluation_goes_on(trained, monkeypatch):
    adapt(trained)
    name = "graphlab.benchmark.copl.evaluate_stage.score_adapted"

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(name, interrupt)
        with pytest.raises(KeyboardInterrupt):
            evaluate(trained)
    assert not (trained / "evaluation.json").exists()
    judged = []
    monkeypatch.setattr(
        "graphlab.benchmark.copl.evaluate_stage.score_seen",
        lambda *args: judged.append(args) or score_seen(*args),
    )
    assert len(evaluate(trained).rows) == 4 and len(judged) == 1  # BT's, not the first
    assert not list(trained.glob(".judged*"))
