"""Models of several depths, measured before and during training."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch_geometric.data import Data

from graphlab.analysis.layers import At, Layers
from graphlab.analysis.lipschitz import lipschitz_product
from graphlab.analysis.profile import LayerProfile, gradient_profile
from graphlab.errors import ArgumentError, GraphlabError

if TYPE_CHECKING:
    import pandas as pd

Factory = Callable[[int], nn.Module]
Trainer = Callable[[nn.Module], Callable[[int], None]]
#: Which columns sum up a profile: those of the first layer, and of the last.
FIRST = (
    "gradient_norm",
    "gradient_relative_distance_to_constant",
    "gradient_relative_distance_to_degree_subspace",
)
LAST = (
    "norm",
    "dirichlet_energy",
    "relative_dirichlet_energy",
    "mean_cosine_similarity",
    "relative_distance_to_constant",
    "relative_distance_to_degree_subspace",
)
#: What tells the rows of a diagnosis apart, beside the layer.
KEYS = ("model", "depth", "epoch")


@dataclass(frozen=True)
class Diagnosis:
    """What :func:`diagnose` measured.

    Attributes:
        rows: One dictionary per model, depth, epoch and call of a layer.
        seed: The seed of all models.
    """

    rows: tuple[dict[str, Any], ...]
    seed: int

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per model, depth, epoch and call of a layer."""
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def summary(self) -> "pd.DataFrame":
        """One row per model, depth and epoch.

        Columns of gradients are those of the first layer, where gradients arrive last;
        those of representations belong to the last layer. ``gradient_norm_last`` is the
        gradient's norm at the last layer.
        """
        import pandas as pd

        return pd.DataFrame([_summed_up(rows) for rows in _groups(self.rows)])


def diagnose(
    models: Mapping[str, Factory],
    data: Data,
    depths: Iterable[int],
    epochs: Iterable[int] = (0,),
    seed: int = 0,
    trainer: Trainer | None = None,
    layers: Layers = None,
    at: At = "input",
    progress: Callable[[str, int, int], None] | None = None,
) -> Diagnosis:
    """Measure each layer of models of several depths, at first or over training.

    Each model is made after the random numbers were seeded, measured as by
    :func:`gradient_profile` on the training nodes, and its :func:`lipschitz_product` is
    taken (column ``log10_lipschitz_product``). The same seed gives the same figures bit
    for bit on CPU.

    Args:
        models: From a name to a function of the number of layers that makes the model.
        data: A graph with ``x``, ``edge_index``, ``y`` and ``train_mask``.
        depths: Numbers of layers.
        epochs: After how many epochs of training to measure; 0 is the initialization.
        seed: Seed of initial weights, and of what ``trainer`` draws.
        trainer: Called with a model; returns a function that trains it for a number of
            further epochs. Needed only if ``epochs`` asks for training.
        layers: Which modules are layers, see :func:`find_layers`.
        at: Measure what enters a layer or what leaves it.
        progress: Called with a text, how many models are done, and how many there are.

    Returns:
        All measures. What overflowed is there as infinite or NaN.

    Raises:
        ArgumentError: If an argument is not accepted, or a model cannot be made or run;
            the message says which.

    Example:
        >>> from torch_geometric.datasets import FakeDataset
        >>> from torch_geometric.nn import GCN
        >>> data = FakeDataset(1, task="node")[0]
        >>> data.train_mask = data.y >= 0
        >>> make = lambda depth: GCN(64, 8, depth, out_channels=10)
        >>> diagnose({"GCN": make}, data, depths=[2, 4]).summary().shape[0]
        2
    """
    depths = _whole_numbers("depths", depths, 1)
    epochs = sorted(_whole_numbers("epochs", epochs, 0))
    if epochs[-1] and trainer is None:
        raise ArgumentError("epochs after training need a trainer")
    if not models:
        raise ArgumentError("models must name at least one model")
    rows: list[dict[str, Any]] = []
    pairs = [(name, depth) for name in models for depth in depths]
    for done, (name, depth) in enumerate(pairs):
        if progress:
            progress(f"{name}, {depth} layers", done, len(pairs))
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = models[name](depth).to(data.x.device)
                stages = _stages(model, data, epochs, trainer, layers, at)
                for epoch, found in stages:
                    head = dict(zip(KEYS, (name, depth, epoch), strict=True))
                    rows += [head | row for row in found]
        except (GraphlabError, MemoryError) as error:
            if isinstance(error, ArgumentError):
                problem = f"{name} with {depth} layers: {error}"
                raise ArgumentError(problem) from error
            raise
        except Exception as error:
            kind = f"{type(error).__name__}: {error}"
            raise ArgumentError(f"{name} with {depth} layers: {kind}") from error
    return Diagnosis(tuple(rows), seed)


def _stages(
    model: nn.Module,
    data: Data,
    epochs: Sequence[int],
    trainer: Trainer | None,
    layers: Layers,
    at: At,
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The rows of a model after each number of epochs."""
    advance, done = trainer(model) if epochs[-1] else None, 0
    for epoch in epochs:
        if epoch > done:
            advance(epoch - done)
            done = epoch
        profile = gradient_profile(
            model, data.x, data.edge_index, data.y, data.train_mask, layers, at
        )
        bound = {"log10_lipschitz_product": _product(model, layers, profile)}
        yield epoch, [row | bound for row in profile.rows]


def _product(model: nn.Module, layers: Layers, profile: LayerProfile) -> float:
    """Over as many calls as were seen; NaN for states that a model names itself."""
    try:
        calls = Counter(row["layer"] for row in profile.rows)
        product = lipschitz_product(model, layers, calls=calls)
        return product.log10 if set(calls) <= set(product.factors) else float("nan")
    except ArgumentError:
        return float("nan")


def _whole_numbers(name: str, values: Iterable[int], least: int) -> list[int]:
    values = list(dict.fromkeys(values))
    bad = [v for v in values if type(v) is not int or v < least]
    if bad or not values:
        got = repr(bad[0]) if bad else "none"
        raise ArgumentError(
            f"{name} must be whole numbers of at least {least}, got {got}"
        )
    return values


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    found: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in KEYS), []).append(row)
    yield from found.values()


def _summed_up(rows: list[dict[str, Any]]) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    return {
        **{key: first[key] for key in KEYS},
        **{name: first[name] for name in FIRST},
        "gradient_norm_last": last["gradient_norm"],
        **{name: last[name] for name in LAST},
        "log10_lipschitz_product": first["log10_lipschitz_product"],
    }
