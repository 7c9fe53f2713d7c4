"""Splits drawn at random from labels alone, from fixed seeds.

All use ``numpy.random.RandomState``, whose streams NumPy has frozen: a seed gives the
same split on every machine and with every version.
"""

import numpy as np

from graphlab.errors import SplitError

# The seeds of the BernNet and PosteL code, in its order.
SEEDS = (
    *(1941488137, 4198936517, 983997847, 4023022221, 4019585660),
    *(2108550661, 1648766618, 629014539, 3212139042, 2424918363),
)

Masks = tuple[np.ndarray, np.ndarray, np.ndarray]


def bernnet_split(y: np.ndarray, num_classes: int, seed: int) -> Masks:
    r"""The split of the BernNet and PosteL code, bit for bit, in :math:`O(N)`.

    Every class gives the *same number* ``round(0.6 N / C)`` of training nodes, or all
    it has if that is fewer; ``round(0.2 N)`` of the rest validate, what is left tests.
    It is quoted as "60/20/20", which it is not: small classes go wholly into training.

    Source: ``random_planetoid_splits`` in the code of `BernNet
    <https://arxiv.org/abs/2106.10994>`_ and `PosteL
    <https://arxiv.org/abs/2406.00410>`_. The order of draws matters: one per class that
    is large enough, by class number, then one over the rest in order of node number.

    Args:
        y: Labels ``[N]``.
        num_classes: Number of classes :math:`C`.
        seed: Seed of the draw.
    """
    num_nodes = len(y)
    per_class = int(round(0.6 * num_nodes / num_classes))
    num_val = int(round(0.2 * num_nodes))
    random = np.random.RandomState(seed)
    train = np.zeros(num_nodes, dtype=bool)
    for members in _members(y, num_classes):
        if len(members) >= per_class:
            members = random.choice(members, per_class, replace=False)
        train[members] = True
    rest = np.flatnonzero(~train)
    if len(rest) <= num_val:
        raise SplitError(
            f"bernnet-10: {len(rest)} nodes are left beside training, "
            f"more than {num_val} are needed for validation and test"
        )
    val = _mask(num_nodes, random.choice(rest, num_val, replace=False))
    return train, val, ~(train | val)


def stratified_split(y: np.ndarray, num_classes: int, seed: int) -> Masks:
    r"""Every class cut 60/20/20.

    Of a class of :math:`n` nodes, in random order, those before position
    ``round(0.6 n)`` train, those from there to ``round(0.8 n)`` validate, the rest
    test (no :math:`n` makes either product end in .5). A class of four or more nodes is
    in every part; of three, two train and one tests; of two, one trains and one
    validates; a single node trains.

    Args:
        y: Labels ``[N]``.
        num_classes: Number of classes.
        seed: Seed of the draw.
    """
    random = np.random.RandomState(seed)
    train, val, test = (np.zeros(len(y), dtype=bool) for _ in range(3))
    for members in _members(y, num_classes):
        members = random.permutation(members)
        first, second = (6 * len(members) + 5) // 10, (8 * len(members) + 5) // 10
        train[members[:first]] = True
        val[members[first:second]] = True
        test[members[second:]] = True
    return train, val, test


def planetoid_like_split(y: np.ndarray, num_classes: int, seed: int) -> Masks:
    """20 training nodes per class, then 500 for validation and 1,000 for test.

    The sizes of Planetoid's public split, drawn at random. Nodes beyond that are in no
    mask.

    Args:
        y: Labels ``[N]``.
        num_classes: Number of classes.
        seed: Seed of the draw.
    """
    random = np.random.RandomState(seed)
    train = np.zeros(len(y), dtype=bool)
    for label, members in enumerate(_members(y, num_classes)):
        if len(members) < 20:
            raise SplitError(
                f"planetoid-20: class {label} has {len(members)} nodes, 20 are needed"
            )
        train[random.choice(members, 20, replace=False)] = True
    rest = random.permutation(np.flatnonzero(~train))
    if len(rest) < 1500:
        raise SplitError(
            f"planetoid-20: {len(rest)} nodes are left beside training, 1500 are needed"
        )
    return train, _mask(len(y), rest[:500]), _mask(len(y), rest[500:1500])


def _members(y: np.ndarray, num_classes: int) -> list[np.ndarray]:
    """Node numbers of each class, ascending, from one stable sort."""
    order = np.argsort(y, kind="stable")
    bounds = np.searchsorted(y[order], np.arange(num_classes + 1))
    return [order[bounds[c] : bounds[c + 1]] for c in range(num_classes)]


def _mask(num_nodes: int, index: np.ndarray) -> np.ndarray:
    mask = np.zeros(num_nodes, dtype=bool)
    mask[index] = True
    return mask
