"""The Triton kernels against dense formulas.

Without a GPU they run in Triton's interpreter, which has to be chosen before Triton is
imported: so this file runs itself in a process of its own, as one test.
"""

import importlib.util
import os
import subprocess
import sys
from importlib.metadata import version

import pytest
import torch
import torch.nn.functional as F

from graphlab.ops import Csr, reference

if importlib.util.find_spec("triton") is None:
    pytest.skip("needs Triton (pip install triton)", allow_module_level=True)
VERSION = tuple(map(int, version("triton").split(".")[:2]))

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
HERE = DEVICE == "cuda" or INTERPRETED
SEGMENT_LENGTH = 5  # splits the hubs of the small graphs; the real one is tested below
TOLERANCE = {
    torch.float32: 1e-5,
    torch.float64: 1e-10,
    torch.float16: 2e-3,
    torch.bfloat16: 2e-2,
}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda d: str(d)[6:])
kernels = pytest.mark.skipif(not HERE, reason="runs in a process of its own")


@pytest.mark.skipif(HERE, reason="the kernels are tested in this process")
@pytest.mark.skipif(VERSION < (3, 7), reason="older interpreters fail with NumPy 2.4")
def test_kernels_in_the_interpreter():
    command = [
        sys.executable,
        "-m",
        "pytest",
        __file__,
        "-q",
        "-x",
        "-p",
        "no:randomly",
    ]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]


@pytest.fixture
def cuda(monkeypatch):
    """The backend, with segments so short that small graphs have split rows."""
    from graphlab.ops import cuda
    from graphlab.ops.kernels import triton_launch

    monkeypatch.setattr(triton_launch, "SEGMENT_LENGTH", SEGMENT_LENGTH)
    return cuda


def bipartite(num_edges=40, num_src=9, num_dst=12, hub=17, seed=0):
    """Random unsorted edges with duplicates, empty rows, and a destination hub."""
    generator = torch.Generator().manual_seed(seed)
    src = torch.randint(num_src - 1, (num_edges + hub,), generator=generator)
    dst = torch.randint(num_dst - 2, (num_edges + hub,), generator=generator)
    dst[:hub] = 3
    src[-hub:] = 2  # a hub among the sources too
    order = torch.randperm(num_edges + hub, generator=generator)
    return torch.stack([src[order], dst[order]]), num_src, num_dst


def csr(edge_index, num_src, num_dst, perm_dtype=torch.int64):
    graph = Csr.from_edge_index(edge_index.to(DEVICE), (num_src, num_dst))
    if graph.perm is not None:
        graph.perm = graph.perm.to(perm_dtype)
    return graph


def random(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator).to(dtype)


def to_device(*tensors):
    return [None if x is None else x.to(DEVICE) for x in tensors]


def assert_close(actual, expected, dtype, name=""):
    """Equal up to the type's tolerance, relative to the largest value."""
    assert actual.shape == expected.shape, name
    if expected.numel():
        actual, expected = actual.cpu().double(), expected.detach().double()
        top = expected.nan_to_num(0, 0, 0).abs().max().clamp(min=1).item()
        limit = TOLERANCE[dtype] * top
        torch.testing.assert_close(
            actual, expected, rtol=0, atol=limit, equal_nan=True, msg=lambda m: name + m
        )


# Dense formulas, in float64 and with autograd; messages are [B, E, ...].


def wide(weight, columns):
    """One weight per column from one per head."""
    return weight.repeat_interleave(columns // weight.size(2), 2)


def dense_spmm(edge_index, x, weight, num_dst, mean):
    message = x[:, edge_index[0]]
    if weight is not None:
        message = message * wide(weight, x.size(2))
    out = x.new_zeros(x.size(0), num_dst, x.size(2))
    out = out.index_add(1, edge_index[1], message)
    if mean:
        count = torch.bincount(edge_index[1], minlength=num_dst).clamp(min=1)
        out = out / count.view(1, -1, 1)
    return out


def row_masks(edge_index, num_dst):
    return [edge_index[1] == i for i in range(num_dst)]


def dense_extreme(edge_index, x, weight, num_dst, largest):
    message = x[:, edge_index[0]]
    if weight is not None:
        message = message * wide(weight, x.size(2))
    rows = []
    for mask in row_masks(edge_index, num_dst):
        part = message[:, mask]
        if part.size(1) == 0:
            rows.append(part.sum(1))
            continue
        # The first of equals, unlike amax, so that gradients have one way to go.
        arg = (part if largest else -part).argmax(1, keepdim=True)
        rows.append(part.gather(1, arg).squeeze(1))
    return torch.stack(rows, 1) if rows else x[:, :0]


def dense_softmax(edge_index, logits, num_dst):
    out = torch.zeros_like(logits)
    for mask in row_masks(edge_index, num_dst):
        part = logits[:, mask]
        if part.size(1):
            alpha = part.softmax(1)
            dead = (part == -torch.inf).all(1, keepdim=True)
            index = mask.nonzero().view(-1)
            out = out.index_copy(1, index, torch.where(dead, 0, alpha))
    return out


def dense_logsumexp(edge_index, score, num_dst):
    rows = [score[:, mask].logsumexp(1) for mask in row_masks(edge_index, num_dst)]
    return torch.stack(rows, 1) if rows else score[:, :0]


def dense_keep(seeds, num_edges, heads, keep):
    """Dropout's mask from the hash, in Python integers."""
    limit, word = round(keep * 2**24), 2**64 - 1
    mask = torch.zeros(len(seeds), num_edges * heads, dtype=torch.float64)
    for b, seed in enumerate(seeds.tolist()):
        for counter in range(num_edges * heads):
            z = (seed + (counter + 1) * 0x9E3779B97F4A7C15) & word
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & word
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & word
            mask[b, counter] = 1 / keep if (z ^ (z >> 31)) >> 40 < limit else 0
    return mask.view(len(seeds), num_edges, heads)


def dense_attend(edge_index, kind, query, key, value, att, num_dst, mask):
    """Output and scores; slope 0.2 and scale 0.7."""
    src, dst = edge_index
    if kind == "dot":
        score = 0.7 * (query[:, dst] * key[:, src]).sum(-1)
    else:
        score = F.leaky_relu(query[:, dst] + key[:, src], 0.2)
        if kind == "gatv2":
            score = (score * att.unsqueeze(1)).sum(-1)
    alpha = dense_softmax(edge_index, score, num_dst)
    if mask is not None:
        alpha = alpha * mask
    message = alpha.unsqueeze(-1) * value[:, src]
    out = value.new_zeros(value.size(0), num_dst, *value.shape[2:])
    return out.index_add(1, dst, message), score


# spmm and sddmm


def check_spmm(cuda, graph, dtype, batch, shared, heads, columns, mean):
    edge_index, num_src, num_dst = graph
    structure = csr(*graph)
    x = random(batch, num_src, columns, dtype=dtype)
    weight = None
    if heads:
        shape = (1 if shared else batch, edge_index.size(1), heads)
        weight = random(*shape, dtype=dtype, seed=1)
    wanted = None if weight is None else weight.double()
    expected = dense_spmm(edge_index, x.double(), wanted, num_dst, mean)
    out = cuda.spmm(structure, *to_device(x, weight), mean)
    assert out.dtype == dtype
    assert_close(out, expected, dtype)


@kernels
@DTYPES
@pytest.mark.parametrize(
    ("batch", "shared", "heads", "columns", "mean"),
    [
        (1, True, 0, 7, False),
        (2, True, 1, 7, True),
        (2, False, 3, 6, False),
        (1, False, 5, 300, False),
    ],
)
def test_spmm(cuda, dtype, batch, shared, heads, columns, mean):
    check_spmm(cuda, bipartite(), dtype, batch, shared, heads, columns, mean)


@kernels
@DTYPES
@pytest.mark.parametrize(("batch", "heads", "channels"), [(2, 1, 7), (1, 3, 5)])
def test_sddmm(cuda, dtype, batch, heads, channels):
    edge_index, num_src, num_dst = graph = bipartite()
    a = random(batch, num_dst, heads * channels, dtype=dtype)
    b = random(batch, num_src, heads * channels, dtype=dtype, seed=1)
    product = a.double()[:, edge_index[1]] * b.double()[:, edge_index[0]]
    expected = product.unflatten(2, (heads, channels)).sum(-1)
    out = cuda.sddmm(csr(*graph), *to_device(a, b), heads)
    assert_close(out, expected, dtype)


@kernels
def test_sddmm_of_many_columns(cuda):
    edge_index, num_src, num_dst = graph = bipartite(10)
    a, b = random(1, num_dst, 600), random(1, num_src, 600, seed=1)
    expected = (a[:, edge_index[1]] * b[:, edge_index[0]]).sum(-1, keepdim=True)
    out = cuda.sddmm(csr(*graph), *to_device(a, b), 1)
    assert_close(out, expected, torch.float64)


# Extremes


def check_extreme(cuda, graph, dtype, batch, shared, heads, columns, largest):
    edge_index, num_src, num_dst = graph
    structure = csr(*graph)
    x = random(batch, num_src, columns, dtype=dtype)
    weight = None
    if heads:
        shape = (1 if shared else batch, edge_index.size(1), heads)
        weight = random(*shape, dtype=dtype, seed=1)
    inputs = [None if v is None else v.double().requires_grad_() for v in (x, weight)]
    expected = dense_extreme(edge_index, *inputs, num_dst, largest)
    out, arg = cuda.spextreme(structure, *to_device(x, weight), largest)
    assert_close(out, expected, dtype)
    assert arg.dtype == torch.int32
    empty = torch.bincount(edge_index[1], minlength=num_dst) == 0
    assert ((arg.cpu() < 0) == empty.view(1, -1, 1)).all()

    grad = random(*out.shape, dtype=dtype, seed=2)
    leaves = [v for v in inputs if v is not None]
    wanted = torch.autograd.grad(
        expected, leaves, grad.double(), allow_unused=True, materialize_grads=True
    )
    grads = cuda.spextreme_backward(
        structure, *to_device(grad), arg, *to_device(x, weight), True, heads > 0
    )
    assert_close(grads[0], wanted[0], dtype)
    if heads:
        assert_close(grads[1], wanted[1], dtype)


@kernels
@DTYPES
@pytest.mark.parametrize(
    ("batch", "shared", "heads", "columns", "largest"),
    [
        (1, True, 0, 7, True),
        (2, True, 1, 5, False),
        (2, False, 3, 6, True),
    ],
)
def test_spextreme(cuda, dtype, batch, shared, heads, columns, largest):
    check_extreme(cuda, bipartite(), dtype, batch, shared, heads, columns, largest)


@kernels
@pytest.mark.parametrize("largest", [True, False])
def test_spextreme_takes_the_first_of_equals_and_keeps_nan(cuda, largest):
    source = torch.tensor([1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 5])
    target = torch.tensor([0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3])
    x = torch.zeros(1, 6, 2)
    x[0, 4, 0] = torch.nan
    x[0, 5] = -torch.inf if largest else torch.inf
    structure = csr(torch.stack([source, target]), 6, 5)
    out, arg = cuda.spextreme(structure, *to_device(x, None), largest)
    assert arg[0].tolist() == [[0, 0], [2, 2], [11, 5], [13, 13], [-1, -1]]
    assert out[0, 2, 0].isnan() and not out[0, 2, 1].isnan()
    assert out[0, 3].cpu().equal(x[0, 5])


# Softmax


@kernels
@DTYPES
@pytest.mark.parametrize(("batch", "heads"), [(1, 1), (2, 3)])
def test_edge_softmax(cuda, dtype, batch, heads):
    edge_index, num_src, num_dst = graph = bipartite()
    structure = csr(*graph)
    logits = 3 * random(batch, edge_index.size(1), heads, dtype=dtype)
    inputs = logits.double().requires_grad_()
    expected = dense_softmax(edge_index, inputs, num_dst)
    alpha = cuda.edge_softmax(structure, *to_device(logits))
    assert alpha.dtype == dtype
    assert_close(alpha, expected, dtype)
    grad = random(*alpha.shape, dtype=dtype, seed=1)
    (wanted,) = torch.autograd.grad(expected, inputs, grad.double())
    assert_close(
        cuda.edge_softmax_backward(structure, alpha, *to_device(grad)), wanted, dtype
    )


@kernels
def test_edge_softmax_of_infinite_scores(cuda):
    edge_index, _, num_dst = graph = bipartite()
    logits = random(1, edge_index.size(1), 1)
    logits[:, edge_index[1] == 3] = -torch.inf  # the hub
    logits[:, edge_index[1] == 1] = -torch.inf
    logits[0, (edge_index[1] == 2).nonzero()[0], 0] = -torch.inf
    logits[0, (edge_index[1] == 4).nonzero()[0], 0] = torch.nan
    expected = dense_softmax(edge_index, logits, num_dst)
    assert expected[0, edge_index[1] == 3].eq(0).all()
    alpha = cuda.edge_softmax(csr(*graph), *to_device(logits))
    assert_close(alpha, expected, torch.float64)


# Attention


def attend_inputs(kind, graph, batch, att_batch, heads, channels, scored, dtype):
    _, num_src, num_dst = graph
    scored = () if kind == "additive" else (scored,)
    query = random(batch, num_dst, heads, *scored, dtype=dtype)
    key = random(batch, num_src, heads, *scored, dtype=dtype, seed=1)
    value = random(batch, num_src, heads, channels, dtype=dtype, seed=2)
    att = None
    if kind == "gatv2":
        att = random(att_batch, heads, *scored, dtype=dtype, seed=3)
    return query, key, value, att


def check_attend(
    cuda,
    graph,
    kind,
    dtype,
    batch=1,
    att_batch=1,
    heads=2,
    channels=4,
    scored=3,
    keep=1,
):
    edge_index, num_src, num_dst = graph
    structure = csr(*graph)
    inputs = attend_inputs(
        kind, graph, batch, att_batch, heads, channels, scored, dtype
    )
    seeds = mask = None
    if keep < 1:
        seeds = torch.tensor([-(2**62) - 5, 77])[:batch]
        mask = dense_keep(seeds, edge_index.size(1), heads, keep)
    leaves = [None if x is None else x.double().requires_grad_() for x in inputs]
    expected, score = dense_attend(edge_index, kind, *leaves, num_dst, mask)
    scalars = (0.2, 0.7, keep, *to_device(seeds))
    moved = to_device(*inputs)
    out, lse = cuda.attend(structure, kind, *moved, *scalars)
    assert out.dtype == dtype
    assert_close(out, expected, dtype, "out ")
    wanted = dense_logsumexp(edge_index, score, num_dst)
    assert_close(lse, wanted.masked_fill(wanted == -torch.inf, 0), dtype, "lse ")

    grad = random(*out.shape, dtype=dtype, seed=4)
    wanted = torch.autograd.grad(
        expected,
        [x for x in leaves if x is not None],
        grad.double(),
        allow_unused=True,
        materialize_grads=True,
    )
    grads = cuda.attend_backward(
        structure, kind, *moved, *scalars, out, lse, *to_device(grad)
    )
    assert (grads[3] is None) == (kind != "gatv2")
    for name, actual, expected in zip(
        ("query ", "key ", "value ", "att "), grads, wanted, strict=False
    ):
        assert actual.dtype == dtype
        assert_close(actual, expected, dtype, f"grad of {name}")


KINDS = pytest.mark.parametrize("kind", ["additive", "gatv2", "dot"])


@kernels
@KINDS
@DTYPES
def test_attend(cuda, kind, dtype):
    check_attend(cuda, bipartite(), kind, dtype)


@kernels
@KINDS
@pytest.mark.parametrize(
    ("batch", "att_batch", "heads", "channels", "scored", "keep"),
    [
        (2, 2, 3, 5, 7, 1.0),
        (2, 1, 1, 8, 8, 0.6),
        (1, 1, 5, 130, 3, 1.0),
    ],
)
def test_attend_shapes(cuda, kind, batch, att_batch, heads, channels, scored, keep):
    shape = (batch, att_batch, heads, channels, scored, keep)
    check_attend(cuda, bipartite(15), kind, torch.float64, *shape)


@kernels
def test_attend_without_any_finite_score(cuda):
    edge_index, num_src, num_dst = graph = bipartite()
    query = torch.full((1, num_dst, 1), -torch.inf, dtype=torch.float64)
    key, value = random(1, num_src, 1), random(1, num_src, 1, 2)
    arguments = (csr(*graph), "additive", *to_device(query, key, value, None))
    out, lse = cuda.attend(*arguments, 0.2, 1.0, 1.0, None)
    assert out.eq(0).all() and lse.eq(0).all()
    grad = random(*out.shape)
    grads = cuda.attend_backward(
        *arguments, 0.2, 1.0, 1.0, None, out, lse, *to_device(grad)
    )
    assert all(g.eq(0).all() for g in grads[:3])


# What holds for all of them


@kernels
def test_awkward_graphs(cuda, graph):
    edge_index, num_nodes = graph
    graph = (edge_index, num_nodes, num_nodes)
    dtype = torch.float64
    check_spmm(cuda, graph, dtype, 2, True, 2, 4, True)
    check_extreme(cuda, graph, dtype, 1, True, 1, 3, True)
    structure = csr(*graph)
    a, b = random(2, num_nodes, 4), random(2, num_nodes, 4, seed=1)
    expected = (a[:, edge_index[1]] * b[:, edge_index[0]]).unflatten(2, (2, 2)).sum(-1)
    assert_close(cuda.sddmm(structure, *to_device(a, b), 2), expected, dtype)
    logits = random(1, edge_index.size(1), 2)
    expected = dense_softmax(edge_index, logits, num_nodes)
    assert_close(cuda.edge_softmax(structure, *to_device(logits)), expected, dtype)
    for kind in ("additive", "gatv2", "dot"):
        check_attend(cuda, graph, kind, dtype, batch=1, heads=1, channels=2)


@kernels
def test_no_columns(cuda):
    edge_index, num_src, num_dst = graph = bipartite()
    structure, (x,) = csr(*graph), to_device(torch.zeros(1, num_src, 0))
    (weight,) = to_device(random(1, edge_index.size(1), 1, dtype=torch.float32))
    empty = x.new_zeros(1, num_dst, 0)
    assert cuda.spmm(structure, x, weight, False).shape == (1, num_dst, 0)
    assert cuda.sddmm(structure, empty, x, 1).eq(0).all()
    out, arg = cuda.spextreme(structure, x, weight, True)
    grads = cuda.spextreme_backward(structure, out, arg, x, weight, True, True)
    assert grads[0].shape == x.shape and grads[1].eq(0).all()
    check_attend(cuda, graph, "dot", torch.float32, channels=0)


@kernels
def test_strides_and_types_of_indices(cuda):
    edge_index, num_src, num_dst = bipartite()
    order = edge_index[1].argsort(stable=True)
    x, weight = random(num_src, 2, 12), random(edge_index.size(1), 2, 1, seed=1)
    x, weight = x.transpose(0, 1)[..., 2:9], weight.transpose(0, 1)
    expected = dense_spmm(edge_index, x, weight, num_dst, False)
    graph = csr(edge_index, num_src, num_dst, torch.int32)
    out = cuda.spmm(graph, *to_device(x, weight), False)
    assert_close(out, expected, torch.float64)
    graph = csr(edge_index[:, order], num_src, num_dst)
    assert graph.perm is None
    out = cuda.spmm(graph, *to_device(x, weight[:, order]), False)
    assert_close(out, expected, torch.float64)
    out = cuda.spmm(graph, x[..., ::2].to(DEVICE), None, False)
    assert_close(
        out, dense_spmm(edge_index, x[..., ::2], None, num_dst, False), x.dtype
    )


@kernels
def test_two_runs_agree_bit_by_bit(cuda):
    graph = bipartite()
    moved = to_device(*attend_inputs("gatv2", graph, 1, 1, 2, 4, 3, torch.float32))
    arguments = (csr(*graph), "gatv2", *moved, 0.2, 1.0, 1.0, None)
    out, lse = cuda.attend(*arguments)
    results = [
        (out, *cuda.attend_backward(*arguments, out, lse, out)) for _ in range(2)
    ]
    assert all(a.equal(b) for a, b in zip(*results, strict=True))


@kernels
def test_a_hub_longer_than_the_shipped_segments():
    from graphlab.ops import cuda
    from graphlab.ops.kernels import triton_launch

    hub = 2 * triton_launch.SEGMENT_LENGTH + 3
    check_spmm(cuda, bipartite(20, hub=hub), torch.float32, 1, True, 1, 4, True)


@kernels
def test_segments():
    from graphlab.ops._segments import segments

    rowptr = torch.tensor([0, 3, 3, 10, 12], dtype=torch.int32)
    graph = Csr(rowptr, torch.zeros(12, dtype=torch.int32), None, 1, 4)
    parts = segments(graph, 3)
    assert parts.ptr.tolist() == [0, 3, 3, 6, 9, 10, 12]
    assert parts.row.tolist() == [0, 1, 2, 2, 2, 3]
    assert parts.slot.tolist() == [-1, -1, 0, 1, 2, -1]
    assert parts.split_row.tolist() == [2] and parts.split_ptr.tolist() == [0, 3]
    assert parts.slot_segment.tolist() == [2, 3, 4]
    assert segments(graph, 3) is parts
    assert segments(graph, 7).row is None


@kernels
@pytest.mark.parametrize("limit", [2, 50])
def test_hops(cuda, limit):
    edge_index, _, number = bipartite(num_src=12)
    graph = Csr.from_edge_index(edge_index.to(DEVICE), number)
    ptr = torch.tensor([0, 1, 3, 3, 4], device=DEVICE)  # a set, and a column of none
    node = torch.tensor([3, 1, 7, 3], device=DEVICE)
    found = cuda.hops(graph, ptr, node, limit, torch.int16)
    expected = reference.hops(graph, ptr, node, limit, torch.int16)
    assert torch.equal(found[0], expected[0]) and found[1] == expected[1]
    assert found[0].max() > 1
