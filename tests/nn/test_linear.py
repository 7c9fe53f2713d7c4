import torch
from torch.func import functional_call, stack_module_state, vmap

from graphlab.nn import FeatureLinear, feature_dropout


def test_linear_is_the_formula_for_dense_and_sparse_features(data):
    x = data[0]
    lin = FeatureLinear(6, 3)
    torch.nn.init.normal_(lin.bias)
    want = x @ lin.weight + lin.bias
    torch.testing.assert_close(lin(x), want)
    torch.testing.assert_close(lin(x.to_sparse_csr()), want)
    assert str(lin) == "FeatureLinear(6, 3, bias=True)"
    assert FeatureLinear(6, 3, bias=False).bias is None


def test_weights_start_within_glorots_bound():
    weight = FeatureLinear(300, 100).weight
    bound = (6 / 400) ** 0.5
    assert 0.95 * bound < weight.abs().max() <= bound
    assert abs(weight.mean()) < 0.02 * bound * 3


def test_replicas_have_their_own_dropout_and_weights(data):
    x = data[0].to_sparse_csr()
    lins = [FeatureLinear(6, 3) for _ in range(4)]
    params, _ = stack_module_state(lins)

    def call(params, drop):
        features = feature_dropout(x, 0.5, drop)
        return functional_call(lins[0], params, (features,))

    plain = vmap(lambda p: call(p, False))(params)
    torch.testing.assert_close(plain, torch.stack([lin(x) for lin in lins]))
    same = {k: v[:1].expand_as(v) for k, v in params.items()}
    noisy = vmap(lambda p: call(p, True), randomness="different")(same)
    assert not torch.equal(noisy[0], noisy[1])


def test_dropout_rests_outside_of_training(data):
    x = data[0]
    assert feature_dropout(x, 0.5, False) is x
    assert feature_dropout(x, 0.0, True) is x
    assert (feature_dropout(x, 0.5, True) == 0).sum() > (x == 0).sum()
