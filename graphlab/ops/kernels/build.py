"""Compiles the CPU kernels: at installation, or by ``python .../kernels/build.py``.

Used by hatchling as a build hook, so it must run without graphlab and torch. One shared
library per instruction set; the hash of the source in its name keeps a library of
another version from ever being loaded. Without a compiler nothing is built and graphlab
works through torch's sparse products.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "graphlab_ops.cpp"
# Names as torch.backends.cpu.get_cpu_capability() has them.
INSTRUCTION_SETS = {
    "AVX512": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"],
    "AVX2": ["-mavx2", "-mfma"],
    "DEFAULT": [],
}
FLAGS = ["-std=c++17", "-O3", "-fPIC", "-shared", "-fno-math-errno"]
FLAGS += ["-fno-trapping-math", "-Wno-psabi", "-Wno-unknown-pragmas"]
COMPILERS = ("g++", "clang++", "c++")
SECONDS = 300


def library(instruction_set: str) -> Path:
    """Where the library of an instruction set is, or would be."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    # Not ".so": that would make it look like a module of the package.
    return FOLDER / f"graphlab_ops-{digest}-{instruction_set.lower()}.native"


def build() -> tuple[list[Path], str]:
    """Compile what is missing; returns the libraries, and why there are none."""
    compiler = os.environ.get("CXX") or next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        return [], "no C++ compiler found (" + ", ".join(COMPILERS) + ", or CXX)"
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    names = list(INSTRUCTION_SETS) if is_x86 else ["DEFAULT"]
    with ThreadPoolExecutor() as pool:
        errors = list(pool.map(lambda name: _compile(compiler, name), names))
    built = [library(name) for name in names if library(name).exists()]
    for old in set(FOLDER.glob("graphlab_ops-*.native")) - set(built):
        old.unlink()
    return built, next(filter(None, errors), "")


def _compile(compiler: str, name: str) -> str:
    target = library(name)
    if target.exists():
        return ""
    partial = target.with_suffix(f".{os.getpid()}.tmp")
    error = ""
    for threads in (["-fopenmp"], []):  # a compiler without OpenMP still serves
        command = [*compiler.split(), *FLAGS, *INSTRUCTION_SETS[name], *threads]
        command += [str(SOURCE), "-o", str(partial)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            return f"{compiler}: {problem}"
        if done.returncode == 0:
            partial.replace(target)
            return ""
        error = error or f"{compiler} failed: {done.stderr.strip()[-300:]}"
    partial.unlink(missing_ok=True)
    return error


class KernelHook(BuildHookInterface):
    """Puts the compiled kernels into the wheel, if there is a compiler."""

    def initialize(self, version, build_data):
        """Compile; for a regular wheel, also say that it fits one platform only."""
        libraries, error = build()
        if not libraries:
            print(f"graphlab: CPU kernels not built: {error}", file=sys.stderr)
            return
        if version != "editable":
            system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{system}"
            inside = "graphlab/ops/kernels"
            build_data["force_include"].update(
                {str(path): f"{inside}/{path.name}" for path in libraries}
            )


if __name__ == "__main__":
    found, why_not = build()
    print("\n".join(map(str, found)) or why_not)
    sys.exit(not found)
