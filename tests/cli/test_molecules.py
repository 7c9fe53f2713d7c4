"""Sets of molecules on the command line: data, bounds, and what a user gets wrong."""

import pytest

from graphlab.datasets import molecule_cards

BASES = ("CC", "CCO", "CCN", "C1CC1", "C1CCC1", "CC=O", "CCl", "C=C", "C#N", "CS")


@pytest.fixture
def root(molecules, monkeypatch):
    """Sixty molecules; rings are of class 1, and every sixth lacks Tox21's labels."""
    monkeypatch.setenv("COLUMNS", "200")
    smiles = ["C" * (row // 10) + BASES[row % 10] for row in range(60)]

    def label(row, column):
        if column == 5 and row % 6 == 0:
            return ""
        return int(row % 10 in (3, 4) or row % 7 == column)

    for name in ("BACE", "SIDER", "Tox21"):
        molecules.write(name, smiles=smiles, label=label)
    return str(molecules.root)


def words(text):
    return " ".join(text.split())


def test_list_tells_what_is_to_fetch(graphlab, root):
    rows = {r.split()[0]: r for r in graphlab("data", "list").out.splitlines() if r}
    assert "1,513" in rows["BACE"] and "to fetch" in rows["BACE"]
    rows = {
        r.split()[0]: r
        for r in graphlab("data", "list", "--data-root", root).out.splitlines()
        if r
    }
    assert "data root" in rows["BACE"] and "to fetch" in rows["HIV"]


def test_show_tells_of_columns_and_of_what_is_left_out(graphlab, root):
    answer = graphlab("data", "show", "sider", "--data-root", root)
    text = words(answer.out)
    assert answer.code == 0, answer.err
    assert "label columns: 0 disorder 0, 1 disorder 1" in text
    assert "measured: 60 graphs of" in text and "column: disorder 21" in text
    assert "warning: 60 rows in the file, 1,427 in PyG's documentation" in text
    text = words(graphlab("data", "show", "Tox21", "--data-root", root).out)
    assert "11 NR-11" in text and "measured" not in text
    assert "graphlab data show Tox21:0" in text
    text = words(graphlab("data", "show", "Tox21:NR-5", "--data-root", root).out)
    assert "50 graphs" in text and "10 molecules without a label 'NR-5' left" in text


def test_show_of_a_file_that_is_not_there_is_the_card(graphlab, root):
    answer = graphlab("data", "show", "HIV")
    assert answer.code == 0 and "HIV.csv" in answer.out and "to fetch" in answer.out


def test_verify_compares_with_the_first_file(graphlab, molecules, root):
    answer = graphlab("data", "verify", "BACE", "Tox21", "--data-root", root)
    assert answer.code == 0, answer.out
    assert "60 graphs" in answer.out and "no published hash known" in answer.out
    molecules.write("BACE")
    answer = graphlab("data", "verify", "BACE", "--data-root", root)
    assert answer.code == 2 and "not the one first read here" in answer.out


def test_fetch_downloads_what_is_not_there(graphlab, molecules, root, monkeypatch):
    answer = graphlab("data", "fetch", "HIV")
    text = words(answer.out)
    assert answer.code == 2 and "HIV.csv is not at hand and cannot be fetched" in text
    answer = graphlab("data", "fetch", "SIDER:99")
    assert answer.code == 2 and "no label column 99" in answer.out
    monkeypatch.setenv("GRAPHLAB_DATA", root)
    answer = graphlab("data", "fetch", "Tox21", "SIDER:3")
    assert answer.code == 0 and "tox21/raw; its hash is recorded" in answer.out


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*args, **options):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def test_bounds_of_molecules(graphlab, root, tmp_path):
    out = tmp_path / "out"
    options = ("--depths", "1", "--quick", "--epochs", "2", "--hidden", "4")
    answer = graphlab(
        *("bound", "--dataset", "sider:20", *options),
        *("--data-root", root, "--out", str(out)),
    )
    assert answer.code == 0, answer.err
    assert "SIDER:20 GIN" in answer.out and "k-variance, theorem-D2" in answer.out
    assert "warning: SIDER:20: 60 rows in the file, 1,427" in answer.err
    assert [file.name[:12] for file in (out / "ledgers").iterdir()] == ["SIDER_20-GIN"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("HIV", "HIV.csv is not at hand; `graphlab data fetch HIV` downloads it"),
        ("SIDER:27", "SIDER has no label column 27"),
        ("SIDER:teeth", "SIDER has no label column 'teeth'"),
        ("Tox21", "Tox21 has 12 label columns: name one"),
        ("BACES", "did you mean 'BACE'?"),
        ("MUTAG:0", "no set for graph classification is called 'MUTAG:0'"),
    ],
)
def test_bad_names_are_told_in_two_lines(graphlab, root, name, message):
    answer = graphlab("bound", "--dataset", name, "--data-root", root)
    assert answer.code == 2 and answer.out == ""
    assert message in answer.err and "Traceback" not in answer.err
    assert len(answer.err.strip().splitlines()) <= 2


def test_every_card_tells_that_nothing_was_measured():
    for card in molecule_cards.MOLECULE_CARDS:
        assert card.nodes is None and "no hash is known" in card.warnings[-1]
