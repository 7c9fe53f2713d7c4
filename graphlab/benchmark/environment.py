"""What a run file says about where it was made: versions, host, commit, memory."""

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import graphlab

_PACKAGES = ("torch", "torch-geometric", "numpy", "scipy")


def versions() -> dict[str, str]:
    """Versions of Python, graphlab and the packages that decide the numbers."""
    found = {"python": platform.python_version(), "graphlab": graphlab.__version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def host() -> dict[str, str | int]:
    """Kind of machine; deliberately not its name."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": usable_cores(),
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else platform.processor()


def commit() -> str:
    """Commit of the source checkout that graphlab runs from; empty without one.

    ``-dirty`` is appended when tracked files differ from it.
    """
    root = Path(graphlab.__file__).resolve().parents[1]
    # An installed copy may lie inside somebody else's repository.
    if not (root / "pyproject.toml").is_file() or not (root / ".git").exists():
        return ""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def reset_peak_memory() -> None:
    """Start measuring the peak anew, where Linux allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_memory_mb() -> float:
    """Highest resident memory since the last reset, in MB (10^6 bytes)."""
    try:
        text = Path("/proc/self/status").read_text()
        match = re.search(r"^VmHWM:\s*(\d+) kB", text, re.MULTILINE)
        if match:
            return round(int(match[1]) * 1024 / 1e6, 1)
    except OSError:
        pass
    return _peak_since_start()


def _peak_since_start() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)
