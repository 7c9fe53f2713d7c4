"""What depth does to representations and gradients, for any model."""

from graphlab.analysis.concentration import concentration
from graphlab.analysis.cosine_similarity import mean_cosine_similarity
from graphlab.analysis.depth_plot import plot_depth, save_depth_plot
from graphlab.analysis.diagnose import Diagnosis, diagnose
from graphlab.analysis.dirichlet_energy import dirichlet_energy
from graphlab.analysis.distances import (
    distance_to_constant,
    distance_to_degree_subspace,
)
from graphlab.analysis.embedding_distances import distance_blocks, pairwise_distances
from graphlab.analysis.homomorphisms import rooted_homomorphism_counts
from graphlab.analysis.k_variance import KVariance, effective_dimension, k_variance
from graphlab.analysis.layers import find_layers
from graphlab.analysis.lipschitz import LipschitzProduct, lipschitz_product
from graphlab.analysis.lipschitz_factor import LipschitzFactor, lipschitz_factor
from graphlab.analysis.margin_lipschitz import margin_lipschitz
from graphlab.analysis.margins import margins
from graphlab.analysis.profile import (
    LayerProfile,
    gradient_profile,
    representation_profile,
)
from graphlab.analysis.separation import separation
from graphlab.analysis.wasserstein import wasserstein
from graphlab.analysis.wl_colors import WLColors, wl_colors
from graphlab.analysis.wl_encoder import WLEncoder
from graphlab.analysis.wl_rounds import wl_rounds
from graphlab.ops.anchor_quality import AnchorQuality, anchor_quality

__all__ = [
    "AnchorQuality",
    "Diagnosis",
    "KVariance",
    "LayerProfile",
    "LipschitzFactor",
    "LipschitzProduct",
    "WLColors",
    "WLEncoder",
    "anchor_quality",
    "concentration",
    "diagnose",
    "dirichlet_energy",
    "distance_blocks",
    "distance_to_constant",
    "distance_to_degree_subspace",
    "effective_dimension",
    "find_layers",
    "gradient_profile",
    "k_variance",
    "lipschitz_factor",
    "lipschitz_product",
    "margin_lipschitz",
    "margins",
    "mean_cosine_similarity",
    "pairwise_distances",
    "plot_depth",
    "representation_profile",
    "rooted_homomorphism_counts",
    "save_depth_plot",
    "separation",
    "wasserstein",
    "wl_colors",
    "wl_rounds",
]
