"""Batch norm over the batches of all workers, on CPUs as on GPUs; torch's own refuses CPUs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed.nn.functional import all_reduce

from irnet_ray.model.network import BatchNorm, Layer, Network


class SynchronizedBatchNorm(BatchNorm):
    """Batch norm (Ioffe and Szegedy, 2015) that takes mean and variance over the rows of all processes.

    Needs torch's default process group while it trains; evaluates like any other.

    Shape:
        ``(rows, units)`` to ``(rows, units)``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes, and while training follows the statistics."""
        if not self.training:
            return super().forward(x)
        x = x.float()  # under autocast sums and numbers of rows would be rounded to bfloat16
        own_rows = x.new_full((1,), len(x))
        sums = _total(torch.cat([x.sum(0), own_rows]))
        rows = sums[-1]
        mean = sums[:-1] / rows
        variance = _total(torch.square(x - mean).sum(0)) / rows
        self._follow(mean.detach(), (variance * rows / (rows - 1)).detach())
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (x - mean) * scale + self.bias

    def _follow(self, mean: Tensor, unbiased_variance: Tensor) -> None:
        for running, newest in ((self.running_mean, mean), (self.running_var, unbiased_variance)):
            assert running is not None
            running.lerp_(newest.to(running.dtype), float(self.momentum or 0))


def _total(values: Tensor) -> Tensor:
    """Adds up a tensor over all processes; its gradient is added up likewise."""
    added: Tensor = all_reduce(values)  # type: ignore[no-untyped-call]
    return added


def synchronize(network: Network) -> None:
    """Replaces every batch norm of a network, with its weights."""
    for layer in network.modules():
        if isinstance(layer, Layer):
            own = layer.batch_norm
            shared = SynchronizedBatchNorm(own.num_features, own.eps, own.momentum).to(own.weight.device)
            shared.load_state_dict(own.state_dict())
            layer.batch_norm = shared
