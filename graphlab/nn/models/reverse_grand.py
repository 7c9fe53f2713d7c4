"""Graph diffusion that runs forwards and backwards in time from the same start."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn.finite import require_finite
from graphlab.nn.linear import FeatureLinear, num_nodes_of
from graphlab.nn.ode import (
    FIXED_STEP,
    solve_adaptive,
    solve_fixed_step,
)
from graphlab.nn.ode.adaptive import import_torchdiffeq
from graphlab.ops import edge_softmax, sddmm, spmm, with_self_loops
from graphlab.ops.spmm import Graph

#: Size of grown rounding errors, relative to the start, that is still accepted.
_TOLERATED = 0.02


class ReverseGRAND(nn.Module):
    r"""Linear graph neural diffusion with a reverse process.

    From the `"Mitigating Oversmoothing Through Reverse Process of GNNs for
    Heterophilic Graphs" <https://arxiv.org/abs/2403.10543>`_ paper, on the diffusion of
    the `"GRAND: Graph Neural Diffusion" <https://arxiv.org/abs/2106.10934>`_ paper. The
    encoded features :math:`\mathbf{X}_0` diffuse for the time :math:`T` and, from the
    same start, *un-diffuse* for the time :math:`T_r`:

    .. math::
        \frac{\mathrm{d}\mathbf{X}}{\mathrm{d}t} &= \alpha \,
        (\mathbf{A}(\mathbf{X}_0) - \mathbf{I}) \, \mathbf{X}, \qquad
        \mathbf{X}(0) = \mathbf{X}_0 = \mathrm{ReLU}(\mathbf{X}_{\mathrm{in}}
        \mathbf{W}_e + \mathbf{b}_e) \\
        a_{ij} &= \frac{1}{H} \sum_{h = 1}^{H} \mathrm{softmax}_j \left(
        \frac{(\mathbf{Q}_h \mathbf{x}_i)^{\top} \mathbf{K}_h \mathbf{x}_j}{\sqrt{D}}
        \right) \quad \text{for } j \in \mathcal{N}(i) \cup \{ i \} \\
        \mathbf{Y} &= \mathrm{MLP}(\mathrm{ReLU}([\mathbf{X}(T) \, \| \,
        \mathbf{X}(-T_r)]))

    with :math:`\alpha = \mathrm{sigmoid}(a)` and :math:`\mathbf{A}`, row-stochastic,
    computed once from :math:`\mathbf{X}_0` and the same in both directions.

    Running diffusion backwards is ill-posed. No entry of :math:`\mathbf{X}(-T_r)`
    exceeds the largest of :math:`\mathbf{X}_0` by more than the factor
    :math:`\exp(2 \alpha (1 - \min_i a_{ii}) T_r)`, but rounding errors may grow by as
    much: what does not grow itself drowns in them. Where that bound lets them reach two
    percent of :math:`\mathbf{X}_0` (an exponent above 12 in single precision), the
    model warns once, and :meth:`facts` says so.

    Args:
        in_channels: Size :math:`F` of each input sample.
        hidden_channels: Size of the diffusing features.
        out_channels: Number :math:`C` of classes.
        heads: Number :math:`H` of attention heads, whose coefficients are averaged.
        attention_channels: Size :math:`H D` of queries and keys, over all heads.
        time: Time :math:`T` of diffusion, not negative.
        reverse_time: Time :math:`T_r` of reverse diffusion, not negative; 0 leaves the
            reverse branch out, which is GRAND with linear diffusion.
        step_size: Longest step of a method with fixed steps.
        method: ``"euler"``, ``"midpoint"`` or ``"rk4"``, or ``"dopri5"`` with steps
            chosen by `torchdiffeq <https://github.com/rtqichen/torchdiffeq>`_ (extra
            ``ode``).
        dropout: Dropout probability of the encoded features, before the ReLU, and of
            the decoder's hidden layer.
        rtol: Relative tolerance of ``dopri5``.
        atol: Absolute tolerance of ``dopri5``.
        adjoint: Whether ``dopri5`` takes gradients from the adjoint equation, instead
            of keeping all of its steps.

    Shapes:
        - **x:** node features :math:`(|\mathcal{V}|, F)`, dense or sparse CSR, finite
        - **edge_index:** edge indices :math:`(2, |\mathcal{E}|)`
        - **output:** logits :math:`(|\mathcal{V}|, C)`

    Raises:
        ArgumentError: If an argument is out of its range, ``method`` is unknown or not
            installed, features are not finite, or there are edge weights.

    Example:
        >>> model = ReverseGRAND(16, 64, 7)
        >>> model(torch.randn(3, 16), torch.tensor([[0, 1], [1, 2]])).shape
        torch.Size([3, 7])

    .. note::
        The official code starts the weights of both :math:`\mathbf{Q}` and
        :math:`\mathbf{K}` at the constant :math:`10^{-5}`: nearly uniform attention,
        but all channels of a head then get the same gradient, and hardly any. Here
        :math:`\mathbf{Q}` starts at zero and :math:`\mathbf{K}` as in
        :class:`~graphlab.nn.FeatureLinear`: attention starts uniform to the last
        digit, and the first step tells the channels apart. The official code has no
        dropout and takes ``dopri5`` with tolerances :math:`10^{-9}` (relative) and
        :math:`10^{-7}`. Its default reverse time is 0.
    """

    sparse_features = True
    optim_overrides: dict[str, dict] = {}

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        heads: int = 4,
        attention_channels: int = 64,
        time: float = 1.0,
        reverse_time: float = 1.0,
        step_size: float = 0.25,
        method: str = "rk4",
        dropout: float = 0.5,
        rtol: float = 1e-5,
        atol: float = 1e-6,
        adjoint: bool = False,
    ):
        super().__init__()
        self.heads, self.dropout, self.adjoint = heads, dropout, adjoint
        self.time, self.reverse_time = time, reverse_time
        self.step_size, self.method = step_size, method
        self.rtol, self.atol = rtol, atol
        self._check(attention_channels)
        self.encoder = FeatureLinear(in_channels, hidden_channels)
        self.query = FeatureLinear(hidden_channels, attention_channels)
        self.key = FeatureLinear(hidden_channels, attention_channels)
        self.rate = nn.Parameter(torch.empty(()))
        width = hidden_channels * (2 if reverse_time > 0 else 1)
        self.hidden = FeatureLinear(width, hidden_channels)
        self.decoder = FeatureLinear(hidden_channels, out_channels)
        self._last: Tensor | None = None
        self._evaluations = 0
        self._warned = False
        self.reset_parameters()

    def _check(self, attention_channels: int) -> None:
        for name in ("time", "reverse_time"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise ArgumentError(
                    f"{name} must be finite and not negative, got {value!r}"
                )
        for name in ("step_size", "rtol", "atol"):
            if not getattr(self, name) > 0:
                raise ArgumentError(
                    f"{name} must be positive, got {getattr(self, name)!r}"
                )
        if self.heads < 1 or attention_channels < 1 or attention_channels % self.heads:
            raise ArgumentError(
                "attention_channels must be a positive multiple of heads, got "
                f"{attention_channels} channels and {self.heads} heads"
            )
        if self.method not in (*FIXED_STEP, "dopri5"):
            accepted = ", ".join((*FIXED_STEP, "dopri5"))
            raise ArgumentError(
                f"method must be one of {accepted}, got {self.method!r}"
            )
        if self.method == "dopri5":
            import_torchdiffeq()
        elif self.adjoint:
            raise ArgumentError(
                f"adjoint must be False for method {self.method!r}; it is for 'dopri5'"
            )

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for lin in (self.encoder, self.key, self.hidden, self.decoder):
            lin.reset_parameters()
        nn.init.zeros_(self.query.weight)
        nn.init.zeros_(self.query.bias)
        nn.init.zeros_(self.rate)

    def forward(  # noqa: D102
        self, x: Tensor, edge_index: Graph, edge_weight: Tensor | None = None
    ) -> Tensor:
        if edge_weight is not None:
            raise ArgumentError(
                "edge_weight must be None: the weights of this model are its attention"
            )
        require_finite("x", x)
        x = self.encoder(x)
        x = F.dropout(x, self.dropout, self.training).relu()
        edges, _ = with_self_loops(edge_index, num_nodes_of(x))
        generator = self.generator(x, edges)
        branches = self._diffuse(x, edges, generator)
        self._observe(x, edges, generator, branches)
        x = self.hidden(torch.cat(branches, -1).relu()).relu()
        return self.decoder(F.dropout(x, self.dropout, self.training))

    def attention(self, x: Tensor, edge_index: Graph) -> Tensor:
        r"""The coefficients :math:`a_{ij}` of a graph that has its self-loops.

        Args:
            x: Features :math:`\mathbf{X}_0`.
            edge_index: Edges.
        """
        query = self.query(x).unflatten(-1, (self.heads, -1))
        key = self.key(x).unflatten(-1, (self.heads, -1))
        scores = sddmm(edge_index, query / math.sqrt(query.size(-1)), key)
        return edge_softmax(edge_index, scores).mean(-1)

    def generator(self, x: Tensor, edge_index: Tensor) -> Tensor:
        r"""The matrix :math:`\alpha (\mathbf{A} - \mathbf{I})`, one number per edge.

        The graph has every self-loop once, so that the identity lies on its edges:
        one sparse product is one evaluation of the derivative.

        Args:
            x: Features :math:`\mathbf{X}_0`.
            edge_index: Edges.
        """
        loop = (edge_index[0] == edge_index[1]).to(x.dtype)
        return self.rate.sigmoid() * (self.attention(x, edge_index) - loop)

    def _diffuse(self, x: Tensor, edges: Tensor, generator: Tensor) -> list[Tensor]:
        """The states at the end of both branches; of one if there is no reverse."""
        self._evaluations = 0

        def field(state: Tensor) -> Tensor:
            self._evaluations += 1
            return spmm(edges, state, generator)

        times = [self.time] + [-self.reverse_time] * (self.reverse_time > 0)
        if self.method == "dopri5":
            params = (generator,) if self.adjoint else None
            settings = (self.rtol, self.atol, params)
            return [solve_adaptive(field, x, time, *settings) for time in times]
        settings = (self.step_size, self.method)
        return [solve_fixed_step(field, x, time, *settings) for time in times]

    # ------------------------------------------------------- what can go wrong

    @torch.no_grad()
    def _observe(
        self, x: Tensor, edges: Tensor, generator: Tensor, branches: list[Tensor]
    ) -> None:
        """Keep the figures of an evaluation, and warn where rounding may take over."""
        if torch.compiler.is_compiling():
            return
        limit = growth_limit(x.dtype)
        risky = 2 * self.reverse_time > limit and not self._warned
        if not x.size(0) or (self.training and not risky):  # a step need not know
            return
        # The entries of the diagonal, alpha (a_ii - 1), are the only negative ones.
        growth = -2 * generator.amin() * self.reverse_time
        norms = [torch.linalg.vector_norm(each.detach()) for each in (x, *branches)]
        _Told.apply(torch.stack([growth, self.rate.sigmoid(), *norms]), self._take)

    def _take(self, figures: Tensor) -> None:
        """Take the figures of one evaluation, or of one evaluation a row."""
        limit = growth_limit(figures.dtype)
        growth = float(figures[..., 0].max())
        if growth > limit and not self._warned:
            self._warned = True
            warnings.warn(
                f"reverse diffusion may grow by exp({growth:.1f}) until reverse_time "
                f"{self.reverse_time}; above exp({limit:.0f}) rounding errors of "
                f"{figures.dtype} may reach {_TOLERATED:.0%} of the features that it "
                "starts from. Choose a shorter reverse_time or double precision",
                RuntimeWarning,
                stacklevel=2,
            )
        self._last = figures if figures.dim() == 1 else None

    def facts(self) -> dict[str, Any]:
        """What the last evaluation was like; empty before the first one.

        Returns:
            ``alpha``; ``function_evaluations`` of the field in both directions;
            ``norm_ratio`` of the diffused features to the encoded ones; and with a
            reverse branch ``reverse_norm_ratio``, the exponent ``growth_exponent`` of
            the bound on its growth, the largest exponent ``growth_limit`` at which
            rounding errors stay small, and ``well_posed``, whether it is kept.
        """
        if self._last is None:
            return {}
        growth, alpha, start, *ends = self._last.double().tolist()
        ratios = [end / start if start else float(end > 0) for end in ends]
        facts = {
            "alpha": alpha,
            "function_evaluations": self._evaluations,
            "norm_ratio": ratios[0],
        }
        if self.reverse_time == 0:
            return facts
        limit = growth_limit(self._last.dtype)
        return facts | {
            "reverse_norm_ratio": ratios[1],
            "growth_exponent": growth,
            "growth_limit": limit,
            "well_posed": growth <= limit,
        }

    def extra_repr(self) -> str:  # noqa: D102
        return (
            f"heads={self.heads}, time={self.time}, reverse_time={self.reverse_time}, "
            f"method={self.method}"
        )


def growth_limit(dtype: torch.dtype) -> float:
    """The exponent up to which rounding errors stay small: 12 in single precision."""
    return math.log(_TOLERATED / torch.finfo(dtype).eps)


class _Told(torch.autograd.Function):
    """Hands numbers to a function, those of all replicas at once under ``vmap``."""

    @staticmethod
    def forward(values: Tensor, tell: Callable[[Tensor], None]) -> Tensor:
        tell(values)
        return values.clone()

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        pass

    @staticmethod
    def vmap(info, in_dims, values: Tensor, tell: Callable[[Tensor], None]):
        tell(values.movedim(in_dims[0], 0))
        return values.clone(), in_dims[0]
