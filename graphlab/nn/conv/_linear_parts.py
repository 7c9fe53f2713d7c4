"""Which weights of a message-passing layer multiply ``x``, and what follows them."""

import math

from torch import Tensor, nn

from graphlab.errors import ArgumentError
from graphlab.nn.norm.propagation_norm import propagation_norm
from graphlab.ops import gcn_norm
from graphlab.ops.spmm import Graph, as_csr

#: Where the layers of PyG, and ours, keep the weights whose product is sent along the
#: edges, and those whose product stays at the node.
_SENT = ("lin", "lin_src", "lin_l")
_KEPT = ("lin_r", "res")


def linear_parts(conv: nn.Module) -> list[tuple[nn.Module, bool]]:
    """The linear maps of ``x``, each with whether its result is sent along the edges.

    Raises:
        ArgumentError: There are none where they are known to be, or the layer is not
            as wide as its inputs.
    """
    parts: dict[nn.Module, bool] = {}
    for name in (*_SENT, *_KEPT):
        lin = getattr(conv, name, None)
        if isinstance(lin, nn.Module) and hasattr(lin, "weight"):
            parts.setdefault(lin, name in _SENT)
    kind = type(conv).__name__
    if not parts or getattr(conv, "project", False):
        accepted = "a layer like GCNConv, SAGEConv (without project) or GATConv"
        raise ArgumentError(f"conv: must be {accepted}, not {kind}")
    first = next(iter(parts))
    width, outputs = first.in_channels, first.out_channels
    if hasattr(conv, "heads") and not conv.concat:
        outputs //= conv.heads
    if width != outputs:
        problem = f"must be as wide as its inputs, but maps {width} to {outputs}"
        raise ArgumentError(f"conv: {kind} {problem} channels")
    return list(parts.items())


def is_bounded(conv: nn.Module) -> bool:
    """Whether bounds of the weights bound the layer.

    Not so for attention, whose scores depend on ``x``, nor for outputs scaled to
    length 1, which near 0 change by any amount.
    """
    if hasattr(conv, "att_src") or hasattr(conv, "att"):
        return False
    if hasattr(conv, "lin_l"):
        return not conv.normalize and conv.aggr in ("mean", "sum", "add", "max", "min")
    return _is_gcn(conv)


def _is_gcn(conv: nn.Module) -> bool:
    own = hasattr(conv, "normalize") and hasattr(conv, "add_self_loops")
    return own and getattr(conv, "aggr", "add") in ("add", "sum")


def usual_propagation(conv: nn.Module) -> float:
    """Norm of the propagation on the graphs that it is meant for, else infinite."""
    if not is_bounded(conv):
        return math.inf
    return 1.0 if not hasattr(conv, "lin_l") or conv.aggr == "mean" else math.inf


def propagation_on(
    conv: nn.Module, edge_index: Graph, num_nodes: int, edge_weight: Tensor | None
) -> float:
    """Upper bound of the norm of the propagation on one graph."""
    if not is_bounded(conv):
        return math.inf
    if not hasattr(conv, "lin_l"):
        if getattr(conv, "improved", False):
            raise ArgumentError("conv: the norm of improved=True is not implemented")
        if conv.normalize:
            loops = conv.add_self_loops
            normalized = gcn_norm(edge_index, edge_weight, num_nodes, loops)
            edge_index, edge_weight = normalized
        return propagation_norm(edge_index, edge_weight, num_nodes)
    graph = as_csr(edge_index, num_nodes)
    if conv.aggr in ("max", "min"):
        # An input is taken by at most as many nodes as it has outgoing edges.
        return math.sqrt(int(graph.t().degree().max()))
    if conv.aggr == "mean":
        dtype = conv.lin_l.weight.dtype
        edge_weight = graph.mean_factor(dtype)[graph.dst()]
    else:
        edge_weight = None
    return propagation_norm(graph, edge_weight)
