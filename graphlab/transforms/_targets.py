"""From labels to soft targets: posterior, fall-back, noise, the node's own label."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ._checks import check_choice, check_count, check_number
from ._labels import Labels
from ._posterior import (
    chunks,
    class_prior,
    conditional,
    log_posterior,
    neighbour_counts,
)


@dataclass(frozen=True)
class Options:
    """Options of posterior label smoothing; checked when made."""

    alpha: float
    beta: float
    temperature: float
    min_labelled: int
    conditional: str
    fallback: str
    noise: str
    pseudo_count: float

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, 0, 1)
        check_number("beta", self.beta, 0, 1)
        check_number("temperature", self.temperature, 0, float("inf"), open_low=True)
        check_number("pseudo_count", self.pseudo_count, 0, float("inf"))
        check_count("min_labelled", self.min_labelled, 0)
        check_choice("conditional", self.conditional, ("edge", "node"))
        check_choice("fallback", self.fallback, ("one_hot", "prior"))
        check_choice("noise", self.noise, ("off_class", "uniform"))


def posterior_targets(
    edge_index: Tensor, labels: Labels, edge_weight: Tensor | None, options: Options
) -> Tensor:
    """Targets, float32 ``[N, C]``; the bare posterior for nodes without a label."""
    counts, degree = neighbour_counts(edge_index, labels, edge_weight)
    log_prior = class_prior(labels).log()
    pi = conditional(labels, counts, options.conditional, options.pseudo_count)
    out = torch.empty(counts.shape, dtype=torch.float32, device=counts.device)
    for nodes in chunks(counts.size(0), labels.num_classes):
        score = log_posterior(counts[nodes], log_prior, pi)
        posterior = torch.softmax(options.temperature * score, dim=1)
        own, true = labels.one_hot(nodes), labels.true[nodes].unsqueeze(1)
        posterior = torch.where(
            _has_posterior(score, degree[nodes], options.min_labelled),
            posterior,
            _fallback_rows(own, true, log_prior, options),
        )
        out[nodes] = torch.where(true, _mix(posterior, own, options), posterior).float()
    return out


def _has_posterior(score: Tensor, degree: Tensor, min_labelled: int) -> Tensor:
    """Rows with enough labelled neighbours and a class that is not ruled out."""
    possible = (score > float("-inf")).any(dim=1)
    return (possible & (degree >= min_labelled)).unsqueeze(1)


def _fallback_rows(
    own: Tensor, true: Tensor, log_prior: Tensor, options: Options
) -> Tensor:
    prior = torch.softmax(options.temperature * log_prior, dim=0)
    if options.fallback == "one_hot":
        return torch.where(true, own, prior)
    return prior.expand_as(own)


def _mix(posterior: Tensor, own: Tensor, options: Options) -> Tensor:
    """Noise and the node's own label, AAAI Eq. 4."""
    beta, num_classes = options.beta, own.size(1)
    if options.noise == "uniform":
        noisy = (posterior + beta / num_classes) / (1 + beta)
    elif num_classes == 1:
        noisy = posterior  # there is no other class to give noise to
    else:
        noisy = (1 - beta) * posterior + beta / (num_classes - 1) * (1 - own)
    return options.alpha * noisy + (1 - options.alpha) * own
