"""Help, version and lists come at once: nothing heavy is imported."""

import subprocess
import sys

import pytest

import graphlab as package

HEAVY = ("torch", "torch_geometric", "pandas", "matplotlib", "optuna", "sklearn")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list"],
        ["show", "postel"],
        ["cite", "postel"],
        ["run", "--help"],
        ["data", "--help"],
        ["diagnose", "--help"],
    ],
)
def test_nothing_heavy_is_imported(arguments):
    code = (
        "import sys; from graphlab.cli import main; sys.argv[1:] = {!r}\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code or 0\n"
        "print('HEAVY', code, [m for m in {!r} if m in sys.modules])"
    )
    command = [sys.executable, "-c", code.format(arguments, HEAVY)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "HEAVY 0 []" in answer.stdout, answer.stdout + answer.stderr


def test_version(graphlab):
    assert graphlab("--version").out == f"graphlab {package.__version__}\n"


def test_list_and_show_and_cite(graphlab):
    listed = graphlab("list")
    assert "postel" in listed.out and "embedded" in listed.out and listed.code == 0
    shown = graphlab("show", "postel").out
    assert "bernnet-10" in shown and "340 published numbers (70 copied)" in shown
    assert "SALS: not implemented" in shown and "--quick:" in shown
    assert graphlab("cite", "postel").out.startswith("@inproceedings{")


def test_a_misspelt_recipe_or_option_is_two_lines_at_most(graphlab):
    unknown = graphlab("show", "postl")
    assert unknown.code == 2 and "did you mean 'postel'" in unknown.err
    assert unknown.err.count("\n") == 1 and unknown.err.startswith("error: ")
    assert graphlab("reproduce", "postel", "--jobs", "0").code == 2
    assert graphlab("reproduce", "postel", "--modell", "GCN").code == 2
    wrong = graphlab("reproduce", "postel", "--model", "GNC")
    assert wrong.code == 2 and "did you mean 'GCN'" in wrong.err
