"""The processes that train one network together, through torch's process group; nothing where there is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed
from torch import Tensor, nn

from irnet_ray.model.batches import shard_size, shard_start
from irnet_ray.model.rows import Float64Array


@dataclass(frozen=True)
class Workers:
    """This process among those that train one network.

    More than one need torch's default process group: NCCL for GPUs, gloo for CPUs.

    Attributes:
        count: Number of processes.
        rank: Number of this one, from 0.
        device: Where tensors must lie to be exchanged.
    """

    count: int = 1
    rank: int = 0
    device: str = "cpu"

    @property
    def is_first(self) -> bool:
        """Whether this process speaks for all of them."""
        return self.rank == 0

    def total(self, values: Float64Array) -> Float64Array:
        """Adds up an array over all processes."""
        if self.count == 1:
            return values
        tensor = torch.as_tensor(values, dtype=torch.float64).to(self.device, copy=True)
        torch.distributed.all_reduce(tensor)
        result: Float64Array = tensor.cpu().numpy()
        return result

    def parallel(self, network: nn.Module) -> nn.Module:
        """Lets the processes share their gradients while each computes its own."""
        if self.count == 1:
            return network
        return nn.parallel.DistributedDataParallel(
            network, broadcast_buffers=False, gradient_as_bucket_view=True, static_graph=True
        )

    def average(self, buffers: Iterable[Tensor]) -> None:
        """Sets floating-point tensors, such as running statistics, to their mean over all processes."""
        if self.count == 1:
            return
        floating = [buffer for buffer in buffers if buffer.is_floating_point()]
        together = torch.cat([buffer.flatten() for buffer in floating])
        torch.distributed.all_reduce(together)
        together /= self.count
        parts = torch.split(together, [buffer.numel() for buffer in floating])
        for buffer, part in zip(floating, parts, strict=True):
            buffer.copy_(part.view_as(buffer))

    def own_part(self, rows: int) -> slice:
        """The rows of a set, which every process holds as a whole, that this process is to look after."""
        start = shard_start(rows, self.count, self.rank)
        return slice(start, start + shard_size(rows, self.count, self.rank))


ALONE = Workers()
"""One process."""
