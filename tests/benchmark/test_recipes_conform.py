"""Every recipe that comes with graphlab can be run as it stands."""

import dataclasses

import pytest

from graphlab.benchmark.checks import check_cells
from graphlab.benchmark.discovery import find_recipe, recipe_files
from graphlab.benchmark.recipe import Cell
from graphlab.benchmark.recipe_file import LABELS, load_recipe
from graphlab.benchmark.selection import quick_recipe
from graphlab.benchmark.tasks import TASKS
from graphlab.errors import RecipeError

KEYS = sorted(recipe_files())


@pytest.fixture(params=KEYS)
def recipe(request):
    return load_recipe(find_recipe(request.param))


def test_there_are_recipes():
    assert {"postel", "embedded"} <= set(KEYS)
    with pytest.raises(RecipeError, match="unknown recipe 'postl'; did you .*'postel'"):
        find_recipe("postl")


def test_it_is_called_like_its_folder(recipe):
    assert recipe.key == recipe.file.parent.name
    assert (recipe.file.parent / "README.md").is_file()


def test_names_import_paths_and_arguments_exist(recipe):
    check_cells(recipe.cells)
    if recipe.quick:
        check_cells(quick_recipe(recipe).cells)


def test_every_value_of_the_search_space_is_accepted(recipe):
    from graphlab.benchmark.search_space import space_of, with_point

    if recipe.search is None:
        pytest.skip(f"{recipe.key} states no search space")
    ready = [c for c in recipe.cells if not c.unavailable]
    once = {(c.model_name, c.label_name): c for c in ready}.values()
    check_cells(
        with_point(cell, {name: value})
        for cell in once
        for name, values in space_of(recipe, cell).items()
        for value in values
    )


def test_published_numbers_have_a_source_and_missing_ones_a_reason(recipe):
    for cell in recipe.cells:
        where = f"{cell.table} {cell.title}"
        if cell.published:
            assert cell.published.source and cell.published.kind, where
        else:
            assert cell.published_note, where


def test_cells_are_distinct(recipe):
    ids = [(cell.table, cell.cell_id("")) for cell in recipe.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", TASKS)
def test_training_keys_are_those_of_the_training_configuration(name):
    cell = Cell("t", "digits", "s", "m:M", "M", "l:l", "none", task=name)
    fields = {f.name: f.type for f in dataclasses.fields(TASKS[name].config(cell))}
    assert set(TASKS[name].TRAINING_KEYS) == set(fields)
    for key, kind in TASKS[name].TRAINING_KEYS.items():
        assert fields[key] in (kind, kind | None), key


def test_the_short_names_of_label_methods_exist():
    from pkgutil import resolve_name

    assert all(callable(resolve_name(path)) for path in LABELS.values())


def test_postel_holds_the_papers_main_table():
    recipe = load_recipe(find_recipe("postel"))
    table = next(t for t in recipe.tables if t.name == "table1")
    found = {(c.dataset, c.model_name, c.label_name): c for c in table.cells}
    assert len(table.datasets) == 10 and len(table.models) == 8
    for name, mean, half_width in (
        (("cornell-geom", "GCN", "PosteL"), 80.33, 1.80),
        (("Cora", "GCN", "none"), 87.14, 1.01),
        (("Squirrel", "ChebNet", "PosteL"), 50.87, 0.90),
        (("PubMed", "BernNet", "ALS"), 89.19, 0.46),
    ):
        published = found[name].published
        assert (published.mean, published.half_width) == (mean, half_width)
    for (_, model, label), cell in found.items():
        assert bool(cell.published) == (model != "OrderedGNN")
        assert bool(cell.unavailable) == (label in ("SALS", "ALS"))
        if cell.published:  # base rows come from another paper
            assert cell.published.copied == (label == "none")
    assert sum(c.published is not None for c in table.cells) == 340
