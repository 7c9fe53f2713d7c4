"""A model of graphs from any class of models."""

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from graphlab.nn import GraphClassifier

#: Arguments that are the read-out's and not the encoder's.
READOUT = ("pooling", "act", "track_running_stats")


def make_graph_model(
    kind: Callable[..., nn.Module], in_channels: int, num_classes: int, **kwargs: Any
) -> nn.Module:
    """A model that tells the classes of graphs, for :func:`fit_graphs`.

    A class whose ``forward`` begins with ``x, edge_index, batch`` is a model of graphs,
    and made with ``in_channels`` and ``out_channels=num_classes``. Any other is a model
    of nodes, such as those of :mod:`graphlab.nn` and of PyG: made with
    ``out_channels=hidden_channels``, it becomes the encoder of a
    :class:`graphlab.nn.GraphClassifier`.

    Args:
        kind: The class.
        in_channels: Number of node features.
        num_classes: Number of classes.
        **kwargs: Further arguments of the class; and of the read-out, where it is a
            model of nodes: ``pooling``, ``act``, ``track_running_stats``.

    Example:
        >>> from graphlab.nn import GIN
        >>> model = make_graph_model(GIN, 7, 2, hidden_channels=16, pooling="mean")
        >>> model.encoder.convs[0].nn[0].in_channels, model.pooling
        (7, 'mean')
    """
    forward = getattr(kind, "forward", None)
    takes = list(inspect.signature(forward).parameters) if forward else []
    if takes[3:4] == ["batch"]:
        return kind(in_channels=in_channels, out_channels=num_classes, **kwargs)
    readout = {name: kwargs.pop(name) for name in READOUT if name in kwargs}
    hidden = kwargs.get("hidden_channels", 64)
    encoder = kind(in_channels=in_channels, out_channels=hidden, **kwargs)
    return GraphClassifier(encoder, hidden, num_classes, **readout)
