"""Posterior label smoothing (PosteL): soft targets from the neighbours' labels."""

from dataclasses import asdict

import torch
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from ..errors import ArgumentError
from ._checks import check_edges
from ._labels import read_labels
from ._targets import Options, posterior_targets


@torch.no_grad()
def posterior_label_smoothing(
    edge_index: Tensor,
    y: Tensor,
    train_mask: Tensor,
    num_classes: int | None = None,
    *,
    alpha: float = 0.8,
    beta: float = 0.4,
    temperature: float = 1.0,
    min_labelled: int = 1,
    conditional: str = "edge",
    fallback: str = "one_hot",
    noise: str = "off_class",
    pseudo_count: float = 0.0,
    pseudo_label: Tensor | None = None,
    edge_weight: Tensor | None = None,
) -> Tensor:
    r"""Soft targets from the posterior of a node's label given its neighbours' labels.

    From the `"Posterior Label Smoothing for Node Classification"
    <https://arxiv.org/abs/2406.00410>`_ paper (AAAI 2026, Eqs. 1-4).

    The neighbours' labels are taken as independent given the node's own label. With the
    labels' prior :math:`p`, the conditional :math:`\pi[k, m]` of a neighbour's label
    :math:`m` given the own label :math:`k`, and the histogram :math:`h_i` of the labels
    of node :math:`i`'s labelled neighbours, the posterior is

    .. math::
        q_i[k] \propto \left( p[k] \prod_m \pi[k, m]^{h_i[m]} \right)^{\tau}

    and the target of a training node with label row :math:`\mathbf{e}_i`

    .. math::
        \mathbf{\hat{e}}_i = \alpha\, \mathbf{\tilde{e}}_i
        + (1 - \alpha)\, \mathbf{e}_i, \qquad
        \mathbf{\tilde{e}}_i = \begin{cases}
        (1 - \beta)\, \mathbf{q}_i + \frac{\beta}{C - 1} (1 - \mathbf{e}_i)
        & \text{noise "off\_class"} \\
        (\mathbf{q}_i + \beta / C) / (1 + \beta)
        & \text{noise "uniform"} \end{cases}

    It is computed in float64 log space, so that nodes of any degree keep their
    posterior. A node's label enters its own posterior only through a self-loop.

    **Rows.** A node of the mask with a label gets :math:`\mathbf{\hat{e}}_i`. Every
    other node (outside the mask, or with a missing label) has no label to mix in: its
    row is the posterior :math:`\mathbf{q}_i` itself, or the prior where a fall-back is
    due. Use the rows of the mask as training targets.

    **What is looked at.** Of ``y`` only the nodes of ``train_mask``; the rest may hold
    anything.

    **Neighbours** of :math:`u` are the :math:`v` with ``edge_index[0] == u`` and
    ``edge_index[1] == v`` (out-neighbours, as in the authors' code; flip the rows for
    in-neighbours). Parallel edges count each, self-loops too.

    **Pseudo labels** (the paper's iterative step): nodes without a true label carry
    ``pseudo_label`` where it is not negative. They count as neighbours and in the
    prior; the rows of :math:`\pi` are still those of the training nodes only.

    Args:
        edge_index: Edges :math:`(u, v)`.
        y: Class numbers, ``-1`` where missing, or soft labels. A soft row of zeros or
            with a NaN is missing. Soft labels enter as expected counts.
        train_mask: Nodes whose label is known.
        num_classes: Number of classes :math:`C`. If None, the largest training label
            plus one, so give it whenever a class may lack training nodes.
        alpha: Weight :math:`\alpha` of the smoothed label (AAAI Eq. 4; the earlier
            version of the paper swaps :math:`\alpha` and :math:`1 - \alpha`). The paper
            tunes it in ``{0.1, 0.2, ..., 1}``.
        beta: Weight :math:`\beta` of the noise, tuned in ``{0, 0.1, ..., 0.9}``.
        temperature: Exponent :math:`\tau > 0` as in the authors' code: an *inverse*
            temperature, below 1 it flattens. Not in the paper.
        min_labelled: With fewer labelled neighbours than this the node falls back. It
            counts edges whatever their weight. With 0 a node without labelled
            neighbours has the prior as posterior.
        conditional: ``"edge"``: every edge counts once in :math:`\pi` (AAAI Eq. 3);
            ``"node"``: every node counts once (the "normalised" form of the earlier
            version). The likelihood uses :math:`h_i` in both.
        fallback: What replaces :math:`\mathbf{q}_i` when the node has too few labelled
            neighbours, or when zeros of :math:`\pi` rule out every class (which happens
            to nodes without a true label only): ``"one_hot"`` (the node's label, as in
            the authors' code) or ``"prior"`` (the paper's words;
            :math:`\mathbf{p}^{\tau}`, normalised). Noise and :math:`\alpha` still
            follow.
        noise: ``"off_class"``: to the classes other than the node's own (authors'
            code); ``"uniform"``: to all of them, then normalised (paper).
        pseudo_count: Added to each entry of :math:`\pi` before its rows are normalised,
            so that one neighbour cannot rule out a class. Rows without any counts are
            uniform.
        pseudo_label: Labels for the nodes without a true one, negative where none.
        edge_weight: Weights :math:`w_{uv} \ge 0` of the edges in all counts.

    Shapes:
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **y:** class numbers :math:`(|\mathcal{V}|)`, or soft labels
          :math:`(|\mathcal{V}|, C)`
        - **train_mask:** bool :math:`(|\mathcal{V}|)`
        - **pseudo_label:** class numbers :math:`(|\mathcal{V}|)` *(optional)*
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** float32 targets :math:`(|\mathcal{V}|, C)`, rows sum to 1; for
          :func:`torch.nn.functional.cross_entropy`, which takes them as they are

    Raises:
        ArgumentError: If an argument has a wrong shape, dtype, device or value, or if
            no node of the mask has a label.

    Example:
        >>> edge_index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> y, mask = torch.tensor([0, 0, 1]), torch.tensor([True, True, True])
        >>> posterior_label_smoothing(edge_index, y, mask, alpha=1.0, beta=0.0)
        tensor([[0.5714, 0.4286],
                [1.0000, 0.0000],
                [0.5714, 0.4286]])
    """
    options = Options(
        alpha,
        beta,
        temperature,
        min_labelled,
        conditional,
        fallback,
        noise,
        pseudo_count,
    )
    labels = read_labels(y, train_mask, num_classes, pseudo_label)
    if isinstance(edge_index, EdgeIndex):
        edge_index = edge_index.as_tensor()
    check_edges(edge_index, labels.true, edge_weight)
    return posterior_targets(edge_index, labels, edge_weight, options)


class PosteriorLabelSmoothing(BaseTransform):
    r"""Writes PosteL's soft targets to ``data.soft_y``.

    The functional form is :func:`posterior_label_smoothing`. Reads ``data.edge_index``,
    ``data.y`` and ``data.train_mask``, and where the data has them
    ``data.num_classes``, ``data.edge_weight`` and ``data.pseudo_label``. The
    formula, the meaning of the options and of the rows outside the mask are those of
    :func:`posterior_label_smoothing`. Train with
    ``F.cross_entropy(out[mask], data.soft_y[mask])``; torch's own loss takes
    probabilities, so there is none here.

    Args:
        num_classes: Number of classes; wins over ``data.num_classes``.
        alpha: Weight :math:`\alpha` of the smoothed label.
        beta: Weight :math:`\beta` of the noise.
        temperature: Exponent :math:`\tau` of the posterior (inverse temperature).
        min_labelled: Labelled neighbours below which the node falls back.
        conditional: ``"edge"`` or ``"node"``.
        fallback: ``"one_hot"`` or ``"prior"``.
        noise: ``"off_class"`` or ``"uniform"``.
        pseudo_count: Added to each entry of the conditional.

    Raises:
        ArgumentError: If an option is not accepted, or (when applied) if the data lacks
            an attribute or holds values that are not accepted.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        *,
        alpha: float = 0.8,
        beta: float = 0.4,
        temperature: float = 1.0,
        min_labelled: int = 1,
        conditional: str = "edge",
        fallback: str = "one_hot",
        noise: str = "off_class",
        pseudo_count: float = 0.0,
    ) -> None:
        self.num_classes = num_classes
        self.options = Options(
            alpha,
            beta,
            temperature,
            min_labelled,
            conditional,
            fallback,
            noise,
            pseudo_count,
        )

    def forward(self, data: Data) -> Data:
        """Return the data with ``soft_y``, float32 ``[N, C]``."""
        for name in ("edge_index", "y", "train_mask"):
            if data.get(name) is None:
                raise ArgumentError(
                    f"data: has no {name}; accepted is data with edge_index, y and "
                    "train_mask"
                )
        num_classes = self.num_classes
        if num_classes is None:
            num_classes = data.get("num_classes")
        data.soft_y = posterior_label_smoothing(
            data.edge_index,
            data.y,
            data.train_mask,
            num_classes,
            **asdict(self.options),
            pseudo_label=data.get("pseudo_label"),
            edge_weight=data.get("edge_weight"),
        )
        return data

    def __repr__(self) -> str:
        options = {"num_classes": self.num_classes, **asdict(self.options)}
        inner = ", ".join(f"{key}={value!r}" for key, value in options.items())
        return f"{self.__class__.__name__}({inner})"
