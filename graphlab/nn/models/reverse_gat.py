"""The residual GAT with a reverse branch."""

from typing import Literal

from torch import Tensor

from graphlab.nn.conv.gat_conv import GATConv
from graphlab.nn.models._reverse_gnn import ReverseGNN
from graphlab.ops.spmm import Graph


class ReverseGAT(ReverseGNN):
    r"""A residual GAT that is run forwards and backwards from the same state.

    From the `"Mitigating Oversmoothing Through Reverse Process of GNNs for Heterophilic
    Graphs" <https://arxiv.org/abs/2403.10543>`_ paper: as
    :class:`~graphlab.nn.ReverseGCN`, with the layers

    .. math::
        f(\mathbf{H}) = \mathbf{H} + \mathrm{ReLU} \Big( \frac{1}{K} \sum_{k=1}^{K}
        \mathbf{A}_k(\mathbf{H}) \, \mathbf{H} \mathbf{W}_k + \mathbf{b} \Big), \qquad
        \lVert \mathbf{W}_k \rVert \le c

    with the attention :math:`\mathbf{A}_k` of :class:`~graphlab.nn.GATConv`. It depends
    on :math:`\mathbf{H}`, so bounded weights do **not** make the layer contract. How
    much an iteration contracts is measured; one that expands is repeated with damping;
    what still does not converge, or did not contract, warns once, and is in
    :meth:`facts`.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size :math:`d` of the states.
        out_channels: Number :math:`C` of classes.
        num_layers: Number of forward layers.
        num_reverse_layers: Number of reverse steps; 0 for the forward branch alone.
        num_blocks: Number of layers with weights of their own.
        heads: Number :math:`K` of attention heads, which are averaged.
        coeff: Bound of each head's weight, below 1, or ``"auto"``; see
            :class:`~graphlab.nn.InvertibleResidual`.
        norm: Norm that is bounded, ``"frobenius"`` or ``"spectral"``.
        max_iter: Most iterations of one inverse.
        tol: Tolerance of an inverse, relative to the state.
        encoder: ``"linear"``, or ``"conv"`` for a :class:`~graphlab.nn.GCNConv`.
        decoder: ``"linear"``, ``"mlp"`` or ``"conv"``.
        out_norm: Normalization before the decoder: :obj:`None`, ``"layer"`` or
            ``"batch"``.
        dropout: Dropout probability, in the encoder only.
        damping: Share of the new iterate in an inverse.
        anderson: Number of past iterates that an inverse mixes, 0 for none.
        grad: ``"implicit"``, or ``"unroll"`` to differentiate every iteration.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** taken by a ``"conv"`` encoder or decoder only *(optional)*
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: As of :class:`~graphlab.nn.ReverseGCN`.

    Example:
        >>> model = ReverseGAT(16, 64, 7, num_layers=4, num_reverse_layers=8)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 0]])).shape
        torch.Size([3, 7])

    .. note::
        The official code bounds the mean over heads of their norms, so that one head
        may exceed the bound; ours bounds each. It does not run on today's PyG.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 16,
        num_reverse_layers: int = 256,
        num_blocks: int = 1,
        heads: int = 1,
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
            make_conv=lambda width: GATConv(width, width, heads, concat=False),
            coeff=coeff,
            norm=norm,
            max_iter=max_iter,
            tol=tol,
            damping=damping,
            anderson=anderson,
            grad=grad,
        )

    def _arguments(self, edge_index: Graph, edge_weight: Tensor | None) -> tuple:
        return edge_index, None
