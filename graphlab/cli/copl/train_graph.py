"""``graphlab copl train-graph``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphlab.cli import options as shared
from graphlab.cli.copl import options

if TYPE_CHECKING:
    from graphlab.benchmark.copl.train_graph import Outcome


def train_graph(
    source: Annotated[
        str,
        typer.Option(
            help="Where pairs come from: uf2, uf2-noise, uf4, uf4-noise, style, "
            "jester, jester-disjoint, ultrafeedback-p-2, ultrafeedback-p-4, tldr, "
            "personal-llm, or pairs (a table of your own)."
        ),
    ] = "uf2",
    annotations: Annotated[
        int | None,
        typer.Option(
            help="Pairs each user annotates, at least 2; default: the source's."
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="The graph model: CoPL-GCF released, CoPL-GCF paper, signed LightGCN, "
            "LightGCN, MF or BT."
        ),
    ] = "CoPL-GCF released",
    beside: Annotated[
        list[str] | None,
        typer.Option(
            help="Models to compare with; repeat, or use commas. Default: MF,BT; "
            "'none' for none."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of users, pairs and weights.")] = 0,
    path: Annotated[
        Path | None,
        typer.Option(help="Table of pairs, or the folder with preferences/."),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(help="Table with the texts of a table of pairs: response, text."),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER", help="A size of the source, e.g. num_users=500."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the model that is not to be chosen, e.g. epochs=50.",
        ),
    ] = None,
    out: options.Out = options.FOLDER,
    force: options.Force = False,
    data_root: shared.DataRoot = None,
) -> None:
    """Draw users and pairs, and train the graph model on them.

    Of several settings the best on validation pairs is kept. Vectors are kept by id.
    """
    from graphlab.benchmark.copl.train_graph import BESIDE, SplitSettings
    from graphlab.benchmark.copl.train_graph import train_graph as run

    settings = SplitSettings(
        source=source,
        annotations=annotations,
        seed=seed,
        path=str(path) if path else None,
        texts=str(texts) if texts else None,
        sizes=options.assignments(size, "--size"),
    )
    others = BESIDE if beside is None else shared.names(beside)
    with options.resumable(), options.shown() as listener:
        outcomes = run(
            *(out, settings, model),
            beside=[name for name in others if name != "none"],
            fixed=options.assignments(set_),
            data_root=data_root,
            force=force,
            listener=listener,
        )
    _tell(outcomes, out)


def _tell(outcomes: "dict[str, Outcome]", out: Path) -> None:
    from graphlab.benchmark.copl.evaluate_stage import about
    from graphlab.benchmark.copl.run_folder import RunFolder

    typer.echo(about(RunFolder(out)))
    sizes = outcomes.pop("split").record["sizes"]
    pairs = f"{sizes['val']:,} validation pairs"
    for name, outcome in outcomes.items():
        typer.echo(f"{name}: {_chosen(outcome, pairs)}")
    typer.echo(
        f"vectors by id in {out / 'graph'}; next: graphlab copl adapt --out {out}"
    )


def _chosen(outcome: "Outcome", pairs: str) -> str:
    """The chosen setting of a model, and what made it the best."""
    record = outcome.record
    setting = ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in record["setting"].items()
    )
    there = "there already" if outcome.resumed else f"{record['cpu_seconds']:.1f} s"
    return (
        f"{setting or 'the only setting'}; accuracy {record['val_accuracy']:.3f} on "
        f"{pairs} at epoch {record['best_epoch'] + 1} ({there})"
    )
