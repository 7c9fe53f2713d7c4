"""Cards of the TU sets for graph classification: one label per graph.

Figures are sums over the graphs of a set, measured on the raw files; ``classes`` counts
the classes of graphs. Homophily is not defined here, since nodes have no class.
"""

from graphlab.datasets.cards import Card

TU_URL = "https://www.chrsmrrs.com/graphkerneldatasets"

_EDGE_LABELS = "Edges have four labels, which are not read."
_ATTRIBUTES = "Node attributes are not read."


def _tu(name: str, *stats: int, source: str, **other) -> Card:
    labels = other.pop("labels", "Feature = one-hot node label.")
    parts = ("A", "graph_indicator", "graph_labels")
    parts += () if labels.startswith("Constant") else ("node_labels",)
    return Card(
        name,
        "tu",
        *stats,
        None,
        licence=f"none stated by the TU collection (cite {source})",
        variant=f"{labels} Undirected, no self-loops, y = class of the graph.",
        raw=f"TUDataset/{name}/raw",
        files=tuple(f"{name}_{part}.txt" for part in parts),
        url=TU_URL,
        **other,
    )


# Order of the figures: nodes, edges, features, classes.
TU_CARDS = (
    _tu(
        "MUTAG",
        *(3371, 7442, 7, 2),
        graphs=188,
        source="Debnath et al. 1991",
        warnings=(
            _EDGE_LABELS,
            "188 graphs: a tenth of them is 19, and a test accuracy moves in steps of "
            "five points. Two thirds are of one class.",
        ),
    ),
    _tu(
        "PTC_MR",
        *(4915, 10108, 18, 2),
        graphs=344,
        source="Toivonen et al. 2003",
        warnings=(
            _EDGE_LABELS,
            "Not the 'PTC' of some papers' code, which has 25.6 nodes per graph.",
        ),
    ),
    _tu(
        "ENZYMES",
        *(19580, 74564, 3, 6),
        graphs=600,
        source="Borgwardt et al. 2005",
        warnings=(_ATTRIBUTES, "106 isolated nodes."),
    ),
    _tu(
        "PROTEINS",
        *(43471, 162088, 3, 2),
        graphs=1113,
        source="Borgwardt et al. 2005",
        warnings=(_ATTRIBUTES, "Five isolated nodes."),
    ),
    _tu(
        "NCI1",
        *(122747, 265506, 37, 2),
        graphs=4110,
        source="Wale et al. 2008",
        warnings=("428 isolated nodes.",),
    ),
    _tu(
        "IMDB-BINARY",
        *(19773, 193062, 1, 2),
        graphs=1000,
        source="Yanardag and Vishwanathan 2015",
        labels="Constant feature, since nodes have no labels.",
        warnings=(
            "Copies that come from another format hold the graphs in another order: "
            "splits by number are those of one copy.",
        ),
    ),
)
