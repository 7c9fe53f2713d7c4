"""``graphlab copl adapt``: vectors of unseen users, without training."""

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.copl.graph_stage import (
    adapted_facts,
    choose_ridge,
    has_plain_users,
)
from graphlab.benchmark.copl.records import (
    Outcome,
    found_record,
    made_by,
    write_record,
)
from graphlab.benchmark.copl.run_folder import RunFolder
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

    from graphlab.preference import AdaptedUsers, PreferenceSplit, PreferenceVectors


@dataclass(frozen=True)
class Adaptation:
    """How a new user gets a vector; see :func:`graphlab.preference.adapt_unseen_users`.

    Args:
        rule: ``"two_hop"`` (CoPL's), ``"mean"`` or ``"fold_in"``.
        temperature: Of ``two_hop``.
        normalize: Whether users' vectors are brought to length 1; by default where the
            model has no biases, and never for ``fold_in``.
        signed: Whether those who dislike the same are neighbours, too.
        ridge: Strength of ``fold_in``; by default the best on validation pairs of seen
            users.
        fallback: What a user without neighbours gets.
        unknown_responses: Pairs with a response that the graph lacks are an
            ``"error"``, or left out (``"drop"``).
    """

    rule: str = "two_hop"
    temperature: float = 0.07
    normalize: bool | None = None
    signed: bool = False
    ridge: float | None = None
    fallback: str = "population_mean"
    unknown_responses: str = "error"

    def check(self) -> None:
        """Refuse what there is none of, before anything is read.

        Raises:
            ArgumentError: The message names the option.
        """
        from graphlab.preference.adapt import check_options

        options = asdict(self)
        del options["normalize"], options["signed"]
        if self.ridge is None:
            del options["ridge"]
        check_options(**options)

    def options(
        self, vectors: "PreferenceVectors", split: "PreferenceSplit"
    ) -> dict[str, Any]:
        """Arguments for ``adapt_unseen_users``, defaults filled in."""
        options = asdict(self)
        if self.normalize is None:
            options["normalize"] = has_plain_users(vectors) and self.rule != "fold_in"
        if self.ridge is None:
            del options["ridge"]
            if self.rule == "fold_in":
                options["ridge"] = choose_ridge(vectors, split.graph(), split)
        return options


def adapt(
    folder: str | Path, how: Adaptation | None = None, *, force: bool = False
) -> Outcome:
    """Give vectors to all unseen users of a run.

    Args:
        folder: The folder of the run, with a trained graph model.
        how: The rule and its options.
        force: Whether to do it again where the options differ from those of before.

    Raises:
        ArgumentError: A value is out of its range.
        StoreError: A stage is missing, or a file damaged.
    """
    run, how = RunFolder(folder), how or Adaptation()
    how.check()
    run.current("graph", "split")
    made_from = {"graph": run.current_id("graph")}
    file = run.path / "adapted" / "adapt.json"
    if resumed := found_record(file, asdict(how), made_from, force):
        return Outcome(resumed, resumed=True)
    split, vectors = run.split(), run.vectors()
    if not len(split.unseen_users):
        raise ArgumentError(
            f"{run.path}: its source has no unseen users; adapt some of your own from "
            "a table of their pairs (--pairs)"
        )
    options = how.options(vectors, split)
    adapted = adapt_split(vectors, split, options)
    file.unlink(missing_ok=True)
    adapted.table().save(file.parent / "users.npz")
    lost = [u for u, no in zip(adapted.ids.ids, adapted.fallback, strict=True) if no]
    record = write_record(
        *(file, asdict(how), made_from, ("users.npz",)),
        options=options,
        users=len(adapted.ids),
        pairs=len(split.adapt),
        **adapted_facts(adapted),
        fallback_users=lost[:20],
        **made_by(),
    )
    return Outcome(record, resumed=False)


def adapt_pairs(
    folder: str | Path,
    pairs: "pd.DataFrame | str | Path",
    how: Adaptation | None = None,
    users: Sequence[Hashable] | None = None,
) -> "AdaptedUsers":
    """Vectors of users of one's own, from a table of their pairs.

    Args:
        folder: The folder of the run, with a trained graph model.
        pairs: A table or file with the columns ``user``, ``winner``, ``loser``.
        how: The rule and its options.
        users: Only these of the table's users; by default all.

    Raises:
        ArgumentError: A user has no pair, or a response was never seen; the message
            names them.
        StoreError: A stage is missing, or a file damaged.
    """
    from graphlab.preference.ids import IdMap
    from graphlab.preference.tables import read_table

    run, how = RunFolder(folder), how or Adaptation()
    how.check()
    run.current("graph", "split")
    table = read_table(pairs, ("user", "winner", "loser"))
    if users is not None:
        known = IdMap(table["user"].drop_duplicates(), "user")
        known.rows(users, "the table of pairs")
        table = table[table["user"].isin(list(users))]
    split, vectors = run.split(), run.vectors()
    return _adapt(vectors, split, table, users, how.options(vectors, split))


def adapt_split(
    vectors: "PreferenceVectors", split: "PreferenceSplit", options: dict[str, Any]
) -> "AdaptedUsers":
    """Vectors of all unseen users of a split.

    Those without a pair, since all their responses are new, get the fall-back.

    Raises:
        ArgumentError: There are such users, and the fall-back is an error.
    """
    import torch

    from graphlab.preference.ids import IdMap

    have = split.unseen_users.isin(split.adapt["user"])
    silent = split.unseen_users[~have]
    if have.all():
        return _adapt(vectors, split, split.adapt, split.unseen_users, options)
    if options["fallback"] == "error" or not have.any():
        raise ArgumentError(
            f"fallback: {len(silent):,} of {len(have):,} unseen users have no pair of "
            f"responses in the graph, the first is {silent[0]!r}"
        )
    adapted = _adapt(vectors, split, split.adapt, split.unseen_users[have], options)
    center = (vectors.unit() if options["normalize"] else vectors).user.mean(0)
    center = center * (options["fallback"] != "zero")
    none, yes = torch.zeros(len(silent)).long(), torch.ones(len(silent)).bool()
    return replace(
        adapted,
        ids=IdMap([*adapted.ids.ids, *silent], "user"),
        vectors=torch.cat([adapted.vectors, center.expand(len(silent), -1)]),
        num_neighbors=torch.cat([adapted.num_neighbors, none]),
        fallback=torch.cat([adapted.fallback, yes]),
    )


def _adapt(vectors, split: "PreferenceSplit", pairs, users, options: dict[str, Any]):
    from graphlab.preference import adapt_unseen_users

    return adapt_unseen_users(vectors, split.graph(), pairs, users=users, **options)
