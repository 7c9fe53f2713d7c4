"""Settings of a reward model: what it knows of the user, and how it is trained."""

from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from graphlab.errors import ArgumentError

#: How the user comes in -> the head of the reward model.
METHODS = {
    "agnostic": "linear",
    "concat": "concat",
    "bilinear": "bilinear",
    "experts": "linear",
}
USER_SCALES = ("unit", "standard", "given")


#: Method -> settings that did best on validation pairs, of SmolLM2 with answers of
#: different style, on a seed that no table has.
TUNED: dict[str, dict[str, Any]] = {
    "agnostic": {"lr": 1e-3},
    "concat": {"lr": 3e-3, "user_length": 5.0},
    "bilinear": {"lr": 1e-3},
    "experts": {"lr": 3e-3, "balance_weight": 0.1},
}
#: A head on a frozen model costs next to nothing: more and larger steps.
HEAD_ALONE: dict[str, Any] = {"steps": 1500, "batch_size": 128, "lr": 3e-3}


def tuned(method: str, layers: int = 1) -> dict[str, Any]:
    """Settings for a method that did best where they were tried.

    Args:
        method: The method.
        layers: Number of layers with LoRA.
    """
    return TUNED.get(method, {}) | (HEAD_ALONE if layers == 0 else {})


@dataclass(frozen=True)
class RewardTraining:
    """Those of the settings that a recipe has under ``training``."""

    steps: int = 300
    batch_size: int = 24
    lr: float = 1e-3
    weight_decay: float = 1e-3
    balance_weight: float = 0.0


@dataclass(frozen=True)
class RewardConfig:
    r"""How a reward model is made and trained.

    All methods of the same ``layers`` train LoRA of the same total rank,
    ``num_experts * rank + shared_rank``, in the same projections, on the same batches.

    Args:
        method: ``"agnostic"`` does not know the user. ``"concat"`` has the user vector
            beside the last hidden state in the head, ``"bilinear"`` the product of
            the two; ``"experts"`` (CoPL) mixes LoRA experts by it.
        backbone: ``"smollm2"``; ``"tiny-phi3"``, ``"tiny-phi4"`` or ``"tiny-llama"``
            (random weights, words by hash); or a folder or hub id.
        layers: Number of decoder layers, the last ones, that have LoRA. What lies below
            is computed once per response. ``0`` trains the head alone.
        num_experts: Number of experts; the best one is on for a user.
        rank: Rank of each expert.
        shared_rank: Rank of the expert that is always on.
        user_scale: What is done to user vectors first. ``"unit"``: each gets length
            :math:`\sqrt{d}`. ``"standard"``: the seen users' mean is taken off and all
            are divided by what is left as root mean square. ``"given"``: nothing.
        user_length: Factor on what comes out of that. ``"concat"`` wants a user vector
            about as long as the hidden state beside it (45 in SmolLM2).
        balance_weight: Weight of the load balancing loss of the experts.
        max_length: Tokens beyond are cut off.
        steps: Optimizer steps.
        batch_size: Pairs of a step.
        lr: Highest learning rate of AdamW.
        weight_decay: Its weight decay.
        seed: Seed of initial weights, order of pairs and noise of the router.

    Raises:
        ArgumentError: If a value is not accepted.
    """

    method: str = "experts"
    backbone: str = "smollm2"
    layers: int = 1
    num_experts: int = 4
    rank: int = 8
    shared_rank: int = 8
    user_scale: str = "unit"
    user_length: float = 1.0
    balance_weight: float = 0.0
    max_length: int = 128
    steps: int = 300
    batch_size: int = 24
    lr: float = 1e-3
    weight_decay: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, accepted in (("method", METHODS), ("user_scale", USER_SCALES)):
            if getattr(self, name) not in accepted:
                raise ArgumentError(
                    f"{name} must be one of {', '.join(accepted)}, "
                    f"got {getattr(self, name)!r}"
                )
        least = {"layers": 0, "shared_rank": 0, "seed": 0, "max_length": 2}
        for name in ("num_experts", "rank", "steps", "batch_size", *least):
            value, low = getattr(self, name), least.get(name, 1)
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                raise ArgumentError(
                    f"{name} must be a whole number >= {low}, got {value!r}"
                )
        for name in ("lr", "user_length", "weight_decay", "balance_weight"):
            value, positive = getattr(self, name), name in ("lr", "user_length")
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value < inf or (positive and value == 0):
                kind = "positive" if positive else "not negative"
                raise ArgumentError(f"{name} must be {kind} and finite, got {value!r}")
        if not isinstance(self.backbone, str) or not self.backbone:
            raise ArgumentError(
                f"backbone must be a name, folder or hub id, got {self.backbone!r}"
            )
        if self.method == "experts" and self.layers == 0:
            raise ArgumentError("layers must be at least 1 for method 'experts'")

    @property
    def total_rank(self) -> int:
        """Rank of all experts together, or of the one LoRA of the other methods."""
        return self.num_experts * self.rank + self.shared_rank

    @property
    def personal(self) -> bool:
        """Whether the reward depends on the user."""
        return self.method != "agnostic"

    def as_dict(self) -> dict[str, Any]:
        """The settings, for a JSON file."""
        return asdict(self)
