"""Reductions over neighbours and attention: graphlab.ops against PyG and torch.

    python benchmarks/speed/ops.py --graphs a b --threads 1 --save rows.jsonl
    python benchmarks/speed/ops.py --device cuda --format md

Graphs are generated, undirected, with power-law degrees: ``a`` has the size of Cora,
``b`` 5,200 nodes and 400,000 edges, ``c`` the size of ogbn-arxiv, ``d`` a million nodes
and ten million edges. Operations are run forward and backward (``sum_fwd`` forward
alone): sum, mean and max of neighbours, the sum with constant weights (``wsum``) and
with a gradient of the weights (``wsum_grad``), and GAT's attention with 8 heads. Peers:

- pyg: MessagePassing on a plain edge_index, PyG's default; all ratios refer to it
- edge_index: the same on a sorted EdgeIndex with filled caches
- torch_csr: products of CSR matrices, and of their transposes in the backward pass
- torch_reduce: the same by ``torch.sparse.mm`` with a reduction
- compile: torch.compile of pyg, only with ``--compile``, since it takes minutes
- scatter: torch_scatter's segment_csr of the gathered features, where it is installed
- ours: graphlab.ops on the plain edge_index

What depends on the graph alone is built before the clock starts, for every peer. All
take turns in one process; printed are medians, in CPU time (of all threads together)
and in wall time. Before that, results and gradients are compared with those of pyg;
errors are relative to the largest value of a tensor. Memory is the peak of one call
beyond the inputs.

The floor counts one read of E x F x 4 bytes for each pass over the edges (one for
sum_fwd and max, two for the others) at the rate at which ``index_select`` gathers this
graph's rows into a buffer that stays in the cache. It is timed in the same rounds; a
kernel that gathers faster than index_select comes out above 100 %.

Much of the time of peers that write messages goes into page faults of fresh memory, so
the allocator matters; variables that set it up are noted in the saved rows.

Two threads on a machine with other work wait for each other: watch ``wall_min_ms`` in
the saved rows, and trust CPU time on one thread.

With ``--save``, each row is appended as it is measured, and rows that the file has are
not measured again: a run that was killed goes on. Take a new file for new code.
"""

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import warnings
from datetime import date
from pathlib import Path

import torch
import torch_geometric
from ops_graphs import HEADS, SIZES, Graph, generate, pose
from ops_measure import (
    PASSES,
    copy_rate,
    extra_memory,
    free_memory,
    gather,
    growth_of_peak,
    measure,
)
from ops_peers import OPS, PEERS, Variant, defaults, writes_messages
from ops_table import show
from torch import Tensor

from graphlab.ops import backend

TOLERANCE = 1e-3
MESSAGES = 6  # tensors of all edges times all features that a peer may hold at once
ALLOCATOR = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")
KEY = ("graph", "features", "op", "threads", "device")


def relative_error(actual: list[Tensor], expected: list[Tensor], order) -> float:
    """Largest difference of a result or gradient, by its largest value."""
    errors = []
    for a, b in zip(actual, expected, strict=True):
        # Only gradients of edge weights have one dimension.
        b = b[order] if b.dim() == 1 and order is not None else b
        scale = b.abs().max().clamp(min=torch.finfo(b.dtype).tiny)
        errors.append(float((a - b).abs().max() / scale))
    return max(errors)


def memory(variant: Variant, upstream, options, where: tuple) -> float | None:
    """Extra megabytes of one call, in another process where it has to be."""
    peak = extra_memory(lambda: variant.run(upstream), options.device)
    if peak is not None:
        return peak
    graph, features, op, threads, peer = map(str, where)
    command = [sys.executable, __file__, "--graphs", graph, "--features", features]
    command += ["--ops", op, "--threads", threads, "--peak-of", peer]
    done = subprocess.run(command, capture_output=True, text=True)
    growth = float(done.stdout) if done.returncode == 0 else 0.0
    return growth or None  # no growth says only that starting up needed more


def measure_row(graph: Graph, features: int, op: str, threads: int, options) -> dict:
    """All peers on one operation: agreement, memory, then time."""
    problem = pose(graph, op, features)
    edges = graph.edge_index.size(1)
    needed = edges * features * 4 * MESSAGES
    figures, runs, expected = {}, {}, None
    for peer in options.peers:
        free = free_memory(options.device)
        if writes_messages(peer, op) and needed > free:
            reason = f"needs about {needed / 1e9:.0f} GB, {free / 1e9:.0f} are free"
            figures[peer] = {"skipped": reason}
            continue
        try:
            variant = PEERS[peer](problem)
            if variant is None:
                figures[peer] = {"skipped": "has no such operation"}
                continue
            results = variant.run(problem.upstream)
            figures[peer] = {"error": None}
            if expected is None:  # pyg, or who comes first if pyg does not fit
                expected, reference = _in_edge_order(results, variant.order), peer
            else:
                error = relative_error(results, expected, variant.order)
                figures[peer] = {"error": error, "error_against": reference}
                if not error <= TOLERANCE:
                    text = f"differs from {reference} by {error:.1e}"
                    figures[peer]["skipped"] = text
                    continue
            del results
            where = (graph.name, features, op, threads, peer)
            figures[peer]["memory_mb"] = memory(
                variant, problem.upstream, options, where
            )
        except (RuntimeError, ImportError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            figures[peer] = {"skipped": reason}
            continue
        runs[peer] = lambda v=variant: v.run(problem.upstream)
    del expected
    gc.collect()
    runs["floor"] = gather(problem.x, graph.edge_index[0, graph.order])
    runs["floor"]()
    times = measure(runs, options.rounds, options.seconds, options.device)
    floor = times.pop("floor")
    for peer, figure in times.items():
        figures[peer] |= figure
    passes = PASSES.get(op, 2)
    clocks = {name: floor[name] and floor[name] * passes for name in CLOCKS}
    rate = edges * features * 4 / floor["wall_ms"] / 1e6
    return {"peers": figures, "floor": clocks, "gather_gb_s": rate}


CLOCKS = ("cpu_ms", "wall_ms")


def _in_edge_order(results: list[Tensor], order: Tensor | None) -> list[Tensor]:
    if order is None:
        return results
    return [
        torch.empty_like(t).index_copy_(0, order, t) if t.dim() == 1 else t
        for t in results
    ]


def saved_rows(path: Path | None) -> list[dict]:
    if path is None or not path.exists():
        return []
    rows = []
    for line in path.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:  # a killed run may leave half a line
            continue
    return rows


def append(path: Path | None, row: dict) -> None:
    if path is None:
        return
    half = path.exists() and path.stat().st_size > 0
    with path.open("a+b") as file:
        if half:
            file.seek(-1, os.SEEK_END)
            half = file.read(1) != b"\n"
        file.write((b"\n" if half else b"") + json.dumps(row).encode() + b"\n")


def environment(device: str) -> dict:
    """What the figures depend on beside the row itself."""
    name = torch.cuda.get_device_name() if device == "cuda" else _processor()
    return {
        "date": str(date.today()),
        "machine": name,
        "torch": torch.__version__,
        "pyg": torch_geometric.__version__,
        "backend": backend(device).reason,
        "pyg_with_torch_scatter": torch_geometric.typing.WITH_TORCH_SCATTER,
        "malloc": {k: v for k, v in os.environ.items() if k.startswith(ALLOCATOR)},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shown = [name for name in SIZES if name != "t"]
    graphs = {"choices": list(SIZES), "metavar": "{" + ",".join(shown) + "}"}
    parser.add_argument("--graphs", nargs="+", default=shown, **graphs)
    parser.add_argument("--features", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--ops", nargs="+", choices=OPS, default=list(OPS))
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=defaults())
    parser.add_argument("--compile", action="store_true", help="add torch.compile")
    parser.add_argument("--rounds", type=int, default=7, help="at most")
    parser.add_argument(
        "--seconds", type=float, default=60, help="per row, then rounds stop at three"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--format", choices=("table", "md"), default="table")
    parser.add_argument("--save", type=Path, help="file of JSON lines to go on with")
    parser.add_argument("--peak-of", choices=list(PEERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.peers += ["compile"] if options.compile else []
    options.peers = [name for name in PEERS if name in options.peers]
    if wrong := [f for f in options.features if f < 1 or f % HEADS]:
        parser.error(f"--features must be multiples of {HEADS}, got {wrong}")
    if options.device == "cuda":
        options.threads = options.threads[:1]
    return options


def main() -> int:
    options = parse()
    warnings.filterwarnings("ignore", message=".*[Ss]parse.*", category=UserWarning)
    if options.peak_of:
        torch.set_num_threads(options.threads[0])
        graph = generate(options.graphs[0], options.device)
        problem = pose(graph, options.ops[0], options.features[0])
        variant = PEERS[options.peak_of](problem)
        print(growth_of_peak(lambda: variant.run(problem.upstream)))
        return 0
    gc.freeze()  # collections need not look at what the imports made
    saved = {}
    for row in saved_rows(options.save):
        saved.setdefault(tuple(row[name] for name in KEY), []).append(row)
    rows, rates, general = [], {}, environment(options.device)
    for name in options.graphs:
        graph = None
        for threads in options.threads:
            for features in options.features:
                for op in options.ops:
                    key = (name, features, op, threads, options.device)
                    known = [
                        row
                        for row in saved.get(key, [])
                        if set(options.peers) <= set(row["peers"])
                    ]
                    if known:
                        rows.append(known[-1])
                        continue
                    torch.set_num_threads(threads)
                    if threads not in rates:
                        rates[threads] = copy_rate(options.device)
                    graph = graph or generate(name, options.device)
                    row = dict(zip(KEY, key, strict=True)) | graph.described()
                    row |= measure_row(graph, features, op, threads, options)
                    row |= {"copy_gb_s": rates[threads]} | general
                    append(options.save, row)
                    rows.append(row)
                    print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    return show(rows, options.peers, options.format)


if __name__ == "__main__":
    sys.exit(main())
