"""The negative sampler of P-GNN's code, with its faults, for comparison."""

import numpy as np

from ._pairs import skip


def official_negatives(
    random: np.random.RandomState, blocked: np.ndarray, num_nodes: int, size: int
) -> np.ndarray:
    """Ordered pairs ``[2, size]`` of different nodes, with repetition.

    Only the pairs in ``blocked`` are avoided, and only in the order given there: their
    mirror images are drawn like any other pair.

    Args:
        random: Source of the draws.
        blocked: Ordered pairs ``[2, P]``, all different.
        num_nodes: Number of nodes.
        size: Number of pairs to draw.
    """
    taken = np.sort(_ordered_code(blocked, num_nodes))
    free = num_nodes * (num_nodes - 1) - len(taken)
    number = random.randint(free, size=size, dtype=np.int64)
    code = skip(number, taken - np.arange(len(taken)))
    first, second = code // (num_nodes - 1), code % (num_nodes - 1)
    return np.stack([first, second + (second >= first)])


def _ordered_code(pair: np.ndarray, num_nodes: int) -> np.ndarray:
    """Numbers the ordered pairs of different nodes from 0, row by row."""
    first, second = pair
    return first * (num_nodes - 1) + second - (second > first)


def official_auc_cap(num_nodes: int, num_positive: int) -> float:
    r"""ROC-AUC that a perfect scorer expects under P-GNN's negative sampler.

    Positives are kept in one order and negatives drawn as ordered pairs, so half of
    what should be avoided is not. With :math:`P` the share of positive pairs,

    .. math::
        f = \frac{P / 2}{1 - P / 2}, \qquad \mathrm{cap} = 1 - \frac{f}{2}

    is the share of wrong negatives and the best that scores can do against them: a
    wrong negative ties with the positives. Source: the sampler in the code of
    `"Position-aware Graph Neural Networks" <https://arxiv.org/abs/1906.04817>`_.

    Args:
        num_nodes: Number of nodes of the graph.
        num_positive: Number of positive pairs, without order.

    Example:
        >>> round(official_auc_cap(400, 20 * 190), 4)  # 20 communities of 20 nodes
        0.9878
    """
    half = num_positive / (num_nodes * (num_nodes - 1))
    return 1 - half / (1 - half) / 2
