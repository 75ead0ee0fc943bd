"""The networks of the paper as torch modules."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from irnet_ray.model.architecture import Architecture


class BatchNorm(nn.BatchNorm1d):
    """Batch norm with a momentum; torch's own also counts batches, which takes 2% of a small step.

    Shape:
        ``(rows, units)`` to ``(rows, units)``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes, and while training follows the statistics."""
        return batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training,
            momentum=float(self.momentum or 0),
            eps=self.eps,
        )


class Layer(nn.Module):
    """Dense, batch norm, ReLU: ``h = ReLU(BN(W x + b))``.

    Shape:
        ``(rows, inputs)`` to ``(rows, units)``.
    """

    def __init__(self, inputs: int, units: int, momentum: float, epsilon: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, units)
        # Batch norm takes the bias's effect away: its gradient is nothing but rounding, of which Adam would make steps.
        self.dense.bias.requires_grad_(False)
        self.batch_norm: nn.BatchNorm1d = BatchNorm(units, eps=epsilon, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the layer."""
        return torch.relu(self.batch_norm(self.dense(x)))


class Residual(nn.Module):
    """A body with a shortcut around it: ``y = body(x) + S(x)``, nothing after the addition.

    ``S`` is the identity where the widths match, else one linear layer with bias, without batch norm and
    activation.

    Shape:
        ``(rows, inputs)`` to ``(rows, units)``.
    """

    def __init__(self, body: nn.Module, inputs: int, units: int) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if inputs == units else nn.Linear(inputs, units)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the body and adds the shortcut."""
        y: Tensor = self.body(x) + self.shortcut(x)
        return y


class Network(nn.Module):
    """A plain network, an SRNet or an IRNet with one linear output unit.

    Args:
        architecture: Stacks and placement of the shortcuts.
        inputs: Number of attributes.
        seed: Determines the initial weights alone; torch's global generator is not touched.
        momentum: Weight of the newest batch in the running statistics of batch norm.
        epsilon: Added to the variance in batch norm.

    Shape:
        ``(rows, inputs)`` to ``(rows,)``.
    """

    def __init__(
        self, architecture: Architecture, inputs: int, *, seed: int, momentum: float = 0.1, epsilon: float = 1e-3
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):  # torch's own initial weights, which are replaced, draw from it
            stacks: list[nn.Module] = []
            for units, layers in architecture.stacks:
                body: list[nn.Module] = []
                for incoming in [inputs, *[units] * (layers - 1)]:
                    layer = Layer(incoming, units, momentum, epsilon)
                    body.append(Residual(layer, incoming, units) if architecture.shortcut == "layer" else layer)
                stack = nn.Sequential(*body)
                stacks.append(Residual(stack, inputs, units) if architecture.shortcut == "stack" else stack)
                inputs = units
            self.hidden = nn.Sequential(*stacks)
            self.output = nn.Linear(inputs, 1)
        initialize(self, seed)

    def forward(self, x: Tensor) -> Tensor:
        """Predicts one number a row."""
        prediction: Tensor = self.output(self.hidden(x)).squeeze(1)
        return prediction


def initialize(network: nn.Module, seed: int) -> None:
    """Sets Xavier-uniform weights and zero biases in every linear layer, as the authors' code does."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)


def count_parameters(network: nn.Module) -> int:
    """Number of parameters as the paper counts them, the biases before batch norm included, which stay zero."""
    return sum(parameter.numel() for parameter in network.parameters())
