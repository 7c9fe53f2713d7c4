"""Run files to report files: every format, and the plots beside them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from graphlab.benchmark.recipe import Recipe
from graphlab.benchmark.report.html import render_html
from graphlab.benchmark.report.latex import render_latex
from graphlab.benchmark.report.long_csv import render_csv
from graphlab.benchmark.report.markdown import render_markdown
from graphlab.benchmark.report.table import TableReport, fill
from graphlab.benchmark.report.terminal import render_terminal
from graphlab.errors import ArgumentError, StoreError

#: Format -> file name in the report folder.
FORMATS = {
    "terminal": "report.txt",
    "md": "report.md",
    "latex": "report.tex",
    "csv": "report.csv",
    "html": "report.html",
}
_RENDERERS: dict[str, Callable[[list[TableReport]], str]] = {
    "terminal": render_terminal,
    "md": render_markdown,
    "latex": render_latex,
    "csv": render_csv,
    "html": render_html,
}


@dataclass(frozen=True)
class ReportPaths:
    """Where the parts of a report were written.

    Attributes:
        folder: The report folder.
        files: Format to file.
        plots: PNG files, in the order in which the HTML page shows them.
    """

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    plots: tuple[Path, ...] = ()


def render_table(
    recipe: Recipe,
    runs: Iterable[dict],
    format: str = "terminal",
    table: str | None = None,
    *,
    width: int = 100,
    color: bool = False,
) -> str:
    """One table of a recipe, or all of them, as text.

    Args:
        recipe: The recipe, whose cells say what was to be measured.
        runs: Run files as dictionaries; those that fit no cell are passed over.
        format: ``terminal``, ``md``, ``latex``, ``csv`` or ``html``.
        table: Name of a table; all tables when ``None``.
        width: Columns of the terminal.
        color: Whether the terminal text carries ANSI colours.

    Returns:
        The text, ending in a line break.

    Raises:
        ArgumentError: If the format or the table is unknown.
    """
    _check_formats([format])
    reports = fill_tables(recipe, runs, table)
    if format == "terminal":
        return render_terminal(reports, width, color)
    return _RENDERERS[format](reports)


def build_report(
    recipe: Recipe,
    runs: Iterable[dict],
    out_dir: Path | str,
    formats: Sequence[str] = tuple(FORMATS),
    *,
    plots: bool = True,
) -> ReportPaths:
    """Write a report on all tables of a recipe.

    Args:
        recipe: The recipe.
        runs: Run files as dictionaries.
        out_dir: Folder to write into; made when missing, files in it are replaced.
        formats: Which formats, by their names in :data:`FORMATS`.
        plots: Whether to save the plots as PNG files in ``plots/``.

    Raises:
        ArgumentError: If a format is unknown.
        StoreError: If the folder cannot be written.
    """
    _check_formats(formats)
    folder = Path(out_dir)
    reports = fill_tables(recipe, runs)
    files = {name: folder / FORMATS[name] for name in formats}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in files.items():
            path.write_text(_RENDERERS[name](reports), encoding="utf-8")
        saved = _save_plots(reports, folder / "plots") if plots else ()
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"cannot write the report to {folder}: {reason}") from error
    return ReportPaths(folder, files, saved)


def fill_tables(
    recipe: Recipe, runs: Iterable[dict], table: str | None = None
) -> list[TableReport]:
    """The recipe's tables, or the one asked for, filled."""
    runs = list(runs)
    names = [each.name for each in recipe.tables]
    if table is not None and table not in names:
        raise ArgumentError(
            f"table must be one of {', '.join(names)} in {recipe.key}, got {table!r}"
        )
    wanted = [each for each in recipe.tables if table in (None, each.name)]
    return [fill(recipe, each, runs) for each in wanted]


def _save_plots(reports: list[TableReport], folder: Path) -> tuple[Path, ...]:
    # Imported late: matplotlib takes a second that `graphlab table` need not pay.
    from graphlab.benchmark.report.plots import save_png

    paths = (save_png(report, folder) for report in reports)
    return tuple(path for group in paths for path in group)


def _check_formats(formats: Iterable[str]) -> None:
    for name in formats:
        if name not in FORMATS:
            accepted = ", ".join(FORMATS)
            raise ArgumentError(f"format must be one of {accepted}, got {name!r}")
