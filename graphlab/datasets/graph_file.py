"""One processed graph in one file of tensors, readable with ``weights_only=True``."""

from pathlib import Path

import torch
from torch import Tensor
from torch_geometric.data import Data

from graphlab.datasets.cache import write_atomic

MASKS = ("train_mask", "val_mask", "test_mask")


def save_graph(data: Data, path: Path) -> None:
    """Write x, edge_index, y, and a single published split if there is one.

    Features are stored as positions and values: bags of words shrink to a few per cent
    and load faster.
    """
    content = {"edge_index": data.edge_index, "y": data.y, **_pack(data.x)}
    for name in MASKS:
        mask = data.get(name)
        if mask is not None and mask.dim() == 1:
            content[name] = mask
    write_atomic(path, lambda target: torch.save(content, target))


def load_graph(path: Path) -> Data | None:
    """Read a file of :func:`save_graph`; None if it is missing or damaged."""
    try:
        content = torch.load(path, weights_only=True)
        x = _unpack(content)
        masks = {name: content[name] for name in MASKS if name in content}
        return Data(x=x, edge_index=content["edge_index"], y=content["y"], **masks)
    except Exception:  # a damaged cache file is rebuilt, never an error
        return None


def _pack(x: Tensor) -> dict[str, Tensor]:
    flat = x.reshape(-1)
    position = flat.nonzero().view(-1)
    if position.numel() > 0.25 * flat.numel():
        return {"x": x}
    shape = torch.tensor(x.shape)
    return {"x_shape": shape, "x_position": position, "x_value": flat[position]}


def _unpack(content: dict[str, Tensor]) -> Tensor:
    if "x" in content:
        return content["x"]
    shape = content["x_shape"].tolist()
    x = content["x_value"].new_zeros(shape)
    x.view(-1)[content["x_position"]] = content["x_value"]
    return x
