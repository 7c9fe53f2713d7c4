"""The models of the graph part, and the settings of each that are tried.

Nothing here imports torch: classes are named by import path.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphlab.benchmark.imports import resolve
from graphlab.benchmark.toml_reader import check_kind, nearest
from graphlab.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphlab.preference import PreferenceModel
    from graphlab.training import PreferenceConfig

#: The fields of ``graphlab.training.PreferenceConfig``; a test holds the two equal.
CONFIG_KEYS: dict[str, type] = {
    "epochs": int,
    "batch_size": int,
    "lr": float,
    "weight_decay": float,
    "warmup": float,
    "schedule": str,
    "evaluate_every": int,
    "patience": int,
}
#: Weight of the regularization per pair, and the vectors that it is on.
PENALTY_KEYS: dict[str, type] = {"penalty": float, "penalty_on": str}
#: What a setting may hold beside arguments of the model.
SETTING_KEYS = CONFIG_KEYS | PENALTY_KEYS

DIM = 64
#: All models: at most 200 steps on all pairs at once, ended after 75 without a better
#: validation accuracy.
TRAINING = {"epochs": 200, "patience": 75}


@dataclass(frozen=True)
class GraphModel:
    """A class of preference models and the settings to choose from.

    Args:
        path: Import path ``module:Class``; called with the numbers of users and
            responses.
        args: Arguments of the model.
        training: Settings of the training (``SETTING_KEYS``).
        choose: What to try: settings of the training or arguments of the model, which
            win over those above.
    """

    path: str
    args: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    choose: Sequence[Mapping[str, Any]] = ({},)

    def settings(self) -> list[dict[str, Any]]:
        """All settings that are tried, each whole."""
        return [{**self.args, **self.training, **one} for one in self.choose or ({},)]

    def fixed(self, changes: Mapping[str, Any]) -> "GraphModel":
        """The same with values that are not chosen; equal settings are tried once.

        Args:
            changes: Values by name, of the training or of the model.
        """
        training = {k: v for k, v in changes.items() if k in SETTING_KEYS}
        args = {k: v for k, v in changes.items() if k not in SETTING_KEYS}
        rest = [
            {k: v for k, v in one.items() if k not in changes}
            for one in self.choose or ({},)
        ]
        different = [one for n, one in enumerate(rest) if one not in rest[:n]]
        return GraphModel(
            self.path, {**self.args, **args}, {**self.training, **training}, different
        )

    def build(
        self, sizes: tuple[int, int], tried: Mapping[str, Any]
    ) -> "tuple[Callable[[], PreferenceModel], PreferenceConfig]":
        """A function that makes the model, and how it is trained.

        Args:
            sizes: Numbers of users and responses.
            tried: One of ``choose``.

        Raises:
            ArgumentError: A value is out of its range, or the model does not take it.
        """
        from graphlab.preference import Regularizer
        from graphlab.training import PreferenceConfig

        merged = {**self.args, **self.training, **tried}
        for key, kind in SETTING_KEYS.items():
            if merged.get(key) is not None:
                check_kind(key, merged[key], kind)
        config = {key: merged.pop(key) for key in CONFIG_KEYS if key in merged}
        on = merged.pop("penalty_on", "final")
        if "penalty" in merged:
            weight = merged.pop("penalty")
            merged["regularizer"] = Regularizer(weight, on=on, reduce="mean")
        cls = resolve(self.path)
        return lambda: _made(cls, sizes, merged), PreferenceConfig(**config)


def _made(cls: type, sizes: tuple[int, int], arguments: dict) -> "PreferenceModel":
    try:
        return cls(*sizes, **arguments)
    except TypeError as error:
        raise ArgumentError(f"model: {error}") from None


def grid(**choices: Sequence[Any]) -> list[dict[str, Any]]:
    """All combinations of values."""
    names = list(choices)
    return [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*choices.values())
    ]


_COPL = [
    {"lr": 0.003, "num_layers": 2},  # these three with the release's regularization
    {"lr": 0.003, "num_layers": 4},
    {"lr": 0.001, "num_layers": 4},
    {"lr": 0.003, "num_layers": 4, "penalty": 0.03},
    {"lr": 0.003, "num_layers": 6, "penalty": 0.03},
    {"lr": 0.003, "num_layers": 6, "penalty": 0.1},
]
_PLAIN = TRAINING | {"weight_decay": 0.0}
_DECAY = TRAINING | {"weight_decay": 0.01}
_OF = "graphlab.preference:"
#: Name -> model. Six settings of each, picked on a seed that no table has, where some
#: two dozen of each model were tried.
MODELS: dict[str, GraphModel] = {
    "BT": GraphModel(
        f"{_OF}BradleyTerry",
        {},
        _PLAIN,
        grid(lr=(0.03,), penalty=(0.0, 0.001, 0.01, 0.03, 0.1, 0.3)),
    ),
    "MF": GraphModel(
        f"{_OF}MFBPR",
        {"dim": DIM},
        _PLAIN,
        grid(lr=(0.03,), penalty=(0.01, 0.03, 0.06, 0.1, 0.15, 0.2)),
    ),
    "LightGCN": GraphModel(
        f"{_OF}LightGCN",
        {"dim": DIM},
        _PLAIN | {"penalty_on": "initial"},
        grid(lr=(0.01,), num_layers=(3, 6), penalty=(0.001, 0.01, 0.03)),
    ),
    "signed LightGCN": GraphModel(
        f"{_OF}SignedLightGCN",
        {"dim": DIM},
        _PLAIN,
        grid(lr=(0.01,), num_layers=(1, 3), penalty=(0.03, 0.1, 0.15)),
    ),
    "CoPL-GCF released": GraphModel(
        f"{_OF}CoPLGCF", {"dim": DIM, "variant": "released"}, _DECAY, _COPL
    ),
    "CoPL-GCF paper": GraphModel(
        f"{_OF}CoPLGCF", {"dim": DIM, "variant": "paper"}, _DECAY, _COPL
    ),
}


def graph_model(name: str) -> GraphModel:
    """A model by its name in the tables.

    Raises:
        ArgumentError: There is none of that name.
    """
    return MODELS[model_name(name)]


def model_name(name: str) -> str:
    """The name as the tables have it; case does not matter.

    Raises:
        ArgumentError: There is none of that name.
    """
    by_lower = {each.lower(): each for each in MODELS}
    if name.lower() not in by_lower:
        hint = nearest(name, list(MODELS))
        raise ArgumentError(f"model: unknown {name!r}; {hint}")
    return by_lower[name.lower()]
