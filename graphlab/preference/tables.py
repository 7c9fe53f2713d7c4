"""Tables of pairs: data frames, or files that hold one."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from graphlab.errors import ArgumentError


def read_table(
    table: pd.DataFrame | str | Path, columns: Sequence[str] = ()
) -> pd.DataFrame:
    """A data frame, from a parquet, CSV or JSON-lines file if it is not one already.

    Args:
        table: The data frame or path.
        columns: Columns that must be there.

    Raises:
        ArgumentError: If the file cannot be read or a column is not there.
    """
    if not isinstance(table, pd.DataFrame):
        table = _read(Path(table))
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ArgumentError(
            f"table must have the columns {', '.join(columns)}; it lacks "
            f"{', '.join(missing)} and has {', '.join(map(str, table.columns))}"
        )
    return table


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix in (".jsonl", ".json"):
            return pd.read_json(path, lines=path.suffix == ".jsonl")
        if path.suffix == ".csv":
            return pd.read_csv(path)
    except ImportError as error:
        raise ArgumentError(
            f"table: {path} needs a reader of parquet files: pip install "
            "graphlab-pyg[parquet]"
        ) from error
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArgumentError(f"table: {path} cannot be read: {reason}") from error
    raise ArgumentError(
        f"table must be a data frame or a .parquet, .csv, .json or .jsonl file, got "
        f"{path}"
    )
