"""Every backend against the formulas, on shapes that exercise all its code."""

import os
import subprocess
import sys

import pytest
import torch

from graphlab.errors import ArgumentError
from graphlab.ops import Csr, backend, cpu, reference, spmm, torch_csr
from graphlab.ops import backend as public_backend
from graphlab.ops.backend import _choose

if cpu.why_not():
    pytest.skip(f"no C++ kernels: {cpu.why_not()}", allow_module_level=True)

MODULES = pytest.mark.parametrize("kernels", [cpu, torch_csr], ids=["cpu", "torch"])
DTYPES = pytest.mark.parametrize(
    "dtype, tolerance",
    [
        (torch.float64, 1e-12),
        (torch.float32, 1e-5),
        (torch.float16, 3e-3),
        (torch.bfloat16, 2e-2),
    ],
    ids=["double", "float", "half", "bfloat16"],
)


@pytest.fixture(scope="module")
def structure():
    """A bipartite graph with a hub of 200 edges, duplicates and empty rows."""
    torch.manual_seed(0)
    src, dst = torch.randint(40, (2, 500))
    dst[:200] = 3
    dst[dst == 11] = 12
    return Csr.from_edge_index(torch.stack([src, dst]), (45, 41))


def close(ours, theirs, tolerance):
    for a, b in zip(ours, theirs, strict=True):
        if a is None and b is None:
            continue
        assert a.shape == b.shape
        scale = max(1.0, b.double().abs().max().item()) if b.numel() else 1.0
        worst = (a.double() - b.double()).abs().max().item() if b.numel() else 0.0
        assert worst <= tolerance * scale, (worst, scale)


def tensors(structure, batch, heads, width, weights, dtype):
    """x, y and weights; `weights` is none, shared or own (of each replica)."""
    torch.manual_seed(1)
    x = torch.randn(batch, structure.num_src, heads * width).to(dtype)
    y = torch.randn(batch, structure.num_dst, heads * width).to(dtype)
    rows = {"none": 0, "shared": 1, "own": batch}[weights]
    weight = torch.randn(rows, structure.num_edges, heads) if rows else None
    if weight is not None:
        weight = weight.to(reference.accumulation_dtype(x))
    return x, y, weight


SHAPES = [(1, 1, w) for w in (0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 33, 64, 100, 129, 300)]
SHAPES += [
    (1, 8, 8),
    (2, 8, 4),
    (3, 3, 5),
    (2, 4, 16),
    (1, 2, 3),
    (9, 2, 1),
    (2, 8, 32),
]


@MODULES
@DTYPES
@pytest.mark.parametrize("weights", ["none", "shared", "own"])
def test_sums(kernels, structure, dtype, tolerance, weights):
    for batch, heads, width in SHAPES:
        x, _, weight = tensors(structure, batch, heads, width, weights, dtype)
        for mean in (False, True):
            got = kernels.spmm(structure, x, weight, mean)
            want = reference.spmm(structure, x, weight, mean)
            close([got], [want], tolerance)


@DTYPES
@pytest.mark.parametrize("weights", ["none", "shared", "own"])
@pytest.mark.parametrize("largest", [True, False])
def test_extremes(structure, dtype, tolerance, weights, largest):
    for batch, heads, width in SHAPES:
        x, y, weight = tensors(structure, batch, heads, width, weights, dtype)
        got = cpu.spextreme(structure, x, weight, largest)
        want = reference.spextreme(structure, x, weight, largest)
        close(got[:1], want[:1], tolerance)
        if dtype == torch.float64:  # no ties but those of duplicates: the first wins
            assert torch.equal(got[1], want[1])
        rest = (structure, y, want[1], x, weight, True, weight is not None)
        close(
            cpu.spextreme_backward(*rest),
            reference.spextreme_backward(*rest),
            tolerance,
        )


def test_nan_wins_an_extreme():
    graph = Csr.from_edge_index(torch.tensor([[0, 1, 2, 0], [0, 0, 0, 1]]), 3)
    x = torch.tensor([[[1.0] * 20, [float("nan")] * 20, [5.0] * 20]])
    for largest in (True, False):
        out, arg = cpu.spextreme(graph, x, None, largest)
        assert out[0, 0].isnan().all() and not out[0, 1:].isnan().any()
        assert (arg[0, 0] == 1).all() and (arg[0, 2] == -1).all()
    lowest = torch.full((1, 3, 20), -torch.inf)
    out, arg = cpu.spextreme(graph, lowest, None, True)
    assert (out[0, 0] == -torch.inf).all() and (arg[0, 0] == 0).all()


@MODULES
@DTYPES
def test_products(kernels, structure, dtype, tolerance):
    for batch, heads, width in SHAPES:
        x, y, _ = tensors(structure, batch, heads, width, "none", dtype)
        got = kernels.sddmm(structure, y, x, heads)
        close([got], [reference.sddmm(structure, y, x, heads)], tolerance)


@MODULES
@pytest.mark.parametrize("heads", [1, 2])
def test_products_with_more_edges_than_pairs_of_nodes(kernels, heads):
    graph = Csr.from_edge_index(torch.tensor([[0, 0, 1, 0, 1], [0] * 5]), (2, 1))
    torch.manual_seed(0)
    a, b = torch.randn(1, 1, heads * 3), torch.randn(1, 2, heads * 3)
    out = kernels.sddmm(graph, a, b, heads)
    torch.testing.assert_close(out, reference.sddmm(graph, a, b, heads))


@MODULES
@DTYPES
@pytest.mark.parametrize("heads", [1, 3, 8, 16])
def test_softmax(kernels, structure, dtype, tolerance, heads):
    torch.manual_seed(2)
    logits = (5 * torch.randn(2, structure.num_edges, heads)).to(dtype)
    grad = torch.randn_like(logits)
    alpha = kernels.edge_softmax(structure, logits)
    close([alpha], [reference.edge_softmax(structure, logits)], tolerance)
    got = kernels.edge_softmax_backward(structure, alpha, grad)
    want = reference.edge_softmax_backward(structure, alpha, grad)
    close([got], [want], tolerance)


@MODULES
@DTYPES
@pytest.mark.parametrize("score", ["additive", "gatv2", "dot"])
@pytest.mark.parametrize("keep", [1.0, 0.6])
def test_attention(kernels, structure, dtype, tolerance, score, keep):
    for batch, heads, width in ((1, 8, 8), (2, 1, 16), (3, 2, 5), (1, 16, 1)):
        torch.manual_seed(3)
        inner = () if score == "additive" else (width,)
        query = torch.randn(batch, structure.num_dst, heads, *inner).to(dtype)
        key = torch.randn(batch, structure.num_src, heads, *inner).to(dtype)
        value = torch.randn(batch, structure.num_src, heads, width).to(dtype)
        att = torch.randn(1, heads, width).to(dtype) if score == "gatv2" else None
        seeds = None if keep == 1 else torch.arange(batch) * 2**40 - 5
        settings = (att, 0.2, 0.3, keep, seeds)
        got = kernels.attend(structure, score, query, key, value, *settings)
        want = reference.attend(structure, score, query, key, value, *settings)
        close(got, want, tolerance)
        grad = torch.randn_like(got[0])
        rest = (structure, score, query, key, value, *settings, *want, grad)
        got = kernels.attend_backward(*rest)
        close(got, reference.attend_backward(*rest), 4 * tolerance)


def test_strides_do_not_matter(structure):
    x, y, weight = tensors(structure, 3, 2, 8, "own", torch.float64)
    for move in (
        lambda t: t.transpose(0, 1).contiguous().transpose(0, 1),
        lambda t: t.mT.contiguous().mT,
        lambda t: torch.cat([t, t], -1)[..., : t.size(-1)],
        lambda t: t[:1].expand(3, -1, -1),
    ):
        args = move(x), move(weight), False
        want = reference.spmm(structure, *args)
        close([cpu.spmm(structure, *args)], [want], 1e-12)
        want = reference.sddmm(structure, move(y), move(x), 2)
        close([cpu.sddmm(structure, move(y), move(x), 2)], [want], 1e-12)


def test_threads_change_no_bit():
    torch.manual_seed(0)
    graph = Csr.from_edge_index(torch.randint(3000, (2, 40000)), 3000)
    x = torch.randn(2, 3000, 64)
    weight = torch.randn(1, 40000, 8)
    score = torch.randn(2, 3000, 8)
    value = x.unflatten(2, (8, 8))
    attention = (graph, "additive", score, score, value, None, 0.2, 1.0, 1.0, None)

    def everything():
        out, arg = cpu.spextreme(graph, x, weight, True)
        attended = cpu.attend(*attention)
        return [
            cpu.spmm(graph, x, weight, False),
            out,
            *cpu.spextreme_backward(graph, out, arg, x, weight, True, True),
            cpu.sddmm(graph, x, x, 8),
            *attended,
            *cpu.attend_backward(*attention, *attended, attended[0])[:3],
        ]

    one = everything()
    torch.set_num_threads(2)
    try:
        two = everything()
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("capability", ["avx2", "default"])
def test_older_instruction_sets(capability):
    """The same tests with the libraries for older processors."""
    if os.environ.get("ATEN_CPU_CAPABILITY"):
        pytest.skip("already a run of this kind")
    env = {**os.environ, "ATEN_CPU_CAPABILITY": capability}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        __file__,
        "-k",
        "not older and not torch",
    ]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    if torch.backends.cpu.get_cpu_capability() == capability.upper():
        assert capability in str(cpu.build.library(capability.upper()))


def test_backend_tells_what_is_used_and_why(monkeypatch):
    monkeypatch.delenv("GRAPHLAB_BACKEND", raising=False)
    chosen = public_backend()
    assert chosen.name == "cpu" and "C++ kernels" in chosen.reason
    for name in ("reference", "torch", "cpu"):
        monkeypatch.setenv("GRAPHLAB_BACKEND", name)
        assert backend().name == name and name in backend().reason
    monkeypatch.setenv("GRAPHLAB_BACKEND", "fast")
    with pytest.raises(ArgumentError, match="must be one of reference, cpu, torch"):
        backend()
    monkeypatch.setenv("GRAPHLAB_BACKEND", "cuda")
    with pytest.raises(ArgumentError, match="cannot be used: tensors are on cpu"):
        backend()


def test_without_kernels_torch_serves_and_says_so(monkeypatch, unsorted):
    monkeypatch.delenv("GRAPHLAB_BACKEND", raising=False)
    monkeypatch.setattr(cpu, "why_not", lambda: "there is no compiler")
    _choose.cache_clear()
    try:
        x = torch.randn(unsorted[1], 3)
        with pytest.warns(UserWarning, match="since there is no compiler"):
            spmm(unsorted[0], x)
        assert backend().name == "torch"  # and without another warning
        monkeypatch.setenv("GRAPHLAB_BACKEND", "cpu")
        with pytest.raises(ArgumentError, match="there is no compiler"):
            spmm(unsorted[0], x)
    finally:
        _choose.cache_clear()
