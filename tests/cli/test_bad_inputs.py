"""What a user gets wrong: one or two lines, no traceback, an exit code that says so."""

import pytest


def check(answer, *parts):
    assert answer.code != 0
    assert "Traceback" not in answer.err
    text = " ".join(answer.err.split())
    for part in parts:
        assert part in text, answer.err
    return text


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('"digits"', '"digts"', ["mine.toml", "dataset", "did you mean 'digits'"]),
        ('"digits"', "digits", ["mine.toml: not valid TOML", "line 2"]),
        ('split = "stratified-60-20-20"', "", ["mine.toml: split: missing"]),
        ("runs = 2", 'runs = "two"', ["mine.toml: runs: must be a whole number"]),
        ("module:MyGNN", "modul:MyGNN", ["no module 'mypackage.modul'"]),
        ("module:MyGNN", "module:MyGN", ["no 'MyGN'", "did you mean 'MyGNN'"]),
        ("hidden_channels", "hidden", ["mypackage.module:MyGNN", "'hidden_channels'"]),
        ("epochs = 3", "epochs = 0", ["mine.toml", "epochs must be a positive"]),
        (
            "stratified-60-20-20",
            "planetoid-public",
            ["split: digits has no 'planetoid-public'"],
        ),
        (
            'label = "none"',
            'label = "PosteL"\nlabel_args = { alpha = -0.5 }',
            ["digits MyGNN PosteL", "alpha"],
        ),
    ],
)
def test_mistakes_in_a_recipe(graphlab, recipe, old, new, parts):
    recipe(old, new)
    answer = graphlab("run", "mine.toml")
    text = check(answer, *parts)
    assert answer.code == 2 and "error: " in text
    assert answer.err.strip().count("\n") <= 1 and not answer.out


def test_a_folder_that_cannot_be_written(graphlab, project):
    (project / "file").touch()
    check(graphlab("run", "mine.toml", "--runs", "file/runs"), "cannot be written")
    check(graphlab("run", "mine.toml", "--report", "file/report"), "file/report")


def test_a_file_that_is_not_there(graphlab, project):
    check(graphlab("run", "absent.toml"), "absent.toml: cannot be read")
    check(graphlab("table", "postel", "--runs", "absent"), "there is no such folder")


@pytest.mark.parametrize(
    ("method", "parts"),
    [
        ("half_the_mask", ["train_mask must select at least one node"]),
        ("bad_label", ["y must lie in [0, 9] inside the masks"]),
    ],
)
def test_masks_and_labels_that_cannot_be_trained_on(graphlab, recipe, method, parts):
    recipe('label = "none"', f'label = "mypackage.module:{method}"')
    check(graphlab("run", "mine.toml"), f"digits MyGNN {method}", *parts)


def test_a_corrupt_raw_file_is_a_recorded_cell(graphlab, recipe, tmp_path):
    raw = tmp_path / "root" / "Planetoid" / "Cora" / "raw"
    raw.mkdir(parents=True)
    for part in ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index"):
        (raw / f"ind.cora.{part}").write_bytes(b"not what it should be")
    recipe('"digits"', '"Cora"')
    answer = graphlab("run", "mine.toml", "--data-root", tmp_path / "root")
    check(answer, "Cora MyGNN none: unavailable", "1 of 1 cells failed")


def test_the_unexpected_is_one_line_with_a_hint(graphlab, project, monkeypatch):
    def surprise(path):
        raise RuntimeError("surprise")

    monkeypatch.setattr("graphlab.benchmark.recipe_file.load_recipe", surprise)
    answer = graphlab("list")
    check(answer, "unexpected RuntimeError: surprise", "GRAPHLAB_DEBUG=1")
    assert answer.code == 1
