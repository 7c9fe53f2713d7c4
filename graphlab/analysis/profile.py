"""What a model does to representations and gradients, layer by layer."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.analysis.cosine_similarity import mean_cosine_similarity
from graphlab.analysis.dirichlet_energy import dirichlet_energy
from graphlab.analysis.distances import (
    distance_to_constant,
    distance_to_degree_subspace,
)
from graphlab.analysis.layers import At, Layers, find_layers, measuring, watched
from graphlab.errors import ArgumentError
from graphlab.ops.spmm import Graph

if TYPE_CHECKING:
    import pandas as pd

Loss = Callable[[Tensor, Tensor], Tensor]
GRADIENT_COLUMNS = (
    "gradient_norm",
    "gradient_distance_to_constant",
    "gradient_relative_distance_to_constant",
    "gradient_distance_to_degree_subspace",
    "gradient_relative_distance_to_degree_subspace",
)


@dataclass(frozen=True)
class LayerProfile:
    """The measures of each call of each layer, in the order of the forward pass.

    Attributes:
        rows: One dictionary per call, from column to value.
    """

    rows: tuple[dict[str, Any], ...]

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per call of a layer."""
        import pandas as pd

        return pd.DataFrame(list(self.rows))


def representation_profile(
    model: nn.Module,
    x: Tensor,
    edge_index: Graph,
    layers: Layers = None,
    at: At = "input",
) -> LayerProfile:
    r"""Measure the representation at each layer of any model.

    Columns are ``layer``, ``call`` (a layer that is used several times has a row for
    each), ``norm`` :math:`\| \mathbf{X}^{(l)} \|_F`, and by the names of their
    functions ``dirichlet_energy``, ``mean_cosine_similarity``,
    ``distance_to_constant``, ``distance_to_degree_subspace`` and the ``relative_`` form
    of all but the cosine.

    The model is called once with ``model(x, edge_index)``, without dropout; batch
    normalization takes the statistics of the graph. Afterwards hooks are gone and the
    model is as before. A model with a method ``layer_states(x, edge_index)``, which
    returns a dictionary from name to state with the model's output as the last, is
    asked for its states instead.

    Args:
        model: Any module, PyG's own included.
        x: Node features.
        edge_index: The edges.
        layers: Which modules are layers, see :func:`find_layers`.
        at: Measure what enters a layer or what leaves it. The input is the state
            :math:`\mathbf{X}^{(l)}` of residual models too, whose layers often give
            only the branch that is added.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`, dense or sparse
        - **edge_index:** :math:`(2, |\mathcal{E}|)`

    Raises:
        ArgumentError: If no layers are found, ``x`` has a NaN or an infinite value, or
            the tensor at a layer has not one row per node.

    Example:
        >>> from torch_geometric.nn import GCN
        >>> ring = torch.tensor([[0, 1, 2], [1, 2, 0]])
        >>> model = GCN(4, 8, num_layers=2)
        >>> profile = representation_profile(model, torch.eye(3, 4), ring)
        >>> [row["layer"] for row in profile.rows]
        ['convs.0', 'convs.1']
    """
    x = _checked(x)
    recorder = _Recorder(edge_index, x.size(0))
    with measuring(model), torch.no_grad():
        _forward(model, x, edge_index, layers, at, recorder)
    return LayerProfile(tuple(recorder.rows))


def gradient_profile(
    model: nn.Module,
    x: Tensor,
    edge_index: Graph,
    y: Tensor,
    mask: Tensor | None = None,
    layers: Layers = None,
    at: At = "input",
    loss: Loss | None = None,
) -> LayerProfile:
    r"""Measure the representation and the loss's gradient at each layer of any model.

    Beside the columns of :func:`representation_profile`, those of the gradient
    :math:`\mathbf{G}^{(l)} = \partial \mathcal{L} / \partial \mathbf{X}^{(l)}`:
    ``gradient_norm``; ``gradient_relative_distance_to_constant``,
    :math:`\mu(\mathbf{G}) / \| \mathbf{G} \|_F`; and
    ``gradient_relative_distance_to_degree_subspace``, the same for the directions that
    graph convolutions keep. They are separate since the distances themselves shrink
    with the norm, smooth or not. ``gradient_distance_to_constant`` and
    ``gradient_distance_to_degree_subspace`` are those distances.

    Nothing is added to any ``.grad``. Where no gradient arrives the measures are NaN.

    Args:
        model: Any module, PyG's own included.
        x: Node features.
        edge_index: The edges.
        y: Class of each node; for a model with one output, 0 or 1.
        mask: Nodes of the loss, boolean; all by default.
        layers: Which modules are layers, see :func:`find_layers`.
        at: Measure what enters a layer or what leaves it.
        loss: From the outputs and labels of the masked nodes to a number. By default
            mean cross entropy, binary for a model with one output.

    Shapes:
        - **x:** :math:`(|\mathcal{V}|, F)`, dense or sparse
        - **edge_index:** :math:`(2, |\mathcal{E}|)`
        - **y:** :math:`(|\mathcal{V}|)`
        - **mask:** :math:`(|\mathcal{V}|)` *(optional)*

    Raises:
        ArgumentError: As :func:`representation_profile`, and if ``y`` or ``mask`` do
            not fit or the mask is empty.

    Example:
        >>> from torch_geometric.nn import GCN
        >>> ring, y = torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([0, 1, 1])
        >>> model = GCN(4, 8, num_layers=2, out_channels=2)
        >>> profile = gradient_profile(model, torch.eye(3, 4), ring, y)
        >>> bool(profile.rows[0]["gradient_norm"] > 0)
        True
    """
    x = _checked(x).detach().clone().requires_grad_()
    mask = _checked_mask(mask, y, x.size(0))
    recorder = _Recorder(edge_index, x.size(0), gradients=True)
    with measuring(model), torch.enable_grad():
        out = _forward(model, x, edge_index, layers, at, recorder)
        value = (loss or _cross_entropy)(out[mask], y[mask])
        inputs = [x, *(p for p in model.parameters() if p.requires_grad)]
        # Not backward(): it would add to .grad. The recorder listens on the way.
        torch.autograd.grad(value, inputs, allow_unused=True)
    return LayerProfile(tuple(recorder.rows))


class _Recorder:
    """Measures states as they come, so that none is kept."""

    def __init__(self, graph: Graph, num_nodes: int, gradients: bool = False):
        self.graph, self.num_nodes, self.gradients = graph, num_nodes, gradients
        self.rows: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()

    def __call__(self, name: str, state: Tensor) -> None:
        if state.dim() < 2 or state.size(0) != self.num_nodes:
            raise ArgumentError(
                f"layers: the tensor at {name} has shape {list(state.shape)}, but only "
                f"[{self.num_nodes}, ...], a row per node, can be measured"
            )
        row = {"layer": name, "call": self.calls[name]}
        row |= measures(state, self.graph)
        if self.gradients:
            row |= dict.fromkeys(GRADIENT_COLUMNS, float("nan"))
            if state.requires_grad:
                # A hook, not retain_grad(): writing in place later changes nothing.
                state.register_hook(lambda gradient: self._arrived(row, gradient))
        self.calls[name] += 1
        self.rows.append(row)

    def _arrived(self, row: dict[str, Any], gradient: Tensor) -> None:
        found = measures(gradient, self.graph, gradient=True)
        row.update({f"gradient_{name}": value for name, value in found.items()})


def measures(x: Tensor, graph: Graph, gradient: bool = False) -> dict[str, float]:
    """All measures of one state or, with fewer of them, of one gradient."""
    x = x.detach().flatten(1)
    norm = torch.linalg.vector_norm(x.double())
    constant = distance_to_constant(x)
    degree = distance_to_degree_subspace(x, graph)
    found = {
        "norm": norm,
        "distance_to_constant": constant,
        "relative_distance_to_constant": (constant / norm).clamp(max=1),
        "distance_to_degree_subspace": degree,
        "relative_distance_to_degree_subspace": (degree / norm).clamp(max=1),
    }
    if not gradient:
        energy = dirichlet_energy(x, graph)
        found["dirichlet_energy"] = energy
        found["relative_dirichlet_energy"] = energy / norm / norm
        found["mean_cosine_similarity"] = mean_cosine_similarity(x)
    return {name: float(value) for name, value in found.items()}


def _forward(model, x, edge_index, layers, at, recorder) -> Tensor:
    """The model's output, each state shown to the recorder."""
    if layers is None and hasattr(model, "layer_states"):
        states = model.layer_states(x, edge_index)
        *_, out = states.values()
        for name, state in list(states.items())[:-1]:
            recorder(name, state)
        return out
    found = find_layers(model, layers)
    with watched(found, at, recorder):
        out = model(x, edge_index)
    if not recorder.rows:
        raise ArgumentError(
            f"layers: {type(model).__name__} called none of {', '.join(found)}; name "
            "others, or give it a method layer_states(x, edge_index)"
        )
    return out[0] if isinstance(out, tuple | list) else out


def _checked(x: Tensor) -> Tensor:
    x = x.to_dense() if x.layout != torch.strided else x
    if not x.is_floating_point() or x.dim() != 2:
        raise ArgumentError(
            f"x must be a floating point tensor of shape [N, F], got {x.dtype} "
            f"{list(x.shape)}"
        )
    if not bool(x.isfinite().all()):
        raise ArgumentError("x must be finite, but has values that are NaN or infinite")
    return x


def _checked_mask(mask: Tensor | None, y: Tensor, num_nodes: int) -> Tensor:
    if y.dim() != 1 or y.size(0) != num_nodes:
        raise ArgumentError(f"y must have shape [{num_nodes}], got {list(y.shape)}")
    if mask is None:
        return torch.ones(num_nodes, dtype=torch.bool, device=y.device)
    if mask.dtype != torch.bool or tuple(mask.shape) != (num_nodes,):
        raise ArgumentError(
            f"mask must be boolean of shape [{num_nodes}], got {mask.dtype} "
            f"{list(mask.shape)}"
        )
    if not bool(mask.any()):
        raise ArgumentError("mask must select at least one node")
    return mask


def _cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    if out.size(1) == 1:
        target = y.to(out.dtype).unsqueeze(1)
        return F.binary_cross_entropy_with_logits(out, target)
    return F.cross_entropy(out, y)
