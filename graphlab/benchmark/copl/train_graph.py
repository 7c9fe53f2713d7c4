"""``graphlab copl train-graph``: users and pairs, the model, and models beside it."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.graph_stage import SELECTION, fit_chosen, has_plain_users
from graphlab.benchmark.copl.models import GraphModel, graph_model, model_name
from graphlab.benchmark.copl.records import (
    Listener,
    Outcome,
    file_digest,
    found_record,
    made_by,
    write_record,
)
from graphlab.benchmark.copl.run_folder import RunFolder
from graphlab.benchmark.copl.sources import (
    SOURCES,
    check_seed,
    check_source,
    load_split,
)
from graphlab.benchmark.copl.tries import Tries
from graphlab.errors import ArgumentError, StoreError

if TYPE_CHECKING:
    from graphlab.preference import PreferenceSplit

#: What is trained along with the model: a model without a graph, and one without users.
BESIDE = ("MF", "BT")


@dataclass(frozen=True)
class SplitSettings:
    """Which users and pairs a run is about.

    Args:
        source: A key of :data:`~graphlab.benchmark.copl.SOURCES`.
        annotations: Pairs each user annotates; :obj:`None` for what the source has.
        seed: Seed of users, pairs and weights.
        path: The file or folder of a source that needs one.
        texts: The texts of ``pairs``.
        sizes: What is changed of the source.
    """

    source: str = "uf2"
    annotations: int | None = None
    seed: int = 0
    path: str | None = None
    texts: str | None = None
    sizes: Mapping[str, Any] = field(default_factory=dict)

    def load(self, data_root: str | Path | None = None) -> "PreferenceSplit":
        """The split; see :func:`~graphlab.benchmark.copl.load_split`."""
        settings = asdict(self)
        sizes = settings.pop("sizes")
        return load_split(**settings, data_root=data_root, **sizes)

    def check(self) -> None:
        """Refuse what the source does not have.

        Raises:
            ArgumentError: The message names the argument.
        """
        check_seed(self.seed)
        check_source(
            self.source, self.annotations, dict(self.sizes), self.path, self.texts
        )

    def recorded(self) -> dict[str, Any]:
        """What decides the outcome, contents of the user's own tables included."""
        settings = asdict(self)
        sizes = settings.pop("sizes")
        for name in ("path", "texts"):
            if settings[name] and Path(settings[name]).is_file():
                settings[f"sha256 of {name}"] = file_digest(Path(settings[name]))
        return settings | sizes


def train_graph(
    folder: str | Path,
    split: SplitSettings,
    model: str = "CoPL-GCF released",
    *,
    beside: Sequence[str] = BESIDE,
    fixed: Mapping[str, Any] | None = None,
    data_root: str | Path | None = None,
    force: bool = False,
    listener: Listener = lambda text, done, total: None,
) -> dict[str, Outcome]:
    """Draw users and pairs, train a model and those beside it; skip what is there.

    Args:
        folder: The folder of the run.
        split: Users and pairs.
        model: A name of :data:`~graphlab.benchmark.copl.MODELS`.
        beside: Models to compare with.
        fixed: Settings of the model that are not chosen, e.g. ``{"epochs": 50}``.
        data_root: Folder of raw data sets.
        force: Whether to do it again where settings differ from those of before.
        listener: Told what is being done.

    Returns:
        The outcome of the split (``"split"``) and of each model.

    Raises:
        ArgumentError: An unknown name, or a value out of its range.
        DatasetError: Files of the source are absent or not what they should be.
        StoreError: The folder is another run's, damaged, or cannot be written.
    """
    run, model = RunFolder(folder), model_name(model)
    others = [name for name in map(model_name, beside) if name != model]
    changed = check_model(graph_model(model).fixed(fixed or {}))
    split.check()
    run.check_new()
    outcomes = {"split": _split(run, split, data_root, force, listener)}
    trainer = _Trainer(run, split.seed, force, listener)
    outcomes[model] = trainer.train(model, changed, dict(fixed or {}))
    for name in dict.fromkeys(others):
        outcomes[name] = trainer.train(name, graph_model(name), {}, beside=True)
    return outcomes


def _split(
    run: RunFolder, split: SplitSettings, data_root, force: bool, listener: Listener
) -> Outcome:
    """Draw users and pairs, or find them as they were drawn."""
    from graphlab.preference.data.split_files import save_split

    settings, file = split.recorded(), run.path / "run.json"
    if resumed := _found_split(run, file, settings, force):
        return Outcome(resumed, resumed=True)
    if run.rewards() and run.has("split"):
        raise StoreError(
            f"{run.path}: has reward models of the users and pairs that are there; "
            f"give another --out, or remove {run.path / 'rewards'}"
        )
    listener(f"users and pairs of {split.source}", 0, 1)
    drawn = split.load(data_root)
    _check_split(drawn)
    file.unlink(missing_ok=True)
    checksum = save_split(drawn, run.path / "split")
    facts = {"sizes": sizes_of(drawn), "about": SOURCES[split.source].about}
    record = write_record(file, settings, {}, checksum=checksum, **facts, **made_by())
    return Outcome(record, resumed=False)


def _found_split(
    run: RunFolder, file: Path, settings: Mapping[str, Any], force: bool
) -> dict[str, Any] | None:
    """What is there; users and pairs of the same settings are never drawn again.

    Raises:
        StoreError: They are of other settings, or damaged, and shall not be replaced.
    """
    try:
        record = found_record(file, settings, {}, force=False)
        if record is not None:
            run.split()  # refuses damaged tables now, not after a training
        return record
    except StoreError:
        if not force:
            raise
        return None


def _check_split(split: "PreferenceSplit") -> None:
    """Refuse what no model can be trained on, chosen or tested with."""
    for name, words in (
        ("context", "for the graph; seen users need at least 2 annotations"),
        ("val", "for validation; seen users need at least 2 annotations"),
        ("test", "for testing; give fewer annotations or more pairs"),
    ):
        if not len(getattr(split, name)):
            raise ArgumentError(f"source: leaves no pair {words}")


def sizes_of(split: "PreferenceSplit") -> dict[str, int]:
    """Numbers of users, responses and pairs."""
    tables = ("context", "val", "test", "adapt", "unseen_test", "new_test")
    ids = {"users": split.users, "unseen users": split.unseen_users}
    ids["responses"] = split.responses
    pairs = {name: getattr(split, name) for name in (*tables, "unseen_new_test")}
    return {name: len(each) for name, each in (ids | pairs).items()}


def check_model(model: GraphModel) -> GraphModel:
    """Make the model once in small, with every setting.

    Raises:
        ArgumentError: A setting is unknown or out of its range.
    """
    for setting in model.choose:
        build, _ = model.build((2, 2), setting)
        build()
    return model


class _Trainer:
    """Trains models of one run, one after the other."""

    def __init__(self, run: RunFolder, seed: int, force: bool, listener) -> None:
        self.run, self.seed, self.force = run, seed, force
        self.listener = listener
        self.made_from = {"split": run.current_id("split")}
        self.split: PreferenceSplit | None = None

    def train(
        self, name: str, model: GraphModel, fixed: dict[str, Any], beside: bool = False
    ) -> Outcome:
        """Train a model, or find it as it was trained."""
        folder = self.run.graph_folder(name if beside else "")
        file = folder / "graph.json"
        settings = {"model": name, "seed": self.seed, **fixed}
        if resumed := found_record(file, settings, self.made_from, self.force):
            return Outcome(resumed, resumed=True)
        file.unlink(missing_ok=True)
        self.split = self.split or self.run.split()
        tries = self._tries(folder, settings | self.made_from)
        graph = self.split.graph()
        chosen = fit_chosen(
            *(model, graph, self.split.val, self.seed),
            lambda p: self.listener(f"{name}: {p.text}", p.done, p.total),
            tries,
        )
        _save(folder, graph, chosen.vectors)
        record = write_record(
            *(file, settings, self.made_from, ("users.npz", "responses.npz")),
            unit_users=has_plain_users(chosen.vectors),
            setting=chosen.setting,
            tried=chosen.tried,
            selection=f"{SELECTION}, {len(self.split.val):,} pairs",
            val_accuracy=chosen.val_accuracy,
            best_epoch=chosen.best_epoch,
            num_parameters=chosen.num_parameters,
            dim=chosen.vectors.user.size(1),
            cpu_seconds=chosen.cpu_seconds,
            **made_by(),
        )
        tries.clear()
        return Outcome(record, resumed=False)

    def _tries(self, folder: Path, settings: dict[str, Any]) -> Tries:
        """What a killed call with the same settings has finished."""
        text = json.dumps(settings, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        for old in folder.glob(".tries-*"):
            if old.name != f".tries-{digest}":
                shutil.rmtree(old, ignore_errors=True)
        return Tries(folder / f".tries-{digest}")


def _save(folder: Path, graph, vectors) -> None:
    from graphlab.preference import VectorTable

    VectorTable(graph.user_ids, vectors.user).save(folder / "users.npz")
    responses = VectorTable(
        graph.response_ids, vectors.response, vectors.bias, "response"
    )
    responses.save(folder / "responses.npz")
