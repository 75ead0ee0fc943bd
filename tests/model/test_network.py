import math

import pytest
import torch
from torch import nn

from irnet_ray.model.architecture import SHORTCUTS, Architecture
from irnet_ray.model.network import Network

STACKS = ((8, 3), (8, 2), (5, 2), (3, 1))  # widths that match inside and between stacks, and some that do not
INPUTS = 6


def batch(rows, inputs=INPUTS, seed=0):
    return torch.randn(rows, inputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def used(shortcut):
    """A network whose batch norms and biases are no longer those of the start, in double precision."""
    network = Network(Architecture(STACKS, shortcut), INPUTS, seed=0, momentum=0.3).double()
    generator = torch.Generator().manual_seed(1)
    for name, tensor in network.state_dict().items():
        if tensor.ndim == 1:
            tensor.copy_(torch.rand(tensor.shape, generator=generator, dtype=torch.float64) + 0.1)
            if name.endswith("bias"):
                tensor.sub_(0.6)
    return network


class Written:
    """The equations of the paper, with the network's tensors taken in the order in which they are applied."""

    def __init__(self, network, training):
        self.linear = iter([module for module in network.modules() if isinstance(module, nn.Linear)])
        self.norm = iter([module for module in network.modules() if isinstance(module, nn.BatchNorm1d)])
        self.output = network.output
        self.training = training

    def dense(self, x):
        linear = next(self.linear)
        return x @ linear.weight.T + linear.bias

    def layer(self, x):
        x, norm = self.dense(x), next(self.norm)
        mean = x.mean(0) if self.training else norm.running_mean
        variance = x.var(0, unbiased=False) if self.training else norm.running_var
        h = (x - mean) / torch.sqrt(variance + 1e-3) * norm.weight + norm.bias
        return torch.where(h > 0, h, 0.0)

    def shortcut(self, x, units):
        return x if x.shape[1] == units else self.dense(x)

    def network(self, x, shortcut):
        for units, layers in STACKS:
            at_start = x
            for _ in range(layers):
                h = self.layer(x)
                x = h + self.shortcut(x, units) if shortcut == "layer" else h
            if shortcut == "stack":
                x = x + self.shortcut(at_start, units)
        return (x @ self.output.weight.T + self.output.bias)[:, 0]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_the_network_computes_the_papers_equations(shortcut, training):
    network, x = used(shortcut), batch(32)
    expected = Written(network, training).network(x, shortcut)
    predicted = network.train(training)(x)
    assert predicted.shape == (32,)
    torch.testing.assert_close(predicted, expected, rtol=1e-10, atol=1e-10)


def test_placements_compute_different_things():
    x = batch(32)
    outputs = [used(shortcut).eval()(x) for shortcut in SHORTCUTS]
    assert not any(torch.allclose(outputs[first], outputs[second]) for first, second in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_running_statistics_move_by_the_momentum(shortcut):
    network, x = used(shortcut), batch(32)
    dense, norm = (next(m for m in network.modules() if isinstance(m, kind)) for kind in (nn.Linear, nn.BatchNorm1d))
    before = norm.running_mean.clone(), norm.running_var.clone()
    network.train()(x)
    h = x @ dense.weight.T + dense.bias
    torch.testing.assert_close(norm.running_mean, 0.7 * before[0] + 0.3 * h.mean(0))
    torch.testing.assert_close(norm.running_var, 0.7 * before[1] + 0.3 * h.var(0))


def test_evaluation_does_not_depend_on_the_other_rows_and_changes_nothing():
    network, x = used("layer").eval(), batch(32)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    together = network(x)
    torch.testing.assert_close(torch.cat([network(x[row : row + 1]) for row in range(32)]), together)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_weights_start_xavier_uniform_and_biases_zero(shortcut):
    network = Network(Architecture(((64, 2), (32, 2)), shortcut), 50, seed=3)
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for module in linear:
        outputs, inputs = module.weight.shape
        bound = math.sqrt(6 / (inputs + outputs))
        assert module.weight.abs().max() <= bound
        assert not module.bias.any()
        if outputs > 1:
            assert module.weight.abs().max() > 0.98 * bound
            assert float(module.weight.detach().std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert len(linear) == {"none": 5, "stack": 7, "layer": 7}[shortcut]


def test_batch_norm_starts_as_the_identity_with_the_given_constants():
    network = Network(Architecture(STACKS, "layer"), INPUTS, seed=0, momentum=0.001, epsilon=0.01)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm1d)):
        assert (norm.momentum, norm.eps) == (0.001, 0.01)
        assert (norm.weight == 1).all()
        assert not norm.bias.any()


def weights(seed):
    network = Network(Architecture(STACKS, "layer"), INPUTS, seed=seed)
    return [module.weight.detach() for module in network.modules() if isinstance(module, nn.Linear)]


def test_the_seed_alone_determines_the_weights_and_torchs_generator_is_left_alone():
    torch.manual_seed(1)
    first = weights(7)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert all(torch.equal(one, other) for one, other in zip(first, weights(7), strict=True))
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(torch.equal(one, other) for one, other in zip(first, weights(8), strict=True))


def test_no_two_layers_start_alike():
    square = [weight for weight in weights(0) if weight.shape == (8, 8)]
    assert len(square) == 4
    assert len({weight.numpy().tobytes() for weight in square}) == 4


def ratio_of_gradients(shortcut, seed):
    """Gradient of the second layer's weights over that of the last hidden layer's, 47 hidden layers in all."""
    network = Network(Architecture(((32, 47),), shortcut), 4, seed=seed)
    x = batch(128, 4, seed).float()
    (network(x) - x[:, 0]).abs().mean().backward()
    dense = [module for name, module in network.named_modules() if name.endswith("dense")]
    assert len(dense) == 47
    return float(dense[1].weight.grad.norm() / dense[-1].weight.grad.norm())


def test_shortcuts_keep_the_gradients_of_48_layers_alike():
    # Over 30 seeds the plain network's ratio was 2,600 to 12,800 and the IRNet's 1 to 14.
    assert ratio_of_gradients("none", 0) > 300
    assert 0.1 < ratio_of_gradients("layer", 0) < 100
