"""Several worker processes on one sweep, and what happens when one is killed.

Workers share the run folder through claims and report through one pipe each: a worker
killed by the system cannot leave a lock behind that the others wait for.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from graphlab.benchmark import store
from graphlab.benchmark.claims import claims_of, release
from graphlab.benchmark.environment import usable_cores
from graphlab.benchmark.execute import Identity, failed_runs
from graphlab.benchmark.progress import FINISHED, Event, Listener
from graphlab.benchmark.runner import Sweep, missing_runs, run_sweep
from graphlab.errors import GraphlabError

_PATIENCE = 10.0  # seconds that a stopped worker gets to give its claim back

#: Work that a worker does on a sweep; must be importable (it is pickled).
Work = Callable[[Any, Listener], Any]


def sweep_part(sweep: Sweep, listener: Listener) -> None:
    """What a worker does: all cells that nobody else has."""
    run_sweep(sweep, listener, wait=False)


@dataclass(frozen=True)
class _Worker:
    process: BaseProcess
    connection: Connection


def run_jobs(sweep: Sweep, jobs: int, listener: Listener) -> dict[str, int]:
    """Train a sweep with ``jobs`` processes.

    A worker that dies by a signal (the system kills the largest process when memory
    runs out) is recorded as the outcome of its cell, and replaced.

    Raises:
        GraphlabError: The first mistake that a worker reports; the others are stopped.
    """
    kinds: dict[int, str] = {}

    def collect(event: Event) -> None:
        if event.kind in FINISHED:
            if event.index in kinds:
                return  # found there by a second worker
            kinds[event.index] = event.kind
        listener(event)

    def mourn(process: BaseProcess) -> bool:
        return _record_death(sweep, process, collect)

    run_workers(sweep, min(jobs, len(sweep.cells)), sweep_part, collect, mourn)
    if len(kinds) < len(sweep.cells):  # cells of processes that are not our workers
        run_sweep(sweep, collect)
    found = list(kinds.values())
    return {kind: found.count(kind) for kind in FINISHED}


def run_workers(
    task: Any,
    jobs: int,
    work: Work,
    listener: Listener,
    mourn: Callable[[BaseProcess], bool],
) -> None:
    """Let ``jobs`` processes do ``work(task, listener)``; pass on what they report.

    ``mourn`` is told of a worker that died by a signal and says whether a new one may
    take its place.
    """
    threads = max(1, usable_cores() // max(jobs, 1))
    workers = [_start(task, work, threads) for _ in range(jobs)]
    try:
        while workers:
            for connection in wait([worker.connection for worker in workers]):
                worker = next(w for w in workers if w.connection is connection)
                if not _receive(connection, listener):
                    workers.remove(worker)
                    worker.process.join()
                    if worker.process.exitcode < 0 and mourn(worker.process):
                        workers.append(_start(task, work, threads))
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join(_PATIENCE)
            worker.process.kill()


def _start(task: Any, work: Work, threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    receiver, sender = context.Pipe(duplex=False)
    arguments = (task, work, threads, sender, sys.path)
    process = context.Process(target=_worker, args=arguments, daemon=True)
    process.start()
    sender.close()  # so that the worker's end alone decides on end-of-file
    return _Worker(process, receiver)


def _receive(connection: Connection, listener: Listener) -> bool:
    """Pass on one message; false when the worker is gone."""
    try:
        message = connection.recv()
    except (EOFError, OSError):
        return False
    if isinstance(message, Exception):
        raise message
    listener(message)
    return True


def _worker(
    task: Any, work: Work, threads: int, sender: Connection, path: list[str]
) -> None:
    """Main function of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # gives the claim back
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    sys.path[:] = path
    try:
        import torch

        torch.set_num_threads(threads)
        work(task, sender.send)
    except GraphlabError as error:
        sender.send(error)
    except Exception as error:
        sender.send(GraphlabError(f"a worker failed: {type(error).__name__}: {error}"))


def _exit_with_parent() -> None:
    """A killed parent must not leave workers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _record_death(sweep: Sweep, process: BaseProcess, listener: Listener) -> bool:
    """Record a worker's death as the outcome of the cell that it had claimed."""
    number = -(process.exitcode or 0)
    killed = number == signal.SIGKILL
    cause = "; most likely the machine ran out of memory" if killed else ""
    message = f"the process was ended by {signal.Signals(number).name}{cause}"
    status = "oom" if killed else "error"
    claims = claims_of(sweep.runs_dir, process.pid)
    for path, claim in claims.items():
        cell, checksum = sweep.cells[claim["index"]], claim["checksum"]
        cell_id = cell.cell_id(checksum)
        identity = Identity(sweep.recipe, cell, cell_id, checksum, sweep.token)
        folder = store.find_cell_folder(sweep.runs_dir, sweep.recipe, cell, cell_id)
        store.recover(folder)
        runs = missing_runs(folder, cell, sweep.token)
        store.publish(folder, failed_runs(identity, runs, status, message))
        release(path, claim)
        text, index = f"{status}: {message}", claim["index"]
        listener(Event("failed", index, cell.title, text, table=cell.table))
    return bool(claims)
