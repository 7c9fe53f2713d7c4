"""Time an epoch of CoPL's graph filter against a loop written like the release.

    python benchmarks/speed/preference.py                  # 10,000 users, minutes
    python benchmarks/speed/preference.py --users 1000     # seconds

The graph is that of synthetic groups: each user gives seven pairs among 4,000 prompts
of two responses. The peer does what the released code does, in our words: it
normalizes one entry after the other in Python, once; and each layer of each batch
makes four independent sparse products (likes and dislikes, to users and to responses),
each on a matrix of its own whose edges are dropped, and maps users and responses apart.
Both have the same loss, optimizer, batches and size; without dropped edges the scores
are compared. ``large batches`` is what graphlab is meant to do on a CPU instead: all
pairs in one step, which is another algorithm, with fewer steps an epoch.

Times are CPU time of all threads; rounds take turns, medians are shown.
"""

import argparse
import datetime
import platform
import statistics
import time
from importlib.metadata import version

import torch
from ops_measure import extra_memory
from torch import Tensor, nn
from torch.nn.functional import dropout, leaky_relu, logsigmoid

from graphlab.ops import backend
from graphlab.preference import CoPLGCF, PreferenceGraph, SyntheticGroups
from graphlab.preference.propagation import propagation

BATCH = 1024


def normalized_one_by_one(user: Tensor, response: Tensor, size: tuple) -> Tensor:
    """A matrix of counts, each entry over the root of its degrees, in Python."""
    ones = torch.ones(len(user))
    matrix = torch.sparse_coo_tensor(torch.stack([user, response]), ones, size)
    matrix = matrix.coalesce()
    rows, columns = matrix.sum(1).to_dense(), matrix.sum(0).to_dense()
    indices, values = matrix.indices(), matrix.values()
    for entry in range(indices.size(1)):
        degrees = rows[indices[0, entry]] * columns[indices[1, entry]]
        values[entry] = values[entry] / pow(degrees, 0.5)
    return matrix


def with_dropped(matrix: Tensor, p: float, training: bool) -> Tensor:
    if not training or not p:
        return matrix
    values = dropout(matrix.values(), p)
    return torch.sparse_coo_tensor(matrix.indices(), values, matrix.shape)


class ReleasedStyle(nn.Module):
    """Four sparse products a layer, users and responses apart."""

    def __init__(self, ours: CoPLGCF, likes: Tensor, dislikes: Tensor):
        super().__init__()
        self.user = nn.Parameter(ours.user.detach().clone())
        self.response = nn.Parameter(ours.response.detach().clone())
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {name: nn.Linear(*layer.own.weight.shape) for name in layer._modules}
            )
            for layer in ours.layers
        )
        self.layers.load_state_dict(ours.layers.state_dict())
        self.likes, self.dislikes = likes, dislikes
        self.p = ours.edge_dropout

    def forward(self, user: Tensor, winner: Tensor, loser: Tensor):
        users, responses = self.user, self.response

        def along(matrix: Tensor, x: Tensor, back: bool) -> Tensor:
            kept = with_dropped(matrix, self.p, self.training)
            return torch.sparse.mm(kept.transpose(0, 1) if back else kept, x)

        for layer in self.layers:
            states = []
            for own, other, back in (
                (users, responses, False),
                (responses, users, True),
            ):
                plus = along(self.likes, other, back)
                minus = along(self.dislikes, other, back)
                state = plus + layer["liked"](plus * own)
                state = state - minus - layer["disliked"](minus * own)
                states.append(leaky_relu(state + layer["own"](own), 0.2))
            users, responses = states
        chosen, good, bad = users[user], responses[winner], responses[loser]
        margin = (chosen * good).sum(-1) - (chosen * bad).sum(-1)
        squares = sum(part.square().sum() for part in (chosen, good, bad))
        return margin, -logsigmoid(margin).mean() + 1e-6 * squares


def epoch(step, parameters, pairs, batch: int) -> None:
    """All pairs once, in random order."""
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)
    whole = batch >= len(pairs[0])
    order = torch.randperm(len(pairs[0]))
    for part in [slice(None)] if whole else order.split(batch):
        optimizer.zero_grad()
        step(*(pairs if whole else [rows[part] for rows in pairs])).backward()
        optimizer.step()


def cpu_seconds(run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--prompts", type=int, default=4000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.sparse.check_sparse_tensor_invariants.disable()  # or torch warns
    torch.manual_seed(0)
    split = SyntheticGroups(
        num_prompts=args.prompts, num_users=args.users, num_unseen=0, num_test=0
    ).split()
    made: dict = {}

    def ours() -> None:
        made["graph"] = split.graph()
        propagation(made["graph"], "split", torch.float32).csr.t()

    ours()
    graph: PreferenceGraph = made["graph"]

    def peer() -> None:
        size = graph.num_nodes
        made["likes"] = normalized_one_by_one(graph.user, graph.winner, size)
        made["dislikes"] = normalized_one_by_one(graph.user, graph.loser, size)

    times: dict[str, list[float]] = {}
    for _ in range(args.rounds):
        for name, run in (("ours", ours), ("like the release", peer)):
            times.setdefault(name, []).append(cpu_seconds(run))
    setup = {name: statistics.median(seconds) for name, seconds in times.items()}

    graph = made["graph"]
    model = CoPLGCF(*graph.num_nodes, args.dim, args.layers)
    other = ReleasedStyle(model, made["likes"], made["dislikes"])
    agrees = compare(model, other, graph)

    def step(*pairs):
        return model.loss(model(graph), *pairs)

    def peers_step(*pairs):
        return other(*pairs)[1]

    runs = {
        "ours": (step, model, BATCH),
        "like the release": (peers_step, other, BATCH),
        "ours, large batches": (step, model, graph.num_pairs),
    }
    epochs = {
        name: lambda step=step, module=module, size=size: epoch(
            step, module.parameters(), graph.pairs, size
        )
        for name, (step, module, size) in runs.items()
    }
    memory = {name: extra_memory(run, "cpu") for name, run in epochs.items()}
    found: dict[str, list[float]] = {}
    for _ in range(args.rounds):
        for name, run in epochs.items():
            found.setdefault(name, []).append(cpu_seconds(run))
    print(
        f"{datetime.date.today()}, torch {version('torch')}, {platform.machine()}, "
        f"{args.threads} thread(s), {backend().reason}, medians of {args.rounds} "
        f"rounds in turns\n{graph}, d = {args.dim}, {args.layers} layers; scores "
        f"without dropped edges differ by at most {agrees:.1e}\n"
    )
    print("| | CPU s | slowest / fastest round | of ours | extra MB |")
    print("|---|--:|--:|--:|--:|")
    print(row("graph and normalization: ours", times["ours"], setup["ours"], None))
    name = "like the release"
    print(row(f"graph and normalization: {name}", times[name], setup["ours"], None))
    for name, seconds in found.items():
        steps = -(-graph.num_pairs // runs[name][2])
        label = f"epoch of {steps} step{'s' * (steps > 1)}: {name}"
        base = statistics.median(found["ours"])
        print(row(label, seconds, base, memory[name]))


def compare(model: CoPLGCF, other: ReleasedStyle, graph: PreferenceGraph) -> float:
    """Largest difference of margins in evaluation."""
    pairs = [rows[:1000] for rows in graph.pairs]
    model.eval(), other.eval()
    with torch.no_grad():
        difference = model(graph).margin(*pairs) - other(*pairs)[0]
    model.train(), other.train()
    return difference.abs().max().item()


def row(label: str, seconds: list[float], base: float, memory) -> str:
    middle = statistics.median(seconds)
    spread = f"{max(seconds):.3g} / {min(seconds):.3g}"
    extra = "" if memory is None else f"{memory:,.0f}"
    ratio = f"{middle / base:.2f}x" if middle >= base else f"1/{base / middle:.1f}x"
    return f"| {label} | {middle:.3g} | {spread} | {ratio} | {extra} |"


if __name__ == "__main__":
    main()
