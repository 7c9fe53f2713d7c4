"""The constants are suprema of gradients; those of a head are found by autograd."""

import math

import pytest
import torch
from torch import nn

from graphlab.analysis import margin_lipschitz
from graphlab.errors import ArgumentError

CLASSES = (2, 3, 6, 10)


def gradient_norms(scores, logits):
    """Norm of the gradient of the margin of class 0, row by row."""
    logits = logits.requires_grad_()
    found = scores(logits)
    margin = found[:, 0] - found[:, 1:].max(1).values
    return torch.autograd.grad(margin.sum(), logits, create_graph=True)[0].norm(dim=1)


def largest_by_ascent(scores, num_classes):
    """Starts at random logits, and climbs to where the gradient is largest."""
    torch.manual_seed(num_classes)
    logits = nn.Parameter(torch.randn(20, num_classes, dtype=torch.float64))
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        (-gradient_norms(scores, logits).sum()).backward()
        optimizer.step()
    return float(gradient_norms(scores, logits).max().detach())


@pytest.mark.parametrize("num_classes", CLASSES)
def test_the_softmax_margin_is_a_supremum(num_classes):
    bound = margin_lipschitz("softmax")
    assert bound == pytest.approx(0.7071, abs=1e-4)
    softmax = nn.Softmax(1)
    for scale in (0.3, 3.0):
        logits = scale * torch.randn(20_000, num_classes, dtype=torch.float64)
        assert gradient_norms(softmax, logits).max() <= bound + 1e-12
    assert largest_by_ascent(softmax, num_classes) == pytest.approx(bound, rel=1e-3)


@pytest.mark.parametrize("scores", [nn.Identity(), nn.LogSoftmax(1)])
@pytest.mark.parametrize("num_classes", CLASSES)
def test_the_logit_margin_always_has_the_same_slope(num_classes, scores):
    logits = 3 * torch.randn(1000, num_classes, dtype=torch.float64)
    norms = gradient_norms(scores, logits)
    assert torch.allclose(norms, torch.full_like(norms, margin_lipschitz("logit")))


@pytest.mark.parametrize("num_classes", CLASSES)
def test_the_constant_of_the_released_code_is_no_bound(num_classes):
    found = margin_lipschitz("paper-code", num_classes)
    uniform = torch.zeros(num_classes, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(nn.Softmax(0), uniform)
    assert found == pytest.approx(float(jacobian.norm()), rel=1e-12)
    near_a_tie = torch.full((1, num_classes), -9.0, dtype=torch.float64)
    near_a_tie[0, :2] = 0
    assert gradient_norms(nn.Softmax(1), near_a_tie) > 1.4 * found


def test_a_number_is_handed_back():
    assert margin_lipschitz(2) == 2.0
    assert margin_lipschitz(0.5) == 0.5


class TestJacobian:
    def test_of_a_linear_head(self):
        torch.manual_seed(0)
        head, z = nn.Linear(5, 4), torch.randn(30, 5)
        y = torch.randint(4, (30,))
        found = margin_lipschitz("jacobian", head=head, z=z, y=y)
        with torch.no_grad():
            others = head(z).scatter(1, y[:, None], -math.inf).argmax(1)
            wanted = (head.weight[y] - head.weight[others]).norm(dim=1).max()
        assert found == pytest.approx(float(wanted), rel=1e-6)

    def test_of_the_logits_themselves(self):
        z, y = torch.randn(9, 3), torch.randint(3, (9,))
        found = margin_lipschitz("jacobian", head=nn.Identity(), z=z, y=y)
        assert found == pytest.approx(margin_lipschitz("logit"), rel=1e-6)
        softmax = margin_lipschitz("jacobian", head=lambda z: z.softmax(1), z=z, y=y)
        assert softmax < margin_lipschitz("softmax")

    def test_of_a_deep_head_by_differences(self):
        torch.manual_seed(1)
        head = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3)).double()
        z, y = torch.randn(6, 3).double(), torch.tensor([0, 1, 2, 0, 1, 2])

        def margin(z):
            scores = head(z)
            others = scores.scatter(1, y[:, None], -math.inf).max(1).values
            return scores.gather(1, y[:, None])[:, 0] - others

        step = 1e-6
        with torch.no_grad():
            slopes = [
                (margin(z + step * unit) - margin(z - step * unit)) / (2 * step)
                for unit in torch.eye(3).double()
            ]
        wanted = torch.stack(slopes).norm(dim=0).max()
        found = margin_lipschitz("jacobian", head=head, z=z, y=y)
        assert found == pytest.approx(float(wanted), rel=1e-6)

    def test_rows_do_not_see_each_other_and_modes_come_back(self):
        torch.manual_seed(2)
        head = nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 2)
        )
        head[2].eval()
        head.requires_grad_(False)
        before = head[1].running_mean.clone()
        z, y = torch.randn(7, 3), torch.zeros(7, dtype=torch.long)
        with torch.no_grad():
            whole = margin_lipschitz("jacobian", head=head, z=z, y=y)
            alone = [
                margin_lipschitz("jacobian", head=head, z=z[i : i + 1], y=y[i : i + 1])
                for i in range(7)
            ]
        assert whole == pytest.approx(max(alone), rel=1e-6)
        assert [module.training for module in head] == [True, True, False, True]
        assert torch.equal(head[1].running_mean, before)
        assert not z.requires_grad and all(p.grad is None for p in head.parameters())

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"head": None}, "head must be a module or function"),
            ({"z": None}, r"z must be a floating point tensor \[m, d\], got NoneType"),
            ({"z": torch.ones(3)}, r"z must be a floating point tensor .* got \[3\]"),
            ({"z": torch.ones(3, 2).long()}, "z must be a floating point tensor"),
            ({"y": None}, "y must have one integer class for each of the 3 rows"),
            ({"y": [0, 1, 2]}, r"y must be in 0\.\.1, got 0\.\.2"),
            ({"head": lambda z: z[:, :1]}, r"head must return \[3, K\] .* \[3, 1\]"),
            ({"head": lambda z: z / 0}, "head must have finite gradients"),
        ],
    )
    def test_wrong_arguments_are_refused(self, arguments, said):
        given = {"head": nn.Identity(), "z": torch.ones(3, 2), "y": [0, 1, 1]}
        with pytest.raises(ArgumentError, match=said):
            margin_lipschitz("jacobian", **given | arguments)


@pytest.mark.parametrize("kind", ["l2", 0, -1.0, math.inf, math.nan, True, None])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(ArgumentError, match="kind must be one of .*'logit'"):
        margin_lipschitz(kind)


@pytest.mark.parametrize("number", [None, 1, 2.0])
def test_the_released_code_needs_a_number_of_classes(number):
    with pytest.raises(ArgumentError, match="num_classes must be a whole number >= 2"):
        margin_lipschitz("paper-code", number)
