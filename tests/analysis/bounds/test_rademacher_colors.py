"""The bound of colour groups against the complexity of all functions on them."""

import itertools
import math

import numpy as np
import pytest

from graphlab.analysis import rademacher_colors
from graphlab.errors import ArgumentError


def exact_complexity(cells):
    """Over all signs: of functions with values in [0, 1], constant on cells."""
    m, total = len(cells), 0.0
    for signs in itertools.product((-1, 1), repeat=m):
        sums = np.bincount(cells, weights=signs)
        total += np.maximum(sums, 0).sum()  # 1 where it pays, else 0
    return total / 2**m / m


@pytest.mark.parametrize("groups", [1, 3, 5, 12])
def test_formula_and_what_it_bounds(make_sample, groups):
    sample = make_sample(groups=groups)
    rows = np.column_stack([sample.histograms.toarray(), sample.y])
    _, cells, sizes = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    found = rademacher_colors(sample, delta=0.2)
    assert found.terms["p"] == len(sizes)
    assert found.terms["largest group"] == sizes.max()
    assert found.terms["complexity term"] == pytest.approx(np.sqrt(sizes).sum() / 12)
    assert found.terms["confidence term"] == 3 * math.sqrt(math.log(10) / 24)
    assert found.value == sum(found.terms[part] for part in found.parts)
    twice = 2 * exact_complexity(cells.ravel())
    assert twice <= found.terms["complexity term"] + 1e-12
    assert twice > 0.7 * found.terms["complexity term"]
    assert found.terms["complexity term"] <= math.sqrt(len(sizes) / 12) + 1e-12


def test_finer_colours_cost(make_sample):
    values = [rademacher_colors(make_sample(groups=g)).value for g in (1, 2, 4, 12)]
    assert values == sorted(values) and len(set(values)) == 4


def test_it_is_certified_where_the_architecture_says_so(make_sample):
    many = {
        "sizes": (400, 400),
        "groups": 3,
        "logits": np.eye(2)[[0] * 400 + [1] * 400],
    }
    for known, status in ((True, "certified"), (None, "heuristic")):
        sample = make_sample(**many, encoder_bounds_model=known)
        # Three histograms, two classes, and a model that knows the class all the same.
        found = rademacher_colors(sample)
        assert found.value == pytest.approx(
            math.sqrt(6 / 800) + found.terms["confidence term"], rel=1e-2
        )
        assert found.assumptions[0].holds is False  # the model tells equal graphs apart
        assert found.status == "heuristic"
        fair = make_sample(
            **{**many, "logits": np.eye(2)[np.arange(800) % 3 % 2]},
            encoder_bounds_model=known,
        )
        assert rademacher_colors(fair).status == status


def test_advice_says_how_many_graphs(make_sample):
    found = rademacher_colors(make_sample())
    need = int(found.advice[-1].split(" came, ")[1].split()[0])
    scale = found.terms["complexity term"] * math.sqrt(12)

    def value(m):
        return scale / math.sqrt(m) + 3 * math.sqrt(math.log(20) / (2 * m))

    room = 1 - found.empirical_risk
    assert value(need) < room <= value(need - 1)


def test_what_is_wrong_is_named(make_sample):
    with pytest.raises(ArgumentError, match="delta must lie strictly between 0 and 1"):
        rademacher_colors(make_sample(), delta=1.5)
