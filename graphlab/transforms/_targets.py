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
        score = options.temperature * log_posterior(counts[nodes], log_prior, pi)
        best = score.amax(dim=1, keepdim=True)
        # Relative to the row's best class float32 is enough. Torch's softmax over the
        # last of two dimensions is many times slower when there are few classes.
        posterior = (score - best).float().exp_()
        posterior /= posterior.sum(dim=1, keepdim=True)
        own, true = labels.one_hot(nodes).float(), labels.true[nodes].unsqueeze(1)
        valid = (best > float("-inf")) & (degree[nodes, None] >= options.min_labelled)
        fallback = _fallback_rows(own, true, log_prior, options)
        posterior = torch.where(valid, posterior, fallback)
        out[nodes] = torch.where(true, _mix(posterior, own, options), posterior)
    return out


def _fallback_rows(
    own: Tensor, true: Tensor, log_prior: Tensor, options: Options
) -> Tensor:
    prior = torch.softmax(options.temperature * log_prior, dim=0).float()
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
