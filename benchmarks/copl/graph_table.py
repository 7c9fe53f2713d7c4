"""Who gains what from the graph: accuracy on pairs of seen and unseen users.

Run ``python benchmarks/copl/graph_table.py --out DIR [--data-root DIR]``. One JSON file
a dataset, number of annotations, model and seed is written to ``DIR``; those that exist
are not run again, and several processes may share the folder. ``--report`` prints the
tables of what is there.

A seed decides users, pairs, noise and weights; all models of a seed meet the same ones,
and are compared on these. Each model has six settings
(``graphlab.benchmark.copl.MODELS``), all of at most 200 steps on all pairs at once,
ended after 75 without a better validation accuracy; the one with the best accuracy on
the validation pairs, one pair a seen user, is tested. The settings were picked on
another seed, 1000, where some two dozen of each model were tried. Unseen users have no
pair in the graph and none for validation: the strength of ``fold_in`` is chosen on the
validation pairs of seen users, for whom vectors are fitted again; the rules of CoPL
have nothing to choose. ``graphlab reproduce copl`` does the same within the package.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import torch

from graphlab import plot_style as style
from graphlab.benchmark.copl import MODELS, load_split
from graphlab.benchmark.copl.graph_stage import fit_chosen, score_seen, score_unseen
from graphlab.benchmark.copl.scores import over_seeds
from graphlab.benchmark.stats import mean, student_interval
from graphlab.benchmark.store import write_json

SEEDS, ANNOTATIONS = 5, (4, 8, 16)
#: The first three are run if nothing else is asked for. In ``jester-disjoint`` users
#: are tested on jokes that none of their annotations has.
DATASETS = ("uf2", "uf2-noise", "jester", "jester-disjoint", "uf4", "uf4-noise")
RULES = ("two_hop", "mean", "fold_in")


def run(dataset: str, annotations: int, name: str, seed: int, data_root) -> dict:
    """Choose a setting on validation pairs, test it; returns what is kept of it."""
    split = load_split(dataset, annotations=annotations, seed=seed, data_root=data_root)
    graph = split.graph()
    chosen = fit_chosen(MODELS[name], graph, split.val, seed)
    return {
        "dataset": dataset,
        "annotations": annotations,
        "model": name,
        "seed": seed,
        "setting": chosen.setting,
        "val_accuracy": chosen.val_accuracy,
        "best_epoch": chosen.best_epoch,
        "tried": chosen.tried,
        "seen": score_seen(chosen.vectors, graph, split.test),
        "unseen": score_unseen(chosen.vectors, graph, split),
        "num_parameters": chosen.num_parameters,
        "cpu_seconds_all_settings": chosen.cpu_seconds,
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def train(options) -> None:
    # Seeds outside, so that whatever is done is done for all models.
    for seed in range(options.seeds):
        for annotations, dataset in itertools.product(
            options.annotations, options.datasets
        ):
            for name in options.models:
                stem = f"{dataset}-{annotations}-{name}-{seed}".replace(" ", "_")
                path = options.out / f"{stem}.json"
                if not path.exists():
                    found = run(dataset, annotations, name, seed, options.data_root)
                    write_json(path, found)


def finished(folder: Path) -> dict[tuple, dict[int, dict]]:
    """(Dataset, annotations, model) -> what each seed has given."""
    runs: dict[tuple, dict[int, dict]] = {}
    for path in sorted(folder.glob("*.json")):
        one = json.loads(path.read_text())
        place = (one["dataset"], one["annotations"], one["model"])
        runs.setdefault(place, {})[one["seed"]] = one
    return runs


def report(options) -> str:
    """Tables in Markdown, with differences to the base on the same seeds."""
    runs, lines = finished(options.out), []
    for dataset, annotations in itertools.product(
        options.datasets, options.annotations
    ):
        found = {m: runs.get((dataset, annotations, m), {}) for m in options.models}
        if any(found.values()):
            lines += [f"**{dataset}, {annotations} annotations a user**", ""]
            lines += [*table(found, options.base), ""]
    return "\n".join(lines)


def table(found: dict[str, dict], base: str) -> list[str]:
    head = ("model", "seeds", "seen users [95 %]", "controversial", "common")
    head += (f"minus {base} [95 %]", *(f"unseen, {rule}" for rule in RULES))
    rows = [head, ("---", *("--:",) * (len(head) - 1))]
    for name, mine in found.items():
        if mine:
            rows.append(row(name, mine, found.get(base, {}), name == base))
    return [f"| {' | '.join(cells)} |" for cells in rows]


def row(name: str, mine: dict, others: dict, is_base: bool) -> tuple[str, ...]:
    seen = {seed: one["seen"] for seed, one in mine.items()}
    shared = sorted(set(mine) & set(others))
    gain = [seen[s]["accuracy"] - others[s]["seen"]["accuracy"] for s in shared]
    difference = "–"
    if not is_base and len(gain) > 1:
        low, high = student_interval(gain)
        difference = f"{mean(gain):+.3f} [{low:+.3f}, {high:+.3f}]"
    cells = [name, str(len(mine)), interval(list(seen.values()))]
    for part in ("controversial", "common"):
        cells.append(f"{mean([one[part] for one in seen.values()]):.3f}")
    cells.append(difference)
    for rule in RULES:
        cells.append(interval([one["unseen"][rule] for one in mine.values()]))
    return tuple(cells)


def interval(parts: list[dict]) -> str:
    """Mean over seeds, and the bootstrap interval over the users of all seeds."""
    accuracy, low, high = over_seeds(parts)
    return f"{accuracy:.3f} [{low:.3f}, {high:.3f}]"


def plot(options) -> None:
    """Accuracy by annotations: one panel a dataset and kind of users."""
    runs, names = finished(options.out), options.models
    places = list(itertools.product(("seen", "unseen"), options.datasets))
    with style.styled("copl-graph"):
        columns = len(options.datasets)
        figure, axes = style.panels(len(places), 2.6, 2.1, columns)
        colors = style.colors(names, "BT")
        for axis, (kind, dataset) in zip(axes, places, strict=True):
            axis.grid(True)
            axis.set_title(f"{dataset}, {kind} users")
            axis.set_xscale("log", base=2)
            axis.set_xticks(options.annotations, map(str, options.annotations))
            axis.set_xlabel("annotations a user")
            for marker, name in zip(style.MARKERS, names, strict=False):
                line = {
                    number: mean([score(one, kind) for one in of_seeds.values()])
                    for number in options.annotations
                    if (of_seeds := runs.get((dataset, number, name)))
                }
                look = dict(color=colors[name], marker=marker, ms=4, lw=1.2)
                axis.plot(list(line), list(line.values()), label=name, **look)
        style.legend(figure, axes[0].get_legend_handles_labels()[0])
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(options.plot, facecolor="white", metadata=nothing)


def score(one: dict, kind: str) -> float:
    return (one["seen"] if kind == "seen" else one["unseen"]["two_hop"])["accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=DATASETS[:3])
    parser.add_argument("--annotations", nargs="+", type=int, default=ANNOTATIONS)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--base", choices=MODELS, default="MF", help="of differences")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--report", action="store_true", help="run nothing")
    parser.add_argument("--plot", type=Path, help="an SVG file; run nothing")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.plot:
        return plot(options)
    if not options.report:
        torch.set_num_threads(1)
        train(options)
    print(report(options))


if __name__ == "__main__":
    main()
