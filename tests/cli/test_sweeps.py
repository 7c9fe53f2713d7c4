"""``graphlab run | reproduce | table``: from a file to a report."""

import csv
import io
import json

from graphlab.benchmark import store


def test_a_model_outside_the_package_from_file_to_report(graphlab, project):
    answer = graphlab("run", "mine.toml")
    assert answer.code == 0, answer.err
    assert "mine, full profile: 1 cells, 2 runs" in answer.err
    assert "digits MyGNN none: " in answer.err and "1/1 cells" in answer.err
    assert "MyGNN" in answer.out and "report: report/report.html" in answer.out
    assert {p.suffix for p in (project / "report").glob("report.*")} == {
        ".txt",
        ".md",
        ".tex",
        ".csv",
        ".html",
    }
    runs, _ = store.load_all(project / "runs")
    assert [run["status"] for run in runs] == ["ok", "ok"]
    again = graphlab("run", "mine.toml")
    assert again.code == 0 and "there already" in again.err
    assert again.out == answer.out


def test_set_overrides_and_is_recorded(graphlab, project):
    answer = graphlab("run", "mine.toml", "--set", "training.lr=0.5", "--set", "runs=1")
    assert answer.code == 0, answer.err
    (run,) = store.load_all(project / "runs")[0]
    assert run["cell"]["training"] == {"epochs": 3, "patience": 3, "lr": 0.5}
    wrong = graphlab("run", "mine.toml", "--set", "training.lrr=0.5")
    assert wrong.code == 2 and "did you mean 'training.lr'" in wrong.err


def test_a_failed_cell_ends_with_1_and_is_in_the_table(graphlab, project, recipe):
    recipe('label = "none"', 'label = ["none", "mypackage.module:out_of_memory"]')
    answer = graphlab("run", "mine.toml")
    assert answer.code == 1
    assert "digits MyGNN out_of_memory: oom: MemoryError" in answer.err
    assert "1 of 2 cells failed: the same command tries them again" in answer.err
    assert "out_of_memory" in answer.out and "Traceback" not in answer.err


def test_ctrl_c_says_how_to_go_on(graphlab, project, recipe):
    recipe('label = "none"', 'label = ["none", "mypackage.module:interrupted"]')
    answer = graphlab("run", "mine.toml")
    assert answer.code == 130
    assert "interrupted: finished cells are kept, the same command" in answer.err
    assert "Traceback" not in answer.err and not answer.out
    assert len(store.load_all(project / "runs")[0]) == 2
    assert not list((project / "runs" / ".claims").glob("*.json"))


def test_search_prints_its_budget_and_runs_what_it_found(graphlab, project):
    with open("mine.toml", "a") as file:
        file.write(
            "\n[search]\ntraining = { lr = [1e-4, 0.05], weight_decay = [0.0] }\n"
        )
    answer = graphlab("run", "mine.toml", "--search", "--trials=5", "--search-splits=1")
    assert answer.code == 0, answer.err
    assert "at most 5 trials per label method" in answer.out
    assert "[settings.MyGNN.digits]" in answer.out
    runs, _ = store.load_all(project / "runs")
    assert {run["cell"]["training"]["lr"] for run in runs} == {0.05}
    (found,) = (project / "runs" / "search" / "mine").glob("*.json")
    assert len(json.loads(found.read_text())["trials"]) == 2
    assert (project / "runs" / "search" / "mine" / "settings.toml").is_file()


def test_tables_of_a_recipe_from_its_run_files(graphlab, project):
    assert graphlab("table", "embedded").code == 2  # no folder of runs yet
    quick = ("--quick", "--set", "training.epochs=2", "--set", "runs=1")
    chosen = ("embedded", "--model", "GCN", "--dataset", "wordnet-verbs")
    answer = graphlab("reproduce", *chosen, "--label", "none,LS", *quick)
    assert answer.code == 0, answer.err
    assert "cut against --full: " in answer.err
    (project / "runs" / "torn.json").write_text('{"format": 1')
    same = ("--label", "none,LS", "--set", "training.epochs=2", "--set", "runs=1")
    found = graphlab("table", *chosen, *same, "--format", "csv")
    assert found.code == 0 and "torn.json" in found.err
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert rows and "wordnet-verbs" in found.out
    for name, start in (("md", "#"), ("latex", "%"), ("html", "<!")):
        text = graphlab("table", *chosen, *same, "--quick", "--format", name).out
        assert text.lstrip().startswith(start), text[:80]
    assert graphlab("table", "embedded", "--format", "pdf").code == 2
