r"""A ledger in LaTeX with booktabs rules, to be ``\input`` into a paper."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from graphlab.analysis.bounds import ledger_text as text

if TYPE_CHECKING:
    from graphlab.analysis.bounds.ledger import Ledger

PREAMBLE = r"% \usepackage[T1]{fontenc}" + "\n" + r"% \usepackage{booktabs,longtable}"
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",  # after \\ a bracket would be read as an optional length
    "]": "{]}",
    "–": "--",
    "\n": " ",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}


def escape(content: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_ESCAPES.get(sign, sign) for sign in content)


def render_latex(ledger: "Ledger") -> str:
    """All tables of a ledger; the packages they need stand in a comment at the top."""
    parts = [PREAMBLE, rf"\paragraph{{{escape(text.title(ledger))}}}"]
    parts += [rf"\textbf{{{escape(banner)}.}}" for banner in ledger.banners]
    parts.append(_table("lr", ("measured", ""), text.facts(ledger)))
    parts.append(_table("lrrl", text.HEADER, text.summary(ledger)))
    for bound in ledger.bounds:
        parts.append(rf"\paragraph{{{escape(text.head(bound))}}} ")
        parts[-1] += escape(text.about(bound))
        header = ("term", "value", "meaning")
        parts.append(_table("lrp{0.5\\linewidth}", header, text.terms(bound)))
        header, rows = text.by_class(bound)
        if rows:
            parts.append(_table("l" + "r" * (len(header) - 1), header, rows))
        parts += _items([text.assumption(each) for each in bound.assumptions])
        parts += _items([f"to tighten it: {line}" for line in bound.advice])
    if ledger.refused:
        rows = ledger.refused.items()
        parts.append(_table("lp{0.7\\linewidth}", ("not computed", "reason"), rows))
    return "\n\n".join(parts) + "\n"


def _table(
    columns: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> str:
    lines = [rf"\begin{{longtable}}{{{columns}}}", r"\toprule", _row(header)]
    lines += [r"\midrule", r"\endhead", *map(_row, rows)]
    return "\n".join([*lines, r"\bottomrule", r"\end{longtable}"])


def _row(cells: Iterable[str]) -> str:
    return " & ".join(map(escape, cells)) + r" \\"


def _items(lines: list[str]) -> list[str]:
    if not lines:
        return []
    items = "\n".join(rf"\item {escape(line)}" for line in lines)
    return [r"\begin{itemize}" + f"\n{items}\n" + r"\end{itemize}"]
