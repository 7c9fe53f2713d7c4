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
        enough = degree[nodes] >= options.min_labelled
        out[nodes] = _target_rows(
            score, enough, labels.one_hot(nodes), labels.true[nodes], log_prior, options
        )
    return out


def _target_rows(
    score: Tensor,
    enough: Tensor,
    own: Tensor,
    true: Tensor,
    log_prior: Tensor,
    options: Options,
) -> Tensor:
    """Targets of some nodes, given their log posterior and label rows ``[n, C]``."""
    score = score.mul_(options.temperature)
    best = score.amax(dim=1, keepdim=True)
    # Relative to the row's best class float32 is enough. Torch's softmax over the last
    # of two dimensions is many times slower when there are few classes.
    posterior = score.sub_(best).float().exp_()
    posterior /= posterior.sum(dim=1, keepdim=True)

    own = own.float()
    possible = best.squeeze(1) > float("-inf")
    fallen = (~(enough & possible)).nonzero().squeeze(1)
    posterior[fallen] = _fallback_rows(own[fallen], true[fallen], log_prior, options)

    bare = (~true).nonzero().squeeze(1)
    bare_rows = posterior[bare]
    shares = _mixing_shares(own.size(1), options)
    target = posterior.mul_(shares[0]).add_(shares[1]).add_(own, alpha=shares[2])
    target[bare] = bare_rows
    return target


def _fallback_rows(
    own: Tensor, true: Tensor, log_prior: Tensor, options: Options
) -> Tensor:
    prior = torch.softmax(options.temperature * log_prior, dim=0).float()
    if options.fallback == "one_hot":
        return torch.where(true.unsqueeze(1), own, prior)
    return prior.expand_as(own)


def _mixing_shares(num_classes: int, options: Options) -> tuple[float, float, float]:
    r"""Shares of the posterior, of every class, and of the node's own label.

    AAAI Eq. 4 is affine in both rows: with noise "off_class" it is
    :math:`\alpha (1 - \beta) q + \frac{\alpha \beta}{C - 1} + (1 - \alpha -
    \frac{\alpha \beta}{C - 1}) e`.
    """
    alpha, beta = options.alpha, options.beta
    if options.noise == "uniform":
        noise = beta / (1 + beta)
        return alpha * (1 - noise), alpha * noise / num_classes, 1 - alpha
    if num_classes == 1:
        return alpha, 0.0, 1 - alpha  # there is no other class to give noise to
    off = alpha * beta / (num_classes - 1)
    return alpha * (1 - beta), off, 1 - alpha - off
