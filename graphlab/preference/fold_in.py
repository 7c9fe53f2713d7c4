"""Fit vectors of new users to their pairs, with the responses as they are."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from graphlab.preference.vectors import PreferenceVectors

STEPS = 100  # Newton steps at most; a handful is usual
HALVINGS = 20
BLOCK = 1 << 22  # entries of a block of Gram matrices


def fold_in(
    vectors: PreferenceVectors,
    pairs: tuple[Tensor, Tensor, Tensor],
    num_new: int,
    center: Tensor,
    ridge: float,
) -> Tensor:
    r"""The vectors under which new users' pairs are likely, near a centre.

    .. math::
        \mathbf{e}_v = \arg\min_{\mathbf{e}} \frac{1}{|\mathcal{C}_v|} \sum_{(w, l)
        \in \mathcal{C}_v} -\log \sigma \bigl( \langle \mathbf{e}, \mathbf{e}_w -
        \mathbf{e}_l \rangle + b_w - b_l \bigr) + \frac{\lambda}{2} \lVert \mathbf{e} -
        \mathbf{c} \rVert^2

    The minimum is unique. It lies in the span of the differences :math:`\mathbf{e}_w -
    \mathbf{e}_l`, so Newton's method needs only a system of as many unknowns as a
    user has pairs; all users are solved at once.

    Args:
        vectors: The trained vectors, of which those of the responses are used.
        pairs: Rows of new users, in ascending order, and of the responses they prefer
            and do not.
        num_new: Number of new users; one without pairs gets the centre.
        center: The centre :math:`\mathbf{c}`.
        ridge: Its pull :math:`\lambda`.

    Shapes:
        - **center:** :math:`(d)`
        - **output:** :math:`(V, d)`
    """
    user, winner, loser = pairs
    count = torch.bincount(user, minlength=num_new)
    out = center.expand(num_new, -1).clone()
    longest = int(count.max()) if num_new else 0
    if not longest:
        return out
    size = max(1, BLOCK // max(longest * longest, longest * center.numel()))
    starts = count.cumsum(0) - count
    for first in range(0, num_new, size):
        some = slice(first, min(num_new, first + size))
        place = torch.arange(longest, device=user.device)
        there = place < count[some, None]
        at = (starts[some, None] + place).clamp(max=user.numel() - 1)
        # Double: the Newton system is as ill-conditioned as the pairs are alike.
        difference = vectors.response[winner[at]] - vectors.response[loser[at]]
        difference = (difference * there.unsqueeze(-1)).double()
        offset = difference @ center.double()
        if vectors.bias is not None:
            offset += (vectors.bias[winner[at]] - vectors.bias[loser[at]]).double()
        gram = difference @ difference.mT
        share = there / count[some, None].clamp(min=1)
        dual = _newton(gram, offset, share, ridge)
        moved = (dual.unsqueeze(1) @ difference).squeeze(1)
        out[some] += moved.to(out.dtype)
    return out


def _newton(gram: Tensor, offset: Tensor, share: Tensor, ridge: float) -> Tensor:
    r"""The coefficients :math:`\alpha` of :math:`e - c = \sum_j \alpha_j D_j`.

    The objective is :math:`\sum_j p_j \mathrm{softplus}(-z_j) + \frac{\lambda}{2}
    \alpha^\top G \alpha` with :math:`z = G \alpha + m`; its gradient is :math:`G
    (\lambda \alpha - p \odot \sigma(-z))`.
    """

    def value(alpha: Tensor) -> Tensor:
        move = (gram @ alpha.unsqueeze(-1)).squeeze(-1)
        fit = (share * softplus(-(move + offset))).sum(1)
        return fit + 0.5 * ridge * (alpha * move).sum(1)

    alpha = torch.zeros_like(offset)
    identity = torch.eye(gram.size(-1), dtype=gram.dtype, device=gram.device)
    best = value(alpha)
    for _ in range(STEPS):
        z = (gram @ alpha.unsqueeze(-1)).squeeze(-1) + offset
        pull = share * torch.sigmoid(-z)
        slope = share * torch.sigmoid(z) * torch.sigmoid(-z)
        residual = ridge * alpha - pull
        if residual.abs().max() < 1e-10:
            break
        system = ridge * identity + slope.unsqueeze(-1) * gram
        step = torch.linalg.solve(system, residual)
        length = torch.ones_like(best)
        for _ in range(HALVINGS):
            tried = value(alpha - length.unsqueeze(1) * step)
            worse = tried > best
            if not bool(worse.any()):
                break
            length = torch.where(worse, length / 2, length)
        length = torch.where(tried > best, 0, length)
        alpha = alpha - length.unsqueeze(1) * step
        reached = torch.minimum(tried, best)
        if bool((best - reached).abs().max() < 1e-14):
            break
        best = reached
    return alpha
