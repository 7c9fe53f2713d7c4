"""How long work is shown that says what it does, how much is done, and of how much."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Told in words what is being done, how much is done, of how much.
Listener = Callable[[str, int, int], None]


@contextmanager
def progress_bar(
    plain: Callable[[str, int, int], str | None], *, count: bool = True
) -> Iterator[Listener]:
    """A bar on a terminal, plain lines elsewhere.

    Args:
        plain: The line for what is told, or nothing.
        count: Whether the bar says numbers, or else the time that has passed.
    """
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:

        def tell(text: str, done: int, total: int) -> None:
            said = plain(text, done, total)
            if said is not None:
                console.print(said, soft_wrap=True)

        yield tell
        return
    how_far = progress.MofNCompleteColumn() if count else progress.TimeElapsedColumn()
    words = progress.TextColumn("{task.description}", markup=False)
    columns = (progress.BarColumn(bar_width=24), how_far, words)
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda text, done, total: bar.update(
            task, description=text, completed=done, total=total
        )
