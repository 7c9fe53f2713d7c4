import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as sps

from graphlab.benchmark import stats
from graphlab.errors import ArgumentError

NAN = math.nan
TEN = [0.852, 0.836, 0.820, 0.803, 0.787, 0.754, 0.803, 0.754, 0.803, 0.820]
fractions = st.lists(
    st.floats(0, 1, allow_nan=False, width=32), min_size=2, max_size=12
)


def test_mean_and_unbiased_std_by_hand():
    assert stats.mean([1, 2, 3, 6]) == 3
    assert stats.std([1, 2, 3, 6]) == pytest.approx(math.sqrt(14 / 3))


def test_one_value_has_a_mean_but_no_spread():
    one = stats.summarize([0.5])
    assert (one.n, one.mean) == (1, 0.5)
    assert all(math.isnan(v) for v in (one.std, one.low, one.high, one.half_width))


def test_no_values_give_nothing_but_nan():
    for values in ([], [NAN], [math.inf, NAN]):
        none = stats.summarize(values)
        assert none.n == 0 and none.excluded == len(values)
        assert math.isnan(none.mean) and math.isnan(none.std)


@given(st.floats(0, 1), st.integers(2, 12))
def test_identical_values_have_zero_spread_exactly(value, n):
    same = stats.summarize([value] * n)
    assert (same.mean, same.std, same.low, same.high) == (value, 0.0, value, value)
    assert same.half_width == 0


def test_nan_runs_are_excluded_and_counted():
    with_nan = stats.summarize([0.2, NAN, 0.4, math.inf])
    assert (with_nan.n, with_nan.excluded) == (2, 2)
    assert with_nan.mean == pytest.approx(0.3)
    assert with_nan.std == pytest.approx(stats.std([0.2, 0.4]))


@settings(max_examples=50, deadline=None)
@given(fractions)
def test_summary_laws(values):
    summary = stats.summarize(values)
    assert min(values) - 1e-12 <= summary.low <= summary.mean + 1e-9
    assert summary.mean - 1e-9 <= summary.high <= max(values) + 1e-12
    assert summary.std == pytest.approx(np.std(values, ddof=1), abs=1e-12)
    assert summary == stats.summarize(values[::-1]), "the order of runs matters"


def test_bootstrap_agrees_with_scipy():
    ours = stats.bootstrap_interval(TEN, draws=20_000)
    oracle = sps.bootstrap(
        (TEN,), np.mean, n_resamples=20_000, method="percentile", rng=1
    ).confidence_interval
    assert ours == pytest.approx((oracle.low, oracle.high), abs=1e-3)


def test_half_width_is_the_one_the_paper_prints():
    # The constant classifier on Cornell; the paper prints 80.33 with 1.80, 1.81, 1.97.
    cornell = np.array([52, 51, 50, 49, 48, 46, 49, 46, 49, 50]) / 61
    assert stats.mean(cornell) == pytest.approx(0.8033, abs=5e-5)
    assert 0.0175 < stats.half_width(cornell) < 0.0200


def test_half_width_is_the_larger_half():
    skewed = [0.0, 0.0, 0.0, 0.0, 1.0]
    low, high = stats.bootstrap_interval(skewed, draws=1000)
    assert stats.half_width(skewed) == pytest.approx(high - 0.2)
    assert high - 0.2 > 0.2 - low


def test_bootstrap_is_seeded():
    assert stats.bootstrap_interval(TEN) == stats.bootstrap_interval(TEN)
    assert stats.bootstrap_interval(TEN, draws=99, seed=1) != stats.bootstrap_interval(
        TEN, draws=99, seed=2
    )


@settings(max_examples=30, deadline=None)
@given(fractions.filter(lambda v: np.ptp(v) > 1e-3))
def test_student_interval_agrees_with_scipy(values):
    oracle = sps.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=sps.sem(values)
    )
    assert stats.student_interval(values) == pytest.approx(oracle)


def brute_force_wilcoxon(differences):
    """Share of the 2^n sign patterns at least as extreme as the observed one."""
    nonzero = [d for d in differences if d]
    ranks = sps.rankdata(np.abs(nonzero))
    centre = ranks.sum() / 2
    observed = abs(
        sum(r for r, d in zip(ranks, nonzero, strict=True) if d > 0) - centre
    )
    patterns = itertools.product([0, 1], repeat=len(nonzero))
    hits = [abs(np.dot(p, ranks) - centre) >= observed - 1e-9 for p in patterns]
    return np.mean(hits)


@pytest.mark.parametrize(
    "differences",
    [
        [1, 2, 3, 4, 5, 6],
        [1, -2, 3, 4, 5, -6, 7],
        [1, 1, 1, 2, 2, -1, 3],
        [1, 0, 0, 2, 3, -4, 5, 6, 6],
        [0.85 - 0.83, 0.80 - 0.78, 0.03, 0.5, 0.4, -0.02],
    ],
)
def test_wilcoxon_is_exact_for_few_pairs(differences):
    expected = brute_force_wilcoxon(np.round(differences, 12))
    assert stats.wilcoxon(differences) == pytest.approx(expected)


def test_wilcoxon_of_six_wins_is_two_in_sixty_four():
    assert stats.wilcoxon([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 64)


@pytest.mark.parametrize("n", [6, 20, 50, 60])
def test_wilcoxon_agrees_with_scipy_without_ties(n):
    d = np.random.default_rng(n).normal(0.3, 1, n)
    method = "exact" if n <= 50 else "approx"
    assert stats.wilcoxon(d) == pytest.approx(sps.wilcoxon(d, method=method).pvalue)


def test_wilcoxon_agrees_with_scipy_permutations_on_ties():
    d = np.round(np.random.default_rng(0).normal(0.01, 0.02, 10), 2)
    assert len(set(np.abs(d))) < len(d)
    every = sps.PermutationMethod(n_resamples=2**12)
    oracle = sps.wilcoxon(d[d != 0], method=every).pvalue
    assert stats.wilcoxon(d) == pytest.approx(oracle)


def test_no_wilcoxon_without_enough_pairs_or_differences():
    assert stats.wilcoxon([1, 2, 3, 4, 5]) is None
    assert stats.wilcoxon([0] * 10) is None
    assert stats.wilcoxon([]) is None


def test_holm_by_hand():
    # Sorted .01 .02 .03 .04: times 4, 3, 2, 1, made monotone.
    assert stats.holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx(
        [0.06, 0.04, 0.06, 0.06]
    )


def test_holm_ignores_missing_tests_and_stays_below_one():
    assert stats.holm([None, 0.6, 0.9, None]) == [None, 1.0, 1.0, None]
    assert stats.holm([]) == []
    assert stats.holm([0.02, None]) == [0.02, None]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_laws(p_values):
    adjusted = stats.holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
def test_detectable_effect_has_the_promised_power(n):
    effect = stats.minimum_detectable_effect(2.0, n)
    critical = sps.t.ppf(0.975, n - 1)
    # Power from its definition: T = (Z + shift) / sqrt(chi2 / (n-1)).
    rng = np.random.default_rng(0)
    z = rng.standard_normal(200_000) + effect * math.sqrt(n) / 2.0
    t = z / np.sqrt(rng.chisquare(n - 1, 200_000) / (n - 1))
    assert np.mean(np.abs(t) > critical) == pytest.approx(0.8, abs=0.005)


def test_detectable_effect_known_value():
    # Standard tables: n = 10 pairs find d = 0.996 standard deviations.
    assert stats.minimum_detectable_effect(1.0, 10) == pytest.approx(0.996, abs=1e-3)


def test_detectable_effect_corner_cases():
    assert math.isnan(stats.minimum_detectable_effect(1.0, 1))
    assert math.isnan(stats.minimum_detectable_effect(NAN, 10))
    assert stats.minimum_detectable_effect(0.0, 10) == 0
    with pytest.raises(ArgumentError, match="alpha < power"):
        stats.minimum_detectable_effect(1.0, 10, power=0.01)


def test_paired_difference_by_hand():
    paired = stats.paired_difference([0.9, 0.8, 0.7, NAN], [0.8, 0.8, 0.8, 0.5])
    assert (paired.n, paired.excluded) == (3, 1)
    assert (paired.wins, paired.losses, paired.ties) == (1, 1, 1)
    assert paired.mean == pytest.approx(0)
    assert paired.std == pytest.approx(0.1)
    reach = 4.302652729911275 * 0.1 / math.sqrt(3)  # t quantile of 2 degrees of freedom
    assert (paired.low, paired.high) == pytest.approx((-reach, reach))
    assert paired.p is None


def test_rounding_noise_is_a_tie():
    paired = stats.paired_difference([0.1 + 0.2], [0.3])
    assert (paired.wins, paired.losses, paired.ties) == (0, 0, 1)


@settings(max_examples=30, deadline=None)
@given(fractions, st.randoms(use_true_random=False))
def test_paired_difference_is_antisymmetric(a, random):
    b = [random.random() for _ in a]
    there, back = stats.paired_difference(a, b), stats.paired_difference(b, a)
    assert (there.wins, there.losses) == (back.losses, back.wins)
    assert there.mean == pytest.approx(-back.mean)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p == (back.p if back.p is None else pytest.approx(back.p))


def test_bad_arguments_name_what_is_accepted():
    with pytest.raises(ArgumentError, match="pair up"):
        stats.paired_difference([1.0], [1.0, 2.0])
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        stats.bootstrap_interval(TEN, confidence=95)
    with pytest.raises(ArgumentError, match="positive"):
        stats.bootstrap_interval(TEN, draws=0)


@pytest.mark.parametrize(
    "module", ["graphlab.benchmark.stats", "graphlab.benchmark.report"]
)
def test_import_leaves_torch_out(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
