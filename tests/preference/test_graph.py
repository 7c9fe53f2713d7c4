import importlib.util

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

from graphlab.errors import ArgumentError
from graphlab.preference import PreferenceGraph

LIKES = ("user", "likes", "response")
DISLIKES = ("user", "dislikes", "response")


def test_edges_count_pairs_and_are_normalized_by_kind(graph, dense):
    assert isinstance(graph.data, HeteroData)
    graph.data.validate()
    assert graph.data.num_nodes == 11 and graph.num_pairs == 9
    for kind, name in ((LIKES, "likes"), (DISLIKES, "dislikes")):
        store = graph.data[kind]
        made = torch.zeros(5, 6)
        made[tuple(store.edge_index)] = store.norm
        torch.testing.assert_close(made, dense[name])
        assert store.edge_weight.sum() == 9


def test_ids_of_any_kind_in_order_of_appearance():
    graph = PreferenceGraph.from_pairs(
        [("ann", 1), 7, ("ann", 1)], ["x", 0, None or "y"], [0, "y", "x"]
    )
    assert graph.user_ids.ids == [("ann", 1), 7]
    assert graph.response_ids.ids == ["x", 0, "y"]
    assert graph.winner.tolist() == [0, 1, 2] and graph.loser.tolist() == [1, 2, 0]


@pytest.mark.parametrize("kind", ["list", "array", "tensor", "series"])
def test_the_same_graph_from_any_container(kind):
    make = {
        "list": list,
        "array": np.array,
        "tensor": torch.tensor,
        "series": lambda v: pd.Series(v, index=[5, 5, 9]),
    }[kind]
    graph = PreferenceGraph.from_pairs(*map(make, ([4, 4, 2], [1, 2, 3], [2, 3, 1])))
    assert graph.user.tolist() == [0, 0, 1] and graph.winner.tolist() == [0, 1, 2]


def test_a_report_of_what_is_odd():
    user, winner, loser = list("aaaaab"), list("xxyzzx"), list("yyxzzy")
    graph = PreferenceGraph.from_pairs(user, winner, loser)
    report = graph.report
    assert (report.given, report.kept, report.dropped) == (6, 4, 2)
    # The repeated x > y contradicts y > x as well: three pairs, not b's.
    assert (report.self_pairs, report.duplicates, report.contradictions) == (2, 1, 3)
    assert "2 of a response with itself" in str(report)


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ({}, [("a", "x", "y"), ("a", "x", "y"), ("a", "y", "x"), ("b", "x", "y")]),
        ({"duplicates": "drop"}, [("a", "x", "y"), ("a", "y", "x"), ("b", "x", "y")]),
        ({"contradictions": "drop"}, [("b", "x", "y")]),
    ],
)
def test_rules_for_odd_pairs(rules, kept):
    user, winner, loser = list("aaaab"), list("xxyzx"), list("yyxzy")
    graph = PreferenceGraph.from_pairs(user, winner, loser, **rules)
    rows = zip(*(t.tolist() for t in graph.pairs), strict=True)
    users, responses = graph.user_ids.ids, graph.response_ids.ids
    assert [(users[u], responses[w], responses[x]) for u, w, x in rows] == kept


@pytest.mark.parametrize("name", ["self_pairs", "duplicates", "contradictions"])
def test_odd_pairs_can_be_errors(name):
    user, winner, loser = list("aaaa"), list("xxyz"), list("yyxz")
    with pytest.raises(ArgumentError, match=f"{name}: .* the first is pair"):
        PreferenceGraph.from_pairs(user, winner, loser, **{name: "error"})


def test_repeated_pairs_weigh_twice_or_once():
    pairs = ["a", "a"], ["x", "x"], ["y", "y"]
    for rule, count in (("keep", 2), ("drop", 1)):
        graph = PreferenceGraph.from_pairs(*pairs, duplicates=rule)
        assert graph.data[LIKES].edge_weight.tolist() == [count]
        assert graph.data[LIKES].norm.tolist() == [1.0]


def test_from_a_table_and_its_files(tmp_path):
    table = pd.DataFrame({"who": ["a", "b"], "yes": [1, 2], "no": [2, 1]})
    columns = dict(user="who", winner="yes", loser="no")
    graph = PreferenceGraph.from_frame(table, **columns)
    table.to_csv(tmp_path / "pairs.csv", index=False)
    table.to_json(tmp_path / "pairs.jsonl", orient="records", lines=True)
    files = ["pairs.csv", "pairs.jsonl"]
    if importlib.util.find_spec("pyarrow"):
        table.to_parquet(tmp_path / "pairs.parquet")
        files.append("pairs.parquet")
    for file in files:
        read = PreferenceGraph.from_frame(tmp_path / file, **columns)
        assert read.user_ids == graph.user_ids and read.winner.equal(graph.winner)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((["a"], ["x"], ["y", "z"]), "loser must have 1 entries, as user has, got 2"),
        (([], [], []), "must hold a pair"),
        ((["a"], ["x"], [None]), "loser ids must not be missing"),
        ((["a"], [["x"]], ["y"]), "winner ids must be hashable"),
    ],
)
def test_bad_pairs(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        PreferenceGraph.from_pairs(*arguments)


def test_pairs_of_nobody_in_the_given_ids():
    with pytest.raises(ArgumentError, match="known to user_ids, but 'b' is not"):
        PreferenceGraph.from_pairs(["b"], ["x"], ["y"], user_ids=["a"])
    with pytest.raises(ArgumentError, match="known to response_ids, but 'y' is not"):
        PreferenceGraph.from_pairs(["b"], ["x"], ["y"], response_ids=["x"])


def test_bad_tables(tmp_path):
    with pytest.raises(ArgumentError, match="it lacks winner, loser and has user"):
        PreferenceGraph.from_frame(pd.DataFrame({"user": [1]}))
    with pytest.raises(ArgumentError, match="must be a data frame or a .parquet"):
        PreferenceGraph.from_frame(tmp_path / "pairs.xlsx")
    with pytest.raises(ArgumentError, match="cannot be read"):
        PreferenceGraph.from_frame(tmp_path / "none.csv")


def test_rows_of_further_pairs(graph):
    table = pd.DataFrame({"user": [4, 0], "winner": [5, 0], "loser": [0, 5]})
    user, winner, loser = graph.rows(table)
    assert (user.tolist(), winner.tolist(), loser.tolist()) == ([4, 0], [5, 0], [0, 5])
    with pytest.raises(ArgumentError, match="response must be one of the 6 known to"):
        graph.rows(table.assign(loser=[0, 9]))


def test_all_pairs_dropped_leaves_an_empty_graph():
    graph = PreferenceGraph.from_pairs(["a"], ["x"], ["x"])
    assert graph.num_pairs == 0 and graph.data[LIKES].edge_index.shape == (2, 0)
    assert graph.to("cpu").num_nodes == (1, 1)
