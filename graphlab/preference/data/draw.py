"""Draws of pairs for many users at once."""

import numpy as np

from graphlab.errors import ArgumentError

BLOCK = 1 << 23  # random numbers at a time


def draw_pairs(
    generator: np.random.Generator,
    num_users: int,
    num_pairs: int,
    count: int,
    valid=None,
) -> np.ndarray:
    """Different pairs for each user, in random order.

    Args:
        generator: Source of randomness.
        num_users: Number of users.
        num_pairs: Number of pairs to choose among.
        count: Pairs of each user.
        valid: A function from a slice of users to which pairs they may get, boolean
            (users, pairs); all if :obj:`None`.

    Returns:
        Numbers of pairs, (users, count).

    Raises:
        ArgumentError: If a user may not get that many pairs.
    """
    if count > num_pairs:
        raise ArgumentError(
            f"each user shall get {count:,} different pairs, but there are "
            f"{num_pairs:,}: ask for fewer annotations or test pairs"
        )
    out = np.empty((num_users, count), dtype=np.int64)
    size = max(1, BLOCK // max(1, num_pairs))
    for start in range(0, num_users if count else 0, size):
        some = slice(start, min(num_users, start + size))
        keys = generator.random((some.stop - start, num_pairs))
        if valid is not None:
            allowed = valid(some)
            _check_enough(allowed.sum(1), count)
            keys[~allowed] = np.inf
        first = np.argpartition(keys, count - 1, axis=1)[:, :count]
        order = np.take_along_axis(keys, first, 1).argsort(1)
        out[some] = np.take_along_axis(first, order, 1)
    return out


def _check_enough(available: np.ndarray, count: int) -> None:
    if (available < count).any():
        raise ArgumentError(
            f"each user shall get {count:,} different pairs, but "
            f"{int((available < count).sum()):,} users have as few as "
            f"{int(available.min()):,}: ask for fewer annotations or test pairs"
        )
