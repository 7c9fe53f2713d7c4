"""First guesses for a row of similar equations."""

from torch import Tensor

# Newton's forward differences: the polynomial through the last values, newest first.
_SHARES = {1: (1.0,), 2: (2.0, -1.0), 3: (3.0, -3.0, 1.0)}


class Extrapolation:
    """Guesses ``g(x)`` in ``x + g(x) = y`` from its values in the steps before.

    Along a stack that shares its weights the values change little from step to step,
    and the guess saves the first iterations.
    """

    def __init__(self, order: int = 2):
        self.most = order + 1
        self.values: list[Tensor] = []  # newest first

    def add(self, value: Tensor) -> None:
        """Remember the value of a step."""
        self.values = [value, *self.values[: self.most - 1]]

    def start(self, y: Tensor) -> Tensor | None:
        """A first iterate, in memory of its own; nothing without a past."""
        if not self.values:
            return None
        shares = _SHARES[len(self.values)]
        out = y.sub(self.values[0], alpha=shares[0])
        for share, value in zip(shares[1:], self.values[1:], strict=True):
            out.sub_(value, alpha=share)
        return out
