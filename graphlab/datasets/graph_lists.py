"""``load_graphs``: from a name to a list of graphs."""

import warnings
from pathlib import Path

from torch_geometric.data import Data

from graphlab.datasets.cards import Card, dataset_names
from graphlab.datasets.graph_list_cards import (
    archive_urls,
    find_graph_list,
    graph_list_names,
)
from graphlab.datasets.raw import find_raw
from graphlab.errors import DatasetError


def load_graphs(
    name: str, data_root: str | Path | None = None, *, seed: int = 0
) -> list[Data]:
    r"""Load a dataset as a list of graphs.

    - For link prediction and pairs of nodes, the sets of the `"Position-aware Graph
      Neural Networks" <https://arxiv.org/abs/1906.04817>`_ paper: ``"grid"``,
      ``"communities"``, ``"email"`` and ``"protein"``, without node features: ``x`` is
      the constant 1 (see :class:`graphlab.transforms.NodeFeatures` for others).
    - For graph classification, sets of the `TU collection
      <https://arxiv.org/abs/2007.08663>`_: ``"MUTAG"``, ``"PTC_MR"``, ``"ENZYMES"``,
      ``"PROTEINS"``, ``"NCI1"`` and ``"IMDB-BINARY"``, with one class per graph. ``x``
      holds the one-hot node labels and nothing else, or the constant 1 where nodes
      have none.
    - For the same, sets of `MoleculeNet <https://arxiv.org/abs/1703.00564>`_ such as
      ``"BACE"`` and ``"SIDER:21"``; they need the extra ``molecules``. What is left
      out of the file is told by a warning; :func:`load_molecules` tells more.
    - Any name that :func:`load_dataset` knows gives a list of one graph with its own
      features.

    Args:
        name: One of :func:`graph_list_names` or of :func:`dataset_names`, in any case.
        data_root: Folder in the layout ``<PyG class>/<name>/raw/...``; else the one
            that ``GRAPHLAB_DATA`` names. It is only read, and nothing is fetched.
        seed: Seed of ``"communities"``; the other sets have none.

    Returns:
        Graphs with ``x``, ``edge_index`` (both directions, no self-loops) and ``y``:
        one label per node (none in ``"grid"``), or, to classify graphs, one label of
        :math:`0..K-1` of shape :math:`(1)`. ``node_id`` holds the numbers in the raw
        files of ``"email"`` and ``"protein"``, ``smiles`` the molecule.

    Raises:
        DatasetError: If the name is unknown, or files are missing, corrupt or not the
            expected version.

    Example:
        >>> [data.num_nodes for data in load_graphs("communities", seed=3)]
        [400]
    """
    card = find_graph_list(name)
    if card is None:
        return [_one_graph(name, data_root)]
    if card.loader == "generated":
        from graphlab.datasets.generated import communities, grid

        return [grid() if card.name == "grid" else communities(seed=seed)]
    if card.loader == "MoleculeNet":
        return _molecules(name, data_root)
    return _read(card, data_root)


def _one_graph(name: str, data_root: str | Path | None) -> Data:
    from graphlab.datasets.loading import load_dataset

    try:
        return load_dataset(name, data_root)
    except DatasetError as error:
        if not str(error).startswith("unknown dataset"):
            raise
        accepted = ", ".join((*graph_list_names(), *dataset_names()))
        raise DatasetError(f"unknown dataset {name!r}\naccepted: {accepted}") from None


def _molecules(name: str, data_root: str | Path | None) -> list[Data]:
    from graphlab.datasets.molecules import load_molecules

    found = load_molecules(name, data_root)
    if found.warnings:
        text = f"{found.graphs[0].name}: {'; '.join(found.warnings)}"
        warnings.warn(text, UserWarning, stacklevel=3)
    return found.graphs


def _read(card: Card, data_root: str | Path | None) -> list[Data]:
    from graphlab.datasets.graph_list_readers import read_email, read_protein
    from graphlab.datasets.tu_reader import read_tu

    readers = {"email": read_email, "protein": read_protein, "tu": read_tu}
    folder = find_raw(card, card.files, data_root)
    if folder is None:
        raise _missing(card)
    try:
        graphs = readers[card.loader](*(folder / file for file in card.files))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else "no message"
        raise DatasetError(
            f"{card.name}: the raw files in {folder} cannot be read\n"
            f"{type(error).__name__}: {reason}"
        ) from error
    _compare(card, graphs)
    for graph in graphs:
        graph.name = card.name
    return graphs


def _missing(card: Card) -> DatasetError:
    return DatasetError(
        f"{card.name}: {', '.join(card.files)} are not at hand\n"
        f"unpack {' and '.join(archive_urls(card))} into {card.raw}/ of a folder and "
        "set GRAPHLAB_DATA to that folder"
    )


def _compare(card: Card, graphs: list[Data]) -> None:
    """Refuse graphs whose number or size is not the card's."""
    found = {
        "graphs": (len(graphs), card.graphs),
        "nodes": (sum(graph.num_nodes for graph in graphs), card.nodes),
        "edges": (sum(graph.num_edges for graph in graphs), card.edges),
        "features": (graphs[0].num_features if graphs else 0, card.features),
    }
    wrong = [
        f"{key} {value:,} (card: {known:,})"
        for key, (value, known) in found.items()
        if known not in (None, value)
    ]
    if wrong:
        raise DatasetError(
            f"{card.name}: the raw files are not the expected version\n"
            f"found {', '.join(wrong)}"
        )
