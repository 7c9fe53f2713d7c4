"""Time k-variance by exact assignment against the released code's way and POT.

    python benchmarks/speed/k_variance.py                      # all sizes, a minute
    python benchmarks/speed/k_variance.py --sizes 64 256       # seconds

For each k the same 2k generated colour histograms (sparse counts: graphs of 10 to 60
vertices, whose colours follow a power law that varies from graph to graph) are compared
in three ways, which take turns within a round; each round draws anew:

- ours: assignment on two disjoint samples of k;
- POT: `ot.emd2` with 10^7 iterations, on the same distances;
- overlapping: as the released code of the bound for graphs samples, written from its
  description: two separate draws of k out of the 2k without replacement, and `ot.emd2`
  with its default of 10^5 iterations, on distances made in the same way.

Times are CPU time of all threads, medians over rounds, distances included. Values are
means over rounds. `shared` is the share of the points that the overlapping samples have
in common; `stopped early` counts the rounds in which POT's default did not reach the
optimum, of which it only warns. The last columns are one call of `k_variance` with its
8 repeats, mean distance and saturation.
"""

import argparse
import datetime
import platform
import statistics
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import TypeVar

import numpy as np
import torch
from ops_measure import milliseconds
from ot import emd2
from scipy import sparse

from graphlab.analysis import k_variance
from graphlab.analysis.wasserstein import costs, transport_cost

T = TypeVar("T")
SIZES = (64, 128, 256, 512, 1024, 2048)
COLOURS = 20_000


def histograms(rows: int, rng: np.random.Generator) -> sparse.csr_array:
    """Counts of colours: few are in most graphs, most are in few."""
    vertices = rng.integers(10, 61, rows)
    graph = np.repeat(np.arange(rows), vertices)
    steepness = rng.uniform(0.6, 2.0, rows)[graph]
    level = np.minimum(rng.exponential(3 / steepness), np.log(COLOURS - 1))
    colour = np.exp(level).astype(np.int64)
    counts = sparse.coo_array((np.ones(graph.size), (graph, colour)), (rows, COLOURS))
    return counts.tocsr()


def by_pot_defaults(cost: np.ndarray) -> float:
    first, second = (np.full(size, 1 / size) for size in cost.shape)
    return float(emd2(first, second, cost))


def compare(k: int, rounds: int, seed: int) -> dict:
    """Medians of times and means of values over the rounds."""
    rng = np.random.default_rng([seed, k])
    x = histograms(2 * k, rng)
    found: dict[str, list] = {}
    for _ in range(rounds + 1):
        for name, value in one_round(x, k, rng).items():
            found.setdefault(name, []).append(value)
    found = {name: values[1:] for name, values in found.items()}  # the first warms up
    result = {name: statistics.median(values) for name, values in found.items()}
    means = {"ours", "POT", "overlapping", "shared"}
    result |= {name: statistics.mean(found[name]) for name in means}
    result["stopped early"] = sum(found["stopped early"])
    difference = np.subtract(found["ours"], found["POT"]) / found["POT"]
    return result | {"k": k, "difference": float(np.abs(difference).max())}


def one_round(x: sparse.csr_array, k: int, rng: np.random.Generator) -> dict:
    first, second = rng.permutation(2 * k).reshape(2, k)
    draws = [rng.choice(2 * k, k, replace=False) for _ in range(2)]
    ways = {
        "ours": lambda: transport_cost(costs(x[first], x[second], 1), "assignment"),
        "POT": lambda: transport_cost(costs(x[first], x[second], 1), "emd"),
        "overlapping": lambda: by_pot_defaults(costs(*(x[draw] for draw in draws), 1)),
    }
    result: dict = {"shared": np.intersect1d(*draws).size / k}
    for name, way in ways.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result[name], result[f"{name} ms"] = timed(way)
    result["stopped early"] = any("numItermax" in str(w.message) for w in caught)
    whole, result["call ms"] = timed(lambda: k_variance(x))
    return result | {"saturation": whole.saturation}


def timed(way: Callable[[], T]) -> tuple[T, float]:
    """The result, and the milliseconds of CPU time."""
    found: list[T] = []
    milli, _ = milliseconds(lambda: found.append(way()), 1, "cpu")
    return found[0], milli


HEAD = (
    "k | W1 ours | W1 POT, largest difference | W1 overlapping | of ours | shared "
    "| ms ours | ms POT | ms overlapping | stopped early | ms k_variance | saturation"
)


def table(rows: list[dict], rounds: int) -> str:
    lines = [f"| {HEAD} |", "|" + "--:|" * (HEAD.count("|") + 1)]
    for row in rows:
        times = [row[f"{name} ms"] for name in ("ours", "POT", "overlapping")]
        cells = [
            f"{row['k']:,}",
            f"{row['ours']:.4f}",
            f"{row['difference']:.1e}",
            f"{row['overlapping']:.4f}",
            f"{row['overlapping'] / row['ours']:.2f}",
            f"{row['shared']:.2f}",
            *(f"{time:,.3g}" if time < 100 else f"{time:,.0f}" for time in times),
            f"{row['stopped early']} of {rounds}",
            f"{row['call ms']:,.0f}",
            f"{row['saturation']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    names = ("numpy", "scipy", "POT")
    print(
        f"{datetime.date.today()}, {', '.join(f'{n} {version(n)}' for n in names)}, "
        f"{platform.machine()}, {args.threads} thread(s), medians of "
        f"{args.rounds} round(s)\n"
    )
    rows = [compare(k, args.rounds, args.seed) for k in args.sizes]
    print(table(rows, args.rounds))


if __name__ == "__main__":
    main()
