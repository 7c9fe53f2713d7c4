"""Laws that hold on any graph, and what a user may do wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.errors import ArgumentError
from graphlab.ops import Csr, attend, cpu, edge_softmax, sddmm, spmm

SETTINGS = settings(max_examples=40, deadline=None)


@st.composite
def graphs(draw):
    """Edges of a bipartite graph, its two sizes, and a seed for features."""
    num_src, num_dst = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    edge = st.tuples(st.integers(0, num_src - 1), st.integers(0, num_dst - 1))
    edges = draw(st.lists(edge, max_size=60))
    edge_index = torch.tensor(edges, dtype=torch.long).view(-1, 2).t().contiguous()
    dtype = draw(st.sampled_from([torch.int32, torch.int64]))
    torch.manual_seed(draw(st.integers(0, 1000)))
    return edge_index.to(dtype), num_src, num_dst


def features(rows, width=5):
    return torch.randn(rows, width, dtype=torch.double)


@SETTINGS
@given(graphs())
def test_the_transposed_sum_is_the_adjoint(graph):
    edge_index, num_src, num_dst = graph
    csr = Csr.from_edge_index(edge_index, (num_src, num_dst))
    x, y = features(num_src), features(num_dst)
    weight = torch.randn(edge_index.size(1), dtype=torch.double)
    forth = (spmm(csr, x, weight) * y).sum()
    back = (x * spmm(csr.t(), y, weight)).sum()
    along = (weight * sddmm(csr, y, x)).sum()
    torch.testing.assert_close(forth, back)
    torch.testing.assert_close(forth, along)


@SETTINGS
@given(graphs())
def test_sums_are_linear(graph):
    edge_index, num_src, num_dst = graph
    csr = Csr.from_edge_index(edge_index, (num_src, num_dst))
    x, y = features(num_src), features(num_src)
    both = spmm(csr, 2 * x - y)
    torch.testing.assert_close(both, 2 * spmm(csr, x) - spmm(csr, y))


@SETTINGS
@given(graphs())
def test_the_order_of_the_edges_does_not_matter(graph):
    edge_index, num_src, num_dst = graph
    order = torch.randperm(edge_index.size(1))
    a = Csr.from_edge_index(edge_index, (num_src, num_dst))
    b = Csr.from_edge_index(edge_index[:, order], (num_src, num_dst))
    x = features(num_src)
    for reduce in ("sum", "mean", "max", "min"):
        torch.testing.assert_close(spmm(a, x, None, reduce), spmm(b, x, None, reduce))


@SETTINGS
@given(graphs())
def test_softmax_sums_to_one_and_ignores_a_shift(graph):
    edge_index, num_src, num_dst = graph
    csr = Csr.from_edge_index(edge_index, (num_src, num_dst))
    logits = features(edge_index.size(1), 3)
    alpha = edge_softmax(csr, logits)
    total = torch.zeros(num_dst, 3, dtype=torch.double)
    total.index_add_(0, edge_index[1].long(), alpha)
    want = (csr.degree() > 0).double().unsqueeze(1).expand(-1, 3)
    torch.testing.assert_close(total, want)
    torch.testing.assert_close(edge_softmax(csr, logits + 1e4), alpha)


def test_wrong_graphs_are_refused():
    x = torch.randn(3, 2)
    for edges, message in (
        ([[0, 3], [1, 0]], "source nodes from 0 to 3, accepted are 0 to 2"),
        ([[0, 1], [1, 7]], "destination nodes from 1 to 7"),
        ([[0, -1], [1, 0]], "source nodes from -1 to 0"),
        ([[0.0, 1.0], [1.0, 0.0]], "must hold integers, got torch.float32"),
        ([[0, 1, 2]], r"must be a \[2, E\] tensor"),
    ):
        with pytest.raises(ArgumentError, match=message):
            spmm(torch.tensor(edges), x)


def test_wrong_types_and_devices_are_refused():
    edge_index = torch.tensor([[0, 1], [1, 0]])
    x = torch.randn(2, 3)
    with pytest.raises(ArgumentError, match="x must be of a floating point type"):
        spmm(edge_index, torch.ones(2, 3, dtype=torch.long))
    with pytest.raises(ArgumentError, match="weight must be of a floating point type"):
        spmm(edge_index, x, torch.ones(2, dtype=torch.long))
    elsewhere = torch.randn(2, 3, device="meta")
    with pytest.raises(ArgumentError, match="x is on meta, but the graph is on cpu"):
        spmm(edge_index, elsewhere)
    with pytest.raises(ArgumentError, match="weight is on meta"):
        spmm(edge_index, x, torch.ones(2, device="meta"))
    with pytest.raises(ArgumentError, match="b is on meta"):
        sddmm(edge_index, x, elsewhere)
    with pytest.raises(ArgumentError, match="logits must be of a floating"):
        edge_softmax(edge_index, torch.ones(2, dtype=torch.long))
    score = torch.randn(2, 1)
    with pytest.raises(ArgumentError, match="key is on meta"):
        attend(edge_index, score, score.to("meta"), x.unsqueeze(1), score="additive")


def test_nan_logits_spoil_their_own_row_only():
    edge_index = torch.tensor([[0, 1, 2], [0, 0, 1]])
    out = edge_softmax(edge_index, torch.tensor([torch.nan, 1.0, 2.0]))
    assert out[:2].isnan().all() and out[2] == 1


MEMORY = """
import resource, torch
from graphlab.ops import Csr, attend, spmm
torch.set_num_threads(1)
torch.manual_seed(0)
edges, nodes, width = 400_000, 5_200, 256
graph = Csr.from_edge_index(torch.randint(nodes, (2, edges)), nodes)
x = torch.randn(nodes, width, requires_grad=True)
score = torch.randn(nodes, 8, requires_grad=True)
weight = torch.rand(edges, requires_grad=True)
graph.t()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for call in (
    lambda: spmm(graph, x, weight),
    lambda: spmm(graph, x, reduce="max"),
    lambda: attend(graph, score, score, x.view(nodes, 8, -1), score="additive"),
):
    call().sum().backward()
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(used * 1024 / (edges * width * 4))
"""


@pytest.mark.skipif(bool(cpu.why_not()), reason="the fall-back writes messages")
def test_no_message_is_written():
    """Peak memory beyond the inputs stays far below one number per edge and column."""
    env = {**os.environ, "GRAPHLAB_BACKEND": "cpu"}
    command = [sys.executable, "-W", "ignore", "-c", MEMORY]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.15


RUNTIMES = """
import torch
from pathlib import Path
from graphlab.ops import spmm
spmm(torch.tensor([[0], [1]]), torch.randn(2, 3))
maps = Path("/proc/self/maps").read_text().splitlines()
print(*{line.split()[-1] for line in maps if "gomp" in line.split("/")[-1]})
"""


@pytest.mark.skipif(bool(cpu.why_not()), reason="no C++ kernels")
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_torch_and_the_kernels_share_a_thread_runtime():
    """In a process of its own: other packages bring theirs."""
    command = [sys.executable, "-W", "ignore", "-c", RUNTIMES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) == 1, done.stdout
