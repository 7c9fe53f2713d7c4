"""Anchors picked one after the other by scores of a graph neural network."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_count, check_positive
from graphlab.nn.anchors.anchors import Anchors
from graphlab.nn.linear import FeatureLinear, num_nodes_of
from graphlab.ops import SparseFeatures, gcn_norm, spmm
from graphlab.ops.spmm import Graph

TIE = 1e-5  # scores this close count as equal, so that rounding has no say
TINY = 1e-20


class LearnedAnchors(nn.Module):
    r"""Picks :math:`K` anchors among candidates, one after the other, differentiably.

    In the spirit of `"Position-Sensing Graph Neural Networks"
    <https://arxiv.org/abs/2105.11346>`_, of which only the abstract was at hand: scores
    come from an ordinary graph neural network, the choice is trained with the rest.
    How the picks are made is ours. With candidates :math:`c_1, \ldots, c_M` and scores
    :math:`s_m`, the :math:`j`-th pick has the logits

    .. math::
        \ell_{jm} = s_m + \alpha \min_{i < j} \frac{d(c_m, a_i)}{\Delta} + \tau g_{jm},
        \qquad \ell_{jm} = -\infty \text{ if } c_m \text{ is taken}

    with :math:`\Delta` the largest distance among candidates, 1 for no path, and
    Gumbel noise :math:`g`, in training only, which makes the pick a draw from
    :math:`\mathrm{softmax}` of the rest over :math:`\tau`. The first term says what is
    a good anchor, the second keeps them apart: nodes near earlier anchors are
    discounted. Scores of a graph neural network are equal for nodes that a symmetry of
    the graph swaps; the distances to earlier picks are not, so later picks break the
    symmetry. Scores start at zero: that is softened farthest-point selection, and
    :math:`\alpha = 0` would be uniform.

    The pick is :math:`\arg\max_m \ell_{jm}`, as a row of :math:`\mathbf{W}` with a
    single 1. Its gradient is that of :math:`\mathrm{softmax}(\ell_j / \tau)`
    (straight-through), so it also reaches candidates that were not picked; among few
    candidates it does not fade with the number of nodes, as it would among all.
    The temperature falls in training, from trying to settling: :math:`\tau_t =
    \max(\tau_{\min}, \tau_0 \gamma^t)` after :math:`t` calls. In evaluation
    there is no noise, and equal logits go to the first candidate.

    Args:
        in_channels: Size :math:`F` of the features, for the default scores.
        num_anchors: Number :math:`K` of anchors, at most all candidates.
        num_candidates: Number :math:`M` of candidates, by default :math:`4 K`.
        scorer: Any module with ``forward(x, edge_index)`` that gives one score a node,
            :math:`(|\mathcal{V}|)` or :math:`(|\mathcal{V}|, 1)`; by default a GCN of
            two layers.
        hidden_channels: Size of the hidden layer of the default scores.
        spread: Initial :math:`\alpha`, which is learned.
        temperature: First temperature :math:`\tau_0`.
        min_temperature: Last temperature :math:`\tau_{\min}`.
        decay: Factor :math:`\gamma` of a call in training.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **anchors:** candidates, as :class:`Anchors`
        - **output:** the same with ``selection`` :math:`(K, M)`

    Raises:
        ArgumentError: If an argument is not accepted, or the scores have a wrong shape.

    Example:
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> hops = torch.tensor([[0, 1, 2], [1, 0, 1], [2, 1, 0]])
        >>> pick = LearnedAnchors(1, num_anchors=2).eval()
        >>> picked = pick(torch.ones(3, 1), path, Anchors(torch.arange(3), hops))
        >>> picked.chosen().nodes
        tensor([0, 2])
    """

    def __init__(
        self,
        in_channels: int | None,
        num_anchors: int = 16,
        num_candidates: int | None = None,
        scorer: nn.Module | None = None,
        hidden_channels: int = 16,
        spread: float = 4.0,
        temperature: float = 1.0,
        min_temperature: float = 0.1,
        decay: float = 0.99,
    ):
        super().__init__()
        check_count("num_anchors", num_anchors)
        if num_candidates is None:
            num_candidates = 4 * num_anchors
        check_count("num_candidates", num_candidates)
        if num_candidates < num_anchors:
            raise ArgumentError(
                f"num_candidates: must be at least num_anchors = {num_anchors}, not "
                f"{num_candidates}"
            )
        for name in ("temperature", "min_temperature", "decay"):
            check_positive(name, locals()[name])
        if scorer is None:
            check_count("in_channels", in_channels)
            scorer = AnchorScores(in_channels, hidden_channels)
        self.num_anchors, self.num_candidates = num_anchors, num_candidates
        self.temperature, self.min_temperature = temperature, min_temperature
        self.decay, self.first_spread = decay, spread
        self.scorer = scorer
        self.spread = nn.Parameter(torch.tensor(float(spread)))
        self.register_buffer("calls", torch.zeros(()))

    def reset_parameters(self) -> None:
        """Draw new weights, and start the schedule afresh."""
        if hasattr(self.scorer, "reset_parameters"):
            self.scorer.reset_parameters()
        nn.init.constant_(self.spread, self.first_spread)
        self.calls.zero_()

    def forward(  # noqa: D102
        self, x: Tensor | SparseFeatures, edge_index: Graph, anchors: Anchors
    ) -> Anchors:
        scores = self.scorer(x, edge_index)
        if scores.dim() == 2 and scores.size(1) == 1:
            scores = scores.squeeze(1)
        if scores.shape != anchors.distances.shape[:1]:
            raise ArgumentError(
                f"scorer: must give one score a node, ({anchors.distances.size(0)}), "
                f"not {tuple(scores.shape)}"
            )
        apart = _relative(anchors.distances[anchors.nodes], scores.dtype)
        selection = self.pick(scores[anchors.nodes], apart)
        if self.training:
            self.calls.add_(1)
        return anchors._replace(selection=selection)

    def pick(self, scores: Tensor, apart: Tensor) -> Tensor:
        """Pick anchors by candidates' scores and their relative distances.

        Args:
            scores: Scores :math:`(M)`.
            apart: Distances between candidates in units of the largest, :math:`(M, M)`.

        Returns:
            Weights of the candidates in each anchor, :math:`(K, M)`: a single 1 a row,
            with the gradient of a softmax.
        """
        count, tau = scores.size(0), self.current_temperature()
        if not count:
            return scores.new_empty(0, 0)
        noise = torch.zeros_like(scores.expand(min(self.num_anchors, count), -1))
        if self.training:
            noise = tau * _gumbel(noise)
        picks = self._draw(scores.detach(), apart, noise)
        hard, nearest, taken = (torch.stack(part) for part in zip(*picks, strict=True))
        logits = scores + self.spread * nearest + noise  # [K, M], of all picks at once
        soft = (logits.masked_fill(taken, -torch.inf) / tau).softmax(1)
        return hard.to(soft.dtype) + (soft - soft.detach())

    @torch.no_grad()
    def _draw(
        self, scores: Tensor, apart: Tensor, noise: Tensor
    ) -> list[tuple[Tensor, Tensor, Tensor]]:
        """For each pick what it is, what was near, and what was taken before.

        Only this is sequential. None of it has a gradient, and given it, the rows of
        the choice have nothing to do with each other.
        """
        count = scores.size(0)
        order = torch.arange(count, 0, -1, device=scores.device)
        taken = torch.zeros_like(scores, dtype=torch.bool)
        nearest = torch.ones_like(scores)
        picks = []
        for row in noise:
            logits = scores + self.spread * nearest + row  # the first: none is near
            logits = logits.masked_fill(taken, -torch.inf)
            best = logits >= logits.amax() - TIE
            # None is best where scores are NaN; the answer is NaN then, too.
            place = count - torch.where(best, order, 1).amax()
            hard = order == count - place
            picks.append((hard, nearest, taken))
            taken = taken | hard
            nearest = torch.minimum(nearest, apart.index_select(1, place.view(1))[:, 0])
        return picks

    def current_temperature(self) -> Tensor:
        """Temperature of the next call in training."""
        tau = self.temperature * self.decay**self.calls
        return tau.clamp(min=self.min_temperature)

    def facts(self) -> dict[str, Any]:
        """Where the schedule and the spread stand."""
        return {
            "temperature": float(self.current_temperature()),
            "spread": float(self.spread.detach()),
        }


class AnchorScores(nn.Module):
    """A GCN of two layers whose scores are zero before training."""

    def __init__(self, in_channels: int, hidden_channels: int):
        super().__init__()
        self.hidden = FeatureLinear(in_channels, hidden_channels)
        self.out = FeatureLinear(hidden_channels, 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights of the first layer; those of the last are zero."""
        self.hidden.reset_parameters()
        self.out.reset_parameters()
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor | SparseFeatures, edge_index: Graph) -> Tensor:
        """Scores of the nodes."""
        dtype = self.out.weight.dtype
        graph, weight = gcn_norm(edge_index, None, num_nodes_of(x), True, dtype)
        hidden = spmm(graph, self.hidden(x), weight).relu()
        return spmm(graph, self.out(hidden), weight).squeeze(1)


def _relative(distances: Tensor, dtype: torch.dtype) -> Tensor:
    """Distances in units of the largest; 1 where there is no path."""
    values = distances.to(dtype)
    reached = (values >= 0) & values.isfinite()
    values = torch.where(reached, values, 0)
    if not values.numel():  # no candidates, and no largest
        return values
    return torch.where(reached, values / values.amax().clamp(min=TINY), 1)


def _gumbel(like: Tensor) -> Tensor:
    noise = torch.rand_like(like).clamp(min=TINY)
    return -(-noise.log()).clamp(min=TINY).log()
