"""How fast a margin can change."""

import math
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from graphlab.analysis._points import as_classes, as_count
from graphlab.errors import ArgumentError

KINDS = ("logit", "softmax", "jacobian", "paper-code")


def margin_lipschitz(
    kind: str | float = "logit",
    num_classes: int | None = None,
    head: Callable[[Tensor], Tensor] | None = None,
    z: Tensor | None = None,
    y: Any = None,
) -> float:
    r"""Lipschitz constant of the margin, :math:`\mathrm{Lip}(\rho_{\psi}(\cdot, c))`.

    ======================  ==========================  ==============================
    kind                    value                       of the margin of
    ======================  ==========================  ==============================
    ``"logit"``             :math:`\sqrt{2}`            logits, or log-softmax, as a
                                                        function of the logits
    ``"softmax"``           :math:`1 / \sqrt{2}`        softmax probabilities, as a
                                                        function of the logits
    ``"jacobian"``          largest gradient found      ``head(z)``, as a function of
                                                        ``z``
    ``"paper-code"``        :math:`\sqrt{K - 1} / K`    nothing: see below
    a number                itself                      what you know it to be of
    ======================  ==========================  ==============================

    The first two are suprema of :math:`\| \nabla \rho \|_2`, reached for any number of
    classes. The third is a maximum over the sample,

    .. math::
        \max_i \| \nabla_{\mathbf{z}} ( \psi_{y_i} - \psi_{y_i^{\ast}} ) (\mathbf{z}_i)
        \|_2, \qquad y^{\ast} = \mathrm{argmax}_{c \neq y} \psi_c

    as in `"Measuring Generalization with Optimal Transport"
    <https://arxiv.org/abs/2106.03314>`_, so it may underestimate. ``"paper-code"`` is
    what the released code of `"Towards Bridging Generalization and Expressivity of
    Graph Neural Networks" <https://arxiv.org/abs/2410.10051>`_ uses for softmax
    margins: the Frobenius norm of the Jacobian of softmax at the uniform point. It is
    **no upper bound**, since the supremum is :math:`1 / \sqrt{2}` while it is at most
    :math:`1 / 2`; only use it to redo the paper's tables.

    Args:
        kind: One of the above, or a positive number.
        num_classes: Number of classes :math:`K`, for ``"paper-code"``.
        head: Classifier from embeddings to logits, for ``"jacobian"``. A module is
            used in evaluation mode, in which rows do not see each other.
        z: Embeddings of the sample, for ``"jacobian"``.
        y: Right class of each row, for ``"jacobian"``.

    Shapes:
        - **z:** :math:`(m, d)`
        - **y:** :math:`(m)`

    Raises:
        ArgumentError: If the kind is unknown, or what it needs is missing or not as
            above.

    Example:
        >>> round(margin_lipschitz("logit"), 4)
        1.4142
        >>> head = torch.nn.Linear(3, 2, bias=False)
        >>> _ = head.weight.data.copy_(torch.tensor([[3.0, 0.0, 0.0], [0.0, 4.0, 0.0]]))
        >>> margin_lipschitz("jacobian", head=head, z=torch.ones(2, 3), y=[0, 1])
        5.0
    """
    if kind == "logit":
        return math.sqrt(2)
    if kind == "softmax":
        return math.sqrt(0.5)
    if kind == "paper-code":
        number = as_count(num_classes, "num_classes", 2)
        return math.sqrt(number - 1) / number
    if kind == "jacobian":
        return float(margin_gradient_norms(head, z, y).max())
    number = isinstance(kind, int | float) and not isinstance(kind, bool)
    if not number or not 0 < kind < math.inf:
        raise ArgumentError(
            f"kind must be one of {KINDS} or a positive number, got {kind!r}"
        )
    return float(kind)


def margin_gradient_norms(
    head: Callable[[Tensor], Tensor], z: Tensor, y: Any
) -> np.ndarray:
    r"""Norm of the gradient of each row's margin with respect to its embedding.

    .. math::
        \| \nabla_{\mathbf{z}} ( \psi_{y_i} - \psi_{y_i^{\ast}} ) (\mathbf{z}_i) \|_2,
        \qquad y^{\ast} = \mathrm{argmax}_{c \neq y} \psi_c

    Args:
        head: Classifier from embeddings to logits. A module is used in evaluation
            mode, in which rows do not see each other.
        z: Embeddings of the sample.
        y: Right class of each row.

    Shapes:
        - **z:** :math:`(m, d)`
        - **y:** :math:`(m)`
        - **output:** float64 :math:`(m)`

    Raises:
        ArgumentError: If an argument is not as above, or a gradient is not finite.

    Example:
        >>> head = torch.nn.Linear(3, 2, bias=False)
        >>> _ = head.weight.data.copy_(torch.tensor([[3.0, 0.0, 0.0], [0.0, 4.0, 0.0]]))
        >>> margin_gradient_norms(head, torch.ones(2, 3), [0, 1])
        array([5., 5.])
    """
    if not callable(head):
        raise ArgumentError(
            f"head must be a module or function from embeddings to logits, got {head!r}"
        )
    if not isinstance(z, Tensor) or z.dim() != 2 or not z.is_floating_point():
        got = list(z.shape) if isinstance(z, Tensor) else type(z).__name__
        raise ArgumentError(f"z must be a floating point tensor [m, d], got {got}")
    own = torch.as_tensor(as_classes(y, z.size(0)), device=z.device).long()
    with evaluating(head), torch.enable_grad():
        z = z.detach().clone().requires_grad_()
        gradient = torch.autograd.grad(_margins(head(z), own).sum(), z)[0]
    norms = torch.linalg.vector_norm(gradient.double(), dim=1)
    if not bool(norms.isfinite().all()):
        raise ArgumentError("head must have finite gradients at z, got NaN or infinity")
    return norms.cpu().numpy()


def _margins(logits: Tensor, own: Tensor) -> Tensor:
    if logits.dim() != 2 or logits.size(0) != own.numel() or logits.size(1) < 2:
        raise ArgumentError(
            f"head must return [{own.numel()}, K] with K >= 2, got {list(logits.shape)}"
        )
    if own.min() < 0 or own.max() >= logits.size(1):
        raise ArgumentError(
            f"y must be in 0..{logits.size(1) - 1}, got {own.min()}..{own.max()}"
        )
    others = logits.scatter(1, own[:, None], -math.inf)
    return logits.gather(1, own[:, None]).squeeze(1) - others.max(1).values


@contextmanager
def evaluating(head):
    """Evaluation mode, with each module's own mode back afterwards."""
    modules = list(head.modules()) if isinstance(head, nn.Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
