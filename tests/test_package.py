"""Rules that hold for the package as a whole."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import graphlab

PACKAGE = Path(graphlab.__file__).parent
ROOT = PACKAGE.parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

#: Part of the package -> the parts that it may import. Arrows point down only, and
#: `benchmark` may name a model by import path but never import one.
MAY_IMPORT = {
    "errors": set(),
    "ops": {"errors"},
    "nn": {"ops", "errors"},
    "transforms": {"ops", "errors"},
    "datasets": {"ops", "files", "errors"},
    "analysis": {"plot_style", "terminal_text", "ops", "errors"},
    "preference": {"nn", "ops", "files", "errors"},
    "lora": {"files", "errors"},
    "training": {
        *("nn", "transforms", "datasets", "analysis", "preference"),
        *("ops", "errors"),
    },
    "benchmark": {
        *("training", "transforms", "datasets", "analysis", "preference", "lora"),
        *("plot_style", "terminal_text", "files", "errors", ""),
    },
    "cli": {"benchmark", "training", "datasets", "analysis", "nn", "errors", ""},
    "plot_style": set(),
    "terminal_text": set(),
    "files": set(),
    "": set(),  # graphlab/__init__.py, which imports its parts by name on first use
}
TORCH = ("torch", "torch_geometric")


def part_of(file: Path) -> str:
    return (
        file.relative_to(PACKAGE).parts[0].removesuffix(".py").replace("__init__", "")
    )


def imports_of(file: Path) -> set[str]:
    """Full names of what a file imports, relative imports resolved."""
    package = ("graphlab", *file.relative_to(PACKAGE).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def wrong_imports(file: Path) -> list[str]:
    own = part_of(file)
    wrong = []
    for name in imports_of(file):
        top, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        target = target if target in MAY_IMPORT else ""  # graphlab.__version__
        if top == "graphlab" and target != own and target not in MAY_IMPORT[own]:
            wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    return wrong


def test_imports_point_down_only():
    assert {part_of(file) for file in SOURCES} == set(MAY_IMPORT)
    assert [line for file in SOURCES for line in wrong_imports(file)] == []


def test_the_import_rule_sees_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "graphlab")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "graphlab" / "nn" / "conv" / "foo.py"
    file.parent.mkdir(parents=True)
    forms = [
        "import graphlab.datasets",
        "from graphlab import training",
        "from graphlab.benchmark.stats import mean",
        "from ...transforms import x",
        "def f():\n    from ... import datasets",
    ]
    for form in forms:
        file.write_text(form)
        assert len(wrong_imports(file)) == 1, form
    file.write_text("from ..linear import x\nfrom ...ops import y\nimport torch")
    assert wrong_imports(file) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import graphlab",
        "import graphlab.datasets; graphlab.datasets.dataset_card('Cora')",
        "import graphlab.benchmark.recipe, graphlab.benchmark.recipe_file",
        "import graphlab.benchmark.selection, graphlab.benchmark.discovery",
        "import graphlab.benchmark.stats, graphlab.benchmark.store",
        "import graphlab.benchmark.report, graphlab.benchmark.search_space",
        "import graphlab.benchmark.tasks, graphlab.benchmark.copl",
        "sys.argv = ['graphlab', '--help']; call(main)",
        "sys.argv = ['graphlab', 'list']; call(main)",
    ],
)
def test_light_things_leave_torch_out(statement):
    code = (
        "import sys\nfrom graphlab.cli import main\n"
        "def call(f):\n    try: f()\n    except SystemExit as e: assert not e.code, e\n"
        f"{statement}\n"
        f"heavy = [m for m in {TORCH} if m in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def modules_with_all() -> list[str]:
    walked = pkgutil.walk_packages([str(PACKAGE)], "graphlab.")
    names = ["graphlab", *(module.name for module in walked)]
    return [n for n in names if hasattr(importlib.import_module(n), "__all__")]


@pytest.mark.parametrize("name", modules_with_all())
def test_public_names_exist_and_are_documented(name):
    module = importlib.import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))
    for public in module.__all__:
        thing = getattr(module, public)
        if inspect.isclass(thing):
            # A class inherits the docstring of its base, a dataclass makes one up.
            doc = vars(thing).get("__doc__") or ""
            assert doc and not doc.startswith(f"{public}("), f"{name}.{public}"
        elif callable(thing) or inspect.ismodule(thing):
            assert inspect.getdoc(thing), f"{name}.{public}"


def test_each_part_says_what_is_public():
    public = {name.removeprefix("graphlab.") for name in modules_with_all()}
    assert {"nn", "ops", "transforms", "datasets", "training", "analysis"} <= public


def test_only_the_command_line_prints():
    printing = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in SOURCES
        if part_of(file) != "cli" and file.name != "build.py"  # speaks at installation
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert printing == []


@pytest.mark.parametrize("folder", ["datasets", "benchmarks", "tests"])
def test_no_folder_shadows_an_installed_package(folder):
    """A top-level ``datasets`` package would hide Hugging Face's from here."""
    if not (ROOT / folder).is_dir():
        pytest.skip(f"{folder}/ is not there: not a checkout")
    assert list((ROOT / folder).rglob("__init__.py")) == []


def tracked_files() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("git is not there to list the tracked files")
    if done.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in done.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


# The path of somebody's machine, and the file URLs and drives that lead to one.
MACHINE_PATH = re.compile(
    r"(?<![\w.~:/-])/(?:work|root|home|tmp|Users|mnt|scratch)/|[A-Z]:\\Users|file://"
)


def test_no_tracked_file_names_a_machine():
    found = []
    for file in tracked_files():
        content = file.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if file != Path(__file__).resolve() and MACHINE_PATH.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_the_pattern_finds_a_machine_path():
    for text in ("/home/ann/x", 'open("/tmp/a")', "see (/root/b)", "D=/work/c"):
        assert MACHINE_PATH.search(text), text
    for text in ("network/x", "../tmp/a", "example.org/home/", "a/work/b"):
        assert not MACHINE_PATH.search(text), text
