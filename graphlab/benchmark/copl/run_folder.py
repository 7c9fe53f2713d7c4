"""The folder of a run: what each stage leaves for the next, by id, with checksums.

A stage's file (``run.json``, ``graph/graph.json``, ``adapted/adapt.json``) is written
last; it holds the settings, the checksums of what lies beside it, and what it was made
from. So a stage can say "there already", that settings differ, that a file is damaged,
or that it belongs to what has since been made anew.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.records import file_digest, read_record
from graphlab.benchmark.store import plain, prepare
from graphlab.errors import StoreError

if TYPE_CHECKING:
    from graphlab.preference import PreferenceSplit, PreferenceVectors, VectorTable

#: Stage -> its file and the command that writes it.
STAGES = {
    "split": ("run.json", "train-graph"),
    "graph": ("graph/graph.json", "train-graph"),
    "adapted": ("adapted/adapt.json", "adapt"),
}
_USERS, _RESPONSES = "users.npz", "responses.npz"


class RunFolder:
    """The folder of a run, for stages to write and for everybody to read.

    Args:
        path: The folder; it need not exist yet.

    Example:
        >>> RunFolder("nowhere").has("graph")
        False
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def split(self) -> "PreferenceSplit":
        """Users and their pairs.

        Raises:
            StoreError: They are not there, or damaged.
        """
        from graphlab.preference import load_split_files

        self.require("split")
        return load_split_files(self.path / "split")

    def vectors(self, beside: str = "") -> "PreferenceVectors":
        """The trained vectors as they are, rows in the order of the split's ids.

        Args:
            beside: Name of a model that was trained to compare with.

        Raises:
            StoreError: They are not there, or damaged.
        """
        from graphlab.preference import PreferenceVectors

        folder = self.graph_folder(beside)
        self.current("graph", "split")
        users, responses = self._table(folder, _USERS), self._table(folder, _RESPONSES)
        return PreferenceVectors(users.vectors, responses.vectors, responses.bias)

    def user_vectors(self) -> "VectorTable":
        """Vectors of the seen users by id, as a reward model gets them.

        They have length 1 where the graph model has no biases, as in CoPL; else the
        length that they were trained with. Those of unseen users are made of these.

        Raises:
            StoreError: They are not there, or damaged.
        """
        from torch.nn.functional import normalize

        from graphlab.preference import VectorTable

        record = self.current("graph", "split")
        table = self._table(self.graph_folder(), _USERS)
        if not record["unit_users"]:
            return table
        return VectorTable(table.ids, normalize(table.vectors, dim=1))

    def adapted(self) -> "VectorTable":
        """Vectors of the unseen users by id.

        Raises:
            StoreError: They are not there, damaged, or of another graph model.
        """
        self.current("adapted", "graph")
        return self._table(self.path / "adapted", _USERS)

    def rewards(self) -> dict[str, Path]:
        """The folders of finished reward models, by name."""
        files = sorted((self.path / "rewards").glob("*/reward.json"))
        return {file.parent.name: file.parent for file in files}

    def graph_folder(self, beside: str = "") -> Path:
        """Where vectors lie: those of the run, or of a model beside it."""
        folder = self.path / "graph"
        return folder / "beside" / plain(beside) if beside else folder

    def beside(self) -> dict[str, dict[str, Any]]:
        """Records of the models trained to compare with, by name."""
        files = sorted(self.path.glob("graph/beside/*/graph.json"))
        found = [record for file in files if (record := read_record(file))]
        current = self.current_id("split")
        return {
            record["settings"]["model"]: record
            for record in found
            if record["made_from"] == {"split": current}
        }

    def has(self, stage: str) -> bool:
        """Whether a stage is finished."""
        return read_record(self.path / STAGES[stage][0]) is not None

    def require(self, stage: str) -> dict[str, Any]:
        """What a stage has recorded.

        Raises:
            StoreError: It is not there; the message names the command to run.
        """
        file, command = STAGES[stage]
        record = read_record(self.path / file)
        if record is None:
            raise StoreError(
                f"{self.path}: has no {file} yet; run `graphlab copl {command} --out "
                f"{self.path}` first"
            )
        return record

    def current(self, stage: str, source: str) -> dict[str, Any]:
        """What a stage has recorded, if it was made from what is there now.

        Raises:
            StoreError: It is not there, or ``source`` has been made anew since.
        """
        record = self.require(stage)
        if record["made_from"].get(source) != self.current_id(source):
            file, command = STAGES[stage]
            raise StoreError(
                f"{self.path / file}: was made from another {source}; run `graphlab "
                f"copl {command} --out {self.path}` again"
            )
        return record

    def current_id(self, stage: str) -> str:
        """What tells the outcome of a stage from any other; empty without one."""
        record = read_record(self.path / STAGES[stage][0])
        return record["id"] if record else ""

    def check_new(self) -> None:
        """Refuse a folder of something else, and one that cannot be written.

        Raises:
            StoreError: The message says which.
        """
        if self.path.exists() and not self.path.is_dir():
            raise StoreError(f"{self.path}: is a file; give another --out")
        own = {"run.json", "split", "graph", "adapted", "rewards"}
        if self.path.is_dir() and not self.has("split"):
            found = sorted(p.name for p in self.path.iterdir())
            others = [n for n in found if n not in own and not n.startswith(".")]
            if others:
                raise StoreError(
                    f"{self.path}: holds {', '.join(others[:3])} but no run.json, so "
                    "it is not the folder of a run; give another --out"
                )
        prepare(self.path, "--out")

    def _table(self, folder: Path, name: str) -> "VectorTable":
        """A table of vectors, if it is the one that its stage has written."""
        from graphlab.errors import ArgumentError
        from graphlab.preference import VectorTable

        files = [f for f in folder.glob("*.json") if f.name in _RECORDS]
        record = read_record(files[0]) if files else None
        path = folder / name
        again = "the stage that wrote it must be run again with --force"
        if record is None or not path.is_file():
            raise StoreError(f"{path}: is not there, {again}")
        if file_digest(path) != record["sha256"].get(name):
            raise StoreError(f"{path}: damaged, its checksum is another; {again}")
        try:
            return VectorTable.load(path)
        except ArgumentError as error:
            raise StoreError(f"{path}: damaged: {error}; {again}") from None


_RECORDS = {file.rpartition("/")[2] for file, _ in STAGES.values()}
