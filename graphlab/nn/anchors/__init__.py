"""The choice of anchors: by rules, or learned."""

from graphlab.nn.anchors.anchors import Anchors
from graphlab.nn.anchors.learned_anchors import LearnedAnchors
from graphlab.nn.anchors.selector import AnchorSelector

__all__ = ["AnchorSelector", "Anchors", "LearnedAnchors"]
