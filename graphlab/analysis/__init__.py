"""What depth does to representations and gradients, for any model."""

from graphlab.analysis.cosine_similarity import mean_cosine_similarity
from graphlab.analysis.depth_plot import plot_depth, save_depth_plot
from graphlab.analysis.diagnose import Diagnosis, diagnose
from graphlab.analysis.dirichlet_energy import dirichlet_energy
from graphlab.analysis.distances import (
    distance_to_constant,
    distance_to_degree_subspace,
)
from graphlab.analysis.homomorphisms import rooted_homomorphism_counts
from graphlab.analysis.layers import find_layers
from graphlab.analysis.lipschitz import LipschitzProduct, lipschitz_product
from graphlab.analysis.profile import (
    LayerProfile,
    gradient_profile,
    representation_profile,
)
from graphlab.analysis.wl_colors import WLColors, wl_colors
from graphlab.analysis.wl_encoder import WLEncoder
from graphlab.analysis.wl_rounds import wl_rounds
from graphlab.ops.anchor_quality import AnchorQuality, anchor_quality

__all__ = [
    "AnchorQuality",
    "Diagnosis",
    "LayerProfile",
    "LipschitzProduct",
    "WLColors",
    "WLEncoder",
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
    "rooted_homomorphism_counts",
    "save_depth_plot",
    "wl_colors",
    "wl_rounds",
]
