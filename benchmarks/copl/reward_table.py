"""What a language model gains from knowing the user: accuracy on new users and texts.

Run ``python benchmarks/copl/reward_table.py --out DIR [--data-root DIR]``. One JSON
file a dataset, user vectors, method and seed is written to ``DIR``; those that exist
are not run again, and a training that was killed goes on from its last checkpoint.
``--report`` prints the tables of what is there.

A seed decides users, pairs, texts and weights; all methods of a seed meet the same.
User vectors come from a graph model, whose setting is chosen on the validation pairs;
unseen users get theirs from their pairs without training (``two_hop`` for CoPL-GCF,
``fold_in`` for MF). Nothing of a reward model is chosen here: its settings
(``reward_config.TUNED``) were picked on the validation pairs of another seed, 1000
(``--tune`` gives these alone). A part of the table has at most ``--pairs`` pairs, drawn
at random.
"""

import argparse
import itertools
import json
import shutil
import time
from pathlib import Path

import numpy as np
import torch

from graphlab.benchmark.copl import graph_model, load_split
from graphlab.benchmark.copl.graph_stage import (
    adapt_by_own_rule,
    fit_chosen,
    score_adapted,
    score_seen,
)
from graphlab.benchmark.copl.reward_backbones import short_name
from graphlab.benchmark.copl.reward_config import RewardConfig, tuned
from graphlab.benchmark.copl.reward_scores import capped
from graphlab.benchmark.copl.reward_stage import (
    PARTS,
    evaluate_reward,
    fingerprints,
    train_reward,
)
from graphlab.benchmark.copl.reward_users import graph_users
from graphlab.benchmark.copl.scores import over_seeds
from graphlab.benchmark.stats import mean
from graphlab.benchmark.store import write_json
from graphlab.lora import UserVectors
from graphlab.preference import VectorTable, bootstrap_over_users

#: Dataset -> source and sizes.
DATASETS = {
    "style": ("style", dict(annotations=8, num_groups=4)),
    "jester": ("jester", dict(annotations=16, new_items=20, num_new=10)),
}
VECTORS = {"CoPL-GCF": "CoPL-GCF released", "MF": "MF"}
#: Row of the table -> method, and number of layers with LoRA.
METHODS = {
    "agnostic, head alone": ("agnostic", 0),
    "agnostic": ("agnostic", 1),
    "concat, head alone": ("concat", 0),
    "concat": ("concat", 1),
    "bilinear, head alone": ("bilinear", 0),
    "bilinear": ("bilinear", 1),
    "experts": ("experts", 1),
}
IDS = "none: ids alone"
MAX_LENGTH = 96  # tokens


def vectors(dataset: str, split, name: str, seed: int, out: Path) -> UserVectors:
    """Vectors of seen and unseen users by a graph model, kept in a file."""
    file = out / "vectors" / f"{dataset}-{name}-{seed}.npz"
    if not file.exists():
        users = graph_users(split, VECTORS[name], seed)
        VectorTable(users.ids, users.vectors).save(file)
    table = VectorTable.load(file)
    return UserVectors(table.vectors, list(table.ids.ids))


def without_texts(split, name: str, seed: int, pairs: int) -> dict:
    """What the graph model itself makes of pairs of responses that it knows."""
    start, graph = time.process_time(), split.graph()
    found = fit_chosen(graph_model(VECTORS[name]), graph, split.val, seed).vectors
    new = adapt_by_own_rule(found, graph, split).table()
    seen, unseen = (capped(t, pairs, 0) for t in (split.test, split.unseen_test))
    return {
        "parts": {
            "seen": score_seen(found, graph, seen),
            "unseen": score_adapted(new, found, graph, unseen),
        },
        "minutes_training": (time.process_time() - start) / 60,
        "minutes_testing": 0.0,
    }


def config_of(row: str, vectors: str, seed: int, **changes) -> RewardConfig:
    """The settings of a row, those of ``reward_config.TUNED`` but for changes."""
    method, layers = METHODS[row]
    scale = "standard" if vectors == "MF" else "unit"
    settings = dict(method=method, layers=layers, seed=seed, max_length=MAX_LENGTH)
    return RewardConfig(
        **{**settings, "user_scale": scale, **tuned(method, layers), **changes}
    )


def run(dataset: str, name: str, method: str, seed: int, options) -> dict:
    """Train one model and test it; only its validation accuracy if it is a trial."""
    source, sizes = DATASETS[dataset]
    split = load_split(source, seed=seed, data_root=options.data_root, **sizes)
    place = {"dataset": dataset, "vectors": name, "method": method, "seed": seed}
    if method == IDS:
        return place | without_texts(split, name, seed, options.pairs)
    users = vectors(dataset, split, name, seed, options.out)
    config = config_of(method, name, seed, **options.changes)
    folder = options.out / "models" / stem(dataset, name, method, seed, options.changes)
    depth = f"{dataset}-{seed}-{short_name(config.backbone)}-{config.layers}"
    states = options.out / "states" / depth
    common = dict(made_from=fingerprints(split, users), states=states)
    model = train_reward(split, users, config, folder, **common)
    record = json.loads((folder / "reward.json").read_text())
    result = {
        **place,
        "minutes_states": record["cpu_seconds_states"] / 60,
        "minutes_training": (record["cpu_seconds"] - record["cpu_seconds_states"]) / 60,
        **{k: record[k] for k in ("settings", "val_accuracy", "num_parameters")},
        **{k: record[k] for k in ("versions", "date", "commit", "val_pairs")},
    }
    if not options.tune:
        start = time.process_time()
        limits = dict(max_pairs=options.pairs, states=states)
        result["parts"] = evaluate_reward(model, split, users, config, **limits)
        result["minutes_testing"] = (time.process_time() - start) / 60
    shutil.rmtree(folder)
    return result


def stem(dataset, name, method, seed, changes) -> str:
    words = [
        dataset,
        name,
        method,
        str(seed),
        *(f"{k}={v}" for k, v in changes.items()),
    ]
    return "-".join(words).replace(", ", "_").replace(" ", "_")


def train(options) -> None:
    for seed, dataset in itertools.product(options.seeds, options.datasets):
        rows = [(n, m) for n in options.vectors for m in options.methods]
        for name, method in rows:
            if method.startswith("agnostic") and name != options.vectors[0]:
                continue  # has no use for vectors
            name_of = stem(dataset, name, method, seed, options.changes)
            path = options.out / ("tune" if options.tune else "") / f"{name_of}.json"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, run(dataset, name, method, seed, options))


def report(options) -> str:
    """Tables in Markdown, differences to the agnostic model on the same seeds."""
    runs: dict[tuple, dict] = {}
    for path in sorted(options.out.glob("*.json")):
        one = json.loads(path.read_text())
        place = one["dataset"], one["vectors"], one["method"]
        runs.setdefault(place, {})[one["seed"]] = one
    lines = []
    for dataset in DATASETS:
        head = ("user vectors", "reward model", "seeds", *PARTS)
        head += (
            *("controversial", "common"),
            *("minus agnostic, seen", "minus agnostic, unseen", "min"),
        )
        rows = [head, ("---", "---", *("--:",) * (len(head) - 2))]
        base = runs.get((dataset, next(iter(VECTORS)), "agnostic"), {})
        order = [*METHODS, IDS]
        for (data, name, method), mine in sorted(
            runs.items(), key=lambda one: (order.index(one[0][2]), one[0][1])
        ):
            if data == dataset:
                rows.append(row(name, method, mine, base))
        if len(rows) > 2:
            lines += [f"**{dataset}**", ""]
            lines += [f"| {' | '.join(cells)} |" for cells in rows] + [""]
    return "\n".join(lines)


def row(name: str, method: str, mine: dict, base: dict) -> tuple[str, ...]:
    cells = ["–" if method.startswith("agnostic") else name, method, str(len(mine))]
    for part in PARTS:
        found = [one["parts"].get(part) for one in mine.values()]
        cells.append(interval(found) if all(found) else "–")
    for part in ("controversial", "common"):
        cells.append(
            f"{mean([one['parts']['seen'][part] for one in mine.values()]):.3f}"
        )
    cells += [gain(mine, base, part) for part in ("seen", "unseen")]
    spent = [one["minutes_training"] + one["minutes_testing"] for one in mine.values()]
    return (*cells, f"{mean(spent):.1f}")


def gain(mine: dict, base: dict, part: str) -> str:
    """Mean difference on the same pairs, and its interval over users."""
    both = [seed for seed in mine if seed in base and "settings" in mine[seed]]
    if not both or mine is base:
        return "–"
    pairs = [(mine[s]["parts"][part], base[s]["parts"][part]) for s in both]
    by_user = [np.subtract(one["correct"], other["correct"]) for one, other in pairs]
    count = np.concatenate([one["count"] for one, _ in pairs])
    low, high = bootstrap_over_users(np.concatenate(by_user), count)
    difference = mean([one["accuracy"] - other["accuracy"] for one, other in pairs])
    return f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"


def interval(parts: list[dict]) -> str:
    """Mean over seeds, and the bootstrap interval over the users of all seeds."""
    accuracy, low, high = over_seeds(parts)
    return f"{accuracy:.3f} [{low:.3f}, {high:.3f}]"


def changes(words: list[str]) -> dict:
    """``lr=0.001`` as a change of the settings."""
    pairs = (word.partition("=") for word in words)
    return {key: json.loads(value) for key, _, value in pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=["style"])
    parser.add_argument("--vectors", nargs="+", choices=VECTORS, default=["CoPL-GCF"])
    parser.add_argument(
        "--methods", nargs="+", choices=[*METHODS, IDS], default=[*METHODS, IDS]
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--pairs", type=int, default=1500)
    parser.add_argument("--tune", action="store_true", help="validation accuracy only")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.changes = changes(options.set)
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.report:
        torch.set_num_threads(1)
        train(options)
    print(report(options))


if __name__ == "__main__":
    main()
