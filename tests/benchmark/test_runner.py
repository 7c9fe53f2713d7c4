"""Recipe -> runs: skipping, resuming, and failures that are recorded."""

import json
import shutil
from dataclasses import replace

import pytest

from graphlab.benchmark import runner, store
from graphlab.benchmark.runner import run_recipe
from graphlab.benchmark.seeds import run_seed
from graphlab.benchmark.selection import override
from graphlab.errors import ArgumentError, RecipeError

TIMES = ("started", "finished", "sweep", "peak_memory_mb")


def outcome(folder):
    """All runs without what differs from time to time, in a fixed order."""
    runs, problems = store.load_all(folder)
    assert not problems
    kept = [
        {k: v for k, v in r.items() if k not in TIMES and not k.endswith("seconds")}
        for r in runs
    ]
    return sorted(kept, key=lambda r: (r["cell_id"], r["run"]))


def test_runs_are_recorded_with_everything_that_decides_them(small_recipe, tmp_path):
    events = []
    recipe = small_recipe(runs=2)
    counts = run_recipe(recipe, tmp_path, listener=events.append)
    assert counts == {"done": 1, "skip": 0, "failed": 0, "busy": 0}
    assert [e.kind for e in events if e.kind != "progress"] == ["start", "done"]
    first, second = outcome(tmp_path)
    assert first["cell"] == json.loads(json.dumps(recipe.cells[0].settings()))
    assert first["cell_id"] == recipe.cells[0].cell_id(first["dataset_checksum"])
    assert (first["run"], second["run"]) == (0, 1)
    assert first["seed"] == run_seed(0) != second["seed"] == run_seed(1)
    assert first["split_checksum"] != second["split_checksum"]
    assert first["status"] == "ok" and first["message"] is None
    assert set(first["metrics"]) == {"train", "val", "test"}
    for part in first["metrics"].values():
        names = {"accuracy", "macro_f1", "balanced_accuracy", "roc_auc", "loss"}
        assert set(part) == names and part["roc_auc"] is None  # ten classes
        assert 0 <= part["accuracy"] <= 1
    assert 0 < first["constant_majority"] < 0.2
    assert first["epochs"] == 3 and first["num_parameters"] == 64 * 10 + 10
    assert first["selection"] == "lowest validation loss"
    assert first["host"]["cores"] >= 1 and first["versions"]["torch"]


def test_what_a_model_says_of_itself_is_recorded(small_recipe, tmp_path):
    recipe = small_recipe(runs=1)
    cells = tuple(replace(cell, model="fakes:Telling") for cell in recipe.cells)
    table = replace(recipe.tables[0], cells=cells)
    run_recipe(replace(recipe, tables=(table,)), tmp_path)
    (run,) = outcome(tmp_path)
    facts = {"converged": False, "residual": None, "steps": 3}  # JSON has no NaN
    assert run["info"]["model"] == facts


def test_what_is_there_is_skipped_and_what_is_missing_is_run(small_recipe, tmp_path):
    run_recipe(small_recipe(runs=2), tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("run-*.json")}
    assert run_recipe(small_recipe(runs=2), tmp_path)["skip"] == 1
    assert run_recipe(small_recipe(runs=4), tmp_path)["done"] == 1
    after = {p: p.read_bytes() for p in tmp_path.rglob("run-*.json")}
    assert len(after) == 4 and before.items() <= after.items()
    changed = override(small_recipe(runs=2), ["training.lr=0.5"])
    assert run_recipe(changed, tmp_path)["done"] == 1


def test_a_resumed_sweep_equals_an_unbroken_one(small_recipe, tmp_path, one_thread):
    labels = ("plain", 'again = { path = "fakes:plain", training = { lr = 0.1 } }')
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_recipe(small_recipe(labels, runs=3), whole)
    with pytest.raises(KeyboardInterrupt):  # Ctrl-C while the second cell is trained
        run_recipe(small_recipe(labels, runs=3), broken, listener=interrupt_second)
    assert len(outcome(broken)) == 3
    assert not list((broken / ".claims").glob("*.json"))
    assert run_recipe(small_recipe(labels, runs=3), broken) == {
        "done": 1,
        "skip": 1,
        "failed": 0,
        "busy": 0,
    }
    assert outcome(broken) == outcome(whole)


def interrupt_second(event):
    if event.kind == "start" and event.index == 1:
        raise KeyboardInterrupt


def test_a_run_does_not_depend_on_the_runs_beside_it(
    small_recipe, tmp_path, one_thread
):
    together, one_by_one = tmp_path / "together", tmp_path / "apart"
    run_recipe(small_recipe(runs=3), together)
    for number in (1, 2, 3):
        run_recipe(small_recipe(runs=number), one_by_one)
    for a, b in zip(outcome(together), outcome(one_by_one), strict=True):
        assert a["seed"] == b["seed"] and a["split_checksum"] == b["split_checksum"]
        for part in ("train", "val", "test"):
            assert a["metrics"][part] == pytest.approx(b["metrics"][part], abs=1e-5)


@pytest.mark.parametrize(
    ("label", "status", "message"),
    [
        ("cpu_oom", "oom", "not enough memory: you tried to allocate"),
        ("memory_error", "oom", "MemoryError"),
        ("cuda_oom", "oom", "CUDA out of memory"),
        ("boom", "error", "ValueError: boom (fakes.py:"),
    ],
)
def test_failures_become_recorded_cells(small_recipe, tmp_path, label, status, message):
    recipe = small_recipe((label, "plain"), runs=2)
    counts = run_recipe(recipe, tmp_path)
    assert (counts["failed"], counts["done"]) == (1, 1)
    failed = [r for r in outcome(tmp_path) if r["cell"]["label_name"] == label]
    assert [r["status"] for r in failed] == [status] * 2
    assert message in failed[0]["message"] and "\n" not in failed[0]["message"]
    assert failed[0]["metrics"] is None


def test_failed_runs_are_tried_again(small_recipe, project, tmp_path):
    recipe = small_recipe(("boom",), runs=2)
    assert run_recipe(recipe, tmp_path)["failed"] == 1
    assert run_recipe(recipe, tmp_path)["failed"] == 1
    import fakes

    fakes.boom = fakes.plain
    assert run_recipe(recipe, tmp_path)["done"] == 1
    assert [r["status"] for r in outcome(tmp_path)] == ["ok"] * 2


def test_nan_is_a_finished_run_with_its_last_good_metrics(small_recipe, tmp_path):
    recipe = override(small_recipe(runs=2), ["training.lr=1e38", "training.epochs=5"])
    assert run_recipe(recipe, tmp_path)["done"] == 1
    found = outcome(tmp_path)
    assert [r["status"] for r in found] == ["nan"] * 2
    assert 0 <= found[0]["metrics"]["test"]["accuracy"] <= 1
    assert run_recipe(recipe, tmp_path)["skip"] == 1


def test_missing_data_is_recorded_once_per_run(small_recipe, tmp_path, monkeypatch):
    import graphlab.datasets
    from graphlab.errors import DatasetError

    def absent(name, data_root=None):
        raise DatasetError("digits: no network\nfetch it from https://example.org")

    recipe = small_recipe(runs=2)
    with monkeypatch.context() as patch:
        patch.setattr(graphlab.datasets, "load_dataset", absent, raising=False)
        assert run_recipe(recipe, tmp_path)["failed"] == 1
    assert [r["status"] for r in outcome(tmp_path)] == ["unavailable"] * 2
    assert "example.org" in outcome(tmp_path)[0]["message"]
    assert run_recipe(recipe, tmp_path)["done"] == 1  # the data has come
    runs, _ = store.load_all(tmp_path)
    found = store.matching_runs(recipe, runs)
    assert [r["status"] for r in found] == ["ok"] * 2


def test_a_model_that_cannot_be_imported_is_recorded(small_recipe, project, tmp_path):
    (project / "needy.py").write_text("import a_package_nobody_has\nclass Net: ...\n")
    recipe = small_recipe(runs=1)
    text = recipe.file.read_text().replace("fakes:Random", "needy:Net")
    recipe.file.write_text(text)
    from graphlab.benchmark.recipe_file import load_recipe

    assert run_recipe(load_recipe(recipe.file), tmp_path)["failed"] == 1
    (record,) = outcome(tmp_path)
    assert record["status"] == "unavailable"
    assert "a_package_nobody_has" in record["message"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("model_args.Tiny.hidden=3", r"main: model: fakes:Random.*'hidden'"),
        ("label_args.plain.beta=3", r"main: label: fakes:plain.*'beta'"),
        ("training.lr=-1.0", r"main: training: lr must be positive"),
        ("training.stopping=never", r"main: training: stopping must be one of"),
        ("split=bernet-10", r"main: split: digits has no 'bernet-10'; .*'bernnet-10'"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(
    small_recipe, tmp_path, change, message
):
    recipe = override(small_recipe(("plain", "slow")), [change])
    with pytest.raises(RecipeError, match=message):
        run_recipe(recipe, tmp_path)
    assert not list(tmp_path.rglob("run-*.json"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "fakes:Random",
            "fakes:Rendom",
            r"fakes has no 'Rendom'; did you mean 'Random'",
        ),
        ("fakes:Random", "fackes:Random", r"there is no module 'fackes'"),
        ("fakes:Random", "fakes.more:Random", r"there is no module 'fakes.more'"),
        ("fakes:Random", "fakes:__name__", r"cannot be called"),
        ('["digits"]', '["digit"]', r"dataset: unknown 'digit'; did you mean 'digits'"),
    ],
)
def test_names_that_do_not_exist_are_found_before_anything_is_trained(
    small_recipe, tmp_path, old, new, message
):
    from graphlab.benchmark.recipe_file import load_recipe

    file = small_recipe().file
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(RecipeError, match=message) as caught:
        run_recipe(load_recipe(file), tmp_path)
    assert "small.toml: table.main" in str(caught.value)


def test_a_mistake_that_shows_while_training_stops_the_sweep(small_recipe, tmp_path):
    labels = ('P = { path = "graphlab.training:postel", args = { alpha = -1.0 } }',)
    with pytest.raises(ArgumentError, match="digits Tiny P: alpha"):
        run_recipe(small_recipe(labels), tmp_path)
    assert not list((tmp_path / ".claims").glob("*.json"))


def test_cells_that_cannot_be_run_are_left_alone(small_recipe, tmp_path):
    labels = ("plain", 'SALS = { unavailable = "no formula" }')
    counts = run_recipe(small_recipe(labels, runs=1), tmp_path)
    assert counts["done"] == 1 and len(outcome(tmp_path)) == 1


def test_a_cell_is_waited_for_and_finished_if_its_owner_dies(
    small_recipe, tmp_path, monkeypatch
):
    """A claim that turns stale while we wait is taken over."""
    recipe = small_recipe(runs=1)
    run_recipe(recipe, tmp_path)
    (folder,) = (tmp_path / "small" / "main").iterdir()
    shutil.rmtree(folder)
    claim = tmp_path / ".claims" / f"small-{folder.name}.json"
    claim.write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    events = []

    def listener(event):
        events.append(event.kind)
        if event.kind == "busy":
            claim.write_text(json.dumps({"pid": 2**22 + 1, "host": runner_host()}))

    monkeypatch.setattr(runner, "_POLL_SECONDS", 0.01)
    assert run_recipe(recipe, tmp_path, listener=listener)["done"] == 1
    assert events[0] == "busy" and events[-1] == "done"


def runner_host():
    import platform

    return platform.node()
