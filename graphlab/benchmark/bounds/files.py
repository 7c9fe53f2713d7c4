"""What ``graphlab bound`` writes: tables, report and plots, each file at once."""

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from graphlab.analysis import (
    plot_bound_against_gap,
    plot_bound_terms,
    save_bound_plot,
)
from graphlab.analysis.bounds.bound import plain
from graphlab.analysis.bounds.ledger_latex import PREAMBLE, escape
from graphlab.benchmark.bounds import tables
from graphlab.benchmark.bounds.run import BoundCell
from graphlab.benchmark.bounds.task import BoundTask
from graphlab.errors import StoreError

_DRAWN = ("theorem-D2", "theorem-5.1-plugin", "paper-code")


def write_files(task: BoundTask, cells: Sequence[BoundCell], out: Path) -> list[Path]:
    """Write tables, report and plots.

    Raises:
        StoreError: The folder cannot be written.
    """
    found = tables.correlations(cells)
    texts = {
        "bounds.csv": pd.DataFrame([c.row() for c in cells]).to_csv(index=False),
        "correlations.csv": found.to_dataframe().to_csv(index=False),
        "report.json": as_json(task, cells),
        "report.md": as_markdown(task, cells),
        "report.tex": as_latex(task, cells),
    }
    try:
        with tempfile.TemporaryDirectory(dir=out, prefix=".new-") as folder:
            new = Path(folder)
            for name, text in texts.items():
                (new / name).write_text(text, encoding="utf-8")
            _plots(task, cells, new)
            names = sorted(file.name for file in new.iterdir())
            for name in names:
                os.replace(new / name, out / name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{out}: cannot be written: {reason}") from None
    return [out / name for name in names]


def _plots(task: BoundTask, cells: Sequence[BoundCell], folder: Path) -> None:
    panels, gaps = {}, {}
    for mode in _DRAWN:
        name = f"k-variance, {mode}"
        bounds = {
            depth: [b for c in cells for b in c.ledger.bounds if _is(c, b, depth, name)]
            for depth in task.depths
        }
        if all(bounds.values()):
            panels[name] = bounds
            gaps[name] = {d: _mean_gap(cells, d) for d in task.depths}
    if panels:
        title = f"{task.title}; dots: test less training error"
        figure = plot_bound_terms(panels, gaps, title)
        save_bound_plot(figure, folder / "bound-terms")
    rows = [cell.row() | {"layers": str(cell.depth)} for cell in cells]
    names = [tables.MAIN, "Lip(f), 99 % quantile", "VC", "num_layers", "train_error"]
    known = [name for name in names if all(name in row for row in rows)]
    figure = plot_bound_against_gap(rows, known, "loss_gap", "layers", task.title)
    save_bound_plot(figure, folder / "bound-gap")


def _is(cell: BoundCell, bound, depth: int, name: str) -> bool:
    return cell.depth == depth and bound.name == name


def _mean_gap(cells: Sequence[BoundCell], depth: int) -> float:
    values = [c.ledger.measured["error_gap"] for c in cells if c.depth == depth]
    return sum(values) / len(values)


def as_json(task: BoundTask, cells: Sequence[BoundCell]) -> str:
    """Everything; numbers that are not finite as words."""
    found = tables.correlations(cells)
    content = {
        "dataset": task.dataset,
        "model": task.model_name,
        "split": task.split,
        "depths": list(task.depths),
        "seeds": task.seeds,
        "banners": tables.banners(cells),
        "correlations": [_plain(asdict(row)) for row in found.rows],
        "ledgers": [
            {"depth": c.depth, "seed": c.seed, "rounds": c.rounds} | c.ledger.to_dict()
            for c in cells
        ],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    words = ("group", "measure", "gap", "baseline", "n", "note")
    return {k: value if k in words else plain(value) for k, value in row.items()}


def as_markdown(task: BoundTask, cells: Sequence[BoundCell]) -> str:
    """Tables, then the ledger of the first seed at each depth."""
    parts = [f"# Generalization bounds: {task.title}", about(task, cells)]
    parts += [f"> **{banner}**" for banner in tables.banners(cells)]
    parts.append(_markdown_table(*_summary(task, cells)))
    parts.append("## Correlation with the gap")
    parts.append(tables.correlations(cells).to_markdown().rstrip())
    parts += [cell.ledger.to_markdown().rstrip() for cell in _shown(cells)]
    return "\n\n".join(parts) + "\n"


def as_latex(task: BoundTask, cells: Sequence[BoundCell]) -> str:
    """The same in LaTeX, to be read into a document."""
    header, rows = _summary(task, cells)
    correlation = tables.correlations(cells).to_dataframe()
    names = ["group", "gap", "measure", "n", "spearman", "kendall"]
    lines = [[_short(value) for value in row] for row in correlation[names].values]
    parts = [PREAMBLE, rf"\section*{{Generalization bounds: {escape(task.title)}}}"]
    parts.append(escape(about(task, cells)))
    parts += [rf"\textbf{{{escape(banner)}.}}" for banner in tables.banners(cells)]
    parts.append(_latex_table(header, rows))
    parts.append(_latex_table(names, lines))
    parts += [cell.ledger.to_latex().rstrip() for cell in _shown(cells)]
    return "\n\n".join(parts) + "\n"


def _shown(cells: Sequence[BoundCell]) -> list[BoundCell]:
    return [cell for cell in cells if cell.seed == 0]


def about(task: BoundTask, cells: Sequence[BoundCell]) -> str:
    """What was done, in a few lines."""
    sizes = cells[0].ledger.sizes
    several = f"means of {task.seeds} seeds" if task.seeds > 1 else "one seed"
    return (
        f"{task.split}, {sizes['training graphs']} training and {sizes['test graphs']} "
        f"test graphs of {sizes['classes']} classes; gamma = {task.gamma:g}, delta = "
        f"{task.delta:g}; {several}. A bound of 1 or more is vacuous: no gap is larger "
        "than 1."
    )


def layers(depth: int) -> str:
    """A depth in words."""
    return f"{depth} layer" if depth == 1 else f"{depth} layers"


def _summary(
    task: BoundTask, cells: Sequence[BoundCell]
) -> tuple[list[str], list[list[str]]]:
    header = ["", *map(layers, task.depths), "status"]
    rows = [
        [("+ " if row.part else "") + row.name, *row.spreads(), row.status]
        for row in tables.by_depth(cells)
    ]
    return header, rows


def _markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 2), "---"]
    lines = [header, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _latex_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    columns = "l" + "r" * (len(header) - 2) + "l"
    lines = [rf"\begin{{longtable}}{{{columns}}}", r"\toprule", _latex_row(header)]
    lines += [r"\midrule", r"\endhead", *map(_latex_row, rows)]
    return "\n".join([*lines, r"\bottomrule", r"\end{longtable}"])


def _latex_row(cells: Iterable[str]) -> str:
    words = (escape(cell).replace("±", r"$\pm$") for cell in cells)
    return " & ".join(words) + r" \\"


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
