"""Every primitive as its formula in plain torch: the oracle of all tests.

A backend is a module with the functions of this one: plain tensors in, plain tensors
out, no autograd and no vmap. ``B`` replicas share the graph; edge-wise tensors are in
the order of ``edge_index``; columns are grouped by head. Half types are summed in
float32. This backend writes messages of all edges to memory, on purpose: its lines can
be compared with the formulas of the public functions.
"""

import torch
from torch import Tensor

from graphlab.ops.csr import Csr

_MASK64 = (1 << 64) - 1
_NOISE_BITS = 24


def accumulation_dtype(x: Tensor) -> torch.dtype:
    """Type to sum ``x`` in: its own, but never less than float32."""
    return torch.promote_types(x.dtype, torch.float32)


def spmm(graph: Csr, x: Tensor, weight: Tensor | None, mean: bool) -> Tensor:
    """``x`` [B, Ns, F] and ``weight`` [B or 1, E, H] to [B, Nd, F]."""
    message = _messages(graph, x, weight)  # [B, E, F]
    out = message.new_zeros(x.size(0), graph.num_dst, x.size(2))
    out.index_add_(1, graph.dst(), message)
    if mean:
        out /= graph.degree().clamp(min=1).view(1, -1, 1)
    return out.to(x.dtype)


def spextreme(
    graph: Csr, x: Tensor, weight: Tensor | None, largest: bool
) -> tuple[Tensor, Tensor]:
    """Largest or smallest message [B, Nd, F], and the first position that has it."""
    position = positions(graph)
    message = _messages(graph, x, weight).index_select(1, position)
    index = _rows(graph).view(1, -1, 1).expand_as(message)
    shape = (x.size(0), graph.num_dst, x.size(2))
    out = message.new_zeros(shape).scatter_reduce_(
        1, index, message, "amax" if largest else "amin", include_self=False
    )
    best = out.gather(1, index)
    hit = (message == best) | (message.isnan() & best.isnan())
    place = torch.arange(graph.num_edges, device=x.device).view(1, -1, 1)
    place = place.expand_as(message).masked_fill(~hit, graph.num_edges)
    arg = torch.full(shape, graph.num_edges, device=x.device)
    arg = arg.scatter_reduce_(1, index, place, "amin")
    arg[:, graph.degree() == 0] = -1
    return out.to(x.dtype), arg.int()


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
    won = arg >= 0
    place = arg.clamp(min=0).long().flatten()
    source = graph.col.long()[place].view_as(arg) if graph.num_edges else arg.long()
    value = grad.to(accumulation_dtype(grad)).masked_fill(~won, 0)
    edge = positions(graph)[place].view_as(arg) if graph.num_edges else arg.long()
    grad_x = grad_weight = None
    heads = 1 if weight is None else weight.size(2)
    head = torch.arange(columns, device=grad.device) // max(1, columns // heads)
    replica = torch.arange(batch, device=grad.device).view(-1, 1, 1)
    if need_x:
        factor = 1
        if weight is not None and graph.num_edges:
            own = replica if weight.size(0) > 1 else torch.zeros_like(replica)
            factor = weight.to(value.dtype)[own, edge, head.expand_as(edge)]
        out = value.new_zeros(batch, graph.num_src, columns)
        if graph.num_edges and columns:
            out.scatter_add_(1, source, value * factor)
        grad_x = out.to(grad.dtype)
    if need_weight:
        out = value.new_zeros(weight.shape)
        if graph.num_edges and columns:
            own = replica if weight.size(0) > 1 else torch.zeros_like(replica)
            far = x.to(value.dtype).gather(1, source)
            place = (own.expand_as(edge), edge, head.expand_as(edge))
            out.index_put_(place, value * far, accumulate=True)
        grad_weight = out.to(grad.dtype)
    return grad_x, grad_weight


def hops(
    graph: Csr, ptr: Tensor, node: Tensor, limit: int, dtype: torch.dtype
) -> tuple[Tensor, bool]:
    """Hops along the rows from the sources of each column, [N, K]; -1 if none.

    The sources of column ``k`` are ``node[ptr[k] : ptr[k + 1]]``. Also tells whether
    nodes were left at the limit: whether more hops might have reached more.
    """
    far = torch.iinfo(torch.int64).max - 1
    column = torch.arange(ptr.numel() - 1, device=node.device)
    out = torch.full((graph.num_dst, column.numel()), far, device=node.device)
    out[node, column.repeat_interleave(ptr.diff())] = 0
    start, end = _rows(graph), graph.col.long().unsqueeze(1).expand(-1, out.size(1))
    for _ in range(min(limit, graph.num_dst)):  # relaxation, as Bellman and Ford do
        step = out[start].clamp(max=far - 1) + 1
        closer = out.scatter_reduce(0, end, step, "amin")
        if torch.equal(closer, out):
            break
        out = closer
    cut = bool((out == limit).any())
    return out.masked_fill(out == far, -1).to(dtype), cut


def sddmm(graph: Csr, a: Tensor, b: Tensor, heads: int) -> Tensor:
    """``a`` [B, Nd, F] and ``b`` [B, Ns, F] to [B, E, H], in at least float32."""
    dtype = accumulation_dtype(a)
    products = a.to(dtype).index_select(1, graph.dst())
    products = products * b.to(dtype).index_select(1, graph.src())
    return _by_head(products, heads).sum(-1)


def edge_softmax(graph: Csr, logits: Tensor) -> Tensor:
    """Softmax of [B, E, H] over the edges of each destination."""
    score = logits.to(accumulation_dtype(logits))
    weight, total, _ = _exponentials(graph, score)
    total = total.masked_fill(total == 0, 1)
    return (weight / total.index_select(1, graph.dst())).to(logits.dtype)


def edge_softmax_backward(graph: Csr, alpha: Tensor, grad: Tensor) -> Tensor:
    """The gradient of the scores from that of the softmax."""
    weight = alpha.to(accumulation_dtype(alpha))
    product = weight * grad
    total = _sum_rows(graph, product).index_select(1, graph.dst())
    return (product - weight * total).to(alpha.dtype)


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
    score = scores(graph, kind, query, key, att, slope, scale)
    weight, total, top = _exponentials(graph, score)
    lse = torch.where(total == 0, 0, top + total.log())
    alpha = weight / total.masked_fill(total == 0, 1).index_select(1, graph.dst())
    if seeds is not None:
        alpha = alpha * dropout_mask(graph, seeds, value.size(2), keep, alpha.dtype)
    out = spmm(graph, value.flatten(2).to(alpha.dtype), alpha, mean=False)
    return out.view(*out.shape[:2], *value.shape[2:]).to(value.dtype), lse


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
    """Gradients of query, key, value and att.

    With ``D_i = <out_i, grad_i>`` and the dropout factor m, the
    gradient of a score is ``alpha * (m * <value_j, grad_i> - D_i)``.
    """
    dtype = lse.dtype
    src, dst = graph.src(), graph.dst()
    score = scores(graph, kind, query, key, att, slope, scale)
    alpha = (score - lse.index_select(1, dst)).exp()
    mask = 1.0
    if seeds is not None:
        mask = dropout_mask(graph, seeds, value.size(2), keep, dtype)
    far_grad = grad.to(dtype).index_select(1, dst)  # [B, E, H, C]
    far_value = value.to(dtype).index_select(1, src)
    delta = (out.to(dtype) * grad.to(dtype)).sum(-1).index_select(1, dst)
    ds = alpha * (mask * (far_value * far_grad).sum(-1) - delta)
    grad_value = _add_rows(value, src, (alpha * mask).unsqueeze(-1) * far_grad)
    far_query = query.to(dtype).index_select(1, dst)
    far_key = key.to(dtype).index_select(1, src)
    if kind == "dot":
        ds = scale * ds.unsqueeze(-1)
        grad_query = _add_rows(query, dst, ds * far_key)
        return grad_query, _add_rows(key, src, ds * far_query), grad_value, None
    summed = far_query + far_key
    steep = torch.where(summed > 0, torch.ones_like(summed), slope)
    grad_att = None
    if kind == "gatv2":
        ds = ds.unsqueeze(-1)
        grad_att = (ds * steep * summed).sum(1)
        if att.size(0) == 1:
            grad_att = grad_att.sum(0, keepdim=True)
        grad_att = grad_att.to(att.dtype)
        ds = ds * att.to(dtype).unsqueeze(1)
    ds = ds * steep
    return _add_rows(query, dst, ds), _add_rows(key, src, ds), grad_value, grad_att


def _add_rows(like: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """Sums [B, E, ...] into rows, in the shape and type of ``like``."""
    out = values.new_zeros(like.shape).index_add_(1, index, values)
    return out.to(like.dtype)


def scores(
    graph: Csr,
    kind: str,
    query: Tensor,
    key: Tensor,
    att: Tensor | None,
    slope: float,
    scale: float,
) -> Tensor:
    """Attention scores [B, E, H] before the softmax."""
    dtype = accumulation_dtype(query)
    query = query.to(dtype).index_select(1, graph.dst())
    key = key.to(dtype).index_select(1, graph.src())
    if kind == "dot":
        return scale * (query * key).sum(-1)
    summed = torch.nn.functional.leaky_relu(query + key, slope)
    if kind == "additive":
        return summed
    return (summed * att.to(dtype).unsqueeze(1)).sum(-1)


def dropout_mask(
    graph: Csr, seeds: Tensor, heads: int, keep: float, dtype: torch.dtype
) -> Tensor:
    """0 or ``1 / keep`` for every replica, edge and head, from a counter alone.

    splitmix64 of ``seed`` at ``edge * H + head``; its upper 24 bits decide.
    """
    counter = torch.arange(graph.num_edges * heads, device=seeds.device)
    state = seeds.view(-1, 1) + (counter + 1) * _signed(0x9E3779B97F4A7C15)
    state = (state ^ _shift(state, 30)) * _signed(0xBF58476D1CE4E5B9)
    state = (state ^ _shift(state, 27)) * _signed(0x94D049BB133111EB)
    bits = _shift(state ^ _shift(state, 31), 64 - _NOISE_BITS)
    kept = bits < round(keep * 2**_NOISE_BITS)
    return (kept.to(dtype) / keep).view(-1, graph.num_edges, heads)


def _signed(value: int) -> int:
    return value - (1 << 64) if value > _MASK64 >> 1 else value


def _shift(value: Tensor, by: int) -> Tensor:
    """Logical shift to the right of what torch stores as signed."""
    return (value >> by) & (_MASK64 >> by)


def positions(graph: Csr) -> Tensor:
    """The edge that stands at each position, int64."""
    if graph.perm is None:
        return torch.arange(graph.num_edges, device=graph.device)
    return graph.perm.long()


def _rows(graph: Csr) -> Tensor:
    return graph.dst().index_select(0, positions(graph))


def _by_head(x: Tensor, heads: int) -> Tensor:
    return x.view(*x.shape[:2], heads, x.size(2) // max(heads, 1))


def _messages(graph: Csr, x: Tensor, weight: Tensor | None) -> Tensor:
    dtype = accumulation_dtype(x)
    message = x.to(dtype).index_select(1, graph.src())
    if weight is None:
        return message
    weight = weight.to(dtype).unsqueeze(-1)  # [B or 1, E, H, 1]
    return (_by_head(message, weight.size(2)) * weight).flatten(2)


def _sum_rows(graph: Csr, values: Tensor) -> Tensor:
    out = values.new_zeros(values.size(0), graph.num_dst, values.size(2))
    return out.index_add(1, graph.dst(), values)


def _exponentials(graph: Csr, score: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Exp of the scores less the largest of their row, its sums, and the largest."""
    lowest = torch.finfo(score.dtype).min  # keeps rows of -inf free of NaN
    shape = (score.size(0), graph.num_dst, score.size(2))
    index = graph.dst().view(1, -1, 1).expand_as(score)
    top = score.new_full(shape, lowest)
    top = top.scatter_reduce(1, index, score.detach(), "amax").clamp(min=lowest)
    weight = (score - top.index_select(1, graph.dst())).exp()
    return weight, _sum_rows(graph, weight), top
