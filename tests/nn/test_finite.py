"""Refusing features that are not finite."""

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.nn import LipschitzResGNN, ReverseGCN, ReverseGRAND
from graphlab.nn.finite import require_finite
from graphlab.ops import sparse_features

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])


def test_the_first_row_is_named():
    x = torch.ones(4, 3)
    require_finite("x", x)
    x[2, 1], x[3, 0] = torch.nan, torch.inf
    with pytest.raises(ArgumentError, match="x must be finite, got 2 .* in row 2"):
        require_finite("x", x)


@pytest.mark.parametrize("form", [lambda x: x, sparse_features])
def test_stored_values_count(form):
    x = torch.eye(3)
    x[1, 1] = torch.inf
    with pytest.raises(ArgumentError, match="got 1 NaN or infinite"):
        require_finite("x", form(x.to_sparse_csr()))


def test_features_that_are_mapped_over_are_let_through():
    def call(x):
        require_finite("x", x)
        return x

    assert torch.func.vmap(call)(torch.full((2, 3), torch.nan)).isnan().all()


@pytest.mark.parametrize(
    "model",
    [
        LipschitzResGNN(4, 8, 2),
        ReverseGCN(4, 8, 2, 2, 2),
        ReverseGRAND(4, 8, 2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_deep_models_refuse_nan(model):
    x = torch.ones(3, 4)
    x[1, 2] = torch.nan
    with pytest.raises(ArgumentError, match="x must be finite"):
        model(x, EDGES)
