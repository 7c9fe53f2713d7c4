"""Registers, shared memory and spills of the Triton kernels, without a GPU.

Run ``python benchmarks/speed/kernels_aot.py [--targets 80 90 100] [--dtypes ...]``.

Every operation of the CUDA backend is called on a small graph with its launches
recorded instead of run; each distinct kernel is then compiled ahead of time for every
target. A second table counts the bytes that operations must move on four graphs, and
how long an H100 needs for them at 3.35 TB/s.

No GPU timing has been taken: the times are what memory allows, not what was measured.
"""

import argparse
import itertools
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import triton
from rich.console import Console
from rich.table import Table
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from graphlab.ops import Csr, cuda
from graphlab.ops.kernels import triton_launch

TARGETS = [80, 90, 100]
DTYPES = ["float32", "float16", "bfloat16", "float64"]
SHAPES = [(1, 64), (8, 8), (8, 32), (1, 7)]  # heads and channels of each
H100_BYTES_PER_SECOND = 3.35e12
GRAPHS = {  # nodes and directed edges
    "a (Cora size)": (2_708, 10_556),
    "b (dense, hubs)": (5_200, 400_000),
    "c (ogbn-arxiv size)": (169_343, 2_315_598),
    "d": (1_000_000, 10_000_000),
}
CODES = {
    torch.float32: "fp32",
    torch.float16: "fp16",
    torch.bfloat16: "bf16",
    torch.float64: "fp64",
    torch.int32: "i32",
    torch.int64: "i64",
}


class Launch(NamedTuple):
    """One call of a kernel."""

    kernel: Any
    arguments: dict[str, Any]
    warps: int


class Resources(NamedTuple):
    """What a compiled kernel takes: per thread, and per block of threads."""

    registers: int
    shared: int
    spilled: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--targets", type=int, nargs="+", default=TARGETS)
    parser.add_argument("--dtypes", nargs="+", default=DTYPES, choices=DTYPES)
    arguments = parser.parse_args()
    console = Console(width=100)
    console.print("No GPU timing has been taken: kernels are compiled, not run.")
    table = Table("kernel", "type", "heads x channels", "sm", "registers", "shared B")
    table.add_column("spilled B")
    compiled = []
    for dtype, shape in itertools.product(arguments.dtypes, SHAPES):
        for name, launch in sorted(launches(getattr(torch, dtype), *shape).items()):
            for target in arguments.targets:
                found = compile_launch(launch, target)
                compiled.append(found)
                size = f"{shape[0]} x {shape[1]}"
                table.add_row(name, dtype, size, str(target), *map(str, found))
    console.print(table)
    console.print(
        f"{len(compiled)} kernels compiled; at most "
        f"{max(found.registers for found in compiled)} registers and "
        f"{max(found.shared for found in compiled)} B of shared memory; "
        f"{sum(found.spilled for found in compiled)} B spilled"
    )
    console.print(traffic_table())


def traffic_table() -> Table:
    """Bytes of forward passes in float32, 64 columns (8 heads of 8 for attention)."""
    table = Table("graph", "operation", "gathered MB", "least MB")
    table.add_column("gathered ms")
    table.add_column("least ms")
    table.title = "Bytes at 3.35 TB/s (a model; no GPU timing has been taken)"
    for (name, (nodes, edges)), operation in itertools.product(GRAPHS.items(), MODELS):
        gathered, least = MODELS[operation](nodes, edges)
        times = [f"{1e3 * n / H100_BYTES_PER_SECOND:.4f}" for n in (gathered, least)]
        sizes = [f"{n / 1e6:.1f}" for n in (gathered, least)]
        table.add_row(name, operation, *sizes, *times)
    return table


def _model(
    per_edge: int, gathers: int, reads: int, writes: int
) -> Callable[[int, int], tuple[int, int]]:
    """Bytes if every gather goes to memory, and if every value is read just once."""

    def count(nodes: int, edges: int) -> tuple[int, int]:
        always = per_edge * edges + 4 * nodes + writes * nodes
        return always + gathers * edges, always + reads * nodes

    return count


ROW = 64 * 4  # bytes of a node's features
HEAD = 8 * 4  # bytes of a node's or an edge's values per head
MODELS = {
    # col, perm and weight; x; out
    "spmm, weighted": _model(4 + 4 + 4, ROW, ROW, ROW),
    "sddmm": _model(4 + 4 + 4, ROW, 2 * ROW, 0),
    "spextreme": _model(4, ROW, ROW, 2 * ROW),
    "edge_softmax": _model(4 + 3 * HEAD, 0, 0, 0),
    "attend, additive": _model(4, HEAD + ROW, 2 * HEAD + ROW, HEAD + ROW),
    "attend, gatv2 or dot": _model(4, 2 * ROW, 3 * ROW, HEAD + ROW),
    # col and perm, gradient of scores; grad_out, query, lse, delta of destinations
    "attend backward, additive": _model(
        8 + 2 * HEAD, ROW + 3 * HEAD, 2 * ROW + 4 * HEAD, ROW + 2 * HEAD
    ),
}


def launches(dtype: torch.dtype, heads: int, channels: int) -> dict[str, Launch]:
    """Every kernel of every operation, by name and variant, on graphs with a hub."""
    found = {}
    for name, call in operations(dtype, heads, channels):
        for launch in record(call):
            kernel = launch.kernel.__name__.removesuffix("_kernel")
            label = kernel if kernel == name else f"{kernel} ({name})"
            found.setdefault(label, launch)
    return found


def operations(
    dtype: torch.dtype, heads: int, channels: int, hub: int = 300
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """All primitives on 64 nodes, ``hub`` of whose edges end in one."""
    nodes = 64
    edges = torch.randint(nodes, (2, 200 + hub))
    edges[1, :hub] = 5
    edges[0, 200:] = 6
    graph = Csr.from_edge_index(edges, nodes)
    columns = heads * channels
    x = torch.zeros(1, nodes, columns, dtype=dtype)
    weight = x.new_zeros(1, edges.size(1), 1)
    per_head = x.new_zeros(1, edges.size(1), heads)
    arg = torch.zeros(1, nodes, columns, dtype=torch.int32)
    yield "mean", lambda: cuda.spmm(graph, x, None, True)
    yield "weighted", lambda: cuda.spmm(graph, x, weight, False)
    if heads > 1:
        yield "weighted per head", lambda: cuda.spmm(graph, x, per_head, False)
    yield "sddmm", lambda: cuda.sddmm(graph, x, x, heads)
    yield "extreme", lambda: cuda.spextreme(graph, x, per_head, True)
    yield (
        "extreme backward",
        lambda: cuda.spextreme_backward(graph, x, arg, x, per_head, True, True),
    )
    yield "softmax", lambda: cuda.edge_softmax(graph, per_head)
    yield (
        "softmax_backward",
        lambda: cuda.edge_softmax_backward(graph, per_head, per_head),
    )
    for kind in ("additive", "gatv2", "dot"):
        arguments = _attend_arguments(graph, kind, x, heads)
        yield kind, lambda arguments=arguments: _attend(arguments)


def _attend_arguments(graph: Csr, kind: str, x: Tensor, heads: int) -> tuple:
    value = x.unflatten(2, (heads, -1))
    scored = value[..., 0].contiguous() if kind == "additive" else value
    att = value[:, 0] if kind == "gatv2" else None
    seeds = torch.zeros(1, dtype=torch.int64)
    return graph, kind, scored, scored, value, att, 0.2, 1.0, 0.5, seeds


def _attend(arguments: tuple) -> None:
    out, lse = cuda.attend(*arguments)
    cuda.attend_backward(*arguments, out, lse, out)


def record(call: Callable[[], Any]) -> list[Launch]:
    """The launches of ``call``, none of which is run."""
    found = []

    def keep(kernel, grid, arguments, warps):
        found.append(Launch(kernel, dict(arguments), warps))

    run, triton_launch.run = triton_launch.run, keep
    try:
        call()
    finally:
        triton_launch.run = run
    return found


def compile_launch(launch: Launch, target: int) -> Resources:
    """Compile the kernel of a launch as the first call on a device would."""
    signature, constants, attributes = {}, {}, {}
    for index, parameter in enumerate(launch.kernel.params):
        name, value = parameter.name, launch.arguments[parameter.name]
        whole = isinstance(value, int) and not parameter.do_not_specialize
        if parameter.is_constexpr or value is None or (whole and value == 1):
            signature[name], constants[name] = "constexpr", value
            continue
        if isinstance(value, Tensor):
            signature[name] = f"*{CODES[value.dtype]}"
        else:
            signature[name] = parameter.annotation_type or "i32"
        if isinstance(value, Tensor) or (whole and value % 16 == 0):
            attributes[(index,)] = [["tt.divisibility", 16]]
    source = ASTSource(launch.kernel, signature, constants, attributes)
    compiled = triton.compile(
        source,
        target=GPUTarget("cuda", target, 32),
        options={"num_warps": launch.warps, "enable_fp_fusion": True},
    )
    return _resources(compiled.asm["cubin"])._replace(shared=compiled.metadata.shared)


def _resources(cubin: bytes) -> Resources:
    """What is written in a compiled kernel; local memory means spilled registers."""
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(cubin)
        command = [tool, "--dump-resource-usage", path]
        text = subprocess.run(command, capture_output=True, text=True, check=True)
    usage = re.search(r"REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)", text.stdout)
    registers, stack, shared, local = map(int, usage.groups())
    return Resources(registers, shared, stack + local)


if __name__ == "__main__":
    main()
