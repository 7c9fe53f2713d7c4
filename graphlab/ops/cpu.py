"""CPU backend: binds the C++ kernels of ``kernels/graphlab_ops.cpp`` by ctypes.

The functions are those of :mod:`graphlab.ops.reference`. Pointers go to C, so shapes,
types and layout are settled here and nowhere else.
"""

import ctypes
from functools import cache

import torch
from torch import Tensor

from graphlab.ops._layout import rows_contiguous
from graphlab.ops.csr import Csr
from graphlab.ops.kernels import build
from graphlab.ops.reference import accumulation_dtype

_SUFFIX = {
    torch.float32: "f32",
    torch.float64: "f64",
    torch.float16: "f16",
    torch.bfloat16: "bf16",
}
_KINDS = {"additive": 0, "gatv2": 1, "dot": 2}
_I64, _PTR, _INT = ctypes.c_int64, ctypes.c_void_p, ctypes.c_int
_SIGNATURES = {
    "spmm": [_PTR, *[_I64] * 3, *[_PTR, _I64, _I64] * 3, _INT, _INT],
    "spextreme": [_PTR, *[_I64] * 3, *[_PTR, _I64, _I64] * 2, _PTR, _PTR, _INT, _INT],
    "spextreme_grad_x": [
        *[_PTR, *[_I64] * 3, _PTR, _PTR, _PTR, _I64, _I64, _PTR, _I64, _INT]
    ],
    "spextreme_grad_w": [
        *[_PTR, *[_I64] * 3, _PTR, _PTR, _PTR, _I64, _I64, _PTR, _I64, _INT]
    ],
    "sddmm": [_PTR, *[_I64] * 3, *[_PTR, _I64, _I64] * 2, _PTR, _INT],
    "edge_softmax": [_PTR, _I64, _I64, _PTR, _PTR, _INT],
    "edge_softmax_grad": [_PTR, _I64, _I64, _PTR, _PTR, _PTR, _INT],
    "attend": [*[_PTR] * 4, _INT],
    "attend_pieces": [_PTR, _PTR],
    "attend_grad": [*[_PTR] * 6, _I64, _I64, *[_PTR] * 6, _INT],
}

_HOP_SUFFIX = {torch.int16: "i16", torch.int32: "i32"}
_HOP_SIGNATURE = [_PTR, _I64, _PTR, _PTR, _I64, _PTR, _INT]


class _Graph(ctypes.Structure):
    _fields_ = [
        ("rows", _I64),
        ("rowptr", _PTR),
        ("col", _PTR),
        ("perm", _PTR),
        ("edges", _I64),
    ]


class _Operand(ctypes.Structure):
    _fields_ = [("data", _PTR), ("batch", _I64), ("row", _I64)]


class _Attention(ctypes.Structure):
    _fields_ = [
        *[(name, _I64) for name in ("batch", "heads", "key_width", "value_width")],
        ("kind", _I64),
        *[(name, _Operand) for name in ("query", "key", "value")],
        ("att", _PTR),
        ("att_batch", _I64),
        *[(name, ctypes.c_double) for name in ("slope", "scale", "keep")],
        ("seeds", _PTR),
    ]


@cache
def why_not() -> str:
    """Why the kernels cannot be used; empty if they can."""
    try:
        path = build.library(torch.backends.cpu.get_cpu_capability())
        if not path.exists():
            path = build.library("DEFAULT")
        if not path.exists():
            return (
                "the C++ kernels are not built for this version; with a C++ compiler, "
                f"'python {build.__file__}' builds them"
            )
        _library()
    except OSError as error:
        return f"the C++ kernels cannot be loaded: {error}"
    return ""


@cache
def _library() -> ctypes.CDLL:
    path = build.library(torch.backends.cpu.get_cpu_capability())
    library = ctypes.CDLL(str(path if path.exists() else build.library("DEFAULT")))
    for name, arguments in _SIGNATURES.items():
        for suffix in _SUFFIX.values():
            function = getattr(library, f"graphlab_{name}_{suffix}")
            function.argtypes = arguments
            function.restype = _I64 if name == "attend_pieces" else None
    for suffix in _HOP_SUFFIX.values():
        getattr(library, f"graphlab_hops_{suffix}").argtypes = _HOP_SIGNATURE
    return library


@cache
def _function(name: str, dtype: torch.dtype):
    return getattr(_library(), f"graphlab_{name}_{_SUFFIX[dtype]}")


def spmm(graph: Csr, x: Tensor, weight: Tensor | None, mean: bool) -> Tensor:
    """``x`` [B, Ns, F] and ``weight`` [B or 1, E, H] to [B, Nd, F]."""
    batch, _, columns = x.shape
    x = rows_contiguous(x)
    shared = weight is None or (weight.size(0) == 1 and weight.size(2) == 1)
    if batch > 1 and shared and x.stride() == (columns, batch * columns, 1):
        # Replicas lie side by side: to the graph they are columns.
        wide = x.transpose(0, 1).reshape(1, x.size(1), batch * columns)
        out = spmm(graph, wide, weight, mean)
        return out.view(graph.num_dst, batch, columns).transpose(0, 1)
    out = x.new_empty(batch, graph.num_dst, columns)
    if out.numel() == 0:
        return out
    weight = None if weight is None else rows_contiguous(weight)
    heads, pointer, weight_batch, weight_row = _weights(weight)
    _function("spmm", x.dtype)(
        _graph(graph), batch, heads, columns // heads,
        x.data_ptr(), x.stride(0), x.stride(1),
        pointer, weight_batch, weight_row,
        out.data_ptr(), out.stride(0), out.stride(1),
        mean, torch.get_num_threads(),
    )  # fmt: skip
    return out


def spextreme(
    graph: Csr, x: Tensor, weight: Tensor | None, largest: bool
) -> tuple[Tensor, Tensor]:
    """Largest or smallest message [B, Nd, F], and the first position that has it."""
    batch, _, columns = x.shape
    x = rows_contiguous(x)
    out = x.new_empty(batch, graph.num_dst, columns)
    arg = torch.empty_like(out, dtype=torch.int32)
    if out.numel() == 0:
        return out, arg
    weight = None if weight is None else rows_contiguous(weight)
    heads, pointer, weight_batch, weight_row = _weights(weight)
    _function("spextreme", x.dtype)(
        _graph(graph), batch, heads, columns // heads,
        x.data_ptr(), x.stride(0), x.stride(1),
        pointer, weight_batch, weight_row,
        out.data_ptr(), arg.data_ptr(), largest, torch.get_num_threads(),
    )  # fmt: skip
    return out, arg


def spextreme_backward(
    graph: Csr,
    grad: Tensor,
    arg: Tensor,
    x: Tensor | None,
    weight: Tensor | None,
    need_x: bool,
    need_weight: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """The gradient goes to the winner alone."""
    batch, _, columns = grad.shape
    grad = grad.contiguous()
    weight = None if weight is None else weight.contiguous()
    heads, pointer, weight_batch, weight_row = _weights(weight)
    dtype = accumulation_dtype(grad)
    sizes = (_graph(graph), batch, heads, columns // heads)
    grads = (grad.data_ptr(), arg.data_ptr())
    grad_x = grad_weight = None
    if need_x:
        grad_x = grad.new_zeros(batch, graph.num_src, columns, dtype=dtype)
        if grad.numel() and graph.num_edges:
            _function("spextreme_grad_x", grad.dtype)(
                *sizes, *grads, pointer, weight_batch, weight_row,
                grad_x.data_ptr(), graph.num_src, torch.get_num_threads(),
            )  # fmt: skip
        grad_x = grad_x.to(grad.dtype)
    if need_weight:
        grad_weight = grad.new_zeros(weight.shape, dtype=dtype)
        if grad.numel() and graph.num_edges:
            x = rows_contiguous(x)
            _function("spextreme_grad_w", grad.dtype)(
                *sizes, *grads, x.data_ptr(), x.stride(0), x.stride(1),
                grad_weight.data_ptr(), weight_batch, torch.get_num_threads(),
            )  # fmt: skip
        grad_weight = grad_weight.to(grad.dtype)
    return grad_x, grad_weight


def sddmm(graph: Csr, a: Tensor, b: Tensor, heads: int) -> Tensor:
    """``a`` [B, Nd, F] and ``b`` [B, Ns, F] to [B, E, H], in at least float32."""
    a, b = rows_contiguous(a), rows_contiguous(b)
    shape = (a.size(0), graph.num_edges, heads)
    out = a.new_empty(shape, dtype=accumulation_dtype(a))
    if out.numel() == 0 or a.size(2) == 0:
        return out.zero_()
    _function("sddmm", a.dtype)(
        _graph(graph), a.size(0), heads, a.size(2) // heads,
        a.data_ptr(), a.stride(0), a.stride(1),
        b.data_ptr(), b.stride(0), b.stride(1),
        out.data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return out


def edge_softmax(graph: Csr, logits: Tensor) -> Tensor:
    """Softmax of [B, E, H] over the edges of each destination."""
    logits = logits.contiguous()
    out = torch.empty_like(logits)
    if out.numel():
        _function("edge_softmax", logits.dtype)(
            _graph(graph), logits.size(0), logits.size(2),
            logits.data_ptr(), out.data_ptr(), torch.get_num_threads(),
        )  # fmt: skip
    return out


def edge_softmax_backward(graph: Csr, alpha: Tensor, grad: Tensor) -> Tensor:
    """The gradient of the scores from that of the softmax."""
    alpha, grad = alpha.contiguous(), grad.contiguous()
    out = torch.empty_like(alpha)
    if out.numel():
        _function("edge_softmax_grad", alpha.dtype)(
            _graph(graph), alpha.size(0), alpha.size(2),
            alpha.data_ptr(), grad.data_ptr(), out.data_ptr(), torch.get_num_threads(),
        )  # fmt: skip
    return out


def attend(
    graph: Csr,
    kind: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    att: Tensor | None,
    slope: float,
    scale: float,
    keep: float,
    seeds: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Attention [B, Nd, H, C] and the log of its denominator [B, Nd, H]."""
    arguments = (kind, query, key, value, att, slope, scale, keep, seeds)
    batch, _, heads, width = value.shape
    out = value.new_empty(batch, graph.num_dst, heads, width)
    lse = value.new_empty(batch, graph.num_dst, heads, dtype=accumulation_dtype(value))
    if lse.numel() == 0:
        return out, lse
    table, _alive = _attention(*arguments)
    _function("attend", value.dtype)(
        _graph(graph), ctypes.byref(table), out.data_ptr(), lse.data_ptr(),
        torch.get_num_threads(),
    )  # fmt: skip
    return out, lse


def attend_backward(
    graph: Csr,
    kind: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    att: Tensor | None,
    slope: float,
    scale: float,
    keep: float,
    seeds: Tensor | None,
    out: Tensor,
    lse: Tensor,
    grad: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Gradients of query, key, value and att, from recomputed weights."""
    batch, _, heads, _ = value.shape
    dtype = lse.dtype
    table, _alive = _attention(kind, query, key, value, att, slope, scale, keep, seeds)
    out, grad = out.contiguous(), _flat(grad)
    transposed, function = graph.t(), _function("attend_grad", value.dtype)
    new = value.new_zeros if graph.num_edges == 0 else value.new_empty
    grads = [new(t.shape) for t in (query, key, value)]
    partial = None
    if att is not None:
        pieces = _function("attend_pieces", value.dtype)(
            _graph(transposed), ctypes.byref(table)
        )
        partial = value.new_zeros(batch, pieces, *att.shape[1:], dtype=dtype)
    if value.numel() + lse.numel() and graph.num_edges:
        record = value.new_empty(batch, graph.num_dst, 2, heads, dtype=dtype)
        ds = value.new_empty(batch, graph.num_edges, heads, dtype=dtype)
        function(
            _graph(graph), _graph(transposed), ctypes.byref(table),
            out.data_ptr(), lse.data_ptr(),
            grad.data_ptr(), grad.stride(0), grad.stride(1),
            record.data_ptr(), ds.data_ptr(), _pointer(partial),
            *[t.data_ptr() for t in grads], torch.get_num_threads(),
        )  # fmt: skip
    if partial is None:
        return (*grads, None)
    grad_att = partial.sum(1)
    if att.size(0) == 1:
        grad_att = grad_att.sum(0, keepdim=True)
    return (*grads, grad_att.to(att.dtype))


def hops(
    graph: Csr, ptr: Tensor, node: Tensor, limit: int, dtype: torch.dtype
) -> tuple[Tensor, bool]:
    """Hops along the rows from the sources of each column, [N, K]; -1 if none."""
    columns = ptr.numel() - 1
    out = torch.full((graph.num_dst, columns), -1, dtype=dtype)
    if out.numel() == 0:
        return out, False
    function = getattr(_library(), f"graphlab_hops_{_HOP_SUFFIX[dtype]}")
    ptr, node = ptr.contiguous(), node.int()
    cut = function(
        _graph(graph), columns, ptr.data_ptr(), node.data_ptr(), limit,
        out.data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return out, bool(cut)


def _attention(kind, query, key, value, att, slope, scale, keep, seeds):
    """The table of arguments, and the tensors that must outlive it."""
    flat = [_flat(t) for t in (query, key, value)]
    att = None if att is None else att.contiguous()
    table = _Attention(
        value.size(0), value.size(2), key.size(3) if key.dim() == 4 else 1,
        value.size(3), _KINDS[kind],
        *[_Operand(t.data_ptr(), t.stride(0), t.stride(1)) for t in flat],
        _pointer(att), 0 if att is None or att.size(0) == 1 else att.stride(0),
        slope, scale, keep, _pointer(seeds),
    )  # fmt: skip
    return table, (flat, att, seeds)


def _flat(x: Tensor) -> Tensor:
    """[B, N, H, C] as [B, N, H * C] with contiguous rows."""
    return rows_contiguous(x.flatten(2))


def _pointer(x: Tensor | None) -> int | None:
    return None if x is None else x.data_ptr()


def _weights(weight: Tensor | None):
    """Number of heads, pointer, and strides of replicas and edges."""
    if weight is None:
        return 1, None, 0, 0
    batch = 0 if weight.size(0) == 1 else weight.stride(0)
    return weight.size(2), weight.data_ptr(), batch, weight.stride(1)


def _graph(graph: Csr) -> int:
    """Address of the structure's C form, kept with it."""
    if "cpu" not in graph.cache:
        graph.cache["cpu"] = _Graph(
            graph.num_dst, graph.rowptr.data_ptr(), graph.col.data_ptr(),
            _pointer(graph.perm), graph.num_edges,
        )  # fmt: skip
    return ctypes.addressof(graph.cache["cpu"])
