"""What depth does to representations and gradients, for any model."""

from graphlab.analysis.cosine_similarity import mean_cosine_similarity
from graphlab.analysis.depth_plot import plot_depth, save_depth_plot
from graphlab.analysis.diagnose import Diagnosis, diagnose
from graphlab.analysis.dirichlet_energy import dirichlet_energy
from graphlab.analysis.distances import (
    distance_to_constant,
    distance_to_degree_subspace,
)
from graphlab.analysis.layers import find_layers
from graphlab.analysis.lipschitz import LipschitzProduct, lipschitz_product
from graphlab.analysis.profile import (
    LayerProfile,
    gradient_profile,
    representation_profile,
)
from graphlab.ops.anchor_quality import AnchorQuality, anchor_quality

__all__ = [
    "AnchorQuality",
    "Diagnosis",
    "LayerProfile",
    "LipschitzProduct",
    "anchor_quality",
    "diagnose",
    "dirichlet_energy",
    "distance_to_constant",
    "distance_to_degree_subspace",
    "find_layers",
    "gradient_profile",
    "lipschitz_product",
    "mean_cosine_similarity",
    "plot_depth",
    "representation_profile",
    "save_depth_plot",
]
