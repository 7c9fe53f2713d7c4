"""``graphlab copl evaluate``: one table of what has been trained in a run."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.graph_stage import score_adapted, score_seen
from graphlab.benchmark.copl.records import Listener, file_digest, made_by
from graphlab.benchmark.copl.run_folder import RunFolder
from graphlab.benchmark.copl.scores import without_counts
from graphlab.benchmark.store import finite, write_json
from graphlab.errors import StoreError
from graphlab.files import replace_file

if TYPE_CHECKING:
    from graphlab.preference import PreferenceSplit

#: Part -> how its column is headed.
PARTS = {
    "seen": "seen users",
    "unseen": "unseen users",
    "seen, new responses": "seen users, new responses",
    "unseen, new responses": "unseen users, new responses",
}
_JUDGED = ".judged.json"  # rows of a call that is not finished


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Args:
        about: What the numbers are of: source, seed, sizes.
        rows: A row each: ``name``, ``how`` and, by part, accuracy, interval, pairs and
            users.
    """

    about: str
    rows: Sequence[dict[str, Any]]

    def columns(self) -> list[str]:
        """The parts that a row has a number of."""
        return [part for part in PARTS if any(part in r["parts"] for r in self.rows)]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows, in words; what a model cannot score is a dash."""
        columns = self.columns()
        head = ["", "how", *(PARTS[part] for part in columns)]
        rows = [
            [row["name"], row["how"], *(_words(row["parts"].get(p)) for p in columns)]
            for row in self.rows
        ]
        return head, rows

    def notes(self) -> list[str]:
        """What every number carries."""
        found = {}
        for part in self.columns():
            sizes = {
                f"{one['pairs']:,} pairs of {one['users']:,} users"
                for row in self.rows
                if (one := row["parts"].get(part))
            }
            found[part] = f"{PARTS[part]}: {' or '.join(sorted(sizes))}"
        return [
            "share of pairs in the right order, ties as half; [95 % bootstrap interval "
            "over users]; one seed",
            "; ".join(found.values()),
            "settings and epochs chosen on validation pairs of seen users only; a dash "
            "where a model of ids cannot score responses that the graph lacks",
        ]

    def to_markdown(self) -> str:
        """The table, with what it is about, and the two kinds of pairs apart."""
        head, rows = self.table()
        grid = _markdown(head, rows)
        notes = "\n".join(f"- {note}" for note in self.notes())
        text = f"# CoPL: {self.about}\n\n{grid}\n\n{notes}\n"
        return text + _markdown_kinds(self.rows)


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", "---", *["---:"] * (len(head) - 2)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown_kinds(rows: Sequence[dict[str, Any]]) -> str:
    """Accuracy on pairs about which users disagree, and on the others."""
    names = ("controversial", "common")
    lines = [
        [row["name"], f"{row['how']}: {PARTS[part]}", *map(_number, values)]
        for row in rows
        for part, one in row["parts"].items()
        if any(values := [one.get(name) for name in names])
    ]
    if not lines:
        return ""
    return f"\n{_markdown(['', 'how', *(f'{name} pairs' for name in names)], lines)}\n"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _words(part: dict[str, Any] | None) -> str:
    if part is None or part["accuracy"] is None:
        return "—"
    ends = part["low"], part["high"]
    interval = "" if None in ends else f" [{ends[0]:.3f}, {ends[1]:.3f}]"
    return f"{part['accuracy']:.3f}{interval}"


def evaluate(
    folder: str | Path,
    *,
    max_pairs: int | None = None,
    force: bool = False,
    listener: Listener = lambda text, done, total: None,
) -> Evaluation:
    """Judge everything that is in a run; rows of what is unchanged are kept.

    Args:
        folder: The folder of the run.
        max_pairs: Most pairs of each part that a reward model is judged on; by default
            what it says itself.
        force: Whether to judge again what is unchanged.
        listener: Told what is being done.

    Raises:
        StoreError: The graph model is missing, or a file damaged.
    """
    run = RunFolder(folder)
    run.current("graph", "split")
    split = run.split()
    files = [run.path / name for name in ("evaluation.json", _JUDGED)]
    kept = {} if force else _kept(files[0]) | _kept(files[1])
    rows, todo = [], list(_rows(run, split, max_pairs, listener))
    for place, (name, how, made_from, judge) in enumerate(todo):
        key = _digest([name, how, made_from])
        listener(f"{name}, {how}", place, len(todo))
        if key not in kept:
            kept[key] = finite(_short(judge()))
            known = [{"key": each, "parts": parts} for each, parts in kept.items()]
            write_json(files[1], {"rows": known})  # a killed call goes on from there
        rows.append({"name": name, "how": how, "key": key, "parts": kept[key]})
    found = Evaluation(about(run), rows)
    _write(run, found)
    files[1].unlink(missing_ok=True)
    return found


#: Name, how, what it is made from, and a function that judges it.
_Row = tuple[str, str, Any, Callable[[], dict[str, dict[str, Any]]]]


def _rows(run: RunFolder, split: "PreferenceSplit", max_pairs: int | None, listener):
    record = run.require("graph")
    name, made_from = record["settings"]["model"], [record["id"]]
    graph = split.graph()
    adapted = _adapted_record(run)

    def trained(beside: str = "") -> Callable[[], dict]:
        return lambda: {"seen": score_seen(run.vectors(beside), graph, split.test)}

    def new_users(beside: str = "") -> Callable[[], dict]:
        return lambda: {"unseen": _unseen(run, split, graph, adapted, beside)}

    yield name, "graph model", made_from, trained()
    if adapted:
        how = f"new users by {adapted['settings']['rule']}"
        yield name, how, [*made_from, adapted["id"]], new_users()
    for other, one in run.beside().items():
        yield other, "beside it", [one["id"]], trained(other)
        if adapted:
            yield other, how, [one["id"], adapted["settings"]], new_users(other)
    yield from _reward_rows(run, split, max_pairs, listener)


def _adapted_record(run: RunFolder) -> dict[str, Any] | None:
    """What ``adapt`` has recorded, if it was run since the graph model was trained."""
    return run.current("adapted", "graph") if run.has("adapted") else None


def _unseen(run: RunFolder, split, graph, adapted: dict[str, Any], beside: str) -> dict:
    """New users of the run's model as they were adapted, of others by the same rule."""
    from graphlab.benchmark.copl.adapt_stage import Adaptation, adapt_split

    vectors, how = run.vectors(beside), Adaptation(**adapted["settings"])
    if beside:
        again = adapt_split(vectors, split, how.options(vectors, split))
        return score_adapted(again.table(), vectors, graph, split.unseen_test)
    return score_adapted(run.adapted(), vectors, graph, split.unseen_test)


def _reward_rows(
    run: RunFolder, split: "PreferenceSplit", max_pairs: int | None, listener: Listener
):
    """Rows of reward models; the extra ``lm`` is needed only if there are some."""
    for name, folder in run.rewards().items():
        facts = [file_digest(folder / "reward.json"), run.current_id("adapted")]

        def judge(name: str = name, folder: Path = folder) -> dict[str, dict[str, Any]]:
            from graphlab.benchmark.copl.reward_run import evaluate_run_reward

            def tell(text: str, done: int, total: int) -> None:
                listener(f"{name}: {text}", done, total)

            return evaluate_run_reward(run, folder, split, max_pairs, tell)

        yield name, "reward model", [*facts, max_pairs], judge


def about(run: RunFolder) -> str:
    """Source, annotations, seed and sizes in a line."""
    record = run.require("split")
    settings, sizes = record["settings"], record["sizes"]
    mean = (sizes["context"] + sizes["val"]) / sizes["users"]
    given = settings["annotations"] or f"{mean:.3g}"
    return (
        f"{settings['source']}, {given} annotations a user, seed {settings['seed']}: "
        f"{sizes['users']:,} seen users with {sizes['context']:,} pairs in the graph "
        f"and {sizes['val']:,} for validation, {sizes['unseen users']:,} unseen users "
        f"with {sizes['adapt']:,} pairs, {sizes['responses']:,} responses"
    )


def _kept(file: Path) -> dict[str, dict]:
    """Parts of rows that an earlier call has judged, by key."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {row["key"]: row["parts"] for row in content["rows"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _short(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without the counts of single users, and without parts that have no pair."""
    return {
        part: without_counts(one) for part, one in parts.items() if one.get("pairs", 1)
    }


def _write(run: RunFolder, found: Evaluation) -> None:
    try:
        content = {"about": found.about, "rows": found.rows, **made_by()}
        write_json(run.path / "evaluation.json", content)
        replace_file(
            run.path / "evaluation.md",
            lambda file: file.write_text(found.to_markdown(), encoding="utf-8"),
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{run.path}: cannot be written: {reason}") from None


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
