"""Who gains what from the graph: accuracy on pairs of seen and unseen users.

Run ``python benchmarks/copl/graph_table.py --out DIR [--data-root DIR]``. One JSON file
a dataset, number of annotations, model and seed is written to ``DIR``; those that exist
are not run again, and several processes may share the folder. ``--report`` prints the
tables of what is there.

A seed decides users, pairs, noise and weights; all models of a seed meet the same ones,
and are compared on these. Each model has six settings (``MODELS``), all of at most 200
steps on all pairs at once, ended after 75 without a better validation accuracy; the one
with the best accuracy on the validation pairs, one pair a seen user, is tested. The
settings were picked on another seed, 1000, where some two dozen of each model were
tried. Unseen users have no pair in the graph and none for validation: the strength of
``fold_in`` is chosen on the validation pairs of seen users, for whom vectors are fitted
again; the rules of CoPL have nothing to choose.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np
import torch

from graphlab.benchmark.stats import mean, student_interval
from graphlab.benchmark.store import write_json
from graphlab.preference import (
    MFBPR,
    BradleyTerry,
    CoPLGCF,
    Jester5k,
    LightGCN,
    PreferenceVectors,
    Regularizer,
    SignedLightGCN,
    SyntheticGroups,
    adapt_unseen_users,
    bootstrap_over_users,
    pairwise_accuracy,
)
from graphlab.training import PreferenceConfig, fit_preferences

DIM, EPOCHS, PATIENCE, SEEDS = 64, 200, 75, 5
ANNOTATIONS = (4, 8, 16)
#: The first three are run if nothing else is asked for. In ``jester-disjoint`` users
#: are tested on jokes that none of their annotations has.
DATASETS = ("uf2", "uf2-noise", "jester", "jester-disjoint", "uf4-noise")
RIDGES = (0.01, 0.03, 0.1, 0.3)


def grid(**choices) -> list[dict]:
    names = list(choices)
    return [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*choices.values())
    ]


COPL = [
    {"lr": 0.003, "num_layers": 2},  # these three with the release's regularization
    {"lr": 0.003, "num_layers": 4},
    {"lr": 0.001, "num_layers": 4},
    {"lr": 0.003, "num_layers": 4, "penalty": 0.03},
    {"lr": 0.003, "num_layers": 6, "penalty": 0.03},
    {"lr": 0.003, "num_layers": 6, "penalty": 0.1},
]
#: Name -> class, arguments, settings to choose from. ``penalty`` is the weight of the
#: regularization, per pair.
MODELS = {
    "BT": (
        BradleyTerry,
        {},
        grid(lr=(0.03,), penalty=(0.0, 0.001, 0.01, 0.03, 0.1, 0.3)),
    ),
    "MF": (
        MFBPR,
        {},
        grid(lr=(0.03,), penalty=(0.01, 0.03, 0.06, 0.1, 0.15, 0.2)),
    ),
    "LightGCN": (
        LightGCN,
        {"on": "initial"},
        grid(lr=(0.01,), num_layers=(3, 6), penalty=(0.001, 0.01, 0.03)),
    ),
    "signed LightGCN": (
        SignedLightGCN,
        {},
        grid(lr=(0.01,), num_layers=(1, 3), penalty=(0.03, 0.1, 0.15)),
    ),
    "CoPL-GCF released": (CoPLGCF, {"variant": "released"}, COPL),
    "CoPL-GCF paper": (CoPLGCF, {"variant": "paper"}, COPL),
}
RULES = ("two_hop", "mean", "fold_in")


def load(dataset: str, annotations: int, seed: int, data_root):
    if dataset.startswith("jester"):
        return Jester5k(data_root).split(
            num_annotations=annotations,
            item_disjoint=dataset.endswith("disjoint"),
            seed=seed,
        )
    return SyntheticGroups.preset(
        f"{dataset[:3]}-1000",
        num_annotations=annotations,
        noise=0.15 if dataset.endswith("noise") else 0.0,
        seed=seed,
    ).split()


def make(name: str, sizes: tuple[int, int], setting: dict):
    """A function that makes the model, and how it is trained."""
    cls, arguments, _ = MODELS[name]
    setting, arguments = dict(setting), dict(arguments)
    config = PreferenceConfig(
        epochs=EPOCHS,
        patience=PATIENCE,
        lr=setting.pop("lr"),
        weight_decay=0.01 if cls is CoPLGCF else 0.0,
    )
    on = arguments.pop("on", "final")
    if "penalty" in setting:
        weight = setting.pop("penalty")
        setting["regularizer"] = Regularizer(weight, on=on, reduce="mean")
    if cls is not BradleyTerry:
        setting["dim"] = DIM
    return lambda: cls(*sizes, **arguments, **setting), config


def run(dataset: str, annotations: int, name: str, seed: int, data_root) -> dict:
    """Choose a setting on validation pairs, test it; returns what is kept of it."""
    split = load(dataset, annotations, seed, data_root)
    graph, start = split.graph(), time.process_time()
    val, best, tried = graph.rows(split.val), None, []
    for setting in MODELS[name][2]:
        model, config = make(name, graph.num_nodes, setting)
        result = fit_preferences(model, graph, config, val, seed)
        tried.append(dict(setting, val_accuracy=result.val_accuracy, nan=result.nan))
        rank = (result.val_accuracy, -result.val_loss)
        if not result.nan and (best is None or rank > best[0]):
            best = rank, result, setting
    if best is None:
        raise RuntimeError(f"{dataset} {name}: every setting diverged")
    _, result, setting = best
    seconds = time.process_time() - start
    return {
        "dataset": dataset,
        "annotations": annotations,
        "model": name,
        "seed": seed,
        "setting": setting,
        "val_accuracy": result.val_accuracy,
        "best_epoch": result.best_epoch,
        "tried": tried,
        "seen": score(result.vectors, graph.rows(split.test), split.test),
        "unseen": unseen(result.vectors, graph, split),
        "num_parameters": result.num_parameters,
        "cpu_seconds_all_settings": seconds,
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def score(vectors: PreferenceVectors, pairs, table) -> dict:
    flags = table["controversial"].to_numpy()
    one = pairwise_accuracy(vectors.margin(*pairs), pairs[0], flags)
    keys = ("accuracy", "low", "high", "macro", "controversial", "common")
    return {key: getattr(one, key) for key in keys} | {
        "correct": one.correct.tolist(),
        "count": one.count.tolist(),
    }


def unseen(vectors: PreferenceVectors, graph, split) -> dict:
    """Accuracy of new users by each rule.

    Models with biases are trained for the lengths that their vectors have, so those are
    not changed; the others' are brought to one, as CoPL does. The other way round is
    kept as well, to look at.
    """
    plain = vectors.bias is None
    chosen = {
        "two_hop": dict(rule="two_hop", normalize=plain),
        "two_hop, other lengths": dict(rule="two_hop", normalize=not plain),
        "mean": dict(rule="mean", normalize=plain),
        "fold_in": dict(
            rule="fold_in", normalize=False, ridge=choose_ridge(vectors, graph, split)
        ),
    }
    out = {}
    for name, options in chosen.items():
        adapted = adapt_unseen_users(
            vectors, graph, split.adapt, users=split.unseen_users, **options
        )
        table = split.unseen_test
        pairs = (adapted.ids.rows(table["user"]),) + tuple(
            graph.response_ids.rows(table[c]) for c in ("winner", "loser")
        )
        out[name] = options | score(adapted.scores(vectors), pairs, table)
        out[name]["neighbors"] = adapted.num_neighbors.double().mean().item()
        out[name]["fallbacks"] = int(adapted.fallback.sum())
    return out


def choose_ridge(vectors: PreferenceVectors, graph, split) -> float:
    """The strength that does best for seen users whose vectors are fitted again."""
    val, found = graph.rows(split.val), {}
    for ridge in RIDGES:
        again = adapt_unseen_users(
            *(vectors, graph, split.context, "fold_in"),
            users=split.users,
            ridge=ridge,
            normalize=False,
        )
        margin = again.scores(vectors).margin(*val)
        found[ridge] = pairwise_accuracy(margin, val[0], draws=1).accuracy
    return max(found, key=found.get)


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


def report(options) -> str:
    """Tables in Markdown, with differences to the base on the same seeds."""
    runs: dict[tuple, dict] = {}
    for path in sorted(options.out.glob("*.json")):
        one = json.loads(path.read_text())
        place = (one["dataset"], one["annotations"], one["model"])
        runs.setdefault(place, {})[one["seed"]] = one
    lines = []
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
    correct = np.concatenate([one["correct"] for one in parts])
    count = np.concatenate([one["count"] for one in parts])
    low, high = bootstrap_over_users(correct, count)
    return f"{mean([one['accuracy'] for one in parts]):.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=DATASETS[:3])
    parser.add_argument("--annotations", nargs="+", type=int, default=ANNOTATIONS)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--base", choices=MODELS, default="MF", help="of differences")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.report:
        torch.set_num_threads(1)
        train(options)
    print(report(options))


if __name__ == "__main__":
    main()
