"""A small problem on which all training tests run."""

import pytest
import torch
from torch_geometric.nn import GCN

from graphlab.training import Problem, TrainingConfig

NUM_NODES, NUM_CLASSES, NUM_FEATURES, NUM_REPLICAS = 60, 3, 7, 4


def masks(start: int, stop: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(NUM_REPLICAS, NUM_NODES, dtype=torch.bool)
    for row in mask:
        row[torch.randperm(NUM_NODES, generator=generator)[start:stop]] = True
    return mask


def make_gcn() -> torch.nn.Module:
    return GCN(NUM_FEATURES, 16, 2, NUM_CLASSES, dropout=0.5)


@pytest.fixture
def make_problem():
    def make(make_model=make_gcn, **settings) -> Problem:
        generator = torch.Generator().manual_seed(0)
        y = torch.randint(0, NUM_CLASSES, (NUM_NODES,), generator=generator)
        x = torch.randn(NUM_NODES, NUM_FEATURES, generator=generator)
        edge_index = torch.randint(0, NUM_NODES, (2, 200), generator=generator)
        settings = {"epochs": 30, "patience": 8} | settings
        return Problem(
            make_model,
            x + 0.7 * y.unsqueeze(1),
            edge_index,
            y,
            NUM_CLASSES,
            train_mask=masks(0, 20),
            val_mask=masks(20, 40),
            test_mask=masks(40, 60),
            seeds=(11, 12, 13, 14),
            config=TrainingConfig(**settings),
        )

    return make
