"""A residual layer that can be run backwards."""

import warnings
from typing import Literal

from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn.conv._linear_parts import linear_parts
from graphlab.nn.inverse import FixedPoint, FixedPointResult, invert_residual
from graphlab.nn.inverse.implicit import check_gradient
from graphlab.nn.linear import FeatureLinear
from graphlab.nn.norm.lipschitz_norm import held, lipschitz_norm, unbounded
from graphlab.ops.spmm import Graph

#: At this width the paper caps with .999; see ``"auto"``.
_PAPER_WIDTH, _PAPER_COEFF = 256, 0.999


class InvertibleResidual(nn.Module):
    r"""A residual layer with an inverse.

    From the `"Mitigating Oversmoothing Through Reverse Process of GNNs for Heterophilic
    Graphs" <https://arxiv.org/abs/2403.10543>`_ paper:

    .. math::
        f(\mathbf{X}) = \mathbf{X} + g(\mathbf{X}), \qquad g(\mathbf{X}) =
        \mathrm{ReLU}(\mathrm{conv}(\mathbf{X})), \qquad \mathbf{W} \mapsto \mathbf{W}
        \cdot \min \left( 1, \frac{c}{\lVert \mathbf{W} \rVert} \right)

    Where :math:`g` contracts, :math:`f` has an inverse, which :meth:`inverse` finds by
    the fixed-point iteration :math:`\mathbf{X} \leftarrow \mathbf{Y} - g(\mathbf{X})`.
    For :class:`~graphlab.nn.GCNConv` on an undirected graph that is certain for
    :math:`c < 1`, as :math:`\lVert \mathbf{\hat{A}} \rVert_2 = 1`. On directed graphs
    that norm may be larger, and attention depends on :math:`\mathbf{X}`: there it must
    be watched, and the result says by how much an iteration contracted.

    Args:
        conv: A layer like :class:`~graphlab.nn.GCNConv` or
            :class:`~graphlab.nn.GATConv` (``concat=False``), ours or PyG's, with
            outputs as wide as its inputs. It is changed in place.
        coeff: Bound :math:`c \in (0, 1)` of the weight, or ``"auto"`` for what the
            paper's .999 means at its width of 256; see the note.
        norm: ``"frobenius"``, or ``"spectral"`` (exact, by SVD); heads are bounded one
            by one.
        max_iter: Most evaluations of :math:`g` for one inverse.
        tol: Tolerance, relative to the state; see
            :class:`~graphlab.nn.inverse.FixedPoint`.
        damping: Share of the new iterate, for maps that do not contract.
        anderson: Number of past iterates that are mixed, 0 for none.
        grad: ``"implicit"`` or ``"unroll"``; see :func:`~graphlab.nn.invert_residual`.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **edge_weight:** edge weights :math:`(|\mathcal{E}|)` *(optional, where the
          layer takes them)*
        - **output:** node features :math:`(|\mathcal{V}|, F)`

    Raises:
        ArgumentError: If an argument is out of its range, the layer is not as wide as
            its inputs, or it is of another kind.

    Example:
        >>> from graphlab.nn import GCNConv
        >>> block = InvertibleResidual(GCNConv(16, 16), max_iter=30, tol=1e-6)
        >>> x, edge_index = torch.randn(3, 16), torch.tensor([[0, 1], [1, 0]])
        >>> found, result = block.inverse(block(x, edge_index), edge_index)
        >>> result.converged, torch.allclose(found, x, atol=1e-4)
        (True, True)

    .. note::
        Random weights of width :math:`d` that are capped to a Frobenius norm of
        :math:`c` have a spectral norm of about :math:`2 c / \sqrt{d}`. A cap of .999 is
        thus .12 at width 256 and .34 at 32, where long stacks blow up. ``"auto"``
        keeps that spectral norm: :math:`c = .999 \min(1, \sqrt{d / 256})` for
        ``"frobenius"``, .125 for ``"spectral"``.
    """

    def __init__(
        self,
        conv: nn.Module,
        coeff: float | Literal["auto"] = 0.999,
        norm: Literal["frobenius", "spectral"] = "frobenius",
        max_iter: int = 10,
        tol: float = 1e-5,
        damping: float = 1.0,
        anderson: int = 0,
        grad: Literal["implicit", "unroll"] = "implicit",
    ):
        super().__init__()
        check_gradient(grad)
        lins = [lin for lin, _ in linear_parts(conv)]
        self.coeff = resolve_coeff(coeff, norm, lins[0].in_channels)
        self.fixed_point = FixedPoint(max_iter, tol, damping, anderson)
        self.grad = grad
        self.conv = conv
        self._warned = False
        for lin in lins:
            lipschitz_norm(
                lin,
                c=self.coeff / len(lins),
                norm=norm,
                certified=True,
                num_blocks=getattr(conv, "heads", 1),
                dim=-1 if isinstance(lin, FeatureLinear) else 0,
            )

    def reset_parameters(self) -> None:
        """Draw new weights."""
        with unbounded(self):
            self.conv.reset_parameters()

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        return x + self.residual(x, edge_index, edge_weight)

    def residual(
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        r"""The function :math:`g` alone.

        Args:
            x: Node features.
            edge_index: The edges.
            edge_weight: One weight per edge.

        Shapes:
            As of the layer.
        """
        weights = () if edge_weight is None else (edge_weight,)
        return self.conv(x, edge_index, *weights).relu()

    def inverse(
        self, y: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> tuple[Tensor, FixedPointResult]:
        r"""Find :math:`\mathbf{X}` with :math:`f(\mathbf{X}) = \mathbf{Y}`.

        Warns once where it does not converge or the layer does not contract.

        Args:
            y: What the layer returned.
            edge_index: The edges.
            edge_weight: One weight per edge.

        Shapes:
            As of the layer, and a :class:`~graphlab.nn.inverse.FixedPointResult`.

        Raises:
            ArgumentError: If ``y`` has a NaN or an infinity.
        """
        with held(self):
            x, result = invert_residual(
                lambda x: self.residual(x, edge_index, edge_weight),
                y,
                self.fixed_point,
                self.grad,
            )
        warn_once(self, [result], self.fixed_point)
        return x, result

    def extra_repr(self) -> str:  # noqa: D102
        return f"coeff={self.coeff:g}, grad={self.grad}"


def resolve_coeff(coeff: float | str, norm: str, width: int) -> float:
    """The bound as a number, refused where the layer would have no inverse."""
    if coeff == "auto":
        if norm == "spectral":
            return 2 / _PAPER_WIDTH**0.5
        return _PAPER_COEFF * min(1.0, (width / _PAPER_WIDTH) ** 0.5)
    number = isinstance(coeff, float | int) and not isinstance(coeff, bool)
    if not number or not 0 < coeff < 1:
        raise ArgumentError(
            "coeff must lie between 0 and 1, both excluded, or be 'auto', got "
            f"{coeff!r}: from 1 on, the layer need not have an inverse"
        )
    return float(coeff)


def warn_once(
    module: nn.Module, results: list[FixedPointResult], settings: FixedPoint
) -> None:
    """Warn, the first time that a module meets it, of inverses that are none."""
    failed = [r for r in results if not r.converged]
    expanding = [r.contraction for r in results if r.contraction >= 1]
    if module._warned or not (failed or expanding):
        return
    module._warned = True
    kind = type(module).__name__
    if failed:
        worst = max(r.residual for r in failed)
        text = (
            f"{len(failed)} of {len(results)} inverses did not reach a residual of "
            f"{settings.tol:g} in {settings.max_iter} iterations (at worst {worst:.1e})"
        )
    else:
        text = (
            f"{len(expanding)} of {len(results)} inverses did not contract (factor up "
            f"to {max(expanding):.2f})"
        )
    warnings.warn(
        f"{kind}: {text}; a smaller coeff, more max_iter or damping helps",
        stacklevel=3,
    )
