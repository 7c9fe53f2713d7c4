"""The figures of a card, as text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphlab.datasets import Card


def figures(card: "Card") -> list[str]:
    """Nodes, edges, features, classes and homophily; a question mark if unknown."""
    counts = (card.nodes, card.edges, card.features, card.classes)
    shown = ["?" if count is None else f"{count:,}" for count in counts]
    return [*shown, "?" if card.homophily is None else f"{card.homophily:.3f}"]
