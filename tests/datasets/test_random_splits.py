import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.datasets.random_splits import (
    SEEDS,
    bernnet_split,
    planetoid_like_split,
    stratified_split,
)
from graphlab.errors import SplitError


def slow_bernnet(y, num_classes, seed):
    """The split as the papers describe it, with lists and in quadratic time."""
    random = np.random.RandomState(seed)
    per_class = int(round(0.6 * len(y) / num_classes))
    train = []
    for c in range(num_classes):
        members = np.array([i for i in range(len(y)) if y[i] == c], dtype=int)
        if len(members) < per_class:
            train += list(members)
        else:
            train += list(random.choice(members, per_class, replace=False))
    rest = [i for i in range(len(y)) if i not in train]
    val = list(random.choice(rest, int(round(0.2 * len(y))), replace=False))
    test = [i for i in rest if i not in val]
    return train, val, test


def assert_equals_slow_form(y, num_classes, seed):
    fast = bernnet_split(y, num_classes, seed)
    for mask, index in zip(fast, slow_bernnet(y, num_classes, seed), strict=True):
        assert np.flatnonzero(mask).tolist() == sorted(index)


def labels(min_size):
    """Label vectors with minority classes, absent classes and any order."""
    weights = st.lists(st.integers(0, 30), min_size=2, max_size=7)
    return st.builds(
        lambda counts, seed: np.random.RandomState(seed).permutation(
            np.repeat(np.arange(len(counts)), counts)
        ),
        weights,
        st.integers(0, 2**32 - 1),
    ).filter(lambda y: len(y) >= min_size)


@settings(max_examples=60, deadline=None)
@given(y=labels(8), seed=st.sampled_from(SEEDS), absent=st.integers(0, 2))
def test_bernnet_split_equals_the_slow_form_bit_for_bit(y, seed, absent):
    num_classes = int(y.max()) + 1 + absent
    try:
        bernnet_split(y, num_classes, seed)
    except SplitError:
        return
    assert_equals_slow_form(y, num_classes, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_bernnet_split_with_the_class_sizes_of_texas(seed):
    y = np.random.RandomState(0).permutation(np.repeat(range(5), [33, 1, 18, 101, 30]))
    assert_equals_slow_form(y, 5, seed)
    train, val, test = bernnet_split(y, 5, seed)
    assert np.bincount(y[train]).tolist() == [22, 1, 18, 22, 22]
    assert (val.sum(), test.sum()) == (37, 61)


def test_bernnet_split_is_linear():
    """A million nodes in seconds; the slow form would take days."""
    y = np.random.RandomState(0).randint(10, size=1_000_000)
    train, val, test = bernnet_split(y, 10, SEEDS[0])
    assert (train | val | test).all() and train.sum() + val.sum() + test.sum() == len(y)


def test_bernnet_split_says_when_nothing_is_left_for_the_test():
    with pytest.raises(SplitError, match="0 nodes are left beside training"):
        bernnet_split(np.array([0, 1, 2, 3]), 4, SEEDS[0])


@settings(max_examples=60, deadline=None)
@given(y=labels(1), seed=st.integers(0, 100))
def test_stratified_split_cuts_every_class(y, seed):
    train, val, test = stratified_split(y, int(y.max()) + 1, seed)
    assert (train.astype(int) + val + test == 1).all()
    for label in np.unique(y):
        n, members = (y == label).sum(), y == label
        assert train[members].sum() == round(0.6 * n)
        assert (train | val)[members].sum() == round(0.8 * n)
        if n >= 4:
            assert min(mask[members].sum() for mask in (train, val, test)) >= 1


@pytest.mark.parametrize(
    ("size", "parts"), [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (2, 0, 1)), (4, (2, 1, 1))]
)
def test_stratified_split_of_tiny_classes(size, parts):
    masks = stratified_split(np.zeros(size, dtype=int), 1, 0)
    assert tuple(mask.sum() for mask in masks) == parts


def test_planetoid_like_split_has_the_public_sizes():
    y = np.random.RandomState(0).randint(4, size=2000)
    train, val, test = planetoid_like_split(y, 4, SEEDS[0])
    assert np.bincount(y[train]).tolist() == [20] * 4
    assert (val.sum(), test.sum(), (train & (val | test)).sum()) == (500, 1000, 0)


def test_planetoid_like_split_needs_nodes():
    with pytest.raises(SplitError, match="class 1 has 3 nodes"):
        planetoid_like_split(np.repeat([0, 1], [3000, 3]), 2, 0)
    with pytest.raises(SplitError, match="1500 are needed"):
        planetoid_like_split(np.repeat([0, 1], [500, 500]), 2, 0)


def test_seeds_differ_and_give_different_splits():
    y = np.repeat(range(3), 50)
    for draw in (bernnet_split, stratified_split):
        tests = {draw(y, 3, seed)[2].tobytes() for seed in SEEDS}
        assert len(tests) == len(SEEDS) == 10
