"""A bound on the norm of a weight, and so on how much a layer can amplify."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrize import ParametrizationList

from graphlab.errors import ArgumentError
from graphlab.nn._checks import check_choice, check_count, check_positive

_FIRST_ITERATIONS = 50  # from a random vector; later ones start close to the goal
_SMALLEST = 1e-12  # a weight this small has no direction to scale up
_PER_LAYER = re.compile(r"\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*/\s*L\s*")


class LipschitzNorm(nn.Module):
    r"""Bounds the norm of a weight, as a parametrization of it.

    In the spirit of `"Spectral Normalization for Generative Adversarial Networks"
    <https://arxiv.org/abs/1802.05957>`_ (Section 2.1), with a bound :math:`c` of
    choice:

    .. math::
        \mathbf{W} \mapsto \mathbf{W} \cdot \min \left( 1,
        \frac{c}{\lVert \mathbf{W} \rVert} \right) \; \text{(soft)}
        \qquad \text{or} \qquad
        \mathbf{W} \mapsto \mathbf{W} \cdot \frac{c}{\lVert \mathbf{W} \rVert}
        \; \text{(hard)}

    A linear map :math:`\mathbf{x} \mapsto \mathbf{W} \mathbf{x}` then amplifies
    differences by at most :math:`c`. The norm is the largest singular value
    (``"spectral"``), or the root of the sum of squares (``"frobenius"``), which is at
    least as large and the more so the wider the weight. Gradients flow through the
    norm too. Register it with :func:`~graphlab.nn.lipschitz_norm`.

    Args:
        weight: The weight that will be bounded, :math:`(m, n)`.
        c: The bound :math:`c`.
        norm: ``"spectral"`` or ``"frobenius"``.
        mode: ``"soft"`` scales only weights that are larger than :math:`c`; ``"hard"``
            scales all to exactly :math:`c`.
        num_iterations: Steps of the power iteration that estimates the spectral norm,
            per change of the weight.
        certified: Whether the spectral norm is taken exactly, by a singular value
            decomposition at every access.
        num_blocks: Into how many blocks the weight is cut, each of which is bounded by
            itself: the heads of an attention layer.
        dim: Axis that is cut into blocks: the one of the outputs, which is ``0`` for
            :class:`torch.nn.Linear` and ``-1`` for
            :class:`~graphlab.nn.FeatureLinear`.

    Shapes:
        - **weight:** :math:`(m, n)`
        - **output:** :math:`(m, n)`

    Raises:
        ArgumentError: An argument has a value that is not accepted.

    Example:
        >>> lin = lipschitz_norm(torch.nn.Linear(16, 16), c=0.5, certified=True)
        >>> bool(torch.linalg.matrix_norm(lin.weight, ord=2) < 0.5001)
        True

    .. note::
        Power iteration estimates the norm from below, so that the effective weight may
        exceed :math:`c` slightly; :meth:`bound` says by how much. Its vector is a
        buffer that advances once per change of the weight, in training mode, and not
        at each access as in :func:`torch.nn.utils.parametrizations.spectral_norm`. So
        a layer that is called many times has one weight, and a state that is saved and
        loaded gives the same outputs in either mode.
    """

    def __init__(
        self,
        weight: Tensor,
        c: float = 1.0,
        norm: Literal["spectral", "frobenius"] = "spectral",
        mode: Literal["soft", "hard"] = "soft",
        num_iterations: int = 2,
        certified: bool = False,
        num_blocks: int = 1,
        dim: int = 0,
    ):
        super().__init__()
        check_choice("norm", norm, ("spectral", "frobenius"))
        check_choice("mode", mode, ("soft", "hard"))
        check_count("num_iterations", num_iterations)
        check_count("num_blocks", num_blocks)
        check_choice("dim", dim, (0, 1, -1, -2))
        check_positive("c", c)
        self.c = float(c)
        self.norm, self.mode, self.certified = norm, mode, certified
        self.num_iterations, self.num_blocks = num_iterations, num_blocks
        self.dim = dim if dim < 0 else dim - 2
        self._check_weight(weight)
        self._held: Tensor | None = None
        self.iterates = norm == "spectral" and not certified
        if self.iterates:
            blocks = self._blocks(weight.detach())
            self.register_buffer("vector", torch.empty_like(blocks[..., 0, :]))
            self.register_buffer("image", torch.empty_like(blocks[..., 0]))
            self.restart(weight)

    def _check_weight(self, weight: Tensor) -> None:
        if nn.parameter.is_lazy(weight):
            problem = "has no shape yet; initialize the module with a forward pass"
            raise ArgumentError(f"weight: {problem} first")
        if weight.dim() != 2 or 0 in weight.shape or not weight.is_floating_point():
            shape = f"{tuple(weight.shape)} of {weight.dtype}"
            raise ArgumentError(f"weight: must be a real matrix, not {shape}")
        if weight.size(self.dim) % self.num_blocks:
            problem = f"must divide the {weight.size(self.dim)} outputs"
            raise ArgumentError(f"num_blocks: {self.num_blocks} {problem}")

    @torch.no_grad()
    def restart(self, weight: Tensor) -> None:
        """Estimate the norm anew, for a weight that was replaced and not trained."""
        if not self.iterates:
            return
        source = torch.Generator().manual_seed(0)  # leaves the global numbers alone
        start = torch.randn(self.vector.shape, generator=source)
        blocks = self._blocks(weight.detach())
        vector = _iterate(blocks, start.to(blocks), _FIRST_ITERATIONS)
        self.vector.copy_(vector)
        self.image.copy_(_apply(blocks, vector))

    def forward(self, weight: Tensor) -> Tensor:  # noqa: D102
        if self._held is not None:
            return self._held
        if self.iterates and self.training:
            self._advance(weight)
        return self._bounded(weight)

    @torch.no_grad()
    def _advance(self, weight: Tensor) -> None:
        """Follow the weight if it changed, which its image of the vector tells.

        Both outcomes are computed, for under :func:`torch.func.vmap` some replicas may
        have changed and others not.
        """
        blocks = self._blocks(weight.detach())
        same = (_apply(blocks, self.vector) == self.image).all(-1, keepdim=True)
        vector = _iterate(blocks, self.vector, self.num_iterations)
        self.vector.copy_(torch.where(same, self.vector, vector))
        self.image.copy_(_apply(blocks, self.vector))

    def _bounded(self, weight: Tensor) -> Tensor:
        scale = self._scale(self._norms(weight))[..., None, None]  # [H, 1, 1]
        parts = weight.unflatten(self.dim, (self.num_blocks, -1))
        if self.dim == -1:  # [m, H, n / H]; else [H, m / H, n]
            scale = scale.transpose(-3, -2)
        return (parts * scale).flatten(self.dim - 1, self.dim)

    def _scale(self, norms: Tensor) -> Tensor:
        smallest = self.c if self.mode == "soft" else _SMALLEST
        return self.c / norms.clamp(min=smallest)

    def _norms(self, weight: Tensor) -> Tensor:
        """Norm of each block, differentiable."""
        blocks = self._blocks(weight)
        if self.norm == "frobenius":
            return torch.linalg.vector_norm(blocks, dim=(-2, -1))
        if self.certified:
            # The derivative of a singular value needs its vectors alone.
            vector = torch.linalg.svd(blocks.detach(), full_matrices=False)[2][
                ..., 0, :
            ]
        else:
            vector = self.vector.clone()  # the buffer moves on before the backward
        return torch.linalg.vector_norm(_apply(blocks, vector), dim=-1)

    def _blocks(self, weight: Tensor) -> Tensor:
        """The blocks one after the other, ``[H, m, n]``."""
        parts = weight.unflatten(self.dim, (self.num_blocks, -1))
        return parts.movedim(self.dim - 1, -3)

    @torch.no_grad()
    def bound(self, weight: Tensor) -> float:
        """The spectral norm of the effective weight, by SVD.

        Of several blocks it is the largest. Nothing advances, and what is
        :func:`~graphlab.nn.held` is looked at as it is.

        Args:
            weight: The weight before it is bounded: of the module,
                ``parametrizations.weight.original``.

        Shapes:
            - **weight:** :math:`(m, n)`
        """
        effective = self._bounded(weight) if self._held is None else self._held
        blocks = self._blocks(effective.detach()).double()
        return float(torch.linalg.matrix_norm(blocks, ord=2).max())

    def extra_repr(self) -> str:  # noqa: D102
        blocks = f", num_blocks={self.num_blocks}" if self.num_blocks > 1 else ""
        certified = ", certified=True" if self.certified else ""
        return f"c={self.c:g}, norm={self.norm}, mode={self.mode}{blocks}{certified}"


def lipschitz_norm(
    module: nn.Module, name: str = "weight", c: float = 1.0, **kwargs
) -> nn.Module:
    """Bound a weight of a module by :class:`~graphlab.nn.LipschitzNorm`.

    The parameter moves to ``module.parametrizations.<name>.original``.

    Args:
        module: The module, changed in place.
        name: Name of its weight.
        c: The bound.
        **kwargs: Further arguments of :class:`~graphlab.nn.LipschitzNorm`.

    Returns:
        The module.

    Raises:
        ArgumentError: There is no such parameter, it is bounded already, or an argument
            has a value that is not accepted.
    """
    if _norm_of(module, name) is not None:
        raise ArgumentError(f"name: {name!r} has a LipschitzNorm already")
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        kind = type(module).__name__
        raise ArgumentError(f"name: {kind} has no parameter {name!r} to bound")
    parametrize.register_parametrization(
        module, name, LipschitzNorm(weight, c=c, **kwargs)
    )
    module.register_state_dict_post_hook(_forget_effective_weights)
    return module


def _forget_effective_weights(
    module: nn.Module, state_dict: dict, prefix: str, metadata: dict
) -> None:
    """PyG's ``Linear`` saves what is called ``weight``, by now a result, no state."""
    for name in getattr(module, "parametrizations", ()):
        state_dict.pop(prefix + name, None)


def _norm_of(module: nn.Module, name: str) -> LipschitzNorm | None:
    lists = getattr(module, "parametrizations", None)
    if lists is None or name not in lists:
        return None
    last = lists[name][-1]
    return last if isinstance(last, LipschitzNorm) else None


@contextmanager
def held(module: nn.Module, detach: bool = False) -> Iterator[list[Tensor]]:
    """Compute every bounded weight of a module once, for all that is inside the block.

    A model enters it once per forward, so that a layer that is called hundreds of times
    bounds its weight once. Within another such block the outer weights stay in use.

    Args:
        module: The module; its weights are those with a
            :class:`~graphlab.nn.LipschitzNorm` as their last parametrization.
        detach: Whether the weights are leaves, cut off from the parameters.

    Yields:
        The weights, in the order of ``module.modules()``. Every access returns these
        very tensors.
    """
    lists = bounded_weights(module)
    before = [each[-1]._held for each in lists]
    weights = [each() for each in lists]
    if detach:
        weights = [_leaf(w, e) for w, e in zip(weights, lists, strict=True)]
    try:
        _hold(lists, weights)
        yield weights
    finally:
        _hold(lists, before)


@contextmanager
def unbounded(module: nn.Module) -> Iterator[None]:
    """Make accesses return the parameters themselves, then start the norms anew.

    So ``reset_parameters`` of the modules inside draws parameters, where otherwise it
    would fill the result of a computation and be without effect.
    """
    lists = bounded_weights(module)
    before = [each[-1]._held for each in lists]
    try:
        _hold(lists, [each.original for each in lists])
        yield
    finally:
        _hold(lists, before)
        for each in lists:
            each[-1].restart(each.original)


def bounded_weights(module: nn.Module) -> list[ParametrizationList]:
    """The parametrizations inside a module that end with a bound."""
    return [
        each
        for each in module.modules()
        if isinstance(each, ParametrizationList) and isinstance(each[-1], LipschitzNorm)
    ]


def _hold(lists: list[ParametrizationList], weights: list) -> None:
    for each, weight in zip(lists, weights, strict=True):
        each[-1].__dict__["_held"] = weight  # no parameter of its own


def _leaf(weight: Tensor, source: ParametrizationList) -> Tensor:
    return weight.detach().requires_grad_(source.original.requires_grad)


def resolve_bound(c: float | str, num_layers: int) -> float:
    """A bound that may shrink with depth: ``"3/L"`` is ``3 / num_layers``.

    Args:
        c: A positive number, or a string ``"k/L"`` with a positive number ``k``.
        num_layers: Number of layers ``L``.

    Raises:
        ArgumentError: ``c`` is neither, or ``num_layers`` is no positive number.
    """
    check_count("num_layers", num_layers)
    if not isinstance(c, str):
        check_positive("c", c, ", or a string such as '3/L'")
        return float(c)
    match = _PER_LAYER.fullmatch(c)
    if match is None or not float(match[1]) > 0:
        accepted = "a positive number or a string such as '3/L'"
        raise ArgumentError(f"c: must be {accepted}, not {c!r}")
    return float(match[1]) / num_layers


def _apply(blocks: Tensor, vector: Tensor) -> Tensor:
    return (blocks @ vector.unsqueeze(-1)).squeeze(-1)


def _iterate(blocks: Tensor, vector: Tensor, steps: int) -> Tensor:
    """Power iteration on ``W^T W``; a vector that it maps to 0 stays as it is."""
    for _ in range(steps):
        new = _apply(blocks.mT, _apply(blocks, vector))
        length = torch.linalg.vector_norm(new, dim=-1, keepdim=True)
        vector = torch.where(length > 0, new / length, vector)
    return vector
