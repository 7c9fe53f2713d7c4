import pytest

from graphlab.benchmark.report.effects import effects, is_baseline
from graphlab.benchmark.report.results import CellResult

BASE = [0.79, 0.80, 0.81, 0.80, 0.78, 0.82, 0.80, 0.79, 0.81, 0.80]


def shifted(by, step=0.001):
    return [a + by + step * (k % 3) for k, a in enumerate(BASE)]


@pytest.fixture
def compare(cell, runs):
    """Effect of one method against none from two lists of accuracies."""

    def make(ours, theirs=BASE, ours_changes=None, **run_changes):
        base, method = cell(), cell("LS", **(ours_changes or {}))
        results = [
            CellResult(base, tuple(runs(base, theirs))),
            CellResult(method, tuple(runs(method, ours, **run_changes))),
        ]
        (effect,) = effects(results)
        return effect

    return make


def test_gain_and_loss(compare):
    gain, loss = compare(shifted(0.02)), compare(shifted(-0.02, -0.001))
    assert (gain.kind, loss.kind) == ("gain", "loss")
    assert gain.paired.mean == pytest.approx(2.09)  # 2 points and .1 * 9 / 10
    assert gain.holm == gain.paired.p == pytest.approx(2 / 2**10)
    assert (gain.paired.wins, gain.paired.losses) == (10, 0)
    assert str(gain) == "gain"


def test_undetected_names_what_would_be_seen(compare):
    effect = compare([a + 0.01 * (-1) ** k for k, a in enumerate(BASE)])
    assert effect.kind == "no difference detected"
    # s = 1.054 points, n = 10: 0.996 * 1.054.
    assert str(effect).endswith("(smaller than 1.05 points would not be seen)")


def test_identical_runs(compare):
    assert str(compare(BASE)) == "identical (in 10 runs)"


def test_few_pairs_fall_back_on_the_interval(compare):
    few = compare(shifted(0.02)[:3], BASE[:3])
    assert few.paired.p is None and few.holm is None
    assert str(few) == "gain (by the interval alone, 3 pairs)"
    equal = compare([0.9, 0.8, 0.7], [0.8, 0.7, 0.6])
    assert str(equal) == "no difference detected (3 equal differences cannot tell)"
    assert str(compare([0.9], [0.8])) == "no difference detected (1 pair cannot tell)"


def test_pairs_are_matched_by_run_index(cell, runs):
    base, method = cell(), cell("LS")
    theirs = tuple(runs(base, BASE))
    ours = tuple(runs(method, shifted(0.02)))[4:7]
    (effect,) = effects([CellResult(base, theirs), CellResult(method, ours)])
    assert effect.pairs == pytest.approx((2.1, 2.2, 2.0))


def test_other_splits_do_not_pair(compare):
    effect = compare(shifted(0.02), split_checksum="another split")
    assert str(effect) == ("not compared (no run shares its split with the baseline)")


def test_profiles_do_not_mix(compare):
    effect = compare(shifted(0.02), ours_changes={"profile": "quick"})
    assert effect.kind == "not compared" and "full profile" in str(effect)


def test_without_a_baseline_nothing_is_claimed(cell, runs):
    method = cell("LS")
    (effect,) = effects([CellResult(method, tuple(runs(method, BASE)))])
    assert str(effect) == "not compared (the baseline was not run)"


def test_baseline_is_of_the_same_model_dataset_and_split(cell, runs):
    method = cell("LS")
    others = [cell(model_name="GAT"), cell(dataset="Texas"), cell(split="other")]
    results = [CellResult(c, tuple(runs(c, BASE))) for c in [*others, method]]
    assert effects(results)[0].kind == "not compared"


def test_correction_over_the_table_weakens_the_words(cell, runs):
    """Thirty comparisons of ten pairs: 30 * .002 > .05, though all ten runs agree."""
    results = []
    for k in range(30):
        for label, values in (("none", BASE), ("LS", shifted(0.02))):
            c = cell(label, dataset=f"data{k}")
            results.append(CellResult(c, tuple(runs(c, values))))
    found = effects(results)
    assert {str(e) for e in found} == {"uncorrected gain (not after Holm's correction)"}
    assert found[0].holm == pytest.approx(30 * 2 / 2**10)


def test_a_gain_up_to_a_constant_prediction_says_so(compare):
    effect = compare(shifted(0.02), constant_majority=0.9)
    assert str(effect) == "gain (yet not above the constant majority)"


def test_different_training_is_reported(compare):
    effect = compare(shifted(0.02), ours_changes={"training": {"lr": 0.1}})
    assert effect.apart == (
        "training.epochs: the default instead of 1000",
        "training.lr: 0.1 instead of the default",
    )


def test_baseline_by_function_or_name(cell):
    assert is_baseline(cell("none"))
    assert is_baseline(cell("none", label_name="plain"))
    assert not is_baseline(cell("LS"))
