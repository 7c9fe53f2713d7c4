"""Showing a sweep: a bar on a terminal, one line per finished cell elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from graphlab.benchmark.progress import FINISHED, Event, Listener, Tally, line
from graphlab.benchmark.recipe import Cell


@contextmanager
def shown(cells: tuple[Cell, ...], jobs: int) -> Iterator[Listener]:
    """A listener that shows what it is told, for the length of a ``with`` block."""
    console = Console(stderr=True, highlight=False, markup=False)
    tally = Tally(list(cells), min(jobs, max(len(cells), 1)))
    if not console.is_terminal:
        yield lambda event: _plain(console, event, tally)
        return
    with _bar(console) as bar:
        whole = bar.add_task("", total=len(cells), now="", eta="")
        yield _Bar(bar, whole, tally)


def _plain(console: Console, event: Event, tally: Tally) -> None:
    if event.kind in FINISHED:
        tally.count(event)
        console.print(line(event, tally), soft_wrap=True)


def _bar(console: Console) -> Progress:
    columns = (
        BarColumn(bar_width=24),
        TextColumn("{task.fields[eta]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    return Progress(*columns, console=console, transient=True)


class _Bar:
    """Lines of finished cells above one bar that says what is being trained."""

    def __init__(self, bar: Progress, whole, tally: Tally) -> None:
        self.bar, self.whole, self.tally = bar, whole, tally
        self.running: dict[int, str] = {}

    def __call__(self, event: Event) -> None:
        if event.kind in FINISHED:
            self.running.pop(event.index, None)
            self.tally.count(event)
            self.bar.console.print(line(event, self.tally), soft_wrap=True)
        elif event.kind in ("start", "progress"):
            self.running[event.index] = f"{self.tally.title(event)} {event.text}"
        self.bar.update(
            self.whole,
            completed=len(self.tally.finished),
            now="; ".join(self.running.values()),
            eta=self.tally.text(),
        )
