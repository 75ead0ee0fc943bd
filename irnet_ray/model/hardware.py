"""What a network is trained on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from irnet_ray.model.batch_norm import synchronize
from irnet_ray.model.network import Network
from irnet_ray.model.rows import AnyRows, Standardization
from irnet_ray.model.workers import ALONE, Workers


@dataclass(frozen=True)
class Hardware:
    """A device, the processes that share the work, and what is done for speed.

    Attributes:
        device: A torch device.
        workers: The processes that train the network together.
        synchronized_batch_norm: Whether batch norm takes its statistics over the batches of all workers;
            each takes its own otherwise.
        bfloat16: Whether torch's autocast computes matrix products in it; weights stay in float32.
        compiled: Whether torch compiles the network, into CUDA graphs on a GPU.
    """

    device: str = "cpu"
    workers: Workers = ALONE
    synchronized_batch_norm: bool = False
    bfloat16: bool = False
    compiled: bool = False

    @property
    def _is_gpu(self) -> bool:
        return torch.device(self.device).type == "cuda"

    def prepare(self, network: Network) -> Callable[[Tensor], Tensor]:
        """Gives what a training step calls in the network's place; the network itself must be on the device."""
        if self.synchronized_batch_norm and self.workers.count > 1:
            synchronize(network)
        shared = self.workers.parallel(network)
        if not self.compiled:
            return shared
        torch.compiler.reset()  # a process that has compiled some other networks would no longer compile this one
        # CUDA graphs take away the launching of kernels, which is most of a step of a small network.
        return torch.compile(shared, mode="reduce-overhead")

    def autocast(self) -> AbstractContextManager[object]:
        """Within it the network computes in the precision asked for."""
        if not self.bfloat16:
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16)

    def resident(self, rows: AnyRows, standardization: Standardization) -> Tensor:
        """Puts standardized attributes on the device once, in bounded further memory.

        Returns:
            Shape ``(rows, attributes)``, float32.
        """
        tensor = torch.empty(len(rows), rows.attributes, pin_memory=self._is_gpu)
        start = 0
        for block in rows.blocks():
            tensor[start : start + len(block)] = torch.from_numpy(standardization.apply(block))
            start += len(block)
        return tensor.to(self.device, non_blocking=True)


CPU = Hardware()
"""One process without a GPU."""
