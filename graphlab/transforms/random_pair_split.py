"""Random splits of pairs of nodes: links, or pairs of one label."""

import copy

import numpy as np
import torch
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from ..errors import ArgumentError
from ._checks import check_choice, check_count, check_number
from ._pairs import LabelPairs, LinkPairs, PairPopulation, distinct, pair_code
from .official_pairs import official_negatives

PARTS = ("training", "validation", "test")
Triple = tuple[Data, Data, Data]
Pairs = list[np.ndarray]


class RandomPairSplit(BaseTransform):
    r"""Splits pairs of nodes into training, validation and test pairs.

    The two tasks of the `"Position-aware Graph Neural Networks"
    <https://arxiv.org/abs/1906.04817>`_ paper: is the pair an edge (``"link"``), have
    the two nodes one label (``"pair"``). Returns three
    :class:`~torch_geometric.data.Data` with ``edge_label_index``
    :math:`(2, P)` and ``edge_label`` :math:`(P)` (positives first), as
    :class:`torch_geometric.transforms.RandomLinkSplit` does, or a list of such triples
    for a list of graphs, each split by itself.

    All three carry the same ``edge_index``, to encode from: for ``"link"`` the entries
    of training edges and the self-loops (PyG's test part also has the validation
    edges), for ``"pair"`` all of it. Edge attributes follow.

    Negatives are pairs without order, one for each positive, drawn uniformly from all
    pairs that are not positive in any part: no false ones, none twice, none in two
    parts, no loops. Where a graph has fewer negatives than positives, the negatives are
    shared out in proportion. Memory is :math:`O(|\mathcal{V}| + |\mathcal{E}| + P)`.

    Args:
        num_val: Share of the positives for validation, or their number.
        num_test: Share of the positives for the test, or their number.
        kind: ``"link"`` or ``"pair"``. For ``"pair"``, nodes with a negative label are
            in no pair.
        official: Draw negatives as the authors' code does: ordered pairs, with
            repetition, that avoid the positives in one order only, and for training
            the training positives only. Some are positive pairs: see
            :func:`official_auc_cap`. For comparison with published numbers.
        seed: Seed; the same split on every machine.
        max_positives: Use at most so many of the positives, drawn uniformly.

    Raises:
        ArgumentError: If an argument is out of range, or (when applied) if a part
            would be left without positives or negatives.

    Example:
        >>> ring = torch.arange(20)
        >>> edge_index = torch.stack([ring, (ring + 1) % 20])
        >>> edge_index = torch.cat([edge_index, edge_index.flip(0)], dim=1)
        >>> split = RandomPairSplit(seed=1)
        >>> train, val, test = split(Data(edge_index=edge_index, num_nodes=20))
        >>> train.edge_index.shape, train.edge_label_index.shape, test.edge_label
        (torch.Size([2, 32]), torch.Size([2, 32]), tensor([1., 1., 0., 0.]))
    """

    def __init__(
        self,
        num_val: float | int = 0.1,
        num_test: float | int = 0.1,
        kind: str = "link",
        official: bool = False,
        seed: int = 0,
        max_positives: int | None = None,
    ) -> None:
        _check_part("num_val", num_val)
        _check_part("num_test", num_test)
        check_choice("kind", kind, ("link", "pair"))
        check_count("seed", seed, 0)
        check_number("seed", seed, 0, 2**32 - 1)
        if max_positives is not None:
            check_count("max_positives", max_positives, 1)
        self.num_val, self.num_test = num_val, num_test
        self.kind, self.official, self.seed = kind, official, seed
        self.max_positives = max_positives

    def forward(self, data: Data | list[Data]) -> Triple | list[Triple]:
        """The three parts of a graph, or a list of them for a list of graphs."""
        if isinstance(data, list | tuple):
            return [self._split(graph, place) for place, graph in enumerate(data)]
        return self._split(data, 0)

    def _split(self, data: Data, place: int) -> Triple:
        random = np.random.RandomState([self.seed, place])
        pairs = self._population(data, place)
        used = min(pairs.num_positive, self.max_positives or pairs.num_positive)
        sizes = self._sizes(used, place)
        chosen = pairs.positive(distinct(random, used, pairs.num_positive))
        positives = np.split(chosen, np.cumsum(sizes)[:-1], axis=1)
        if self.official:
            positives, negatives = self._official(random, data, pairs, positives)
        else:
            negatives = _clean(random, pairs, sizes, place)
        message = self._message_graph(data, positives[0])
        return tuple(
            _labelled(message, positive, negative)
            for positive, negative in zip(positives, negatives, strict=True)
        )

    def _population(self, data: Data, place: int) -> PairPopulation:
        if data.edge_index is None:
            raise ArgumentError(f"data: graph {place} has no edge_index")
        if self.kind == "link":
            edge_index = data.edge_index.cpu().long().numpy()
            if edge_index.size and not 0 <= edge_index.min() <= edge_index.max() < (
                data.num_nodes
            ):
                raise ArgumentError(
                    f"data: edge_index of graph {place} holds nodes from "
                    f"{edge_index.min()} to {edge_index.max()}; accepted are 0 to "
                    f"{data.num_nodes - 1}"
                )
            return LinkPairs(edge_index, data.num_nodes)
        y = data.y
        if y is None or y.dim() != 1 or y.is_floating_point():
            raise ArgumentError(
                f"data: graph {place} has no y with one class number per node, which "
                "kind='pair' needs"
            )
        if y.numel() != data.num_nodes:
            raise ArgumentError(
                f"data: graph {place} has {data.num_nodes} nodes, but y has "
                f"{y.numel()} entries"
            )
        return LabelPairs(y.cpu().numpy())

    def _sizes(self, total: int, place: int) -> list[int]:
        """Numbers of training, validation and test positives."""
        val, test = (
            int(part * total) if isinstance(part, float) else part
            for part in (self.num_val, self.num_test)
        )
        sizes = [total - val - test, val, test]
        asked = [1, self.num_val, self.num_test]
        for name, size, wanted in zip(PARTS, sizes, asked, strict=True):
            if size < 0 or (wanted and not size):
                raise ArgumentError(
                    f"data: graph {place} has {total} positive pairs, too few for a "
                    f"{name} part with num_val={self.num_val}, "
                    f"num_test={self.num_test}"
                )
        return sizes

    def _official(
        self,
        random: np.random.RandomState,
        data: Data,
        pairs: PairPopulation,
        positives: Pairs,
    ) -> tuple[Pairs, Pairs]:
        """Positives in the order of the authors' code, and its negatives."""
        everything = pairs.positive(np.arange(pairs.num_positive))
        if self.kind == "pair":  # that code has u > v there, and u < v for links
            everything = everything[::-1]
            positives = [positive[::-1] for positive in positives]
        negatives = [
            official_negatives(random, blocked, data.num_nodes, positive.shape[1])
            for blocked, positive in zip(
                (positives[0], everything, everything), positives, strict=True
            )
        ]
        return positives, negatives

    def _message_graph(self, data: Data, train: np.ndarray) -> Data:
        message = copy.copy(data)
        if self.kind == "pair":
            return message
        edge_index = data.edge_index.cpu().long().numpy()
        keep = np.isin(pair_code(edge_index), pair_code(train))
        keep |= edge_index[0] == edge_index[1]
        mask = torch.from_numpy(keep).to(data.edge_index.device)
        for name, value in data:
            if name == "edge_index":
                message[name] = value[:, mask]
            elif data.is_edge_attr(name):
                message[name] = value[mask]
        message.num_nodes = data.num_nodes
        return message

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}(kind={self.kind!r}, num_val={self.num_val}, "
            f"num_test={self.num_test}, official={self.official}, seed={self.seed})"
        )


def _clean(
    random: np.random.RandomState, pairs: PairPopulation, sizes: list[int], place: int
) -> Pairs:
    """Different negatives for all parts from one draw."""
    total = sum(sizes)
    if pairs.num_negative < total:  # shared out in proportion
        shares = [size * pairs.num_negative // total for size in sizes]
        for name, size, share in zip(PARTS, sizes, shares, strict=True):
            if size and not share:
                raise ArgumentError(
                    f"data: graph {place} has {pairs.num_negative} negative pairs for "
                    f"{total} positive ones, which leaves the {name} part without any"
                )
        sizes = shares
    drawn = pairs.negative(distinct(random, sum(sizes), pairs.num_negative))
    return np.split(drawn, np.cumsum(sizes)[:-1], axis=1)


def _labelled(message: Data, positive: np.ndarray, negative: np.ndarray) -> Data:
    part, device = copy.copy(message), message.edge_index.device
    pairs = np.ascontiguousarray(np.concatenate([positive, negative], axis=1))
    part.edge_label_index = torch.from_numpy(pairs).to(device)
    part.edge_label = torch.zeros(pairs.shape[1], device=device)
    part.edge_label[: positive.shape[1]] = 1
    return part


def _check_part(name: str, value: float | int) -> None:
    share = isinstance(value, float) and 0 <= value < 1
    count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not (share or count):
        raise ArgumentError(
            f"{name}: got {value!r}; accepted is a share in [0, 1) or a number of pairs"
        )
