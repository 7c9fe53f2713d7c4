"""Many copies of one model as a single model over stacked parameters."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.func import stack_module_state, vmap
from torch.nn.parameter import is_lazy

from graphlab.training.config import TrainingConfig
from graphlab.training.dropout import ReplicaNoise
from graphlab.training.slots import Slots

_NOISE_OFFSET = 0x5EED_0000_0000  # dropout noise and initial weights must not share


class Replicas:
    r"""Models of the same shape, with each parameter stacked to :math:`(R, \ldots)`.

    A forward pass is ``vmap``-ed over the stack, so that the graph and its features
    are read once for all replicas. Because Adam (like SGD) acts on each number by
    itself, one optimizer over the stack equals one optimizer a replica.
    """

    def __init__(
        self,
        make_model: Callable,
        seeds: Sequence[int],
        features: Callable[[torch.nn.Module], Tensor],
        edge_index: Tensor,
        vectorized: bool = True,
    ):
        if not vectorized and len(seeds) != 1:
            raise ValueError("only a single replica can do without vectorization")
        self.vectorized = vectorized
        models = [_seeded(make_model, seed) for seed in seeds]
        x = features(models[0])
        for model in models:
            _materialize(model, x, edge_index)
        self.skeleton = models[0]
        self.params, self.buffers = stack_module_state(models)
        self.slots = Slots(self.skeleton)
        self.evaluation_is_quiet = False  # until one has drawn no noise
        self.x, self.edge_index = x, edge_index
        self.generators = [
            torch.Generator(x.device).manual_seed(_NOISE_OFFSET + seed)
            for seed in seeds
        ]
        self.num_parameters = sum(p.numel() for p in models[0].parameters())

    def forward(self, training: bool) -> Tensor:
        """Class scores :math:`(R, N, C)` of all replicas."""
        self.skeleton.train(training)
        token = torch.arange(len(self.generators), device=self.x.device)
        state = {**self.params, **self.buffers}
        one = partial(self._one, training, list(state))
        if self.vectorized:
            return vmap(one, randomness="different")(token, *state.values())
        # Views, so that buffers are updated in the stack.
        return one(token, *(tensor[0] for tensor in state.values())).unsqueeze(0)

    def _one(
        self, training: bool, names: list[str], token: Tensor, *tensors: Tensor
    ) -> Tensor:
        """One replica, inside of ``vmap``."""
        state = dict(zip(names, tensors, strict=True))
        arguments = (self.x, self.edge_index)
        if not training and self.evaluation_is_quiet:
            return self.slots(state, arguments)
        with ReplicaNoise(self.generators, token) as noise:
            out = self.slots(state, arguments)
        if not training:  # watching every call costs as much as a small product
            self.evaluation_is_quiet = not noise.drawn
        return out

    def zero_grad(self) -> None:
        """Forget the gradients; an optimizer's own way costs more on small graphs."""
        for parameter in self.params.values():
            parameter.grad = None

    def keep(self, places: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """Drops all replicas but those at `places`, optimizer state included."""
        with torch.no_grad():
            fresh = {
                name: p[places].requires_grad_(p.requires_grad)
                for name, p in self.params.items()
            }
            self.buffers = {n: b[places] for n, b in self.buffers.items()}
        renamed = {id(p): fresh[name] for name, p in self.params.items()}
        for group in optimizer.param_groups:
            group["params"] = [renamed[id(p)] for p in group["params"]]
        for name, old in self.params.items():
            state = optimizer.state.pop(old, {})
            optimizer.state[fresh[name]] = {
                key: s[places] if torch.is_tensor(s) and s.shape == old.shape else s
                for key, s in state.items()
            }
        self.params = fresh
        self.generators = [self.generators[i] for i in places.tolist()]

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of all parameters and buffers, stacked."""
        state = {**self.params, **self.buffers}
        return {name: tensor.detach().clone() for name, tensor in state.items()}

    def update(self, snapshot: dict[str, Tensor], places: Tensor, rows: Tensor) -> None:
        """Writes the replicas `rows` into the snapshot at `places`."""
        pairs = list(zip(places.tolist(), rows.tolist(), strict=True))
        for name, tensor in {**self.params, **self.buffers}.items():
            old, new = snapshot[name], tensor.detach()
            for place, row in pairs:  # a few plain copies: cheaper than indexing
                old[place].copy_(new[row])

    def load(self, snapshot: dict[str, Tensor]) -> None:
        """Takes over a full stack for evaluation; training ends here."""
        self.params = {name: snapshot[name] for name in self.params}
        self.buffers = {name: snapshot[name] for name in self.buffers}
        rows = next(iter(snapshot.values())).size(0) if snapshot else 1
        self.generators = self.generators[:1] * rows  # no noise is drawn any more


def make_optimizer(replicas: Replicas, config: TrainingConfig) -> torch.optim.Optimizer:
    """An optimizer over the stack, with the options that the model asks for."""
    groups = parameter_groups(replicas.skeleton, replicas.params.items())
    make = getattr(torch.optim, config.optimizer)
    return make(groups, lr=config.lr, weight_decay=config.weight_decay, fused=True)


def parameter_groups(
    model: torch.nn.Module, named: Iterable[tuple[str, Tensor]]
) -> list[dict]:
    """Parameters with the options that the model asks for.

    A model may carry ``optim_overrides``: parameter-name prefix -> options, as
    GPR-GNN does to keep its propagation weights free of weight decay.
    """
    overrides = getattr(model, "optim_overrides", None) or {}
    groups: dict[str, dict] = {"": {"params": []}}
    for name, parameter in named:
        prefix = next((p for p in overrides if name.startswith(p)), "")
        options = overrides.get(prefix, {})
        groups.setdefault(prefix, {"params": [], **options})
        groups[prefix]["params"].append(parameter)
    return [group for group in groups.values() if group["params"]]


def seed_everything(seed: int) -> None:
    """As :func:`torch.manual_seed`, which on a CPU takes half a millisecond."""
    torch.default_generator.manual_seed(seed)
    if torch.accelerator.is_available():
        torch.manual_seed(seed)


def _seeded(make_model: Callable, seed: int) -> torch.nn.Module:
    seed_everything(seed)
    return make_model()


def _materialize(model: torch.nn.Module, x: Tensor, edge_index: Tensor) -> None:
    """Gives lazily initialised parameters their shape."""
    if any(is_lazy(p) for p in model.parameters()):
        with torch.no_grad():
            model.eval()(x, edge_index)
