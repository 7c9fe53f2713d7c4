"""How many rounds of colour refinement bound an architecture."""

import inspect

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import type_before_parametrizations

from graphlab.analysis._wl_layers import DEGREES, EDGES, HARMLESS, REFUSED, STEPS
from graphlab.errors import ArgumentError

#: Arguments by which a module may be given a graph.
_GRAPHS = ("edge_index", "adj", "adj_t", "adjacency", "data", "graph", "g")

_UNKNOWN = "known here"
#: A model without messages that takes edges all the same.
_MLP = "graphlab.nn.models.mlp"


def wl_rounds(
    model: nn.Module, num_layers: int | None = None, edge_labels: bool = False
) -> int:
    r"""Rounds of 1-WL whose colours determine what a model computes.

    A layer that sees neighbours once (GIN, GraphSAGE, GAT, GraphConv, ...) takes one
    round, one of :math:`K` steps :math:`K` rounds. Symmetric normalization scales a
    message by the degree of its *sender*, which the sender's own colour tells only
    after a round: one more for the whole model if there is such a layer.

    .. math::
        T = \max \left( \sum_i K_i, \; L \max_i K_i \right) + [\text{normalized}]

    So :math:`L` rounds for :math:`L` layers of GIN, :math:`L + 1` for GCN,
    :math:`K + 1` for APPNP and SGC, :math:`L (K - 1) + 1` for ChebNet with :math:`K`
    polynomials. More rounds than needed bound as well, but less tightly.

    What is judged are the *classes* of the modules inside: layers of PyG and graphlab
    that are known here. What a model's own ``forward`` does beyond calling them is not
    seen. Comparing outputs of graphs with equal histograms is the check on data.

    Args:
        model: The model, in evaluation mode when it is used.
        num_layers: How many times :math:`L` a message-passing layer is called one after
            the other. By default every layer that is registered is called once, so
            this is needed where layers are called repeatedly.
        edge_labels: Whether the colours carry edge labels (``use_edge_labels``), which
            layers that read edge features need. Edge *weights* are edge features too
            where they are given to layers.

    Raises:
        ArgumentError: If the model has a part that no number of rounds is known for:
            virtual nodes, random features, attention over all nodes, distances to
            anchors, inverses of layers, pooling that changes the graph, statistics over
            nodes or batches, reading edge features that the colours do not carry, or a
            message-passing layer that is not known here.

    Example:
        >>> from torch_geometric.nn import GCN, GIN
        >>> wl_rounds(GIN(7, 64, num_layers=3)), wl_rounds(GCN(7, 64, num_layers=3))
        (3, 4)

    .. note::
        That one round more is needed for GCN is measured: on MUTAG, one layer of GCN
        tells apart graphs that one round of labelled 1-WL does not. The colours must
        also start with what the model gets: ``init="attribute"`` where features are
        more than labels, for instance positional encodings. On directed graphs the
        numbers hold but for ChebConv and BernConv, which normalize by the edges that
        leave a node.
    """
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model must be a Module, got {type(model).__name__}")
    count = isinstance(num_layers, int) and not isinstance(num_layers, bool)
    if num_layers is not None and (not count or num_layers < 0):
        raise ArgumentError(
            f"num_layers must be a whole number >= 0 or None, got {num_layers!r}"
        )
    # A layer that is registered twice is called twice.
    parts = list(model.named_modules(remove_duplicate=False))
    _refuse([(*part, _problem(*part, edge_labels)) for part in parts])
    kinds = [(module, _layer(module)) for _, module in parts]
    steps = [STEPS[kind](module) for module, kind in kinds if kind]
    normalized = any(kind in DEGREES for _, kind in kinds)
    return max(sum(steps), (num_layers or 0) * max(steps, default=0)) + normalized


def _refuse(parts: list[tuple[str, nn.Module, str | None]]) -> None:
    """Name the first part that is known to be a problem, else one that is not known."""
    problems = [part for part in parts if part[2]]
    if problems:
        name, module, problem = min(problems, key=lambda part: _UNKNOWN in part[2])
        kind = type_before_parametrizations(module).__name__
        raise ArgumentError(
            f"model: no number of rounds is known to bound {name or 'it'} ({kind}): it "
            f"{problem}"
        )


def _layer(module: nn.Module) -> str | None:
    """Name of a message-passing layer of PyG or graphlab that is known here."""
    kind = type_before_parametrizations(module)
    layers = ("torch_geometric.nn.conv.", "graphlab.nn.conv.")
    known = kind.__module__.startswith(layers) and kind.__name__ in STEPS
    return kind.__name__ if known else None


def _problem(name: str, module: nn.Module, edge_labels: bool) -> str | None:
    """Why a module has no number of rounds, None if it has."""
    kind = type_before_parametrizations(module)
    package = kind.__module__.partition(".")[0]
    words = f"{name.rpartition('.')[2]} {kind.__name__}".lower()
    if "virtual" in words:
        return (
            "is called a virtual node; the colours of graphs that have that node "
            "(torch_geometric.transforms.VirtualNode) would do"
        )
    if "random" in words:
        return "is called random, and colours know nothing of random features"
    if getattr(module, "num_reverse_layers", 0):
        return "inverts layers, which reaches over the whole graph"
    if isinstance(module, _BatchNorm) and module.running_mean is None:
        return "takes statistics over the batch: graphs are not encoded one by one"
    if _layer(module):
        return _problem_of_layer(module, edge_labels)
    if package in ("torch", "torch_geometric", "graphlab"):
        for start, problem in REFUSED.items():
            if kind.__name__.startswith(start):
                return problem
    if package == "torch_geometric":
        return _problem_of_part(module)
    return None if package == "torch" else _problem_of_other(module)


def _problem_of_layer(conv: nn.Module, edge_labels: bool) -> str | None:
    kind = _layer(conv)
    if getattr(conv, "cached", False):
        return "remembers the normalization of the first graph (cached=True)"
    if getattr(conv, "flow", "source_to_target") != "source_to_target":
        return f"sends messages against the edges (flow={conv.flow!r})"
    if kind == "ChebConv" and getattr(conv, "normalization", "sym") is None:
        return "scales by the largest degree of the batch (normalization=None)"
    reads = getattr(conv, "edge_dim", None) is not None or kind in EDGES
    if (reads or (kind == "CGConv" and conv.dim)) and not edge_labels:
        return (
            "reads edge features; encode with use_edge_labels=True and say "
            "edge_labels=True"
        )
    return None


def _problem_of_part(module: nn.Module) -> str | None:
    kind = type(module).__name__
    if kind == "LayerNorm" and module.mode != "node":
        return "takes statistics over nodes (mode='node' does not)"
    return None if kind in HARMLESS else f"is not among the parts of PyG {_UNKNOWN}"


def _problem_of_other(module: nn.Module) -> str | None:
    """A class of the user or a model of graphlab must leave messages to layers."""
    if type(module).__name__.endswith("Conv"):
        return f"is a message-passing layer that is not {_UNKNOWN}"
    takes = set(inspect.signature(module.forward).parameters) & set(_GRAPHS)
    layers = any(map(_layer, module.modules()))
    if not takes or layers or type(module).__module__ == _MLP:
        return None
    return f"takes {min(takes)} and has no message-passing layer that is {_UNKNOWN}"
