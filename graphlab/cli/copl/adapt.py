"""``graphlab copl adapt``."""

from pathlib import Path
from typing import Annotated

import typer

from graphlab.cli import options as shared
from graphlab.cli.copl import options


def adapt(
    rule: Annotated[
        str, typer.Option(help="two_hop (CoPL's), mean or fold_in.")
    ] = "two_hop",
    temperature: Annotated[
        float, typer.Option(help="Of two_hop; CoPL's code has 0.07.")
    ] = 0.07,
    normalize: Annotated[
        bool | None,
        typer.Option(
            "--normalize/--no-normalize",
            help="Users' vectors get length 1; default: where there are no biases.",
        ),
    ] = None,
    signed: Annotated[
        bool,
        typer.Option("--signed", help="Who dislikes the same is a neighbour, too."),
    ] = False,
    ridge: Annotated[
        float | None,
        typer.Option(
            help="Strength of fold_in; default: the best on validation pairs."
        ),
    ] = None,
    fallback: Annotated[
        str,
        typer.Option(help="Without neighbours: population_mean, zero or error."),
    ] = "population_mean",
    unknown_responses: Annotated[
        str,
        typer.Option(help="Pairs with a response that the graph lacks: error or drop."),
    ] = "error",
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="Adapt users of your own instead: a table user, winner, loser."
        ),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(help="Only these of the table; repeat, or use commas."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(help="File for their vectors (.npz); with --pairs."),
    ] = None,
    out: options.Out = options.FOLDER,
    force: options.Force = False,
) -> None:
    """Give vectors to unseen users, without training anything."""
    from graphlab.benchmark.copl.adapt_stage import Adaptation
    from graphlab.benchmark.copl.adapt_stage import adapt as run
    from graphlab.errors import ArgumentError

    how = Adaptation(
        *(rule, temperature, normalize, signed, ridge, fallback, unknown_responses)
    )
    if pairs is None:
        if user or to:
            raise ArgumentError("--user and --to go with --pairs, a table of pairs")
        outcome = run(out, how, force=force)
        record, there = outcome.record, " (there already)" if outcome.resumed else ""
        _tell(rule, record["users"], record["neighbors"], record["fallbacks"], there)
        typer.echo(f"vectors by id in {out / 'adapted'}")
        return
    _own(out, how, pairs, shared.names(user), to)


def _own(out: Path, how, pairs: Path, users: list[str], to: Path | None) -> None:
    """Users of a table of one's own."""
    from graphlab.benchmark.copl.adapt_stage import adapt_pairs
    from graphlab.benchmark.copl.graph_stage import adapted_facts
    from graphlab.errors import ArgumentError

    if to is None:
        raise ArgumentError(
            "--to: --pairs needs a file for the vectors, such as new.npz"
        )
    adapted = adapt_pairs(out, pairs, how, _typed(users) or None)
    adapted.table().save(to)
    facts = adapted_facts(adapted)
    _tell(how.rule, len(adapted.ids), facts["neighbors"], facts["fallbacks"], "")
    typer.echo(f"vectors by id in {to}")


def _typed(users: list[str]) -> list[int | str]:
    """Ids as a table has them: what looks like a whole number is one."""
    return [int(u) if u.lstrip("-").isdecimal() else u for u in users]


def _tell(rule: str, users: int, neighbors: float, lost: int, there: str) -> None:
    near = f", made of {neighbors:.0f} known users each" if neighbors else ""
    without = f"; {lost:,} had nothing to go by" if lost else ""
    typer.echo(f"{users:,} new users by {rule}{near}{without}{there}")
