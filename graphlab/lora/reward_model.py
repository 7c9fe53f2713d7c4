"""A reward model: a language model, experts that know the user, a scalar head."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graphlab.errors import ArgumentError
from graphlab.lora._decoder import first_expert_layer, mlp_at, upper_part
from graphlab.lora._files import make_folder, save_tensors
from graphlab.lora._learned_router import LearnedRouter, Routing
from graphlab.lora.gate_context import GateContext, Gates
from graphlab.lora.inject import inject_experts
from graphlab.lora.peft_adapter import PeftAdapter, to_peft, to_peft_adapters
from graphlab.lora.reward_heads import make_head
from graphlab.lora.user_router import UserRouter


class RewardModel(nn.Module):
    r"""A frozen language model with LoRA experts and a scalar head.

    The second stage of `"CoPL: Collaborative Preference Learning for Personalizing
    LLMs" <https://arxiv.org/abs/2503.01658>`_:

    .. math::
        r(x, u) = \mathbf{w}^{\top} \mathbf{h}_{|x|}(x; g(\mathbf{e}_u)) + b, \qquad
        \ell = - \frac{1}{B} \sum_{i=1}^{B} \log \sigma \big( r(x_i^{+}, u_i)
        - r(x_i^{-}, u_i) \big)

    with :math:`\mathbf{h}_{|x|}` the hidden state of the last token that is no padding
    by the attention mask (not by the token's id, which may occur inside a text), and
    :math:`g` the gates that the router makes of the user vector.

    Args:
        backbone: A decoder without its language head, such as ``AutoModel`` loads.
        context: What :func:`inject_experts` has returned for it, or :obj:`None` for a
            backbone without experts.
        router: The router; without one all experts are fully on, for everybody.
        head: ``"linear"``; ``"concat"`` and ``"bilinear"`` look at the user vector
            too, see :class:`ConcatHead` and :class:`BilinearHead`.
        user_channels: Size :math:`d` of a user vector, needed for those heads.
        user_table: Vectors :math:`(n, d)` of all users that are trained along; calls
            then name rows (``users``) in place of vectors.
        balance_weight: Weight of the :func:`load_balancing_loss`.

    Shapes:
        - **input_ids:** tokens :math:`(N, T)`, padded on either side
        - **attention_mask:** :math:`(N, T)`, 0 for padding *(optional)*
        - **user_vectors:** :math:`(N, d)`, or :math:`(N / 2, d)` with a loss
        - **output:** a dictionary: ``rewards`` :math:`(N)`; with a loss, ``rewards``
          :math:`(N / 2, 2)` of winners and losers, and ``loss``

    Raises:
        ArgumentError: If arguments do not fit each other.

    Example:
        >>> from graphlab.lora import tiny_phi3
        >>> model = RewardModel.with_experts(tiny_phi3(), 16, num_experts=4)
        >>> tokens, users = torch.randint(3, 64, (6, 9)), torch.randn(3, 16)
        >>> out = model(tokens, user_vectors=users, return_loss=True)
        >>> out["rewards"].shape, out["loss"].requires_grad
        (torch.Size([3, 2]), True)
    """

    def __init__(
        self,
        backbone: nn.Module,
        context: GateContext | None = None,
        router: LearnedRouter | None = None,
        *,
        head: str = "linear",
        user_channels: int | None = None,
        user_table: Tensor | None = None,
        balance_weight: float = 0.0,
    ):
        super().__init__()
        if router is not None and context is None:
            raise ArgumentError("router needs the context of the experts")
        if user_channels is None:
            user_channels = getattr(router, "user_channels", None)
        self.backbone = backbone.requires_grad_(False)
        for name, parameter in backbone.named_parameters():
            parameter.requires_grad_("lora_" in name)
        self.context, self.router = context, router
        self.head_kind, self.user_channels = head, user_channels
        size = backbone.config.get_text_config().hidden_size
        self.head = make_head(head, size, user_channels)
        table = None if user_table is None else nn.Parameter(user_table.clone())
        self.register_parameter("user_table", table)
        self.balance_weight = balance_weight

    @classmethod
    def with_experts(
        cls,
        backbone: nn.Module,
        user_channels: int,
        *,
        target: str | Sequence[str] = ("q_proj", "v_proj"),
        num_experts: int = 8,
        rank: int | Sequence[int] = 8,
        shared_rank: int = 8,
        layers: Sequence[int] | None = None,
        experts: Mapping[str, Any] | None = None,
        router: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> "RewardModel":
        """A backbone with experts and a :class:`UserRouter` for them.

        Args:
            backbone: A decoder; it is changed in place.
            user_channels: Size of a user vector.
            target: Names of projections, see :func:`inject_experts`.
            num_experts: Number of experts.
            rank: Rank of each.
            shared_rank: Rank of the expert that is always on.
            layers: Decoder layers with experts. Few and late ones leave layers below
                whose output :func:`cache_prefix` can keep.
            experts: Further arguments of :func:`inject_experts`.
            router: Arguments of :class:`UserRouter`; by default the best expert alone
                is on and noise is 0.1.
            **settings: Further arguments of the class.
        """
        context = inject_experts(
            backbone,
            target,
            num_experts=num_experts,
            rank=rank,
            shared_rank=shared_rank,
            layers=layers,
            **(experts or {}),
        )
        chosen = {"top_k": 1, "noise": 0.1, **(router or {})}
        routes = UserRouter(user_channels, context.num_experts, context.sites, **chosen)
        return cls(backbone, context, routes, **settings)

    @property
    def first_expert_layer(self) -> int:
        """Number of layers that know nothing of the user."""
        return first_expert_layer(self.backbone)

    def forward(  # noqa: D102
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        user_vectors: Tensor | None = None,
        users: Tensor | None = None,
        gates: Gates = None,
        prefix: Tensor | None = None,
        return_loss: bool = False,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        tokens = prefix if input_ids is None else input_ids
        if tokens is None or (input_ids is not None and prefix is not None):
            raise ArgumentError("give either input_ids or prefix")
        if return_loss and tokens.size(0) % 2:
            raise ArgumentError(
                "with a loss the batch must hold all winners, then all losers; got "
                f"{tokens.size(0)} rows"
            )
        rows = tokens.size(0) // 2 if return_loss else tokens.size(0)
        user = self._users(user_vectors, users)
        routing = None
        if gates is None and self.context is not None:
            routing, gates = self._route(user, rows, generator)
        copies = 2 if return_loss else 1  # one draw of noise for both of a pair
        hidden = self.last_state(
            input_ids, attention_mask, prefix, _repeat(gates, copies)
        )
        knows = user is not None and self.head_kind != "linear"
        with torch.autocast(hidden.device.type, enabled=False):  # float32
            rewards = self.head(hidden, user.repeat(copies, 1) if knows else None)
        if not return_loss:
            return {"rewards": rewards}
        pairs = rewards.view(2, -1).t()
        return {"loss": self._loss(pairs, routing), "rewards": pairs}

    def _loss(self, rewards: Tensor, routing: Routing | None) -> Tensor:
        loss = -F.logsigmoid(rewards[:, 0] - rewards[:, 1]).mean()
        if self.balance_weight and routing is not None:
            loss = loss + self.balance_weight * routing.balance_loss()
        return loss

    def _users(self, vectors: Tensor | None, rows: Tensor | None) -> Tensor | None:
        if vectors is not None:
            return vectors
        if self.user_table is None:
            return rows  # what a TableRouter looks up
        if rows is None:
            raise ArgumentError("give user_vectors, or users as rows of user_table")
        return self.user_table[rows]

    def _route(
        self, user: Tensor | None, rows: int, generator: torch.Generator | None
    ) -> tuple[Routing | None, Gates]:
        if self.router is None:
            device = self.head_device
            return None, torch.ones(rows, self.context.num_experts, device=device)
        if user is None or len(user) != rows:
            got = "none" if user is None else list(user.shape)
            raise ArgumentError(
                f"user_vectors must have {rows} rows, one per sequence, or per pair if "
                f"there is a loss; got {got}"
            )
        routing = self.router.route(user, generator)
        return routing, routing.gates

    def last_state(
        self,
        input_ids: Tensor | None,
        mask: Tensor | None,
        prefix: Tensor | None,
        gates: Gates,
    ) -> Tensor:
        """Hidden state of the last token that counts, ``[N, H]``, under given gates."""
        tokens = prefix if input_ids is None else input_ids
        if mask is None:
            mask = tokens.new_ones(tokens.shape[:2], dtype=torch.long)
        if mask.shape != tokens.shape[:2]:
            raise ArgumentError(
                f"attention_mask must be {list(tokens.shape[:2])}, "
                f"got {list(mask.shape)}"
            )
        # Positions count from the first token that is there: padding on the left
        # gives what padding on the right gives.
        inputs = {
            "attention_mask": mask,
            "position_ids": (mask.long().cumsum(-1) - 1).clamp(min=0),
        }
        if hasattr(self.backbone.config, "use_cache"):
            inputs["use_cache"] = False
        steps = torch.arange(mask.size(1), device=mask.device)
        last = (steps * mask.bool()).argmax(-1)
        with mlp_at(self.backbone, last):
            states = self._run(input_ids, prefix, gates, inputs)
        return states[torch.arange(len(last), device=last.device), last]

    def _run(
        self,
        input_ids: Tensor | None,
        prefix: Tensor | None,
        gates: Gates,
        inputs: dict[str, Any],
    ) -> Tensor:
        if self.context is None:
            return self._backbone(input_ids, prefix, inputs)
        with self.context.use(gates):
            return self._backbone(input_ids, prefix, inputs)

    def _backbone(
        self, input_ids: Tensor | None, prefix: Tensor | None, inputs: dict[str, Any]
    ) -> Tensor:
        if prefix is None:
            return self.backbone(input_ids=input_ids, **inputs).last_hidden_state
        prefix = prefix.to(self.backbone.dtype)
        with upper_part(self.backbone, self.first_expert_layer, prefix):
            return self.backbone(inputs_embeds=prefix, **inputs).last_hidden_state

    @property
    def head_device(self) -> torch.device:
        """Where the head is, and inputs have to be."""
        return next(self.head.parameters()).device

    # What transformers' Trainer asks a model for.

    def activation_checkpointing_enable(self, **settings: Any) -> None:
        """Keep no activations of decoder layers; run them again in the backward pass.

        Args:
            **settings: Passed on to the backbone, ``activation_checkpointing_kwargs``
                among them.
        """
        self.backbone.activation_checkpointing_enable(**settings)

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: dict | None = None, **settings: Any
    ) -> None:
        """The older name of :meth:`activation_checkpointing_enable`."""
        self.activation_checkpointing_enable(
            activation_checkpointing_kwargs=gradient_checkpointing_kwargs, **settings
        )

    @property
    def _keys_to_ignore_on_save(self) -> list[str]:
        return [name for name in self.state_dict() if not is_trained(name)]

    def tie_weights(self) -> None:
        """Nothing is tied."""

    def trained_state(self) -> dict[str, Tensor]:
        """The state without the backbone's frozen weights."""
        state = self.state_dict()
        return {name: each for name, each in state.items() if is_trained(name)}

    def to_peft(self, user_vector: Tensor, prefix: str = "") -> PeftAdapter:
        """The experts of one user, merged into one ordinary LoRA adapter.

        Args:
            user_vector: The user's vector ``[d]``.
            prefix: See :func:`to_peft`.
        """
        if self.router is None:
            one = torch.ones(self.context.num_experts, device=self.head_device)
            return to_peft(self.backbone, one, prefix)
        training = self.router.training
        self.router.eval()  # no noise
        try:
            with torch.no_grad():
                gates = self.router(user_vector[None].to(self.head_device))
        finally:
            self.router.train(training)
        return to_peft(self.backbone, {s: g[0] for s, g in gates.items()}, prefix)

    def to_peft_adapters(self, prefix: str = "") -> dict[str, PeftAdapter]:
        """Each expert as an adapter, see :func:`to_peft_adapters`."""
        return to_peft_adapters(self.backbone, prefix)

    def save_peft_adapters(self, folder: str | Path, prefix: str = "") -> Path:
        """Write each expert as an adapter's folder, and ``router.safetensors``.

        Args:
            folder: Folder, made if it is not there.
            prefix: See :func:`to_peft`.

        Raises:
            GraphlabError: If ``peft`` is not installed or the folder cannot be
                written to.
        """
        folder = make_folder(folder)
        for name, adapter in self.to_peft_adapters(prefix).items():
            adapter.save(folder / name)
        if self.router is not None:
            save_tensors(self.router.state_dict(), folder / "router.safetensors")
        return folder

    def save_pretrained(self, folder: str | Path, save_backbone: bool = False) -> Path:
        """Write settings and trained weights, as JSON and safetensors.

        Args:
            folder: Folder, made if it is not there.
            save_backbone: Write the frozen weights too, so that the folder is all
                that :meth:`from_pretrained` needs.

        Raises:
            GraphlabError: If the folder cannot be written to.
        """
        from graphlab.lora.storage import save_reward_model

        return save_reward_model(self, folder, save_backbone)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, backbone: nn.Module | None = None
    ) -> "RewardModel":
        """Read what :meth:`save_pretrained` has written.

        Args:
            folder: The folder.
            backbone: The frozen decoder; by default the one that was saved along, or
                else is loaded from where the original came from.

        Raises:
            GraphlabError: If a file is missing or damaged, or no backbone can be had.
            ArgumentError: If the backbone is another one than in training.
        """
        from graphlab.lora.storage import load_reward_model

        return load_reward_model(folder, backbone)


def is_trained(name: str) -> bool:
    """Whether a tensor of the state belongs to what is trained."""
    return not name.startswith("backbone.") or "lora_" in name


def _repeat(gates: Gates, copies: int) -> Gates:
    if gates is None or copies == 1:
        return gates
    if isinstance(gates, Tensor):
        return torch.cat([gates] * copies)
    made: dict[int, Tensor] = {}  # sites share tensors if they share a router
    for each in gates.values():
        if id(each) not in made:
            made[id(each)] = torch.cat([each] * copies)
    return {site: made[id(each)] for site, each in gates.items()}
