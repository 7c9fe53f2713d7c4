"""Named datasets and named splits.

>>> data = load_dataset("Cora")                        # doctest: +SKIP
>>> splits = load_splits("bernnet-10", data, runs=3)   # doctest: +SKIP

The cards can be read without torch; what needs it is imported on first use.
"""

from importlib import import_module

from graphlab.datasets.cards import Card, dataset_card, dataset_names

_LAZY = {
    "load_dataset": "loading",
    "load_splits": "splits",
    "load_graphs": "graph_lists",
    "graph_list_names": "graph_list_cards",
    "graph_list_card": "graph_list_cards",
    "grid": "generated",
    "communities": "generated",
    "split_names": "splits",
    "load_graph_splits": "graph_splits",
    "graph_split_names": "graph_splits",
    "Split": "split",
    "GraphSplit": "split",
    "constant_majority": "majority",
    "graph_checksum": "checksum",
    "graphs_checksum": "checksum",
    "load_tu_folder": "tu_reader",
    "load_molecules": "molecules",
    "Molecules": "molecules",
    "WordNetVerbs": "embedded",
    "DebianPackages": "embedded",
}

__all__ = ["Card", "dataset_card", "dataset_names", *_LAZY]


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(import_module(f"graphlab.datasets.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'graphlab.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
