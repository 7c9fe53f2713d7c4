"""Processes that are killed or share a folder; these tests start real ones."""

import os
import subprocess
import sys
import time

import pytest

from graphlab.benchmark import store
from graphlab.benchmark.runner import run_recipe

LABELS = tuple(
    f'{name} = {{ path = "fakes:slow", args = {{ seconds = {seconds} }} }}'
    for name, seconds in (("a", 0.31), ("b", 0.32), ("c", 0.33), ("d", 0.34))
)
PAIRS = """
task = "link"
dataset = "grid"
split = "pairs-80-10-10"
model = "torch_geometric.nn:GCN"
model_args = { hidden_channels = 8, num_layers = 2 }
runs = 6
training = { epochs = 200 }
"""
SCRIPT = """
import sys
from pathlib import Path
from graphlab.benchmark.imports import add_import_folders
from graphlab.benchmark.recipe_file import load_recipe
from graphlab.benchmark.runner import run_recipe

if __name__ == "__main__":
    file, runs = map(Path, sys.argv[1:3])
    add_import_folders(file.parent)
    run_recipe(load_recipe(file), runs, jobs=int(sys.argv[3]))
"""


def start(project, recipe, runs, jobs=1):
    script = project / "sweep.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(recipe.file), str(runs), str(jobs)]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)


def metrics(folder):
    """What a table is made from, by cell and run; asserts whole, single files."""
    runs, problems = store.load_all(folder)
    assert not problems
    names = "metrics constant_majority info best_epoch epochs seed split_checksum"
    found = {
        (r["cell_id"], r["run"]): {name: r[name] for name in names.split()}
        for r in runs
    }
    assert len(found) == len(runs)  # no run twice
    return found


def leftovers(folder):
    """Hidden folders and claims, which a clean end leaves none of."""
    claims = list((folder / ".claims").glob("*.json"))
    return claims + [p for p in folder.rglob(".*") if p.name != ".claims"]


@pytest.fixture
def unbroken(small_recipe, tmp_path, one_thread):
    recipe = small_recipe(LABELS, runs=2)
    run_recipe(recipe, tmp_path / "unbroken")
    return recipe, metrics(tmp_path / "unbroken")


def test_a_killed_sweep_resumes_to_the_same_table(unbroken, project, tmp_path):
    recipe, expected = unbroken
    runs = tmp_path / "runs"
    process = start(project, recipe, runs)
    wait_for(lambda: len(list(runs.glob("small/main/[!.]*"))) >= 2, process)
    wait_for(lambda: list(runs.glob(".claims/*.json")), process)
    process.kill()
    process.wait()
    after_kill = metrics(runs)
    assert 4 <= len(after_kill) < 8  # only the cell in flight is lost
    assert after_kill.items() <= expected.items()
    counts = run_recipe(recipe, runs)
    assert counts["skip"] == len(after_kill) // 2 and counts["failed"] == 0
    assert metrics(runs) == expected
    assert not leftovers(runs)


def test_a_killed_sweep_of_pairs_loses_one_run(project, tmp_path, one_thread):
    from graphlab.benchmark.recipe_file import load_recipe

    file = project / "pairs.toml"
    file.write_text(PAIRS)
    recipe, runs = load_recipe(file), tmp_path / "runs"
    run_recipe(recipe, tmp_path / "unbroken")
    expected = metrics(tmp_path / "unbroken")
    process = start(project, recipe, runs)
    wait_for(lambda: len(list(runs.glob("pairs/main/[!.]*/run-*.json"))) >= 2, process)
    process.kill()
    process.wait()
    after_kill = metrics(runs)
    assert 2 <= len(after_kill) < 6 and after_kill.items() <= expected.items()
    assert run_recipe(recipe, runs)["failed"] == 0
    assert metrics(runs) == expected
    assert not leftovers(runs)


def test_two_processes_share_one_folder(unbroken, project, tmp_path):
    recipe, expected = unbroken
    runs = tmp_path / "runs"
    processes = [start(project, recipe, runs) for _ in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert metrics(runs) == expected
    sweeps = {r["sweep"] for r in store.load_all(runs)[0]}
    assert len(sweeps) == 2  # both took part
    assert not leftovers(runs)


def test_workers_give_what_one_process_gives_and_a_death_is_one_failed_cell(
    unbroken, small_recipe, tmp_path, monkeypatch
):
    _, expected = unbroken
    monkeypatch.setattr("graphlab.benchmark.jobs.usable_cores", lambda: 2)
    recipe = small_recipe((LABELS[0], "dies", *LABELS[1:]), runs=2)
    events = []
    counts = run_recipe(recipe, tmp_path / "runs", jobs=2, listener=events.append)
    assert counts == {"done": 4, "skip": 0, "failed": 1}
    found = metrics(tmp_path / "runs")
    assert expected.items() <= found.items()
    runs, _ = store.load_all(tmp_path / "runs")
    dead = [r for r in runs if r["cell"]["label_name"] == "dies"]
    assert [r["status"] for r in dead] == ["oom"] * 2
    assert "SIGKILL" in dead[0]["message"]
    ends = [e.index for e in events if e.kind in ("done", "failed", "skip")]
    assert sorted(ends) == [0, 1, 2, 3, 4]  # each reported once
    assert not leftovers(tmp_path / "runs")


def test_a_mistake_in_a_worker_reaches_the_caller(small_recipe, tmp_path):
    from graphlab.errors import ArgumentError

    labels = ('P = { path = "graphlab.training:postel", args = { alpha = -1.0 } }',)
    with pytest.raises(ArgumentError, match="digits Tiny P: alpha"):
        run_recipe(small_recipe(labels), tmp_path / "runs", jobs=2)


def test_workers_end_with_a_killed_parent(small_recipe, project, tmp_path):
    recipe = small_recipe(('a = { path = "fakes:slow", args = { seconds = 60 } }',))
    runs = tmp_path / "runs"
    process = start(project, recipe, runs, jobs=2)
    wait_for(lambda: list(runs.glob(".claims/*.json")), process)
    (claim,) = runs.glob(".claims/*.json")
    from graphlab.benchmark.claims import is_stale

    assert not is_stale(claim)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while not is_stale(claim) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_stale(claim)  # its worker is gone
