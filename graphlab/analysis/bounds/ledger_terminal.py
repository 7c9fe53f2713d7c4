"""A ledger for a terminal of 100 columns."""

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from graphlab.analysis.bounds import ledger_text as text
from graphlab.analysis.bounds.bound import Bound
from graphlab.terminal_text import finished_text, text_console

if TYPE_CHECKING:
    from graphlab.analysis.bounds.ledger import Ledger

WIDTH = 100
STYLES = {"vacuous": "red", "heuristic": "yellow", "certified": "green"}
VERDICTS = {True: "green", False: "red", None: "yellow"}


def render_terminal(ledger: "Ledger", width: int = WIDTH, color: bool = False) -> str:
    """Tables as text; no line is longer than width."""
    console = text_console(width, color)
    console.rule(Text(text.title(ledger), "bold"), align="left")
    for banner in ledger.banners:
        console.print(Text(f"! {banner}", "bold red"))
    console.print()
    console.print(_facts(ledger))
    console.print()
    console.print(_summary(ledger))
    for bound in ledger.bounds:
        _details(console, bound)
    if ledger.refused:
        console.print()
        console.print(Text("Not computed", "bold underline"))
    for name, reason in ledger.refused.items():
        line = Text.assemble((f"{name}: ", "bold"), reason)
        console.print(Padding(line, (0, 0, 0, 1)))
    return finished_text(console)


def _facts(ledger: "Ledger") -> Grid:
    """Two pairs of name and number a line."""
    grid = Grid(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for _ in range(2):
        grid.add_column(style="dim")
        grid.add_column(justify="right")
    found = text.facts(ledger)
    half = -(-len(found) // 2)
    for k in range(half):
        right = found[half + k] if half + k < len(found) else ("", "")
        grid.add_row(*found[k], *right)
    return grid


def _summary(ledger: "Ledger") -> Grid:
    grid = _grid()
    for name in text.HEADER:
        grid.add_column(
            name, justify="left" if name in ("bound", "status") else "right"
        )
    for *cells, status in text.summary(ledger):
        grid.add_row(*cells, Text(status, STYLES[status]))
    return grid


def _details(console: Console, bound: Bound) -> None:
    console.print()
    console.print(Text(text.head(bound), "bold underline"))
    console.print(Padding(Text(text.about(bound)), (0, 0, 0, 1)))
    grid = _grid()
    grid.add_column("term", overflow="fold")
    grid.add_column("value", justify="right", no_wrap=True)
    grid.add_column("meaning", style="dim")
    for row in text.terms(bound):
        grid.add_row(*row)
    console.print(Padding(grid, (0, 0, 0, 1)))
    _classes(console, bound)
    for each in bound.assumptions:
        verdict, rest = text.assumption(each).split(":", 1)
        line = Text.assemble((verdict, VERDICTS[each.holds]), ":" + rest)
        console.print(Padding(line, (0, 0, 0, 1)))
    for line in bound.advice:
        advice = Text.assemble(("to tighten it: ", "bold"), line)
        console.print(Padding(advice, (0, 0, 0, 1)))


def _classes(console: Console, bound: Bound) -> None:
    header, rows = text.by_class(bound)
    if not rows:
        return
    grid = _grid()
    for name in header:
        grid.add_column(name, justify="right")
    for row in rows:
        grid.add_row(*row)
    console.print(Padding(grid, (1, 0, 0, 1)))


def _grid() -> Grid:
    return Grid(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        header_style="dim",
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
