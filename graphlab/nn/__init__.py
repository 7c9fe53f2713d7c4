"""Layers and models, by the names the field knows them."""

from graphlab.nn import anchors, conv, models, norm
from graphlab.nn.anchors import *  # noqa: F403
from graphlab.nn.conv import *  # noqa: F403
from graphlab.nn.graph_classifier import GraphClassifier
from graphlab.nn.inverse import invert_residual
from graphlab.nn.linear import FeatureLinear, feature_dropout
from graphlab.nn.models import *  # noqa: F403
from graphlab.nn.norm import *  # noqa: F403

__all__ = [
    *anchors.__all__,
    *conv.__all__,
    *models.__all__,
    *norm.__all__,
    "FeatureLinear",
    "GraphClassifier",
    "feature_dropout",
    "invert_residual",
]
