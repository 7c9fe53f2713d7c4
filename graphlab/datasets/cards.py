"""What is known of each dataset before it is read: the cards.

This module and the table it serves import no torch, so that names can be checked and
listed at once.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from graphlab.datasets.content_checksums import CONTENT_CHECKSUMS
from graphlab.errors import DatasetError


@dataclass(frozen=True)
class Card:
    """The facts about a dataset, as :func:`graphlab.datasets.load_dataset` returns it.

    Args:
        name: Canonical name.
        loader: PyG class that reads the raw files, or ``"platonov"``, ``"ogb"``,
            ``"embedded"``, ``"digits"``.
        nodes: Number of nodes.
        edges: Number of directed entries of ``edge_index`` *as returned*.
        features: Number of feature columns.
        classes: Number of classes.
        homophily: Share of the returned entries that join nodes of one class.
        licence: Terms of the data as far as known.
        variant: Which of the raw variants in circulation this is, and why.
        warnings: What a table made with this set has to say.
        raw: Folder of the raw files below a data root.
        files: Raw files of the graph.
        url: Address of the folder that holds ``files``.
        split_files: Files of published splits that lie beside them.
        split_url: Address of the folder that holds ``split_files``.
        splits: Published splits of this set; the random ones exist for every set.
        graphs: Number of graphs; figures are sums over them.
        raw_edges: Entries before the undirected form was made, if that was done.

    A value of ``None`` means "not measured and not published where we could read it".
    """

    name: str
    loader: str
    nodes: int | None
    edges: int | None
    features: int | None
    classes: int | None
    homophily: float | None
    licence: str
    variant: str
    warnings: tuple[str, ...] = ()
    raw: str = ""
    files: tuple[str, ...] = ()
    url: str = ""
    split_files: tuple[str, ...] = ()
    split_url: str = ""
    splits: tuple[str, ...] = ()
    raw_edges: int | None = None
    graphs: int = 1

    @property
    def checksum(self) -> str | None:
        """``data.checksum`` of the copy that was measured, where one was."""
        return CONTENT_CHECKSUMS.get(self.name)

    @property
    def required(self) -> tuple[str, ...]:
        """The files that the loader reads; Planetoid does without the split files."""
        if self.loader == "Planetoid":
            return self.files
        return self.files + self.split_files

    def file_url(self, file: str) -> str:
        """The address that a raw file is fetched from."""
        base = self.split_url if file in self.split_files else self.url
        return f"{base}/{file}"


def dataset_names() -> tuple[str, ...]:
    """The canonical names, in the order of the table."""
    from graphlab.datasets.card_table import CARDS

    return tuple(card.name for card in CARDS)


def dataset_card(name: str) -> Card:
    """The card of a dataset; case, ``_`` and ``-`` do not matter.

    Raises:
        DatasetError: If there is no dataset of that name.
    """
    from graphlab.datasets.card_table import CARDS

    cards = {_key(card.name): card for card in CARDS}
    if _key(name) in cards:
        return cards[_key(name)]
    near = get_close_matches(_key(name), cards, n=1)
    hint = f"; did you mean {cards[near[0]].name}?" if near else ""
    raise DatasetError(
        f"unknown dataset {name!r}{hint}\naccepted: {', '.join(dataset_names())}"
    )


def _key(name: str) -> str:
    return str(name).lower().replace("_", "-")
