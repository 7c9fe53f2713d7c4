"""The documentation keeps up with the code, and what it shows can be run."""

import doctest
import importlib
import importlib.util
import inspect
import re
import shlex
import sys
from pathlib import Path

import pytest
import torch
import typer

import graphlab
from graphlab.benchmark.recipe_file import load_recipe

ROOT = Path(graphlab.__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("papers/*.md")])
PACKAGES = (
    *("nn", "transforms", "ops", "datasets", "training", "analysis"),
    *("preference", "lora"),
)

if not DOCS.is_dir():
    pytest.skip("docs/ is not there: not a checkout", allow_module_level=True)


def fences(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def pages_with(language: str) -> list:
    return [pytest.param(p, id=p.name) for p in PAGES if fences(p, language)]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("api_pages", DOCS / "api_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_entry(package, generated):
    module = importlib.import_module(f"graphlab.{package}")
    page = generated[f"{package}.rst"]
    entries = re.findall(r"^\.\. \w+:: (graphlab\.\S+)$", page, re.MULTILINE)
    for name in module.__all__:
        assert f"graphlab.{package}.{name}" in entries


def test_every_generated_page_is_in_the_index(generated):
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for name in generated:
        assert name.startswith("_") or f"api/{name.removesuffix('.rst')}" in index


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_blocks_run(page):
    """Block after block in one namespace, as a reader would paste them."""
    namespace = {"__name__": "pasted"}
    for block in fences(page, "python"):
        exec(compile(block, page.name, "exec"), namespace)


def test_the_readme_example_learns():
    namespace = {"__name__": "pasted"}
    exec(fences(ROOT / "README.md", "python")[0], namespace)
    constant = namespace["data"].y.bincount().max() / len(namespace["data"].y)
    assert namespace["accuracy"] > 2 * constant


@pytest.mark.parametrize("page", pages_with("toml"))
def test_toml_blocks_are_recipes(page, tmp_path):
    for number, block in enumerate(fences(page, "toml")):
        file = tmp_path / f"block{number}.toml"
        file.write_text(block, encoding="utf-8")
        assert load_recipe(file).cells


def commands(page: Path) -> list[list[str]]:
    """The ``graphlab`` command lines of a page, split into words."""
    text = "\n".join(fences(page, "sh")).replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["graphlab"]]


@pytest.mark.parametrize("page", pages_with("sh"))
def test_command_lines_exist(page):
    from graphlab.cli.app import app

    for words in commands(page):
        command, rest = typer.main.get_command(app), list(words)
        while hasattr(command, "commands"):
            command = command.commands[rest.pop(0)]
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert {word for word in rest if word.startswith("-")} <= options, words


def doctested() -> list:
    return [
        pytest.param(thing, id=f"{package}.{name}")
        for package in PACKAGES
        for module in [importlib.import_module(f"graphlab.{package}")]
        for name in module.__all__
        for thing in [getattr(module, name)]
        if ">>>" in (inspect.getdoc(thing) or "")
    ]


@pytest.mark.parametrize("thing", doctested())
def test_docstring_examples(thing):
    known = {**vars(sys.modules[thing.__module__]), "torch": torch}
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in finder.find(thing, thing.__name__, globs=known):
        report = []
        assert runner.run(test, out=report.append).failed == 0, "".join(report)
