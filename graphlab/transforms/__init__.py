"""Transforms in PyG's sense: Data in, Data out; and their functional forms.

Feature normalisation is PyG's own ``torch_geometric.transforms.NormalizeFeatures``, and
the loss on soft targets is :func:`torch.nn.functional.cross_entropy`, which takes
probabilities.
"""

from .anchor_distance_pe import AddAnchorDistancePE
from .label_smoothing import LabelSmoothing, label_smoothing
from .node_features import NodeFeatures
from .official_pairs import official_auc_cap
from .posterior_label_smoothing import (
    PosteriorLabelSmoothing,
    posterior_label_smoothing,
)
from .random_pair_split import RandomPairSplit

__all__ = [
    "AddAnchorDistancePE",
    "LabelSmoothing",
    "NodeFeatures",
    "PosteriorLabelSmoothing",
    "RandomPairSplit",
    "label_smoothing",
    "official_auc_cap",
    "posterior_label_smoothing",
]
