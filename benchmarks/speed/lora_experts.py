"""Time a training step with LoRA experts against one LoRA and a loop over experts.

    python benchmarks/speed/lora_experts.py                       # some minutes
    python benchmarks/speed/lora_experts.py --cases llama-576     # a minute

The decoders have random weights, widths of real models and a few layers. Experts are on
the query and value projections of every layer, on Phi also on the fused projection as
one: 8 of rank 8 and a shared one of rank 8 each, so 72 in total. A step is forward
pass, Bradley-Terry loss of pairs of responses, backward pass and AdamW. Times are CPU
time of all threads; methods take turns, one step each per round, and medians over
rounds are shown.

Peers: PEFT's LoRA of rank 72, or of 144 on Phi's fused projection where query and value
have experts of their own (what the experts would cost without gates, routers or users);
and a loop over experts written from the description of CoPL's released scheme:
in every projection a router, the best expert of each sample, a pass per expert over
the samples that chose it, and their outputs put together again. The loop's rewards are
compared with ours at equal weights.
"""

import argparse
import copy
import datetime
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaModel, Phi3Config, Phi3Model

from graphlab.lora import RewardModel, expert_layers

EXPERTS, RANK, USER = 8, 8, 64
TOTAL = (EXPERTS + 1) * RANK

LENGTH = 64  # tokens per response

#: Name -> decoder, projections with experts.
CASES = {
    "llama-576": ("llama", ("q_proj", "v_proj")),
    "phi3-1536": ("phi3", ("qkv_proj",)),
    "phi3-1536 q, v": ("phi3", ("q_proj", "v_proj")),  # rows of qkv_proj
}
DECODERS = {"llama": (LlamaModel, LlamaConfig), "phi3": (Phi3Model, Phi3Config)}
SIZES = {
    "llama": {  # SmolLM2-135M with 6 of its 30 layers
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 6,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
    },
    "phi3": {  # half as wide as Phi-4-mini, 2 of its 32 layers
        "hidden_size": 1536,
        "intermediate_size": 4096,
        "num_hidden_layers": 2,
        "num_attention_heads": 12,
        "num_key_value_heads": 4,
    },
}


class DispatchLinear(nn.Module):
    """A projection with experts of its own matrices, each run on its own samples."""

    def __init__(self, base: nn.Linear, users: "Users"):
        super().__init__()
        self.base, self.users = base, users
        sizes = (base.in_features, base.out_features)
        self.down = nn.ModuleList(
            nn.Linear(sizes[0], RANK, bias=False) for _ in range(EXPERTS + 1)
        )
        self.up = nn.ModuleList(
            nn.Linear(RANK, sizes[1], bias=False) for _ in range(EXPERTS + 1)
        )
        self.router = nn.Sequential(
            nn.Linear(USER, 256), nn.ReLU(), nn.Linear(256, EXPERTS)
        )

    def forward(self, x: Tensor) -> Tensor:
        scores = self.router(self.users.vectors)
        if self.training:
            scores = scores + 0.1 * torch.randn_like(scores)
        gate, chosen = scores.softmax(-1).max(-1)
        mixed = torch.zeros(*x.shape[:-1], self.base.out_features, dtype=x.dtype)
        for expert in range(EXPERTS):
            rows = (chosen == expert).nonzero()[:, 0]
            if rows.numel():
                out = self.up[expert](self.down[expert](x[rows])) * 2
                mixed = mixed.index_add(0, rows, out * gate[rows, None, None])
        shared = self.up[-1](self.down[-1](x)) * 2
        return self.base(x) + mixed + shared


class Users:
    """What the projections of the loop look at."""

    vectors: Tensor


class DispatchModel(nn.Module):
    """The backbone with the loop in its projections, head and loss as in ours."""

    def __init__(self, backbone: nn.Module, targets: tuple[str, ...], head: nn.Module):
        super().__init__()
        self.users = Users()
        self.backbone, self.head = backbone.requires_grad_(False), head
        for name, module in list(backbone.named_modules()):
            if name.rpartition(".")[2] in targets:
                backbone.set_submodule(name, DispatchLinear(module, self.users))

    def forward(self, tokens: Tensor, user: Tensor) -> Tensor:
        self.users.vectors = user.repeat(2, 1)
        return self.head(self.backbone(input_ids=tokens).last_hidden_state[:, -1])


class PlainModel(nn.Module):
    """The backbone with PEFT's LoRA, and the head."""

    def __init__(self, backbone: nn.Module, targets: tuple[str, ...], head: nn.Module):
        super().__init__()
        names = {name.rpartition(".")[2] for name, _ in backbone.named_modules()}
        fused = not set(targets) <= names
        config = LoraConfig(
            r=TOTAL * (len(targets) if fused else 1),
            lora_alpha=2 * TOTAL,
            target_modules=["qkv_proj"] if fused else list(targets),
        )
        self.backbone, self.head = get_peft_model(backbone, config), head

    def forward(self, tokens: Tensor, user: Tensor) -> Tensor:
        return self.head(self.backbone(input_ids=tokens).last_hidden_state[:, -1])


class Ours(nn.Module):
    """Experts with routers: each projection its own, the best expert alone is on."""

    def __init__(self, backbone: nn.Module, targets: tuple[str, ...]):
        super().__init__()
        self.model = RewardModel.with_experts(
            backbone,
            USER,
            target=targets,
            num_experts=EXPERTS,
            rank=RANK,
            shared_rank=RANK,
        )

    def forward(self, tokens: Tensor, user: Tensor) -> Tensor:
        out = self.model(tokens, user_vectors=user, return_loss=True)
        return out["rewards"].t().flatten()


def with_our_weights(loop: DispatchModel, ours: RewardModel) -> None:
    """Give the loop the experts and routers of ours."""
    projections = [m for m in loop.modules() if isinstance(m, DispatchLinear)]
    layers = [layer for _, layer in expert_layers(ours)]
    (w1, w2), (b1, b2) = ours.router.weights, ours.router.biases
    with torch.no_grad():
        for at, (to, layer) in enumerate(zip(projections, layers, strict=True)):
            for expert in range(EXPERTS + 1):
                rows = layer.expert_rows(expert if expert < EXPERTS else None)
                to.down[expert].weight.copy_(layer.lora_A[rows])
                to.up[expert].weight.copy_(layer.lora_B[:, rows])
            for lin, w, b in ((to.router[0], w1, b1), (to.router[2], w2, b2)):
                lin.weight.copy_(w[at].t())
                lin.bias.copy_(b[at, 0])


def methods(case: str, batch: int) -> tuple[dict[str, Callable], float]:
    """Name -> a training step, and the largest difference between loop and ours."""
    decoder, targets = CASES[case]
    kind, config = DECODERS[decoder]
    torch.manual_seed(0)
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    settings = {"vocab_size": 1024, **special, **SIZES[decoder]}
    backbone = kind(config(**settings))
    ours = Ours(copy.deepcopy(backbone), targets)
    for _, layer in expert_layers(ours):
        nn.init.normal_(layer.lora_B, std=0.02)
    head = ours.model.head
    tokens = torch.randint(3, 1024, (2 * batch, LENGTH))
    user = F.normalize(torch.randn(batch, USER), dim=-1)
    named, difference = {"ours": ours}, 0.0
    loop = DispatchModel(copy.deepcopy(backbone), targets, copy.deepcopy(head))
    if any(isinstance(module, DispatchLinear) for module in loop.modules()):
        with_our_weights(loop, ours.model)
        named["loop over experts"] = loop
        with torch.no_grad():
            one, other = (m.eval()(tokens, user) for m in (ours, loop))
        difference = float((one - other).abs().max() / other.abs().max())
    named["one LoRA (PEFT)"] = PlainModel(backbone, targets, copy.deepcopy(head))
    return {n: step_of(m.train(), tokens, user) for n, m in named.items()}, difference


def step_of(model: nn.Module, tokens: Tensor, user: Tensor) -> Callable[[], None]:
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5)

    def step() -> None:
        optimizer.zero_grad()
        winner, loser = model(tokens, user).chunk(2)
        (-F.logsigmoid(winner - loser).mean()).backward()
        optimizer.step()

    return step


def compare(case: str, batch: int, rounds: int) -> list[tuple]:
    steps, difference = methods(case, batch)
    for step in steps.values():
        step()  # allocations, the optimizer's state
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            step()
            taken[name].append((time.process_time() - start) * 1e3)
    ours = taken["ours"]
    rows = []
    for name, times in taken.items():
        # Of each round, so that what else the machine does weighs on both.
        ratio = statistics.median(o / t for o, t in zip(ours, times, strict=True))
        agrees = f"{difference:.0e}" if name == "loop over experts" else ""
        rows.append((case, batch, name, statistics.median(times), ratio, agrees))
    return rows


HEAD = "decoder | pairs | method | CPU ms | ours takes | difference to ours"
HEAD = f"| {HEAD} |\n|---|--:|---|--:|--:|--:|"


def table(rows: list[tuple]) -> str:
    lines = []
    for case, batch, name, milli, ratio, agrees in rows:
        shown = "" if name == "ours" else f"{ratio:.2f}x"
        lines.append(
            f"| {case} | {batch} | {name} | {milli:,.0f} | {shown} | {agrees} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--pairs", type=int, nargs="+", default=[8])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    versions = [f"{n} {version(n)}" for n in ("torch", "transformers", "peft")]
    print(
        f"{datetime.date.today()}, {', '.join(versions)}, {platform.machine()}, "
        f"{args.threads} thread(s), {args.rounds} rounds\n"
    )
    print(HEAD)
    for case in args.cases:
        for batch in args.pairs:
            print(table(compare(case, batch, args.rounds)), flush=True)


if __name__ == "__main__":
    main()
