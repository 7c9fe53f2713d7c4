"""Settings that are trained already: what a killed choice goes on from."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graphlab.benchmark.store import write_json

if TYPE_CHECKING:
    from graphlab.preference import PreferenceVectors
    from graphlab.training import PreferenceResult

FACTS = (
    *("val_accuracy", "val_loss", "best_epoch", "epochs"),
    *("nan", "num_parameters"),
)


@dataclass(frozen=True)
class Try:
    """What a finished setting must be known of to choose it.

    The fields are those of :class:`graphlab.training.PreferenceResult`.
    """

    vectors: "PreferenceVectors"
    val_accuracy: float
    val_loss: float
    best_epoch: int
    epochs: int
    nan: bool
    num_parameters: int


class Tries:
    """Finished settings by number, in a folder or (without one) nowhere.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def get(self, number: int) -> Try | None:
        """A finished setting; :obj:`None` if it is not there or not readable."""
        from graphlab.errors import ArgumentError
        from graphlab.preference import PreferenceVectors, VectorTable

        if self.folder is None:
            return None
        try:
            facts = json.loads(self._file(number, "json").read_text(encoding="utf-8"))
            user = VectorTable.load(self._file(number, "users.npz"))
            response = VectorTable.load(self._file(number, "responses.npz"))
            facts = {name: facts[name] for name in FACTS}
        except (OSError, ValueError, KeyError, TypeError, ArgumentError):
            return None
        vectors = PreferenceVectors(user.vectors, response.vectors, response.bias)
        return Try(vectors, **facts)

    def put(self, number: int, result: "PreferenceResult | Try") -> None:
        """Keep a finished setting; the file that says so is written last."""
        from graphlab.preference import VectorTable

        if self.folder is None:
            return
        vectors = result.vectors
        users = VectorTable(range(len(vectors.user)), vectors.user)
        responses = VectorTable(
            *(range(len(vectors.response)), vectors.response, vectors.bias)
        )
        users.save(self._file(number, "users.npz"))
        responses.save(self._file(number, "responses.npz"))
        facts = {name: getattr(result, name) for name in FACTS}
        write_json(self._file(number, "json"), facts)

    def clear(self) -> None:
        """Forget them all."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, number: int, suffix: str) -> Path:
        return self.folder / f"{number:02d}.{suffix}"
