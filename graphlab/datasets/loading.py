"""``load_dataset``: from a name to a checked PyG ``Data``."""

from pathlib import Path

from torch import Tensor
from torch_geometric.data import Data

from graphlab.datasets.cards import Card, dataset_card
from graphlab.datasets.checksum import graph_checksum
from graphlab.datasets.graph_file import load_graph, save_graph
from graphlab.datasets.raw import processed_path, raw_digest, raw_folder
from graphlab.errors import DatasetError


def load_dataset(name: str, data_root: str | Path | None = None) -> Data:
    r"""Load a node classification dataset by name.

    Raw files come from ``data_root``, else from the folder that ``GRAPHLAB_DATA``
    names, else from PyG's addresses. What is made from them is kept in the user's
    cache (``GRAPHLAB_CACHE``) under a digest of the raw files, so that a changed file
    never meets a stale result. See ``dataset_card(name)`` for what is returned.

    Args:
        name: A name of :func:`graphlab.datasets.dataset_names`, in any case.
        data_root: Folder in the layout ``<PyG class>/<name>/raw/...``; read only.

    Returns:
        ``Data`` with ``x`` :math:`(|\mathcal{V}|, F)` float32, ``edge_index``
        :math:`(2, |\mathcal{E}|)` int64, ``y`` :math:`(|\mathcal{V}|)` int64, and
        ``name``, ``num_classes``, ``checksum``.

    Raises:
        DatasetError: If the name is unknown, a file is missing and cannot be fetched,
            a file is corrupt, or the graph is not what its card says.
    """
    card = dataset_card(name)
    source = read_source(card, data_root)
    data = Data(
        x=source.x.float(),
        edge_index=source.edge_index.long().contiguous(),
        y=source.y.long(),
    )
    data.name = card.name
    data.num_classes = _num_classes(card, data.y)
    _compare(card, data)
    data.checksum = graph_checksum(data.x, data.edge_index, data.y)
    return data


def read_source(card: Card, data_root: str | Path | None = None) -> Data:
    """The graph as its reader gives it, with the masks of a single published split."""
    if card.loader == "digits":
        from graphlab.datasets.digits import load_digits_graph

        return load_digits_graph()
    if card.loader == "embedded":
        from graphlab.datasets.embedded import load_embedded

        return load_embedded(card.name)
    if card.loader == "ogb":
        from graphlab.datasets.ogb import load_ogb

        return load_ogb(card, data_root)
    return _read_cached(card, data_root)


def _read_cached(card: Card, data_root: str | Path | None) -> Data:
    folder = raw_folder(card, card.required, data_root)
    processed = processed_path(card, raw_digest(folder, card.required))
    data = load_graph(processed)
    if data is None:
        from graphlab.datasets.readers import read_raw

        data = read_raw(card, folder, scratch=processed.parent)
        save_graph(data, processed)
    return data


def _num_classes(card: Card, y: Tensor) -> int:
    num_classes = card.classes or int(y.max()) + 1
    if y.dim() != 1 or int(y.min()) < 0 or int(y.max()) >= num_classes:
        raise DatasetError(
            f"{card.name}: labels must be one number of 0..{num_classes - 1} per node, "
            f"found shape {tuple(y.shape)}, {int(y.min())}..{int(y.max())}"
        )
    return num_classes


def _compare(card: Card, data: Data) -> None:
    """Refuse a graph whose size is not the card's."""
    found = {
        "nodes": data.num_nodes,
        "edges": data.edge_index.size(1),
        "features": data.x.size(1),
        "classes": int(data.y.max()) + 1,
    }
    wrong = [
        f"{key} {value:,} (card: {getattr(card, key):,})"
        for key, value in found.items()
        if getattr(card, key) not in (None, value)
    ]
    if wrong:
        raise DatasetError(
            f"{card.name}: the raw files are not the expected version\n"
            f"found {', '.join(wrong)}"
        )
