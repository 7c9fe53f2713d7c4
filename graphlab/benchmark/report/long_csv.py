"""All numbers in long form: one line per cell, metrics as fractions, unrounded."""

import csv
import io
import json
import math
from collections.abc import Iterable
from typing import Any

from graphlab.benchmark.report.results import CellResult
from graphlab.benchmark.report.table import Entry, TableReport


def render_csv(reports: Iterable[TableReport]) -> str:
    """CSV of all cells of all tables, unrun ones included.

    Metrics are fractions as in the run files, except the published numbers and the
    columns whose names end in ``points`` or ``percent``. Undefined numbers are empty.
    """
    rows = [_row(report, entry) for report in reports for entry in report.entries]
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _value(v) for k, v in row.items()} for row in rows)
    return buffer.getvalue()


def _row(report: TableReport, entry: Entry) -> dict[str, Any]:
    return {
        "recipe": report.recipe.key,
        "table": report.table.name,
        "task": report.table.task,
        **_settings(entry),
        **_published(entry),
        **_measured(entry),
        **_verdict(entry),
        **_effect(report, entry),
    }


def _settings(entry: Entry) -> dict[str, Any]:
    cell, runs = entry.result.cell, entry.result.runs
    # What was run, not what the recipe says, wherever the two differ.
    used = runs[0]["cell"] if runs else cell.settings()
    return {
        "dataset": cell.dataset,
        "split": cell.split,
        "model": cell.model_name,
        "label": cell.label_name,
        "profile": entry.result.profile,
        "split_args": json.dumps(used.get("split_args", {}), sort_keys=True),
        "model_args": json.dumps(used.get("model_args", {}), sort_keys=True),
        "label_args": json.dumps(used.get("label_args", {}), sort_keys=True),
        "training": json.dumps(used.get("training", {}), sort_keys=True),
    }


def _published(entry: Entry) -> dict[str, Any]:
    number = entry.result.cell.published
    return {
        "published_percent": number.mean if number else None,
        "published_half_width_points": number.half_width if number else None,
        "published_kind": number.kind if number else None,
        "published_source": number.source if number else None,
        "copied_from": number.copied_from if number else None,
    }


def _measured(entry: Entry) -> dict[str, Any]:
    result = entry.result
    return {
        "runs_expected": result.cell.runs,
        "n": result.score.n,
        "failed": len(result.failed),
        "metric": result.metric.key,
        **_summary(result, result.metric.key, "value"),
        **_summary(result, "accuracy"),
        **_summary(result, "roc_auc"),
        "constant": result.constant,
        "constant_majority": result.mean_of("constant_majority"),
        "macro_f1": result.macro_f1,
        "balanced_accuracy": result.balanced_accuracy,
        "best_epoch_median": result.best_epoch(),
        "collapsed": result.collapsed if result.n else None,
        "rounds": result.rounds(),
        "seconds": result.mean_of("seconds"),
        "cpu_seconds": result.mean_of("cpu_seconds"),
        "epochs": result.mean_of("epochs"),
        "parameters": result.mean_of("num_parameters"),
        "facts": json.dumps(result.facts, sort_keys=True) if result.facts else None,
        "selection": "; ".join(
            dict.fromkeys(run.get("selection") or "" for run in result.runs)
        ),
    }


def _summary(result: CellResult, metric: str, name: str = "") -> dict[str, float]:
    """A metric; ``value`` is the one that the table, verdicts and effects are about."""
    summary, name = result.summary(metric), name or metric
    return {
        name: summary.mean,
        f"{name}_std": summary.std,
        f"{name}_low": summary.low,
        f"{name}_high": summary.high,
        f"{name}_half_width": summary.half_width,
    }


def _verdict(entry: Entry) -> dict[str, Any]:
    return {
        "verdict": entry.verdict.kind,
        "verdict_words": entry.words,
        "difference_points": entry.verdict.difference,
        "tolerance_points": entry.verdict.half_width,
    }


def _effect(report: TableReport, entry: Entry) -> dict[str, Any]:
    effect, paired = entry.effect, entry.effect and entry.effect.paired
    return {
        "baseline": report.baseline if effect else None,
        "effect": effect.kind if effect else None,
        "effect_words": str(effect) if effect else None,
        "pairs": paired.n if paired else None,
        "mean_difference_points": paired.mean if paired else None,
        "mean_difference_low_points": paired.low if paired else None,
        "mean_difference_high_points": paired.high if paired else None,
        "wins": paired.wins if paired else None,
        "losses": paired.losses if paired else None,
        "ties": paired.ties if paired else None,
        "wilcoxon_p": paired.p if paired else None,
        "holm_p": effect.holm if effect else None,
        "detectable_points": paired.detectable if paired else None,
    }


def _value(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    # Twelve digits: more would differ between machines in the last bit.
    return f"{value:.12g}" if isinstance(value, float) else value
