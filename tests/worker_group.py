"""Real processes that train together, for tests of the core without Ray."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed
import torch.multiprocessing

from irnet_ray.errors import TrainingError
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.batch_norm import SynchronizedBatchNorm
from irnet_ray.model.batches import shard_size, shard_start
from irnet_ray.model.fit import fit
from irnet_ray.model.hardware import Hardware
from irnet_ray.model.rows import Rows, Standardization
from irnet_ray.model.workers import Workers

IRNET = Architecture(((16, 2), (8, 2)), "layer")


def made(count, seed):
    """A smooth function of three of six attributes."""
    inputs = np.random.default_rng(seed).standard_normal((count, 6)).astype(np.float32)
    a, b, c = inputs[:, :3].T.astype(np.float64)
    return Rows(inputs, 10 + 2 * np.sin(a) + b * c)


def together(workers, function, *arguments):
    """Calls a function in so many processes of one group; gives what each of them returned."""
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_in_a_process, (workers, folder, function, arguments), nprocs=workers)
        return [torch.load(Path(folder) / f"{rank}.pt", weights_only=False) for rank in range(workers)]


def _in_a_process(rank, workers, folder, function, arguments):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=workers)
    torch.save(function(Workers(workers, rank), *arguments), Path(folder) / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def shard(rows, workers):
    start = shard_start(len(rows), workers.count, workers.rank)
    return rows.take(np.arange(start, start + shard_size(len(rows), workers.count, workers.rank)))


def trained(workers, recipe, train, validation, synchronized, resume_from=None, should_stop=lambda: False):
    """Trains on this process's shard; gives plain numbers."""
    checkpoints = []
    try:
        fitted = fit(
            IRNET,
            recipe,
            shard(train, workers),
            validation,
            seed=3,
            hardware=Hardware(workers=workers, synchronized_batch_norm=synchronized),
            resume_from=resume_from,
            save_checkpoint=checkpoints.append,
            checkpoint_seconds=0,
            should_stop=should_stop,
        )
    except TrainingError as error:
        return {"error": str(error)}
    return {
        "history": [replace(epoch, seconds=0.0) for epoch in fitted.history],
        "seconds": [epoch.seconds for epoch in fitted.history],
        "weights": fitted.network.state_dict(),
        "prediction": fitted.predict(validation.inputs),
        "validation_prediction": fitted.validation_prediction,
        "checkpoints": checkpoints,
        "stopped": fitted.stopped,
        "mean": fitted.inputs.mean,
        "scale": fitted.inputs.scale,
    }


def normalized_in_bfloat16():
    """Running statistics of synchronized batch norm over 303 rows a process of mean 3 and deviation 1/4."""
    layer = SynchronizedBatchNorm(2, momentum=1.0)
    rows = 3 + torch.linspace(-(3**0.5) / 4, 3**0.5 / 4, 303)[:, None].repeat(1, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer(rows.bfloat16())
    return layer.running_mean, layer.running_var


def scenarios(workers, recipe, train, validation):
    """Several trainings one after the other, as starting processes takes most of the time."""
    undisturbed = trained(workers, recipe, train, validation, False)
    middle = [undisturbed["checkpoints"][3] if workers.is_first else None]
    torch.distributed.broadcast_object_list(middle)
    spoiled = Rows(train.inputs, np.where(np.arange(len(train)) == 0, np.nan, train.target))
    return {
        "undisturbed": undisturbed,
        "again": trained(workers, recipe, train, validation, False),
        "resumed": trained(workers, recipe, train, validation, False, resume_from=middle[0]),
        "synchronized": trained(workers, recipe, train, validation, True),
        "stopped by the first": trained(
            workers, recipe, train, validation, False, should_stop=lambda: workers.is_first
        ),
        "spoiled": trained(workers, recipe, spoiled, validation, False),
        "bfloat16": normalized_in_bfloat16(),
        "measured": vars(Standardization.of_blocks(shard(train, workers).blocks, total=workers.total)),
    }
