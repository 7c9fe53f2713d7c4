"""Asking the C library to keep freed memory."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys, torch
from graphlab.ops._allocator import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def epoch():
    return torch.ones(2**20).add(1)  # 4 MB, and as much again

torch.set_num_threads(1)
kept = len(sys.argv) > 1 and keep_freed_memory()
for _ in range(3):
    epoch()
before = faults()
for _ in range(20):
    epoch()
print(int(kept), faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_memory_is_not_faulted_in_again():
    def run(*arguments: str) -> list[int]:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        out = subprocess.run(command, capture_output=True, text=True, check=True)
        return [int(word) for word in out.stdout.split()]

    kept, faults = run("keep")
    if not kept:
        pytest.skip("the C library has no such setting")
    assert faults < 8_000  # 20 epochs of 2,048 pages each would be 40,960
