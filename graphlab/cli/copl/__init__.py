"""``graphlab copl``: the stages of CoPL on one folder."""

import typer

from graphlab.cli.copl.adapt import adapt
from graphlab.cli.copl.evaluate import evaluate
from graphlab.cli.copl.train_graph import train_graph
from graphlab.cli.copl.train_reward import train_reward

app = typer.Typer(no_args_is_help=True)
app.command("train-graph")(train_graph)
app.command()(adapt)
app.command("train-reward")(train_reward)
app.command()(evaluate)
