import pytest
import torch

from graphlab.preference import PreferenceGraph

#: Repeated pairs, both directions of one pair, a user without pairs, a response
#: without pairs, and a user and response joined by either kind of edge.
PAIRS = [
    (0, 0, 1),
    (0, 0, 1),
    (0, 0, 2),
    (1, 1, 0),
    (1, 0, 1),
    (2, 3, 4),
    (2, 4, 1),
    (2, 1, 3),
    (4, 2, 4),
]
NUM_USERS, NUM_RESPONSES = 5, 6


@pytest.fixture
def graph() -> PreferenceGraph:
    return PreferenceGraph.from_pairs(
        *zip(*PAIRS, strict=True), user_ids=range(5), response_ids=range(6)
    )


@pytest.fixture
def dense() -> dict[str, torch.Tensor]:
    """The normalized matrices of likes and dislikes, counted by hand."""
    out = {}
    for kind, place in (("likes", 1), ("dislikes", 2)):
        count = torch.zeros(NUM_USERS, NUM_RESPONSES)
        for pair in PAIRS:
            count[pair[0], pair[place]] += 1
        degrees = count.sum(1, keepdim=True) * count.sum(0, keepdim=True)
        out[kind] = torch.where(count > 0, count / degrees.sqrt(), 0)
    return out


@pytest.fixture
def random_graph():
    def make(num_users=30, num_responses=12, num_pairs=150, seed=0):
        generator = torch.Generator().manual_seed(seed)
        user = torch.randint(num_users, (num_pairs,), generator=generator)
        winner = torch.randint(num_responses, (num_pairs,), generator=generator)
        step = torch.randint(1, num_responses, (num_pairs,), generator=generator)
        loser = (winner + step) % num_responses
        ids = dict(user_ids=range(num_users), response_ids=range(num_responses))
        return PreferenceGraph.from_pairs(user, winner, loser, **ids)

    return make
