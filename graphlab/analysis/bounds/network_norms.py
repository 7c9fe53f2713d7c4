"""The norms of weights and graphs that bounds on weights are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch
from scipy.sparse.linalg import svds
from torch import Tensor, nn
from torch_geometric.data import Data

from graphlab.analysis.layers import find_layers, measuring
from graphlab.analysis.weights import weight_matrices
from graphlab.errors import ArgumentError

#: Classes of layers that propagate with the symmetric normalization, whose norm is 1.
SYMMETRIC = ("GCN", "SGConv", "APPNP", "LipschitzResGNNConv")
MEAN = ("SAGEConv",)


@dataclass(frozen=True)
class NetworkNorms:
    r"""Norms of a model's weights, and of the graphs that it sees.

    Attributes:
        names: Names of the weight matrices, in their order in the model.
        spectral: Spectral norm :math:`s_l` of each.
        frobenius: Frobenius norm of each, :math:`s_l r_l` with :math:`r_l` the root of
            the stable rank.
        widths: Number of outputs of each.
        layers: To which message-passing layer each belongs, from 0; -1 if to none.
        num_layers: Number of layers that pass messages.
        feature_norm: Largest spectral norm :math:`\| \mathbf{X} \|_2` of a graph's
            features.
        max_degree: Largest number of neighbors.
        adjacency_norm: Largest spectral norm :math:`\| \mathbf{A} \|_2`.
        diffusion_norm: Largest spectral norm of what the layers propagate with.
        diffusion: Which one that is.
        normalizations: Names of normalization layers, which no bound accounts for.
        hessian_traces: Largest trace of the Hessian of a graph's loss for each matrix,
            see :func:`hessian_traces`.
    """

    names: tuple[str, ...]
    spectral: tuple[float, ...]
    frobenius: tuple[float, ...]
    widths: tuple[int, ...]
    layers: tuple[int, ...]
    num_layers: int
    feature_norm: float
    max_degree: int
    adjacency_norm: float
    diffusion_norm: float
    diffusion: str = "adjacency"
    normalizations: tuple[str, ...] = ()
    hessian_traces: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        count = len(self.names)
        lists = ("spectral", "frobenius", "widths", "layers", "hessian_traces")
        for name in lists:
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise ArgumentError(
                    f"{name} must have a number for each of {count} weight matrices, "
                    f"got {len(values)}"
                )
        if not count:
            raise ArgumentError("names must name at least one weight matrix, got none")


def network_norms(
    model: nn.Module,
    graphs: Sequence[Data],
    diffusion: str | float = "auto",
    hessian_traces: Sequence[float] | None = None,
) -> NetworkNorms:
    r"""The norms of a model's weights, and the largest norms of graphs.

    Weights are all matrices of the model, as they are used, in the order in which they
    are registered; biases and the scales of normalizations are none.

    Args:
        model: Any module with layers that :func:`find_layers` finds.
        graphs: The training graphs, with ``x`` and ``edge_index``.
        diffusion: What the layers propagate with: ``"gcn"`` for the symmetric
            normalization, of norm 1; ``"mean"`` for
            :math:`\mathbf{D}^{-1} \mathbf{A}`; ``"adjacency"`` for
            :math:`\mathbf{A}`; or its norm. ``"auto"`` goes by the layers' classes,
            and takes the adjacency matrix for those that it does not know.
        hessian_traces: What :func:`hessian_traces` returned, for :func:`pac_hessian`.

    Raises:
        ArgumentError: If there are no graphs, features, layers or weights, or
            ``diffusion`` is not accepted.

    Example:
        >>> from torch_geometric.data import Data
        >>> from torch_geometric.nn import GCN
        >>> path = Data(torch.eye(2), torch.tensor([[0, 1], [1, 0]]))
        >>> norms = network_norms(GCN(2, 4, num_layers=2, out_channels=3), [path])
        >>> norms.widths, norms.num_layers, norms.max_degree, norms.diffusion_norm
        ((4, 3), 2, 1, 1.0)
    """
    graphs = list(graphs)
    if not graphs:
        raise ArgumentError("graphs must hold at least one graph, got none")
    for place, graph in enumerate(graphs):
        if graph.x is None or graph.x.dim() != 2:
            raise ArgumentError(f"graphs: graph {place} must have features x [N, F]")
    widths = {graph.x.size(1) for graph in graphs}
    if len(widths) > 1:
        raise ArgumentError(
            f"graphs must have the same number of features, got {sorted(widths)}"
        )
    layers = find_layers(model)
    with measuring(model):  # a bounded weight must not move on by being looked at
        weights = {
            name: weight.detach().double()
            for name, weight in weight_matrices(model).items()
        }
    if not weights:
        raise ArgumentError(f"model: {type(model).__name__} has no weight matrix")
    adjacency = _union(graphs)
    kind, norm = _diffusion(diffusion, layers, adjacency)
    return NetworkNorms(
        names=tuple(weights),
        spectral=tuple(map(_spectral_norm, weights.values())),
        frobenius=tuple(float(weight.norm()) for weight in weights.values()),
        widths=tuple(weight.size(0) for weight in weights.values()),
        layers=tuple(_layer_of(name, list(layers)) for name in weights),
        num_layers=len(layers),
        feature_norm=_largest_singular_value(_features(graphs)),
        max_degree=int(adjacency.sum(1).max()),
        adjacency_norm=_largest_singular_value(adjacency),
        diffusion_norm=norm,
        diffusion=kind,
        normalizations=tuple(_normalizations(model)),
        hessian_traces=None if hessian_traces is None else tuple(hessian_traces),
    )


def _spectral_norm(matrix: Tensor) -> float:
    return float(torch.linalg.matrix_norm(matrix, 2)) if matrix.numel() else 0.0


def _layer_of(name: str, layers: list[str]) -> int:
    inside = (k for k, layer in enumerate(layers) if name.startswith(f"{layer}."))
    return next(inside, -1)


def _normalizations(model: nn.Module) -> list[str]:
    return [name for name, m in model.named_modules() if "Norm" in type(m).__name__]


def _union(graphs: list[Data]) -> scipy.sparse.csr_array:
    """The adjacency matrix of all graphs side by side: its norm is their largest."""
    sizes = [graph.x.size(0) for graph in graphs]
    starts = np.cumsum([0, *sizes])
    edges = [graph.edge_index.cpu().numpy() for graph in graphs]
    moved = [e + start for e, start in zip(edges, starts[:-1], strict=True)]
    source, target = np.concatenate(moved, axis=1)
    matrix = (np.ones(len(source)), (target, source))
    union = scipy.sparse.csr_array(matrix, shape=(starts[-1], starts[-1]))
    union.data[:] = 1  # an edge that is there twice is one edge
    return union


def _features(graphs: list[Data]) -> scipy.sparse.csr_array:
    """The features of each graph in columns of its own: the norm is their largest."""
    x = scipy.sparse.coo_array(np.concatenate([_array(graph.x) for graph in graphs]))
    nodes, channels = x.coords
    graph_of = np.repeat(np.arange(len(graphs)), [g.x.size(0) for g in graphs])
    places = (nodes, channels + graph_of[nodes] * x.shape[1])
    shape = (x.shape[0], x.shape[1] * len(graphs))
    return scipy.sparse.csr_array((x.data, places), shape=shape)


def _array(x: Tensor) -> np.ndarray:
    return x.detach().cpu().double().numpy()


def _diffusion(
    diffusion: str | float,
    layers: dict[str, nn.Module],
    adjacency: scipy.sparse.csr_array,
) -> tuple[str, float]:
    kind = _kind_of(layers) if diffusion == "auto" else diffusion
    if kind == "gcn":
        return kind, 1.0
    if kind == "mean":
        degree = np.maximum(adjacency.sum(1), 1)
        return kind, _largest_singular_value(
            scipy.sparse.diags_array(1 / degree) @ adjacency
        )
    if kind == "adjacency":
        return kind, _largest_singular_value(adjacency)
    if isinstance(kind, int | float) and not isinstance(kind, bool) and kind >= 0:
        return "given", float(kind)
    raise ArgumentError(
        "diffusion must be 'auto', 'gcn', 'mean', 'adjacency' or its norm, got "
        f"{diffusion!r}"
    )


def _kind_of(layers: dict[str, nn.Module]) -> str:
    classes = {
        type(part).__name__
        for layer in layers.values()
        for part in layer.modules()
        if type(part).__name__.endswith("Conv") or part is layer
    }
    for kind, names in (("gcn", SYMMETRIC), ("mean", MEAN)):
        if classes and all(c.startswith(names) for c in classes):
            return kind
    return "adjacency"


def _largest_singular_value(matrix: scipy.sparse.csr_array) -> float:
    if matrix.nnz == 0:
        return 0.0
    if min(matrix.shape) < 3:
        return float(np.linalg.norm(matrix.toarray(), 2))
    # Fixed, so that equal calls give equal bits; no eigenvector is orthogonal to it.
    start = np.random.default_rng(0).random(min(matrix.shape))
    found = svds(matrix, 1, v0=start, tol=1e-9, return_singular_vectors=False)
    return float(found[0])
