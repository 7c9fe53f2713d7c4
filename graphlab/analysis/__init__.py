"""What a model does with depth, and what bounds say of its generalization."""

from graphlab.analysis.bound_plot import (
    plot_bound_against_gap,
    plot_bound_terms,
    save_bound_plot,
)
from graphlab.analysis.bounds import (
    Assumption,
    Bound,
    GraphSample,
    Ledger,
    NetworkNorms,
    hessian_traces,
    k_variance_bound,
    kv_margin,
    ledger,
    network_norms,
    pac_bayes_ju,
    pac_bayes_liao,
    pac_bayes_paper,
    pac_hessian,
    rademacher_colors,
    rademacher_garg,
    transductive_ot_bound,
    vc_bound,
    wl_margin_bound,
)
from graphlab.analysis.concentration import concentration
from graphlab.analysis.correlate import Correlation, Correlations, correlate
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
from graphlab.analysis.margin_lipschitz import (
    margin_gradient_norms,
    margin_lipschitz,
)
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
    "Assumption",
    "Bound",
    "Correlation",
    "Correlations",
    "Diagnosis",
    "GraphSample",
    "KVariance",
    "LayerProfile",
    "Ledger",
    "LipschitzFactor",
    "LipschitzProduct",
    "NetworkNorms",
    "WLColors",
    "WLEncoder",
    "anchor_quality",
    "concentration",
    "correlate",
    "diagnose",
    "dirichlet_energy",
    "distance_blocks",
    "distance_to_constant",
    "distance_to_degree_subspace",
    "effective_dimension",
    "find_layers",
    "gradient_profile",
    "hessian_traces",
    "k_variance",
    "k_variance_bound",
    "kv_margin",
    "ledger",
    "lipschitz_factor",
    "lipschitz_product",
    "margin_gradient_norms",
    "margin_lipschitz",
    "margins",
    "mean_cosine_similarity",
    "network_norms",
    "pac_bayes_ju",
    "pac_bayes_liao",
    "pac_bayes_paper",
    "pac_hessian",
    "pairwise_distances",
    "plot_bound_against_gap",
    "plot_bound_terms",
    "plot_depth",
    "rademacher_colors",
    "rademacher_garg",
    "representation_profile",
    "rooted_homomorphism_counts",
    "save_bound_plot",
    "save_depth_plot",
    "separation",
    "transductive_ot_bound",
    "vc_bound",
    "wasserstein",
    "wl_colors",
    "wl_margin_bound",
    "wl_rounds",
]
