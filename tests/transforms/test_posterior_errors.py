"""Bad arguments are answered with the argument's name and what is accepted."""

import pytest
import torch
from torch_geometric.data import Data

from graphlab.errors import ArgumentError
from graphlab.transforms import PosteriorLabelSmoothing, posterior_label_smoothing

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
Y = torch.tensor([0, 1, 1])
MASK = torch.tensor([True, True, False])

BAD_OPTIONS = [
    ("alpha", -0.1, "0 <= alpha <= 1"),
    ("alpha", 1.1, "0 <= alpha <= 1"),
    ("alpha", "0.5", "0 <= alpha <= 1"),
    ("alpha", float("nan"), "0 <= alpha <= 1"),
    ("beta", -1, "0 <= beta <= 1"),
    ("beta", 2, "0 <= beta <= 1"),
    ("temperature", 0.0, "> 0"),
    ("temperature", -1.0, "> 0"),
    ("temperature", float("inf"), "> 0"),
    ("pseudo_count", -1.0, ">= 0"),
    ("min_labelled", -1, "integer >= 0"),
    ("min_labelled", 1.5, "integer >= 0"),
    ("conditional", "edges", "'edge' or 'node'"),
    ("fallback", "uniform", "'one_hot' or 'prior'"),
    ("noise", "none", "'off_class' or 'uniform'"),
]
BAD_TENSORS = [
    ("edge_index", EDGES.t(), "shape [2, E]"),
    ("edge_index", EDGES.float(), "int64 or int32"),
    ("edge_index", EDGES.tolist(), "int64 or int32"),
    ("edge_index", torch.eye(3).to_sparse(), "sparse"),
    ("edge_index", EDGES + 1, "holds node 3"),
    ("edge_index", EDGES - 1, "holds node -1"),
    ("y", Y.float(), "integers, shape [N]"),
    ("y", Y.bool(), "integers, shape [N]"),
    ("y", Y.unsqueeze(1), "integers, shape [N]"),
    ("y", Y.tolist(), "integers, shape [N]"),
    ("y", torch.tensor([0, 2, 0]), "label 2 is out of range for num_classes=2"),
    ("y", torch.tensor([0, -2, 0]), "label -2 is out of range"),
    ("y", torch.tensor([[0.5, 0.7], [1, 0], [1, 0]]), "does not sum to 1"),
    ("y", torch.tensor([[1.5, -0.5], [1, 0], [1, 0]]), "negative"),
    ("y", torch.tensor([[float("inf"), 0.0], [1, 0], [1, 0]]), "does not sum to 1"),
    ("train_mask", MASK.long(), "bool"),
    ("train_mask", MASK[:2], "shape [N]"),
    ("train_mask", MASK.unsqueeze(1).expand(3, 10), "of several splits"),
    ("train_mask", torch.zeros(3, dtype=torch.bool), "at least one labelled"),
    ("num_classes", 0, "integer >= 1"),
    ("num_classes", 2.0, "integer >= 1"),
    ("pseudo_label", Y[:2], "shape [3]"),
    ("pseudo_label", Y.float(), "integer"),
    ("pseudo_label", torch.tensor([0, 0, 2]), "out of range"),
    ("edge_weight", torch.ones(3), "shape [4]"),
    ("edge_weight", -torch.ones(4), ">= 0"),
    ("edge_weight", torch.full((4,), float("nan")), "finite"),
]


@pytest.mark.parametrize("name, value, accepted", BAD_OPTIONS + BAD_TENSORS)
def test_error_names_argument_and_what_is_accepted(name, value, accepted):
    arguments = dict(edge_index=EDGES, y=Y, train_mask=MASK, num_classes=2)
    with pytest.raises(ArgumentError) as error:
        posterior_label_smoothing(**{**arguments, name: value})
    message = str(error.value)
    assert message.startswith(f"{name}: ")
    assert accepted in message
    assert "accepted" in message and "\n" not in message


def test_mask_with_missing_labels_only_is_an_error():
    with pytest.raises(ArgumentError, match="^train_mask: "):
        posterior_label_smoothing(EDGES, torch.full((3,), -1), MASK, 2)


def test_number_of_columns_must_fit_num_classes():
    with pytest.raises(ArgumentError, match="^num_classes: got 3 .* 2 columns"):
        posterior_label_smoothing(EDGES, torch.eye(2)[Y], MASK, 3)


@pytest.mark.parametrize("name, value, accepted", BAD_OPTIONS)
def test_transform_checks_its_options_when_made(name, value, accepted):
    with pytest.raises(ArgumentError, match=f"^{name}: "):
        PosteriorLabelSmoothing(**{name: value})


@pytest.mark.parametrize("name", ["edge_index", "y", "train_mask"])
def test_transform_names_what_the_data_lacks(name):
    parts = dict(edge_index=EDGES, y=Y, train_mask=MASK)
    del parts[name]
    with pytest.raises(ArgumentError, match=f"has no {name}"):
        PosteriorLabelSmoothing()(Data(**parts))
