"""Each model against its formula, and the settings PosteL's tables rest on."""

import pytest
import torch
import torch.nn.functional as F

from graphlab.nn import APPNP, GAT, GCN, GIN, GPRGNN, MLP, BernNet, ChebNet, OrderedGNN


def test_gcn(data):
    x, edge_index = data
    model = GCN(6, 64, 3).eval()
    hidden = F.relu(model.convs[0](x, edge_index))
    torch.testing.assert_close(model(x, edge_index), model.convs[1](hidden, edge_index))
    weight = torch.rand(40)
    assert not torch.allclose(model(x, edge_index, weight), model(x, edge_index))


def test_gcn_and_gin_without_bias_and_norm(data):
    x, edge_index = data
    model = GCN(6, 8, 3, num_layers=3, dropout=0.0, bias=False)
    assert {name.rsplit(".")[-1] for name, _ in model.named_parameters()} == {"weight"}
    hidden = F.relu(model.convs[0](x, edge_index))
    want = model.convs[2](F.relu(model.convs[1](hidden, edge_index)), edge_index)
    torch.testing.assert_close(model(x, edge_index), want)
    model(x, edge_index).sum().backward()
    plain = GIN(6, 8, 3, batch_norm=False, dropout=0.0)
    assert not list(plain.buffers())[2:]  # eps of two layers, no statistics
    hidden = F.relu(plain.convs[0](x, edge_index))
    torch.testing.assert_close(plain(x, edge_index), plain.convs[1](hidden, edge_index))


def test_gin(data):
    x, edge_index = data
    model = GIN(6, 64, 3, train_eps=True).eval()
    assert [c.nn[0].in_channels for c in model.convs] == [6, 64]
    assert [c.nn[3].out_channels for c in model.convs] == [64, 3]
    assert model.convs[0].eps.requires_grad and len(model.convs[0].nn) == 4
    hidden = F.relu(model.convs[0](x, edge_index))
    torch.testing.assert_close(model(x, edge_index), model.convs[1](hidden, edge_index))


X = 14  # nodes

DROPPED = {
    GCN: [(X, 64)],
    GIN: [(X, 8)],
    GAT: [(X, 6), (X, 64)],  # the attention's own dropout is one number further down
    MLP: [(X, 6), (X, 8)],
    ChebNet: [(X, 32)],
    APPNP: [(X, 6), (X, 8)],
    GPRGNN: [(X, 6), (X, 8), (X, 3)],
    BernNet: [(X, 6), (X, 8), (X, 3)],
    OrderedGNN: [(X, 6)] + [(X, 8)] * 9,
}


@pytest.mark.parametrize("cls", DROPPED, ids=lambda cls: cls.__name__)
def test_what_is_dropped(cls, data, monkeypatch):
    """All noise is from ``F.dropout`` and ``torch.randint``, looked up when called."""
    dropped, seeded = [], []
    hidden = {GCN: 64, ChebNet: 32}.get(cls, 8)
    model = cls(6, hidden, 3)

    def spy(x, p=0.5, training=True, inplace=False):
        dropped.append((tuple(x.shape), p, training))
        return x

    def seed(*args, _randint=torch.randint, **kwargs):
        seeded.append(args)
        return _randint(*args, **kwargs)

    monkeypatch.setattr(F, "dropout", spy)
    monkeypatch.setattr(torch, "randint", seed)
    x, edge_index = data
    model(x, edge_index)
    assert dropped == [(shape, 0.5, True) for shape in DROPPED[cls]]
    assert len(seeded) == (2 if cls is GAT else 0)
    dropped.clear(), seeded.clear()
    model.eval()(x, edge_index)
    assert not any(training for _, _, training in dropped) and not seeded


def test_gat(data):
    x, edge_index = data
    model = GAT(6, 8, 3).eval()
    assert [c.heads for c in model.convs] == [8, 1]
    assert [c.dropout for c in model.convs] == [0.5, 0.5]
    hidden = F.elu(model.convs[0](x, edge_index))
    assert hidden.shape == (14, 64)
    torch.testing.assert_close(model(x, edge_index), model.convs[1](hidden, edge_index))


def test_mlp(data):
    x, edge_index = data
    model = MLP(6, 64, 3).eval()
    want = model.lins[1](F.relu(model.lins[0](x)))
    torch.testing.assert_close(model(x), want)
    torch.testing.assert_close(model(x, edge_index), want)


def test_chebnet(data):
    x, edge_index = data
    model = ChebNet(6, 32, 3).eval()
    assert [len(c.lins) for c in model.convs] == [2, 2]
    hidden = F.relu(model.convs[0](x, edge_index))
    torch.testing.assert_close(model(x, edge_index), model.convs[1](hidden, edge_index))


def test_decoupled_models_propagate_what_the_perceptron_says(data):
    x, edge_index = data
    for cls in (APPNP, GPRGNN, BernNet):
        model = cls(6, 64, 3).eval()
        assert model.prop.K == 10 and model.mlp.dropout == 0.5
        want = model.prop(model.mlp(x), edge_index)
        torch.testing.assert_close(model(x, edge_index), want)
    assert APPNP(6, 64, 3).prop.alpha == GPRGNN(6, 64, 3).prop.alpha == 0.1
    assert GPRGNN(6, 64, 3).dprate == BernNet(6, 64, 3).dprate == 0.5


def test_optimizer_settings_of_the_filters():
    assert GPRGNN.optim_overrides == {"prop.": {"weight_decay": 0.0}}
    assert BernNet.optim_overrides == {"prop.": {"lr": 0.01, "weight_decay": 0.0}}


def test_ordered_gnn(data):
    x, edge_index = data
    model = OrderedGNN(6, 8, 3).eval()
    assert len(model.convs) == 8
    h, gate = model.norm(F.relu(model.lin_in(x))), None
    for conv in model.convs:
        h, gate = conv(h, edge_index, gate)
    torch.testing.assert_close(model(x, edge_index), model.lin_out(h))
    assert gate.shape == (14, 2)
