"""``graphlab copl train-reward``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphlab.cli.copl import options

if TYPE_CHECKING:
    from graphlab.benchmark.copl.reward_config import RewardConfig


def train_reward(
    method: Annotated[
        str,
        typer.Option(
            help="How the user comes in: experts, bilinear, concat, agnostic."
        ),
    ] = "experts",
    backbone: Annotated[
        str,
        typer.Option(
            help="smollm2, tiny-phi3, tiny-phi4, tiny-llama, or a folder or hub id."
        ),
    ] = "smollm2",
    layers: Annotated[
        int, typer.Option(help="Last layers with LoRA; 0 trains the head alone.")
    ] = 1,
    steps: Annotated[
        int | None,
        typer.Option(help="Optimizer steps. Default: 300, 1500 for a head alone."),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Pairs of a step. Default: 24, 128 for a head alone."),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(help="Highest learning rate. Default: the method's best so far."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights and order of pairs.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A further setting, e.g. num_experts=8, rank=4 or max_length=256.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the model in the run; default: its method."),
    ] = None,
    out: options.Out = options.FOLDER,
    force: options.Force = False,
) -> None:
    """Train a reward model on texts, with the user vectors of the graph model.

    Needs the extra `lm`. Layers below those that are trained are computed once a
    response and kept in the folder.
    """
    from graphlab.benchmark.copl.reward_backbones import quiet
    from graphlab.benchmark.copl.reward_run import default_name, train_run_reward

    settings = dict(method=method, backbone=backbone, layers=layers, seed=seed)
    settings |= dict(steps=steps, batch_size=batch_size, lr=lr)
    config = _config(out, settings, options.assignments(set_))
    quiet()
    with options.resumable(), options.shown() as listener:
        outcome = train_run_reward(out, config, name, force=force, listener=listener)
    record = outcome.record
    there = "there already" if outcome.resumed else f"{record['cpu_seconds']:.0f} s"
    val = record["val_accuracy"]
    words = "" if val is None else f"; accuracy on validation pairs {val:.3f}"
    called = name or default_name(config)
    typer.echo(
        f"{called}: {method} on {backbone}, {record['num_parameters']:,} weights "
        f"trained for {config.steps} steps{words} ({there})"
    )
    typer.echo(
        f"model in {out / 'rewards' / called}; next: graphlab copl evaluate --out {out}"
    )


def _config(
    out: Path, settings: dict[str, Any], more: dict[str, Any]
) -> "RewardConfig":
    """The settings, where not given those that did best, users as the graph means them.

    Raises:
        ArgumentError: A setting is unknown or given twice, or a value not accepted.
        StoreError: There is no graph model.
    """
    from dataclasses import fields, replace

    from graphlab.benchmark.copl.reward_config import RewardConfig, tuned
    from graphlab.benchmark.copl.reward_run import default_scale
    from graphlab.benchmark.toml_reader import nearest
    from graphlab.errors import ArgumentError

    for key in more:
        if key in settings:
            option = key.replace("_", "-")
            raise ArgumentError(f"--set {key}: there is the option --{option} for it")
        known = [f.name for f in fields(RewardConfig) if f.name not in settings]
        if key not in known:
            raise ArgumentError(f"--set {key}: unknown; {nearest(key, known)}")
    given = {key: value for key, value in settings.items() if value is not None} | more
    chosen = tuned(settings["method"], settings["layers"]) | given
    config = RewardConfig(**chosen)  # before anything is read
    if "user_scale" in more:
        return config
    return replace(config, user_scale=default_scale(out))
