"""From a router's scores to gates, and the loss that balances the experts."""

import torch
from torch import Tensor

from graphlab.errors import ArgumentError


def expert_gates(
    probabilities: Tensor,
    top_k: int | None = None,
    renormalize: bool = False,
    gate_power: float = 1.0,
) -> Tensor:
    r"""Gates from the router's probabilities.

    .. math::
        g_e = \Big( \frac{p_e \, [e \in \mathcal{T}]}{c} \Big)^{\gamma}, \qquad
        c = \sum_{e \in \mathcal{T}} p_e \text{ if renormalized, else } 1

    with :math:`\mathcal{T}` the :math:`k` most probable experts. The released code of
    `CoPL <https://arxiv.org/abs/2503.01658>`_ takes the best expert, does not
    renormalize, and multiplies by the gate twice, which is :math:`\gamma = 2`.

    Args:
        probabilities: Probabilities :math:`(\ldots, E)`.
        top_k: Number :math:`k` of experts, all if not given.
        renormalize: Let the gates of the chosen experts add up to 1.
        gate_power: Exponent :math:`\gamma`.

    Shapes:
        - **output:** gates :math:`(\ldots, E)`

    Example:
        >>> expert_gates(torch.tensor([0.5, 0.3, 0.2]), top_k=1)
        tensor([0.5000, 0.0000, 0.0000])
    """
    gates = probabilities
    if top_k is not None and top_k < gates.size(-1):
        chosen = gates.topk(top_k, dim=-1).indices
        mask = torch.zeros_like(gates).scatter_(-1, chosen, 1.0)
        gates = gates * mask
    if renormalize:
        gates = gates / gates.sum(-1, keepdim=True)
    return gates if gate_power == 1 else gates**gate_power


def load_balancing_loss(probabilities: Tensor) -> Tensor:
    r"""The loss that is smallest when all experts get the same share of users.

    From `"Switch Transformers" <https://arxiv.org/abs/2101.03961>`_ (Eq. 4), averaged
    over the routers:

    .. math::
        \ell = E \sum_{e=1}^{E} f_e \bar{p}_e

    with :math:`f_e` the share of the batch whose most probable expert is :math:`e` and
    :math:`\bar{p}_e` the mean probability. It is 1 for balanced experts and :math:`E`
    if one expert takes everything. CoPL itself has no such loss.

    Args:
        probabilities: Probabilities :math:`(S, B, E)` of :math:`S` routers, or
            :math:`(B, E)`.

    Shapes:
        - **output:** a scalar

    Example:
        >>> load_balancing_loss(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        tensor(1.)
    """
    experts = probabilities.size(-1)
    best = torch.nn.functional.one_hot(probabilities.argmax(-1), experts)
    share = best.to(probabilities.dtype).mean(-2)  # [S, E]; no gradient
    return experts * (share * probabilities.mean(-2)).sum(-1).mean()


def check_routing(
    num_experts: int,
    top_k: int | None,
    renormalize: bool,
    temperature: float,
    noise: float,
    gate_power: float,
) -> None:
    """The settings that routers share."""
    whole = isinstance(top_k, int) and not isinstance(top_k, bool)
    if top_k is not None and not (whole and 1 <= top_k <= num_experts):
        raise ArgumentError(f"top_k must be in 1..{num_experts}, got {top_k!r}")
    if renormalize and top_k == 1:
        raise ArgumentError(
            "renormalize with top_k=1 makes every gate 1 and leaves the router "
            "without a gradient: use top_k=1 without it, or top_k >= 2"
        )
    for name, value in (("temperature", temperature), ("gate_power", gate_power)):
        if not value > 0:
            raise ArgumentError(f"{name} must be positive, got {value!r}")
    if not noise >= 0:
        raise ArgumentError(f"noise must not be negative, got {noise!r}")
