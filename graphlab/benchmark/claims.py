"""Claim files: which process trains which cell of a shared run folder.

A claim is a file created with ``O_EXCL``, so only one process gets it. It names process
and host and is touched every few seconds. A claim whose process is gone (looked up on
the same host) or that was not touched for minutes (any host) is stale and taken over.
"""

import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphlab.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

HEARTBEAT = 15.0
STALE_AFTER = 300.0
_FOLDER = ".claims"


class Claim:
    """The right to work on one named thing; use it as a context manager.

    ``acquired`` tells whether this process got it.

    Args:
        runs_dir: The shared folder.
        name: What is claimed; part of a file name.
        content: JSON-able facts that are stored with the claim.
    """

    def __init__(self, runs_dir: Path, name: str, content: dict | None = None) -> None:
        self.path = runs_dir / _FOLDER / f"{name}.json"
        self.content = {**(content or {}), **_identity()}
        self.acquired = False
        self._stop = threading.Event()

    def __enter__(self) -> "Claim":
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self.path.parent):
                if self._may_take_over():
                    self.path.unlink(missing_ok=True)
                self.acquired = _create(self.path, self.content)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error}") from None
        if self.acquired:
            threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        if self.acquired:
            release(self.path, self.content)

    def clear(self) -> None:
        """Remove a stale claim on what needs no more work."""
        if self.path.exists():
            with _locked(self.path.parent):
                if self._may_take_over():
                    self.path.unlink(missing_ok=True)

    def _may_take_over(self) -> bool:
        """A dead sibling of the same sweep is left to the sweep's parent to record."""
        sweep = self.content.get("sweep")
        sibling = sweep is not None and read_claim(self.path).get("sweep") == sweep
        return not sibling and is_stale(self.path)

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            try:
                os.utime(self.path)
            except OSError:
                return


def release(path: Path, content: dict) -> None:
    """Remove a claim, unless it belongs to somebody else by now."""
    with _locked(path.parent):
        if read_claim(path) == content:
            path.unlink(missing_ok=True)


def read_claim(path: Path) -> dict[str, Any]:
    """The content of a claim file; empty when it is gone or being written."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def claims_of(runs_dir: Path, pid: int) -> dict[Path, dict[str, Any]]:
    """The claims that a process of this host holds."""
    found = {p: read_claim(p) for p in (runs_dir / _FOLDER).glob("*.json")}
    here = platform.node()
    return {
        path: content
        for path, content in found.items()
        if content.get("pid") == pid and content.get("host") == here
    }


def is_stale(path: Path) -> bool:
    """Whether a claim file is there but nobody stands behind it."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    if age > STALE_AFTER:
        return True
    content = read_claim(path)
    if not content:  # its maker was killed between creating and filling it
        return age > HEARTBEAT
    if content.get("host") != platform.node():
        return False
    started = _started(content.get("pid", 0))
    return started is None or started != content.get("process_started")


def _identity() -> dict[str, Any]:
    """Process and host; the start time tells a reused process number apart."""
    return {
        "pid": os.getpid(),
        "process_started": _started(os.getpid()),
        "host": platform.node(),
    }


def _started(pid: int) -> str | None:
    """When a process started: ``None`` if it is gone, "" if only that it exists."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        state, *fields = stat.rpartition(")")[2].split()
        return None if state in "ZX" else fields[18]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
    except OSError:
        pass
    if os.name == "nt":  # there os.kill ends the process, whatever the signal
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return ""


def _create(path: Path, content: dict) -> bool:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep two processes of this host from taking over one stale claim together.

    The kernel drops this lock when its holder dies; it is held for microseconds.
    """
    if fcntl is None:
        yield
        return
    with open(folder / "lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: O_EXCL still decides
            pass
        yield
