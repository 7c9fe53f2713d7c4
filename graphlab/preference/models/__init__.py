"""Models of who prefers what, one per file."""

from graphlab.preference.models.base import PreferenceModel, Regularizer
from graphlab.preference.models.bradley_terry import BradleyTerry
from graphlab.preference.models.copl_gcf import CoPLGCF
from graphlab.preference.models.light_gcn import LightGCN
from graphlab.preference.models.mf_bpr import MFBPR
from graphlab.preference.models.signed_light_gcn import SignedLightGCN

__all__ = [
    "BradleyTerry",
    "CoPLGCF",
    "LightGCN",
    "MFBPR",
    "PreferenceModel",
    "Regularizer",
    "SignedLightGCN",
]
