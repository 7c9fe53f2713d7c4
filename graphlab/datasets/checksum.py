"""A checksum of a graph's content, the same on every machine."""

import hashlib

import torch
from torch import Tensor


def graph_checksum(x: Tensor, edge_index: Tensor, y: Tensor) -> str:
    """SHA-256 over features, edges and labels.

    Features enter as shape, positions and values of their non-zero entries, edges
    sorted by source and target (their order carries no meaning), numbers in
    little-endian order.

    Args:
        x: Node features ``[N, F]``.
        edge_index: Edges ``[2, E]``.
        y: Labels ``[N]``.
    """
    flat = x.reshape(-1)
    position = flat.nonzero().view(-1)
    key = edge_index[0] * x.size(0) + edge_index[1]
    total = hashlib.sha256(f"graphlab-graph-1 {tuple(x.shape)}\n".encode())
    for tensor in (position, flat[position], torch.sort(key).values, y):
        _update(total, tensor)
    return total.hexdigest()


def _update(total: "hashlib._Hash", tensor: Tensor) -> None:
    array = tensor.contiguous().cpu().numpy()
    total.update(f"{array.dtype.name} {array.size}\n".encode())
    total.update(memoryview(array.astype(array.dtype.newbyteorder("<"), copy=False)))
