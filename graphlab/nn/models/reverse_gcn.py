"""The residual GCN with a reverse branch."""

from typing import Literal

from graphlab.nn.conv.gcn_conv import GCNConv
from graphlab.nn.models._reverse_gnn import ReverseGNN


class ReverseGCN(ReverseGNN):
    r"""A residual GCN that is run forwards and backwards from the same state.

    From the `"Mitigating Oversmoothing Through Reverse Process of GNNs for Heterophilic
    Graphs" <https://arxiv.org/abs/2403.10543>`_ paper:

    .. math::
        \mathbf{H}_0 = \mathrm{ReLU}(\mathrm{enc}(\mathbf{X})), \qquad
        \mathbf{Z} = \mathrm{dec} \left( f_{L - 1} \circ \dots \circ f_0 (\mathbf{H}_0)
        \, \Vert \, f^{-1}_{0} \circ \dots \circ f^{-1}_{B - 1} \circ \dots
        (\mathbf{H}_0) \right)

    with the layers :math:`f(\mathbf{H}) = \mathbf{H} + \mathrm{ReLU}(\mathbf{\hat{A}
    H W} + \mathbf{b})` of :class:`~graphlab.nn.InvertibleResidual`. Message passing
    smooths; its inverse sharpens. Forward layer :math:`i` uses block :math:`i \bmod B`,
    reverse step :math:`j` block :math:`B - 1 - (j \bmod B)`.

    Memory grows with the root of the number of layers and not with the number of
    iterations: only some states are kept, the others are recovered on the way back.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size :math:`d` of the states.
        out_channels: Number :math:`C` of classes.
        num_layers: Number :math:`L` of forward layers.
        num_reverse_layers: Number of reverse steps; 0 for the forward branch alone,
            the control that every result of this model needs.
        num_blocks: Number :math:`B` of layers with weights of their own; both depths
            must be multiples of it. The paper shares one block among all.
        coeff: Bound of the weights, below 1. ``"auto"`` is the paper's .999 from its
            width of 256 on, and less below, where long stacks would blow up with it;
            see :class:`~graphlab.nn.InvertibleResidual`.
        norm: Norm that is bounded, ``"frobenius"`` or ``"spectral"``.
        max_iter: Most iterations of one inverse.
        tol: Tolerance of an inverse, relative to the state.
        encoder: ``"linear"``, or ``"conv"`` for a :class:`~graphlab.nn.GCNConv`.
        decoder: ``"linear"`` (what the official code always uses with a reverse
            branch), ``"mlp"`` (:math:`d` hidden units) or ``"conv"``.
        out_norm: Normalization before the decoder: :obj:`None`, ``"layer"`` or
            ``"batch"``.
        dropout: Dropout probability, in the encoder only.
        damping: Share of the new iterate in an inverse.
        anderson: Number of past iterates that an inverse mixes, 0 for none.
        grad: ``"implicit"``, or ``"unroll"`` to differentiate every iteration.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: If an argument is out of its range, depths are no multiples of
            the number of blocks, or ``x`` has a NaN or an infinity.

    Example:
        >>> model = ReverseGCN(16, 64, 7, num_layers=4, num_reverse_layers=16)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 0]])).shape
        torch.Size([3, 7])
        >>> model.facts()["converged"]
        True

    .. note::
        The official code bounds by the Frobenius norm too, differentiates every
        iteration, and stops at an absolute tolerance without a word where it was not
        reached; ours is relative and warns once. See the page of the paper in the
        documentation for where it breaks down.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 16,
        num_reverse_layers: int = 256,
        num_blocks: int = 1,
        coeff: float | Literal["auto"] = "auto",
        norm: Literal["frobenius", "spectral"] = "frobenius",
        max_iter: int = 10,
        tol: float = 1e-5,
        encoder: Literal["linear", "conv"] = "linear",
        decoder: Literal["linear", "mlp", "conv"] = "linear",
        out_norm: Literal["layer", "batch"] | None = None,
        dropout: float = 0.0,
        damping: float = 1.0,
        anderson: int = 0,
        grad: Literal["implicit", "unroll"] = "implicit",
    ):
        super().__init__(
            in_channels,
            hidden_channels,
            out_channels,
            num_layers,
            num_reverse_layers,
            num_blocks,
            encoder,
            decoder,
            out_norm,
            dropout,
            make_conv=lambda width: GCNConv(width, width),
            coeff=coeff,
            norm=norm,
            max_iter=max_iter,
            tol=tol,
            damping=damping,
            anderson=anderson,
            grad=grad,
        )
