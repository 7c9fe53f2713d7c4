"""The operations, as each library computes them.

``PEERS`` maps a name to a function that prepares one operation, with everything that
depends on the graph alone built beforehand, and gives :obj:`None` for an operation
that the library has no other way for.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import torch
import torch.nn.functional as F
from ops_graphs import Problem
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import softmax

from graphlab.ops import attend, spmm

OPS = ("sum_fwd", "sum", "mean", "max", "wsum", "wsum_grad", "gat")
SLOPE = 0.2


class Variant(NamedTuple):
    """One way to compute an operation."""

    forward: Callable[[], Tensor]
    leaves: list[Tensor]
    order: Tensor | None = None  # which edge a gradient of the weights belongs to

    def run(self, upstream: Tensor) -> list[Tensor]:
        """The result, and the gradients of the leaves if there are any."""
        out = self.forward()
        if not self.leaves:
            return [out]
        return [out.detach(), *torch.autograd.grad(out, self.leaves, upstream)]


def reduction(op: str) -> str:
    return op if op in ("mean", "max") else "sum"


class Reduce(MessagePassing):
    """Reduction over neighbours, written as PyG's own GraphConv is."""

    SUPPORTS_FUSED_EDGE_INDEX = True

    def forward(self, x, edge_index, weight=None):
        # propagate_type: (x: Tensor, weight: OptTensor)
        return self.propagate(edge_index, x=x, weight=weight)

    def message(self, x_j, weight):
        return x_j if weight is None else weight.view(-1, 1) * x_j

    def message_and_aggregate(self, edge_index, x, weight):
        return edge_index.matmul(x, weight, reduce=self.aggr, transpose=True)


class Attention(MessagePassing):
    """PyG's GATConv without the linear layers."""

    def __init__(self):
        super().__init__(aggr="add", node_dim=0)

    def forward(self, query, key, x, edge_index):
        # edge_updater_type: (alpha: OptPairTensor)
        alpha = self.edge_updater(edge_index, alpha=(key, query))
        # propagate_type: (x: Tensor, alpha: Tensor)
        return self.propagate(edge_index, x=x, alpha=alpha)

    def edge_update(self, alpha_j, alpha_i, index, ptr, dim_size):
        alpha = F.leaky_relu(alpha_j + alpha_i, SLOPE)
        return softmax(alpha, index, ptr, dim_size)

    def message(self, x_j, alpha):
        return alpha.unsqueeze(-1) * x_j


def pyg(problem: Problem, edge_index=None, order=None, wrap=lambda m: m) -> Variant:
    edge_index = problem.graph.edge_index if edge_index is None else edge_index
    if problem.op == "gat":
        module = wrap(Attention())
        inputs = (problem.query, problem.key, problem.x)
        return Variant(lambda: module(*inputs, edge_index), problem.leaves)
    module = wrap(Reduce(aggr=reduction(problem.op)))
    problem = _reordered(problem, order)
    x, weight = problem.x, problem.weight
    return Variant(lambda: module(x, edge_index, weight), problem.leaves, order)


def edge_index(problem: Problem) -> Variant:
    graph = problem.graph
    index = EdgeIndex(
        graph.edge_index[:, graph.order].contiguous(),
        sparse_size=(graph.num_nodes, graph.num_nodes),
        sort_order="col",
        is_undirected=True,
    ).fill_cache_()
    return pyg(problem, index, graph.order)


def compiled(problem: Problem) -> Variant:
    torch._dynamo.reset()  # or the limit on recompilations turns to eager code silently
    return pyg(problem, wrap=torch.compile)


def scatter(problem: Problem) -> Variant | None:
    """torch_scatter's reductions of the gathered tensor, sorted by destination."""
    from torch_scatter import gather_csr, segment_csr

    graph, problem = problem.graph, _reordered(problem, problem.graph.order)
    src, dst = graph.edge_index[:, graph.order]
    ptr, x, weight = graph.rowptr, problem.x, problem.weight

    def reduced():
        message = x.index_select(0, src)
        message = message if weight is None else message * weight.view(-1, 1)
        return segment_csr(message, ptr, reduce=reduction(problem.op))

    def attention():
        alpha = problem.key.index_select(0, src) + problem.query.index_select(0, dst)
        alpha = F.leaky_relu(alpha, SLOPE)
        top = segment_csr(alpha.detach(), ptr, reduce="max")
        alpha = (alpha - gather_csr(top, ptr)).exp()
        alpha = alpha / gather_csr(segment_csr(alpha, ptr, reduce="sum"), ptr)
        message = x.index_select(0, src) * alpha.unsqueeze(-1)
        return segment_csr(message, ptr, reduce="sum")

    forward = attention if problem.op == "gat" else reduced
    return Variant(forward, problem.leaves, graph.order)


class Matrices:
    """A graph as a sparse matrix and its transpose, both in compressed rows."""

    def __init__(self, problem: Problem):
        graph = problem.graph
        src, dst = graph.edge_index[:, graph.order]
        # The edges are in the order of their sources, so the transpose needs no sort.
        self.position = torch.empty_like(graph.order)
        self.position[graph.order] = torch.arange(src.numel(), device=src.device)
        sources = graph.edge_index[0].bincount(minlength=graph.num_nodes)
        colptr = torch.zeros_like(graph.rowptr)
        torch.cumsum(sources, 0, out=colptr[1:])
        # MKL works on 32 bits; torch would convert longer indices at every product.
        self.rows = graph.rowptr.int(), src.int()
        self.columns = colptr.int(), graph.edge_index[1].int()
        self.shape = (graph.num_nodes, graph.num_nodes)

    def matrix(self, values: Tensor) -> Tensor:
        return _matrix(*self.rows, values, self.shape)

    def transpose(self, values: Tensor) -> Tensor:
        """With values in the order of ``edge_index``, that is, of the sources."""
        return _matrix(*self.columns, values, self.shape)


def _matrix(rowptr, col, values, shape) -> Tensor:
    return torch.sparse_csr_tensor(rowptr, col, values, shape, check_invariants=False)


class Product(torch.autograd.Function):
    """Constant matrix times x."""

    @staticmethod
    def forward(ctx, x, matrix, transpose, multiply):
        ctx.transpose, ctx.multiply = transpose, multiply
        return multiply(matrix, x)

    @staticmethod
    def backward(ctx, grad):
        return ctx.multiply(ctx.transpose, grad), None, None, None


class WeightedProduct(torch.autograd.Function):
    """The same with a gradient of the values, which stand in the order of the rows."""

    @staticmethod
    def forward(ctx, x, weight, matrices):
        ctx.matrices = matrices
        ctx.save_for_backward(x, weight)
        return matrices.matrix(weight) @ x

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        matrices = ctx.matrices
        grad_x = matrices.transpose(weight[matrices.position]) @ grad
        pattern = matrices.matrix(torch.empty_like(weight))
        sampled = torch.sparse.sampled_addmm(pattern, grad, x.t(), beta=0)
        return grad_x, sampled.values(), None


def torch_csr(problem: Problem, multiply=torch.matmul) -> Variant | None:
    """Products of a CSR matrix, forward and backward; head by head for GAT."""
    graph, op, x, weight = problem.graph, problem.op, problem.x, problem.weight
    if op == "max":
        return None
    matrices = Matrices(problem)
    if op == "gat":
        return _torch_attention(problem, matrices)
    problem = _reordered(problem, graph.order)
    if op == "wsum_grad":
        weight = problem.weight
        product = lambda: WeightedProduct.apply(x, weight, matrices)  # noqa: E731
        return Variant(product, problem.leaves, graph.order)
    if op == "mean":
        degree = graph.rowptr.diff().clamp(min=1).to(x.dtype)
        weight = 1 / degree[graph.edge_index[1]]
    elif weight is None:
        weight = x.new_ones(graph.order.numel())
    matrix = matrices.matrix(weight[graph.order])
    transpose = matrices.transpose(weight)
    return Variant(
        lambda: Product.apply(x, matrix, transpose, multiply), problem.leaves
    )


def _torch_attention(problem: Problem, matrices: Matrices) -> Variant:
    graph, (src, dst) = problem.graph, problem.graph.edge_index[:, problem.graph.order]

    def forward():
        alpha = problem.key.index_select(0, src) + problem.query.index_select(0, dst)
        alpha = softmax(F.leaky_relu(alpha, SLOPE), dst, num_nodes=graph.num_nodes)
        heads = zip(problem.x.unbind(1), alpha.unbind(1), strict=True)
        products = [
            WeightedProduct.apply(x.contiguous(), weight.contiguous(), matrices)
            for x, weight in heads
        ]
        return torch.stack(products, 1)

    return Variant(forward, problem.leaves)


def torch_reduce(problem: Problem) -> Variant | None:
    """``torch.sparse.mm`` with a reduction, which the processor alone has."""
    if problem.x.is_cuda or problem.op in ("wsum_grad", "gat"):
        return None
    if problem.op != "max":
        return torch_csr(problem, lambda a, b: torch.sparse.mm(a, b, "sum"))
    matrix = Matrices(problem).matrix(problem.x.new_ones(problem.graph.order.numel()))
    x = problem.x
    return Variant(lambda: torch.sparse.mm(matrix, x, "amax"), problem.leaves)


def ours(problem: Problem) -> Variant:
    """With the same plain edge_index that PyG gets."""
    index, x, weight = problem.graph.edge_index, problem.x, problem.weight
    query, key = problem.query, problem.key
    if problem.op == "gat":
        forward = lambda: attend(  # noqa: E731
            index, query, key, x, score="additive", negative_slope=SLOPE
        )
    else:
        reduce = reduction(problem.op)
        forward = lambda: spmm(index, x, weight, reduce)  # noqa: E731
    return Variant(forward, problem.leaves)


def _reordered(problem: Problem, order: Tensor | None) -> Problem:
    """With the weights in another order of the edges."""
    if order is None or problem.weight is None:
        return problem
    weight = problem.weight.detach()[order]
    return problem._replace(weight=weight.requires_grad_(problem.weight.requires_grad))


# In the order of the table; "pyg" is what all are compared with.
PEERS = {
    "pyg": pyg,
    "edge_index": edge_index,
    "torch_csr": torch_csr,
    "torch_reduce": torch_reduce,
    "compile": compiled,
    "scatter": scatter,
    "ours": ours,
}


def defaults() -> list[str]:
    """All that can run here, but torch.compile, which takes minutes."""
    left_out = {"compile"} if find_spec("torch_scatter") else {"compile", "scatter"}
    return [name for name in PEERS if name not in left_out]


def writes_messages(peer: str, op: str) -> bool:
    """Whether a tensor of all edges times all features may be in memory."""
    if peer == "edge_index":
        return op in ("max", "wsum_grad", "gat")
    return peer in ("pyg", "compile", "scatter")
