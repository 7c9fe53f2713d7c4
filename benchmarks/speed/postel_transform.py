"""Time posterior label smoothing against loops over nodes, and on a large graph.

    python benchmarks/speed/postel_transform.py            # 20,000 nodes, half a minute
    python benchmarks/speed/postel_transform.py --large    # and 2.4 M nodes, 62 M edges

The graphs are generated: degrees follow a power law, labels are homophilous. Two loops
are timed, both written for this file. One takes the formula literally and looks up each
training node's neighbours in the edge list. The other works as the released code does:
histograms of the neighbours' labels from one sparse product, then a loop over training
nodes for the power product. The largest difference between the results is printed too.

The comparison is in CPU time (of all threads together), the large graph in wall time.
"""

import argparse
import datetime
import platform
import resource
import statistics
import time

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from graphlab.transforms import posterior_label_smoothing

ALPHA, BETA = 0.8, 0.4


def generate(num_nodes: int, num_edges: int, num_classes: int, seed: int = 0):
    """Directed edges, labels, and a mask of 60 % of the nodes."""
    g = torch.Generator().manual_seed(seed)
    shuffle = torch.randperm(num_nodes, generator=g)
    edge_index = torch.empty(2, num_edges, dtype=torch.long)
    for start in range(0, num_edges, 1 << 20):
        part = slice(start, min(start + (1 << 20), num_edges))
        u = torch.rand(3, part.stop - part.start, generator=g)
        # The square of a uniform number gives node i a degree of about i ** -0.5.
        source, target = (u[:2].double().square() * num_nodes).long()
        same = target - target % num_classes + source % num_classes
        target = torch.where(u[2] < 0.6, same, target).clamp(max=num_nodes - 1)
        edge_index[0, part], edge_index[1, part] = shuffle[source], shuffle[target]
    y = torch.empty(num_nodes, dtype=torch.long)
    y[shuffle] = torch.arange(num_nodes) % num_classes
    return edge_index, y, torch.rand(num_nodes, generator=g) < 0.6


def fused(edge_index: Tensor, y: Tensor, mask: Tensor, num_classes: int) -> Tensor:
    targets = posterior_label_smoothing(
        edge_index, y, mask, num_classes, alpha=ALPHA, beta=BETA
    )
    return targets[mask]


def formula_loop(
    edge_index: Tensor, y: Tensor, mask: Tensor, num_classes: int
) -> Tensor:
    """Each training node looks up its neighbours; one factor per labelled neighbour."""
    source, target = edge_index
    labels = one_hot(y, num_classes).double()
    prior = labels[mask].mean(dim=0)
    pair = mask[source] & mask[target]
    pi = torch.zeros(num_classes, num_classes, dtype=torch.float64)
    pi.index_put_(
        (y[source[pair]], y[target[pair]]),
        torch.ones(1, dtype=torch.float64),
        accumulate=True,
    )
    pi /= pi.sum(dim=1, keepdim=True)
    rows = []
    for i in mask.nonzero().view(-1).tolist():
        neighbours = target[source == i]
        neighbours = neighbours[mask[neighbours]]
        factors = labels[neighbours] @ pi.t()
        q = prior * factors.prod(dim=0)
        rows.append(finish(q, labels[i], len(neighbours)))
    return torch.stack(rows).float()


def histogram_loop(
    edge_index: Tensor, y: Tensor, mask: Tensor, num_classes: int
) -> Tensor:
    """The histograms come from one sparse product; a loop takes the power product."""
    num_nodes = y.numel()
    labels = one_hot(y, num_classes).double()
    ones = torch.ones(edge_index.size(1), dtype=torch.float64)
    adj = torch.sparse_coo_tensor(
        edge_index, ones, (num_nodes, num_nodes), check_invariants=False
    )
    histogram = (adj @ (labels * mask.unsqueeze(1)))[mask]
    labels = labels[mask]
    prior = labels.mean(dim=0)
    pi = labels.t() @ histogram
    pi /= pi.sum(dim=1, keepdim=True)
    rows = []
    for own, h in zip(labels, histogram, strict=True):
        rows.append(finish(prior * (pi**h).prod(dim=1), own, h.sum()))
    return torch.stack(rows).float()


def finish(q: Tensor, own: Tensor, degree) -> Tensor:
    q = q / q.sum()
    if degree < 1 or q.isnan().any():
        q = own
    noisy = (1 - BETA) * q + BETA / (len(own) - 1) * (1 - own)
    return ALPHA * noisy + (1 - ALPHA) * own


def compare(rounds: int) -> None:
    """Median CPU times of the three, interleaved."""
    graph = (*generate(20_000, 400_000, 10), 10)
    degree = torch.bincount(graph[0][0])
    print(f"20,000 nodes, 400,000 edges, 10 classes, largest degree {degree.max()}\n")
    methods = [fused, histogram_loop, formula_loop]
    seconds = {method: [] for method in methods}
    results = {}
    for method in methods[:2]:
        method(*graph)  # first calls pay for allocations
    for _ in range(rounds):
        for method in methods:
            # The quick one repeats, or the clock's noise would decide.
            repeats = 20 if method is fused else 1
            start = time.process_time()
            for _ in range(repeats):
                results[method] = method(*graph)
            seconds[method].append((time.process_time() - start) / repeats)
    ours = statistics.median(seconds[fused])
    title = f"median of {rounds}"
    print(f"{title:<44}{'CPU ms':>12}{'graphlab is':>14}{'max |diff|':>12}")
    names = {
        fused: "graphlab.transforms",
        histogram_loop: "loop over histograms (as released)",
        formula_loop: "loop over nodes and the edge list",
    }
    for method in methods:
        median = statistics.median(seconds[method])
        gap = (results[method] - results[fused]).abs().max()
        ratio = "" if method is fused else f"{median / ours:,.0f} x"
        print(f"{names[method]:<44}{median * 1e3:>12,.2f}{ratio:>14}{gap:>12.1e}")


def large(num_edges: int) -> None:
    """Seconds and peak memory at the size of ogbn-products."""
    graph = (*generate(2_400_000, num_edges, 47), 47)
    before = peak_gib()
    start, cpu = time.perf_counter(), time.process_time()
    targets = posterior_label_smoothing(*graph)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    inputs = sum(t.numel() * t.element_size() for t in graph[:3]) / 2**30
    outputs = targets.numel() * targets.element_size() / 2**30
    print(
        f"\n2,400,000 nodes, {num_edges:,} edges, 47 classes: {seconds:.1f} s "
        f"({cpu:.1f} s CPU),\npeak memory of the process {peak_gib():.2f} GiB (before "
        f"the call {before:.2f}; inputs {inputs:.2f}, targets {outputs:.2f})"
    )


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--edges", type=int, default=62_000_000, help="with --large")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(
        f"{datetime.date.today()}, Python {platform.python_version()}, torch "
        f"{torch.__version__}, {platform.machine()}, {args.threads} thread(s)"
    )
    compare(args.rounds)
    if args.large:
        large(args.edges)


if __name__ == "__main__":
    main()
