"""Clocks, memory and the floor for the benchmark of the operations."""

import ctypes
import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

CALLS_SECONDS = 0.02  # a short operation is called until this time has passed
MINIMAL_ROUNDS = 3
PASSES = {"sum_fwd": 1, "max": 1}  # over the edges, the others need two
BLOCK = {"cpu": 2**20, "cuda": 2**24}  # bytes that stay in the second-level cache
_COPIED = 2**27
_MEGABYTE = 2**20

Run = Callable[[], object]


def milliseconds(run: Run, calls: int, device: str) -> tuple[float | None, float]:
    """CPU time (of all threads) and wall time per call; on CUDA, time of the device."""
    if device == "cuda":
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        for _ in range(calls):
            run()
        end.record()
        end.synchronize()
        return None, start.elapsed_time(end) / calls
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls):
        run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / calls * 1e3, wall / calls * 1e3


def measure(runs: dict[str, Run], rounds: int, seconds: float, device: str) -> dict:
    """Medians over rounds in which all take turns; each has run before.

    Rounds stop after ``seconds``, but not before there are three.
    """
    calls, times = {}, {}
    start = time.perf_counter()
    for name, run in runs.items():
        first = milliseconds(run, 1, device)
        needed = round(CALLS_SECONDS * 1e3 / max(first[1], 1e-3))
        calls[name] = max(1, min(1000, needed))
        alone = calls[name] == 1
        times[name] = [first if alone else milliseconds(run, calls[name], device)]
    for done in range(1, rounds):
        if done >= MINIMAL_ROUNDS and time.perf_counter() - start > seconds:
            break
        for name, run in runs.items():
            times[name].append(milliseconds(run, calls[name], device))
    return {
        name: {
            "cpu_ms": None if device == "cuda" else _median(times[name], 0),
            "wall_ms": _median(times[name], 1),
            "wall_min_ms": min(wall for _, wall in times[name]),
            "calls": calls[name],
            "rounds": len(times[name]),
        }
        for name in runs
    }


def _median(pairs: list[tuple], place: int) -> float:
    return statistics.median(pair[place] for pair in pairs)


def extra_memory(run: Run, device: str) -> float | None:
    """Peak megabytes during one call beyond what is in use before it.

    :obj:`None` where the kernel does not let a process reset its own peak.
    """
    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / _MEGABYTE
    _return_free_memory()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    before = _status("VmRSS")
    run()
    return max(0.0, _status("VmHWM") - before)


def growth_of_peak(run: Run) -> float:
    """Megabytes by which one call raises the largest memory this process ever had.

    Less than the call needs if the process had needed more before.
    """
    unit = _MEGABYTE if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / unit


def _return_free_memory() -> None:
    """Memory that the allocator kept would hide what a call asks for."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


def _status(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def free_memory(device: str) -> float:
    """Bytes that can still be allocated; infinite where that is not known."""
    if device == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] + kept
    free = float("inf")
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            used = int((group / "memory.current").read_text())
            free = min(free, int(limit) - used)
    except OSError:
        pass
    return free


def copy_rate(device: str) -> float:
    """Gigabytes per second of a copy between large tensors, read and written."""
    source = torch.ones(_COPIED // 4, device=device)
    target = torch.empty_like(source)
    run = lambda: target.copy_(source)  # noqa: E731
    run()
    return 2 * _COPIED / min(milliseconds(run, 1, device)[1] for _ in range(5)) / 1e6


def gather(x: Tensor, col: Tensor) -> Run:
    """Read the rows ``col`` of ``x``, and write them only to a buffer in the cache."""
    x = x.detach().flatten(1)
    rows = max(1, BLOCK[x.device.type] // (x.size(1) * x.element_size()))
    buffer = x.new_empty(min(rows, col.numel()), x.size(1))
    blocks = [(block, buffer[: block.numel()]) for block in col.int().split(rows)]

    def run() -> None:
        for block, target in blocks:
            torch.index_select(x, 0, block, out=target)

    return run
