"""Features for graphs that have none."""

import warnings

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform
from torch_geometric.utils import degree

from ..errors import ArgumentError
from ._checks import check_choice


class NodeFeatures(BaseTransform):
    r"""Writes features that follow from the graph alone to ``data.x``.

    As in the tables of the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper: a constant says nothing of a node
    (inductive), its identity everything (transductive, "-T").

    For link prediction apply ``"degree"`` to the parts that
    :class:`RandomPairSplit` returns, not to the graph before: the degree would tell of
    held-out edges.

    Args:
        kind: ``"constant"``, a 1 for each node; ``"degree"``,
            :math:`\log(1 + d_v)` with :math:`d_v` the number of entries of
            ``edge_index`` that end in :math:`v`; ``"identity"``, one column per node,
            dense up to 2,048 nodes and in CSR form above.

    Raises:
        ArgumentError: If the kind is unknown, or (when applied) the number of nodes.

    Example:
        >>> data = Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
        >>> NodeFeatures("identity")(data).x
        tensor([[1., 0., 0.],
                [0., 1., 0.],
                [0., 0., 1.]])
    """

    def __init__(self, kind: str = "constant") -> None:
        check_choice("kind", kind, ("constant", "degree", "identity"))
        self.kind = kind

    def forward(self, data: Data) -> Data:
        """Return the data with ``x``."""
        num_nodes = data.num_nodes
        if num_nodes is None:
            raise ArgumentError("data: has no edge_index and no num_nodes")
        device = None if data.edge_index is None else data.edge_index.device
        if self.kind == "constant":
            data.x = torch.ones(num_nodes, 1, device=device)
        elif self.kind == "degree":
            ends = degree(data.edge_index[1], num_nodes)
            data.x = ends.log1p().unsqueeze(1)
        else:
            data.x = _identity(num_nodes, device)
        return data

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.kind!r})"


def _identity(num_nodes: int, device: torch.device | None) -> Tensor:
    if num_nodes <= 2048:
        return torch.eye(num_nodes, device=device)
    place = torch.arange(num_nodes + 1, device=device)
    with warnings.catch_warnings():  # torch calls all its CSR tensors beta
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(
            place,
            place[:-1],
            torch.ones(num_nodes, device=device),
            (num_nodes, num_nodes),
        )
