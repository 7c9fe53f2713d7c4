import json

import pytest
import torch
from torch_geometric.nn import GCN

from graphlab.errors import ArgumentError
from graphlab.training import fit, postel


class Telling(GCN):
    """Counts its evaluations, and says the size of a weight and of its output."""

    def __init__(self):
        super().__init__(7, 8, 2, 3, dropout=0.5)

    def forward(self, x, edge_index):
        out = super().forward(x, edge_index)
        self.last = out.detach()
        return out

    def facts(self):
        weight = self.convs[0].lin.weight  # the trained one must be in place here
        return {
            "norm": float(self.last.norm()),
            "weight": float(weight.detach().norm()),
            "training": self.training,
            "converged": True,
        }


@pytest.mark.parametrize("vectorize", [True, False])
def test_facts_are_those_of_each_replica_at_its_best_epoch(make_problem, vectorize):
    result = fit(make_problem(Telling, vectorize=vectorize))
    assert result.vectorized == vectorize
    told = [info["model"] for info in result.info]
    for r, facts in enumerate(told):
        assert facts["norm"] == pytest.approx(float(result.logits[r].norm()), rel=1e-4)
        weight = result.state_dicts[r]["convs.0.lin.weight"]
        assert facts["weight"] == pytest.approx(float(weight.norm()), rel=1e-5)
        assert not facts["training"]
    assert len({facts["norm"] for facts in told}) == len(told)
    assert json.dumps(result.info)


def test_facts_change_no_result(make_problem):
    plain = fit(make_problem(lambda: GCN(7, 8, 2, 3, dropout=0.5)))
    telling = fit(make_problem(Telling))
    assert torch.equal(plain.logits, telling.logits)
    assert "model" not in plain.info[0]


def test_facts_survive_a_label_method(make_problem):
    info = postel(make_problem(Telling, epochs=3), max_rounds=1).info
    assert all(each["model"]["converged"] and "rounds" in each for each in info)


@pytest.mark.parametrize("facts", [{"a": torch.ones(1)}, [1], None])
def test_what_json_cannot_hold_is_refused(make_problem, facts):
    class Wrong(GCN):
        def facts(self):
            return facts

    with pytest.raises(ArgumentError, match=r"facts\(\) of Wrong must return"):
        fit(make_problem(lambda: Wrong(7, 8, 2, 3), epochs=1))
