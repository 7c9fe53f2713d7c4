"""Generalization bounds, each with all of its terms and assumptions."""

from graphlab.analysis.bounds.bound import Assumption, Bound
from graphlab.analysis.bounds.hessian_traces import hessian_traces
from graphlab.analysis.bounds.k_variance_bound import k_variance_bound
from graphlab.analysis.bounds.kv_margin import kv_margin
from graphlab.analysis.bounds.ledger import Ledger, ledger
from graphlab.analysis.bounds.network_norms import NetworkNorms, network_norms
from graphlab.analysis.bounds.pac_bayes_ju import pac_bayes_ju
from graphlab.analysis.bounds.pac_bayes_liao import pac_bayes_liao
from graphlab.analysis.bounds.pac_bayes_paper import pac_bayes_paper
from graphlab.analysis.bounds.pac_hessian import pac_hessian
from graphlab.analysis.bounds.rademacher_colors import rademacher_colors
from graphlab.analysis.bounds.rademacher_garg import rademacher_garg
from graphlab.analysis.bounds.sample import GraphSample
from graphlab.analysis.bounds.transductive_ot_bound import transductive_ot_bound
from graphlab.analysis.bounds.vc_bound import vc_bound
from graphlab.analysis.bounds.wl_margin_bound import wl_margin_bound

__all__ = [
    "Assumption",
    "Bound",
    "GraphSample",
    "Ledger",
    "NetworkNorms",
    "hessian_traces",
    "k_variance_bound",
    "kv_margin",
    "ledger",
    "network_norms",
    "pac_bayes_ju",
    "pac_bayes_liao",
    "pac_bayes_paper",
    "pac_hessian",
    "rademacher_colors",
    "rademacher_garg",
    "transductive_ot_bound",
    "vc_bound",
    "wl_margin_bound",
]
