"""The cards of the lists of graphs; like the others they need no torch."""

from graphlab.datasets.cards import Card
from graphlab.datasets.molecule_cards import MOLECULE_ARCHIVES, MOLECULE_CARDS
from graphlab.datasets.tu_cards import TU_CARDS, TU_URL
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
        graphs=7,
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
        graphs=364,
    ),
    *TU_CARDS,
    *MOLECULE_CARDS,
)

_ARCHIVES = {
    "email-Eu-core.txt": "email-Eu-core.txt.gz",
    "email-Eu-core-department-labels.txt": "email-Eu-core-department-labels.txt.gz",
    **MOLECULE_ARCHIVES,
}


def graph_list_names() -> tuple[str, ...]:
    """The names of the sets that only :func:`load_graphs` knows."""
    return tuple(card.name for card in GRAPH_LISTS)


def graph_list_card(name: str) -> Card:
    """The card of such a set; its figures are sums over the graphs.

    Raises:
        DatasetError: If there is none of that name.
    """
    card = find_graph_list(name)
    if card is not None:
        return card
    raise DatasetError(
        f"unknown list of graphs {name!r}\naccepted: {', '.join(graph_list_names())}"
    )


def find_graph_list(name: str) -> Card | None:
    """The card of a name in any case, or None; ``_`` and ``-`` are the same.

    A set of molecules may be named with its label column, as in ``"SIDER:21"``.
    """
    cards = {_key(card.name): card for card in GRAPH_LISTS}
    name, colon, _ = str(name).partition(":")
    card = cards.get(_key(name))
    return None if colon and card and card.loader != "MoleculeNet" else card


def classification_names() -> tuple[str, ...]:
    """The names of the sets with one class per graph."""
    return tuple(card.name for card in GRAPH_LISTS if classifies_graphs(card))


def classifies_graphs(card: Card) -> bool:
    """Whether graphs have a class, not nodes."""
    return card.loader in ("tu", "MoleculeNet")


def archive_urls(card: Card) -> tuple[str, ...]:
    """What is to be unpacked where the raw files are not there."""
    if not card.raw:
        return ()
    archive = f"{card.raw.split('/')[1]}.zip"  # of the TU collection
    urls = (f"{card.url}/{_ARCHIVES.get(file, archive)}" for file in card.files)
    return tuple(dict.fromkeys(urls))


def _key(name: str) -> str:
    return str(name).lower().replace("_", "-")
