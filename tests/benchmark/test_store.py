"""Run files: whole or not there, whatever happens in between."""

import json
import os
from dataclasses import replace

import pytest

from graphlab.benchmark import store
from graphlab.errors import StoreError


def record(cell, run=0, status="ok", **more):
    return {
        "format": 1,
        "recipe": "small",
        "table": cell.table,
        "cell_id": "0" * 12,
        "cell": cell.settings(),
        "run": run,
        "status": status,
        "metrics": None,
        **more,
    }


@pytest.fixture
def cell(small_recipe):
    return small_recipe().cells[0]


def test_a_published_cell_is_read_back_and_extended(tmp_path, cell):
    folder = store.cell_folder(tmp_path, "small", cell, "abc")
    store.publish(folder, [record(cell, 0), record(cell, 1, "oom")])
    store.publish(folder, [record(cell, 1), record(cell, 2)])
    found = store.cell_runs(folder)
    assert [found[r]["status"] for r in (0, 1, 2)] == ["ok"] * 3
    runs, problems = store.load_all(tmp_path)
    assert [run["run"] for run in runs] == [0, 1, 2] and not problems
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_what_json_cannot_say_becomes_null(tmp_path):
    store.write_json(tmp_path / "a.json", {"a": float("nan"), "b": [float("inf"), 1]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": None, "b": [None, 1]}
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("step", ["fsync", "first rename", "second rename", "rmtree"])
def test_a_death_at_any_step_leaves_the_old_or_the_new_cell(
    tmp_path, cell, monkeypatch, step
):
    folder = store.cell_folder(tmp_path, "small", cell, "abc")
    store.publish(folder, [record(cell, 0, "oom"), record(cell, 1, "oom")])

    class Death(BaseException):
        pass

    calls = []

    def die_at(name, real):
        def call(*args, **kwargs):
            calls.append(name)
            if (
                name == step
                or f"{['first', 'second'][calls.count(name) > 1]} {name}" == step
            ):
                raise Death
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(store.os, "fsync", die_at("fsync", os.fsync))
        patch.setattr(store.os, "rename", die_at("rename", os.rename))
        real = store.shutil.rmtree
        if step == "rmtree":  # the one after both renames
            patch.setattr(
                store.shutil,
                "rmtree",
                lambda path, **kw: (
                    (_ for _ in ()).throw(Death)
                    if str(path).endswith(".old")
                    else real(path, **kw)
                ),
            )
        with pytest.raises(Death):
            store.publish(folder, [record(cell, 0), record(cell, 1)])
    runs, problems = store.load_all(tmp_path)  # a reader in between sees no mixture
    assert len({run["status"] for run in runs}) <= 1 and not problems
    store.recover(folder)
    states = [run["status"] for run in store.cell_runs(folder).values()]
    assert states == (["ok"] * 2 if step == "rmtree" else ["oom"] * 2)
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_files_that_are_no_runs_are_named_not_fatal(tmp_path, cell):
    folder = store.cell_folder(tmp_path, "small", cell, "abc")
    store.publish(folder, [record(cell)])
    whole = (folder / "run-00.json").read_text()
    (folder / "run-01.json").write_text(whole[: len(whole) // 2])
    (folder / "run-02.json").write_text("[]")
    (folder / "run-03.json").write_text('{"format": 2}')
    (folder / "run-04.json").write_text('{"format": 1, "recipe": "x"}')
    (folder / "run-05.json").write_bytes(b"\xff\xfe")
    runs, problems = store.load_all(tmp_path)
    assert len(runs) == 1 and len(problems) == 5
    assert all(f"run-0{i}" in p for i, p in enumerate(sorted(problems), start=1))
    assert list(store.cell_runs(folder)) == [0]


def test_hidden_and_search_files_are_no_runs(tmp_path):
    for name in (".claims/a.json", "search/b.json", "small/.x.new/run-00.json"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    assert store.load_all(tmp_path) == ([], [])


def test_only_runs_with_the_settings_asked_for_match(small_recipe):
    recipe = small_recipe(runs=2)
    (cell,) = recipe.cells
    other = replace(cell, training={"epochs": 99})
    runs = [
        record(cell, 0, "oom", finished="2"),
        record(cell, 0, "ok", finished="1"),  # finished beats failed
        record(cell, 1, "ok", finished="1", mark="old"),
        record(cell, 1, "ok", finished="2", mark="new"),
        record(cell, 2, "ok"),  # the recipe asks for two
        record(other, 0, "ok"),
        record(cell, 0, "ok", recipe="another"),
        record(replace(cell, table="another"), 0, "ok"),
    ]
    found = store.matching_runs(recipe, json.loads(json.dumps(runs)))
    assert [(run["run"], run["status"]) for run in found] == [(0, "ok"), (1, "ok")]
    assert found[1]["mark"] == "new"


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written: .*--runs"):
        store.prepare(tmp_path / "file" / "runs")
    with pytest.raises(StoreError, match="there is no such folder"):
        store.load_all(tmp_path / "absent")
