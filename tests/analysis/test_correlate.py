"""Correlations against SciPy's; those of the paper's own table."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from graphlab.analysis import correlate
from graphlab.errors import ArgumentError


def rows(n=12, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    gap = rng.normal(size=n)
    bound = gap + rng.normal(size=n)
    if ties:
        gap, bound = np.round(gap), np.round(bound)
    found = {"bound": bound, "loss_gap": gap, "error_gap": rng.normal(size=n)}
    found |= {"num_layers": np.arange(n) % 4, "train_error": rng.random(n)}
    found |= {"dataset": ["A", "B"] * (n // 2), "model": ["x"] * n}
    return pd.DataFrame(found)


@pytest.mark.parametrize("ties", [False, True])
def test_they_are_those_of_scipy(ties):
    frame = rows(ties=ties)
    found = correlate(frame, ["bound"], samples=50).to_dataframe()
    assert len(found) == 2 * 3  # two gaps; the measure and two baselines
    for row in found.itertuples():
        x, y = frame[row.measure], frame[row.gap]
        assert row.spearman == pytest.approx(stats.spearmanr(x, y).statistic)
        assert row.kendall == pytest.approx(stats.kendalltau(x, y).statistic)
        assert row.pearson == pytest.approx(stats.pearsonr(x, y).statistic)
        assert row.p == pytest.approx(stats.spearmanr(x, y).pvalue)
        assert row.n == 12 and row.group == "all" and row.note == ""
        assert row.baseline == (row.measure != "bound")


def test_intervals_are_quantiles_over_configurations():
    frame = rows()
    found = correlate(frame, ["bound"], ["loss_gap"], samples=300, level=0.8, seed=4)
    drawn = np.random.default_rng(4).integers(12, size=(300, 12))
    values = [
        stats.spearmanr(frame["bound"][d], frame["loss_gap"][d]).statistic
        for d in drawn
    ]
    row = found.rows[0]
    wanted = np.quantile(values, [0.1, 0.9])
    assert [row.spearman_low, row.spearman_high] == pytest.approx(wanted)
    kendalls = [
        stats.kendalltau(frame["bound"][d], frame["loss_gap"][d]).statistic
        for d in drawn
    ]
    wanted = np.quantile(kendalls, [0.1, 0.9])
    assert [row.kendall_low, row.kendall_high] == pytest.approx(wanted)


def test_few_points_are_tested_over_all_their_orders():
    five = [{"b": x, "g": x} for x in range(5)]
    row = correlate(five, ["b"], ["g"], samples=10).rows[0]
    assert row.spearman == 1 and row.p == pytest.approx(2 / 120)


def test_groups_and_their_mean():
    frame = rows()
    found = correlate(frame, ["bound"], ["loss_gap"], by=["dataset", "model"])
    assert [row.group for row in found.rows] == ["A, x"] * 3 + ["B, x"] * 3
    assert {row.n for row in found.rows} == {6}
    means = found.means().set_index("measure")
    own = [row.spearman for row in found.rows if row.measure == "bound"]
    assert means.loc["bound", "spearman"] == pytest.approx(np.mean(own))
    assert means.loc["bound", "groups"] == 2


@pytest.mark.parametrize(
    ("values", "n", "note"),
    [
        ([1.0, 2.0], 2, "n = 2: at least 3 are needed"),
        ([3.0] * 5, 5, "b constant"),
        ([1.0, None, math.nan, 2.0], 2, "n = 2: at least 3 are needed"),
    ],
)
def test_what_has_no_correlation_says_why(values, n, note):
    many = [{"b": value, "g": k} for k, value in enumerate(values)]
    row = correlate(many, ["b"], ["g"]).rows[0]
    assert row.n == n and row.note == note
    assert math.isnan(row.spearman) and math.isnan(row.kendall_low)
    assert correlate(many, ["b"], ["g"]).means()["groups"][0] == 0


def test_infinite_values_have_a_rank_and_missing_ones_are_left_out():
    values = [1.0, 2.0, math.inf, 3.0, None]
    many = [{"b": v, "g": g} for v, g in zip(values, (1, 2, 4, 3, 9), strict=True)]
    row = correlate(many, ["b"], ["g"], samples=200).rows[0]
    assert (row.spearman, row.kendall, row.n) == (1, 1, 4)
    assert math.isnan(row.pearson) and row.note == "1 without a number left out"


def test_baselines_are_those_that_are_there():
    frame = rows().drop(columns="num_layers")
    names = [row.measure for row in correlate(frame, ["bound"], ["loss_gap"]).rows]
    assert names == ["bound", "train_error"]
    own = correlate(frame, ["bound"], ["loss_gap"], baselines=["error_gap"]).rows
    assert [(r.measure, r.baseline) for r in own] == [
        ("bound", False),
        ("error_gap", True),
    ]


def test_equal_seeds_give_equal_bits():
    first, second = (correlate(rows(), ["bound"], samples=99, seed=1) for _ in range(2))
    assert first == second
    assert first != correlate(rows(), ["bound"], samples=99, seed=2)


def test_markdown():
    text = correlate(rows(), ["bound"], ["loss_gap"], samples=20).to_markdown()
    assert "*num_layers*" in text and "95% interval" in text
    assert len({line.count("|") for line in text.splitlines()}) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": []}, "rows must hold at least one configuration, got none"),
        ({"measures": ["W1"]}, "rows must have a column 'W1', got bound, loss_gap"),
        ({"gaps": ["gap"]}, "rows must have a column 'gap'"),
        ({"by": "size"}, "rows must have a column 'size'"),
        ({"measures": ["dataset"]}, "must hold numbers in column 'dataset', got 'A'"),
        ({"samples": 0}, "samples must be a whole number >= 1"),
        ({"level": 1.0}, "level must lie between 0 and 1, got 1.0"),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        correlate(**{"rows": rows(), "measures": ["bound"], **arguments})


#: Table 2 of Li et al. 2025: gap, bound and PAC-Bayes row for L = 1, ..., 6.
TABLE_2 = {
    "ENZYMES": (
        (0.248, 0.242, 0.237, 0.235, 0.256, 0.264),
        (7.926, 7.425, 6.513, 6.825, 6.384, 6.151),
        (3.48, 12.75, 56.98, 308.43, 1615.10, 8931.00),
    ),
    "PROTEINS": (
        (0.029, 0.032, 0.025, 0.027, 0.020, 0.030),
        (2.193, 1.404, 1.421, 1.434, 1.308, 1.340),
        (5.04, 31.94, 276.78, 2331.63, 17992.81, 135762.52),
    ),
    "MUTAG": (
        (-0.070, -0.074, -0.058, -0.073, -0.071, -0.078),
        (1.216, 1.247, 1.649, 1.535, 1.773, 1.627),
        (3.06, 8.17, 21.96, 57.69, 155.74, 410.31),
    ),
    "SIDER": (
        (0.037, 0.038, 0.038, 0.036, 0.035, 0.034),
        (0.511, 0.620, 0.409, 0.298, 0.369, 0.353),
        (52.39, 132.79, 341.04, 845.62, 2179.21, 5254.88),
    ),
    "BACE": (
        (0.018, 0.037, 0.032, 0.022, 0.020, 0.022),
        (1.479, 1.729, 1.789, 1.686, 1.662, 1.785),
        (21.525, 51.573, 124.605, 310.732, 744.08, 1860.94),
    ),
}


def test_table_2_of_the_paper_recomputed():
    """The paper's bound "strongly correlates" with the gap, by its own numbers."""
    table = [
        {"dataset": name, "gap": gap, "bound": bound, "PAC": pac, "num_layers": layers}
        for name, columns in TABLE_2.items()
        for layers, (gap, bound, pac) in enumerate(zip(*columns, strict=True), 1)
    ]
    found = correlate(table, ["bound", "PAC"], ["gap"], by="dataset", samples=10)
    by = {(row.group, row.measure): row for row in found.rows}

    def rounded(measure, kind):
        return [round(getattr(by[name, measure], kind), 2) for name in TABLE_2]

    assert rounded("bound", "pearson") == [-0.37, 0.27, 0.19, 0.66, 0.58]
    assert rounded("bound", "spearman") == [-0.49, 0.14, 0.14, 0.72, 0.78]
    assert rounded("PAC", "pearson") == [0.81, 0.22, -0.55, -0.89, -0.35]
    assert rounded("PAC", "spearman") == [0.43, -0.26, -0.49, -0.81, -0.03]
    assert all(row.p > 0.05 for row in found.rows if row.measure == "bound")
    pooled = correlate(table, ["bound"], ["gap"], samples=10).rows[0]
    assert (round(pooled.pearson, 2), round(pooled.spearman, 2)) == (0.87, 0.28)
