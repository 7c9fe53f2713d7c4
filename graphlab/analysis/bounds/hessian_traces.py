"""Traces of the Hessian of each graph's loss, one weight matrix at a time."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from graphlab.analysis.bounds._checks import a_count
from graphlab.analysis.margin_lipschitz import evaluating
from graphlab.analysis.weights import weight_matrices
from graphlab.errors import ArgumentError

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy_of_graphs(logits: Tensor, y: Tensor) -> Tensor:
    """Cross entropy of each graph."""
    return F.cross_entropy(logits, y, reduction="none")


def hessian_traces(
    model: nn.Module,
    graphs: Sequence[Data],
    probes: int = 10,
    seed: int = 0,
    batch_size: int = 256,
    loss: Loss = cross_entropy_of_graphs,
) -> tuple[float, ...]:
    r"""Largest trace of a graph's Hessian, for each weight matrix of a model.

    .. math::
        \max_G \mathrm{tr} \, \nabla^2_{\mathbf{W}_l} \ell(G) = \max_G \mathbb{E}
        \frac{\mathrm{d}^2}{\mathrm{d} t^2} \ell_{\mathbf{W}_l + t \mathbf{V}}(G)
        \Big|_{t = 0}

    with :math:`\mathbf{V}` of independent random signs (Hutchinson's estimator). Graphs
    share the draw of :math:`\mathbf{V}`: each step gives the second derivative of all
    of them, since :math:`t` is one number.

    Args:
        model: A module that is called with ``x``, ``edge_index`` and ``batch``. It is
            used in evaluation mode.
        graphs: Graphs with ``x``, ``edge_index`` and one label ``y``.
        probes: Number of draws of :math:`\mathbf{V}` for each matrix.
        seed: Seed of the draws.
        batch_size: Graphs at a time.
        loss: From logits and labels to the loss of each graph.

    Returns:
        One number for each matrix, in the order of :func:`network_norms`.

    Raises:
        ArgumentError: If an argument is not accepted, a weight is parametrized, or the
            model has an operation that cannot be differentiated twice.

    Example:
        >>> from torch_geometric.nn import GCN, global_add_pool
        >>> class Model(torch.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.gnn = GCN(2, 2, num_layers=1)
        ...     def forward(self, x, edge_index, batch):
        ...         return global_add_pool(self.gnn(x, edge_index), batch)
        >>> graph = Data(torch.eye(2), torch.tensor([[0, 1], [1, 0]]), y=0)
        >>> [trace] = hessian_traces(Model(), [graph])
        >>> trace >= 0
        True
    """
    graphs = list(graphs)
    if not graphs:
        raise ArgumentError("graphs must hold at least one graph, got none")
    probes = a_count("probes", probes)
    batch_size = a_count("batch_size", batch_size)
    parameters = dict(model.named_parameters())
    names = list(weight_matrices(model))
    hidden = [name for name in names if name not in parameters]
    if hidden:
        raise ArgumentError(
            f"model must have weights that are parameters, got {hidden[0]}, which is "
            "parametrized"
        )
    generator = torch.Generator().manual_seed(seed)
    directions = {
        name: [_signs(parameters[name], generator) for _ in range(probes)]
        for name in names
    }
    found = []
    with evaluating(model):
        for start in range(0, len(graphs), batch_size):
            batch = Batch.from_data_list(graphs[start : start + batch_size])
            batch = batch.to(next(model.parameters()).device)
            found.append(_of_batch(model, batch, parameters, directions, loss))
    return tuple(torch.cat(found, dim=1).max(1).values.tolist())


def _signs(weight: Tensor, generator: torch.Generator) -> Tensor:
    bits = torch.randint(2, weight.shape, generator=generator)
    return (2 * bits - 1).to(weight)


def _of_batch(
    model: nn.Module,
    batch: Batch,
    parameters: dict[str, Tensor],
    directions: dict[str, list[Tensor]],
    loss: Loss,
) -> Tensor:
    """Mean over probes of the second derivatives, one row a matrix."""
    rows = []
    for name, signs in directions.items():

        def losses(weight: Tensor, name: str = name) -> Tensor:
            args = (batch.x, batch.edge_index)
            kwargs = {"batch": batch.batch}
            logits = torch.func.functional_call(model, {name: weight}, args, kwargs)
            return loss(logits, batch.y.view(-1))

        weight = parameters[name].detach()
        seconds = [_second_derivative(losses, weight, each) for each in signs]
        rows.append(torch.stack(seconds).double().mean(0))
    return torch.stack(rows).cpu()


def _second_derivative(losses: Callable, weight: Tensor, sign: Tensor) -> Tensor:
    """Of each graph's loss along a direction: two derivatives, then one of weights."""
    t = torch.zeros((), dtype=weight.dtype, device=weight.device, requires_grad=True)
    with torch.enable_grad():
        values = losses(weight + t * sign)
        shares = torch.ones_like(values, requires_grad=True)
        try:
            found = (values * shares).sum()
            for _ in range(2):
                (found,) = torch.autograd.grad(
                    found, t, create_graph=True, allow_unused=True
                )
                if found is None or not found.requires_grad:
                    return torch.zeros_like(values)
            (each,) = torch.autograd.grad(found, shares, allow_unused=True)
        except RuntimeError as error:
            raise ArgumentError(
                f"model must be differentiable twice, got: {error}"
            ) from error
    return torch.zeros_like(values) if each is None else each.detach()
