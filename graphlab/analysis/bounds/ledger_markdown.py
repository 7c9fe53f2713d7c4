"""A ledger in Markdown."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from graphlab.analysis.bounds import ledger_text as text

if TYPE_CHECKING:
    from graphlab.analysis.bounds.ledger import Ledger


#: Columns of words; all others hold numbers.
LEFT = ("measured", "bound", "status", "term", "meaning", "reason", "class")


def render_markdown(ledger: "Ledger") -> str:
    """All tables of a ledger; headings start at the second level."""
    parts = [f"## {text.title(ledger)}"]
    parts += [f"> **{banner}**" for banner in ledger.banners]
    parts.append(_table(("measured", ""), text.facts(ledger)))
    parts.append(_table(text.HEADER, text.summary(ledger)))
    for bound in ledger.bounds:
        parts.append(f"### {text.head(bound)}")
        parts.append(text.about(bound))
        parts.append(_table(("term", "value", "meaning"), text.terms(bound)))
        header, rows = text.by_class(bound)
        if rows:
            parts.append(_table(header, rows))
        lines = [text.assumption(each) for each in bound.assumptions]
        lines += [f"to tighten it: {line}" for line in bound.advice]
        if lines:
            parts.append("\n".join(f"- {line}" for line in lines))
    if ledger.refused:
        parts.append("### Not computed")
        parts.append(_table(("bound", "reason"), ledger.refused.items()))
    return "\n\n".join(parts) + "\n"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    rule = tuple("---" if name in LEFT else "---:" for name in header)
    lines = [header, rule, *(tuple(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(content: str) -> str:
    return content.replace("|", r"\|").replace("\n", " ")
