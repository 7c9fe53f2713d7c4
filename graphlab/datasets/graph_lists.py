"""``load_graphs``: from a name to a list of graphs."""

from pathlib import Path

from torch_geometric.data import Data

from graphlab.datasets.cards import Card, dataset_names
from graphlab.datasets.raw import find_raw
from graphlab.datasets.tu_cards import TU_CARDS, TU_NUM_GRAPHS, TU_URL
from graphlab.errors import DatasetError

_GENERATED = "made by graphlab, free of terms"
_SNAP = "https://snap.stanford.edu/data"

#: Figures are sums over the graphs of a set; homophily is taken over all entries.
GRAPH_LISTS = (
    Card(
        "grid",
        "generated",
        *(400, 1520, 1, None, None),
        licence=_GENERATED,
        variant="One grid of 20 x 20 nodes, constant feature, no labels.",
    ),
    Card(
        "communities",
        "generated",
        *(400, None, 1, 20, None),
        licence=_GENERATED,
        variant=(
            "One ring of 20 cliques of 20 nodes, 1 % of the edges rewired, constant "
            "feature, label = clique; the seed decides which edges."
        ),
    ),
    Card(
        "email",
        "email",
        *(920, 14402, 1, 41, 0.7482),
        licence="none stated for the data (SNAP email-Eu-core; cite its source)",
        variant=(
            "SNAP email-Eu-core as P-GNN's code cuts it: departments 0-5, 6-11, ... "
            "are groups, edges between groups are dropped, components of more than "
            "10 nodes are the seven graphs. Undirected, no self-loops, constant "
            "feature, label = department."
        ),
        warnings=("Five or six departments per graph, some with a single node.",),
        raw="EmailEUCore/raw",
        files=("email-Eu-core.txt", "email-Eu-core-department-labels.txt"),
        url=_SNAP,
    ),
    Card(
        "protein",
        "protein",
        *(17997, 68632, 1, 3, 0.5886),
        licence="none stated by the TU collection (cite Borgwardt et al. 2005)",
        variant=(
            "TU PROTEINS as P-GNN's code cuts it: graphs of 20 to 1,000 nodes in which "
            "at most n^2/4 pairs share a label, 364 of 1,113. Undirected, constant "
            "feature, label = kind of secondary structure."
        ),
        warnings=(
            "P-GNN's tables use the 29 attributes of PROTEINS_full, which are not "
            "read here: numbers are not comparable.",
        ),
        raw="TUDataset/PROTEINS/raw",
        files=(
            "PROTEINS_A.txt",
            "PROTEINS_graph_indicator.txt",
            "PROTEINS_node_labels.txt",
        ),
        url=TU_URL,
    ),
    *TU_CARDS,
)

_NUM_GRAPHS = {"email": 7, "protein": 364, **TU_NUM_GRAPHS}
_ARCHIVES = {
    "email-Eu-core.txt": "email-Eu-core.txt.gz",
    "email-Eu-core-department-labels.txt": "email-Eu-core-department-labels.txt.gz",
}


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
    - Any name that :func:`load_dataset` knows gives a list of one graph with its own
      features.

    Sets of MoleculeNet are not among them: they need rdkit; PyG's ``MoleculeNet`` reads
    them, and what it returns is accepted wherever a list of graphs is.

    Args:
        name: One of :func:`graph_list_names` or of :func:`dataset_names`, in any case.
        data_root: Folder in the layout ``<PyG class>/<name>/raw/...``; else the one
            that ``GRAPHLAB_DATA`` names. It is only read. The raw files are compressed
            at their publishers' and not fetched.
        seed: Seed of ``"communities"``; the other sets have none.

    Returns:
        Graphs with ``x``, ``edge_index`` (both directions, no self-loops) and ``y``:
        one label per node (none in ``"grid"``), or, to classify graphs, one label of
        :math:`0..K-1` of shape :math:`(1)`. ``node_id`` holds the numbers in the raw
        files of ``"email"`` and ``"protein"``.

    Raises:
        DatasetError: If the name is unknown, or files are missing, corrupt or not the
            expected version.

    Example:
        >>> [data.num_nodes for data in load_graphs("communities", seed=3)]
        [400]
    """
    card = _find(name)
    if card is None:
        return [_one_graph(name, data_root)]
    if card.loader == "generated":
        from graphlab.datasets.generated import communities, grid

        return [grid() if card.name == "grid" else communities(seed=seed)]
    return _read(card, data_root)


def graph_list_names() -> tuple[str, ...]:
    """The names of the sets that only :func:`load_graphs` knows."""
    return tuple(card.name for card in GRAPH_LISTS)


def graph_list_card(name: str) -> Card:
    """The card of such a set; its figures are sums over the graphs.

    Raises:
        DatasetError: If there is none of that name.
    """
    card = _find(name)
    if card is not None:
        return card
    raise DatasetError(
        f"unknown list of graphs {name!r}\naccepted: {', '.join(graph_list_names())}"
    )


def _find(name: str) -> Card | None:
    """The card of a name in any case; ``_`` and ``-`` are the same."""
    cards = {_key(card.name): card for card in GRAPH_LISTS}
    return cards.get(_key(name))


def _key(name: str) -> str:
    return str(name).lower().replace("_", "-")


def _one_graph(name: str, data_root: str | Path | None) -> Data:
    from graphlab.datasets.loading import load_dataset

    try:
        return load_dataset(name, data_root)
    except DatasetError as error:
        if not str(error).startswith("unknown dataset"):
            raise
        accepted = ", ".join((*graph_list_names(), *dataset_names()))
        raise DatasetError(f"unknown dataset {name!r}\naccepted: {accepted}") from None


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
    archive = f"{card.raw.split('/')[1]}.zip"  # of the TU collection
    urls = [f"{card.url}/{_ARCHIVES.get(file, archive)}" for file in card.files]
    return DatasetError(
        f"{card.name}: {', '.join(card.files)} are not at hand\n"
        f"unpack {' and '.join(dict.fromkeys(urls))} into {card.raw}/ of a folder and "
        "set GRAPHLAB_DATA to that folder"
    )


def _compare(card: Card, graphs: list[Data]) -> None:
    """Refuse graphs whose number or size is not the card's."""
    found = {
        "graphs": (len(graphs), _NUM_GRAPHS[card.name]),
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
