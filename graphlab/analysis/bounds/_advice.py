"""How many graphs it takes, found by trying."""

from collections.abc import Callable

_MOST = 10**15


def smallest_size(says_something: Callable[[int], bool], size: int) -> int | None:
    """The least number of graphs, at least ``size``, from which on a bound speaks.

    ``says_something`` must stay true once it is. ``None`` beyond 10^15 graphs, or if
    ``size`` is enough.
    """
    if says_something(size):
        return None
    low, high = size, 2 * size
    while not says_something(high):
        low, high = high, 2 * high
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if says_something(middle) else (middle, high)
    return high
