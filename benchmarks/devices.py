"""What a GPU brings, and which of its options: `python benchmarks/devices.py`.

Rows a second of `fit` on one core and on the GPU, as it is, with `bfloat16`, with `compiled` and with both, for each
depth and batch size. Rows are made up; only epochs after the first count, since the first one compiles, and the two
validation rows of an epoch are nothing. A core trains on a sixteenth of the rows, four steps at least. A machine
without a GPU measures its core alone.

In a minute: `--depths 17 --batch-sizes 256 --seconds 2`.
"""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from contestants import Task
from running import Record, in_fresh_process, parser_of, tell
from section import Section

from irnet_ray.model.fit import fit
from irnet_ray.model.hardware import Hardware
from irnet_ray.model.rows import Rows
from irnet_ray.study.execute import configure_process
from irnet_ray.study.spec import Trainer

WAYS = {
    "core": Hardware(),
    "core, bfloat16": Hardware(bfloat16=True),
    "GPU": Hardware("cuda"),
    "GPU, bfloat16": Hardware("cuda", bfloat16=True),
    "GPU, compiled": Hardware("cuda", compiled=True),
    "GPU, compiled, bfloat16": Hardware("cuda", compiled=True, bfloat16=True),
}


def seconds_an_epoch(task: Task, hardware: Hardware) -> float:
    """Trains for the task's epochs; gives the mean over those after the first (s)."""
    inputs, target = (tensor.numpy() for tensor in task.tensors)
    rows = Rows(inputs, target.astype(np.float64))
    history = fit(task.architecture, task.recipe, rows, rows.take(np.arange(2)), seed=0, hardware=hardware).history
    return (history[-1].seconds - history[0].seconds) / (len(history) - 1)


def measure(task: Task, way: str, seconds: float) -> dict[str, object]:
    """Trains in one way: a little to learn how long an epoch is, then for so many seconds."""
    configure_process(Trainer())
    epochs = 1 + math.ceil(seconds / seconds_an_epoch(replace(task, epochs=2), WAYS[way]))
    an_epoch = seconds_an_epoch(replace(task, epochs=epochs), WAYS[way])
    return {
        "depth": task.depth,
        "batch": task.batch_size,
        "way": way,
        "rows/s": task.rows / an_epoch,
        "ms a step": 1000 * an_epoch / task.steps,
    }


def with_ratios(measured: pd.DataFrame) -> pd.DataFrame:
    """Compares each way with one core, where that was measured."""
    keys = ["depth", "batch"]
    core = measured[measured["way"] == "core"].set_index(keys)["rows/s"]
    of_core = core.reindex(pd.MultiIndex.from_frame(measured[keys])).to_numpy()
    return measured.assign(**{"times a core": measured["rows/s"].to_numpy() / of_core})


def section(measured: pd.DataFrame) -> Section:
    """Speeds."""
    return Section("Rows a second of one IRNet in training", measured)


def run(options: argparse.Namespace, record: Record) -> pd.DataFrame:
    """All ways in each task, each in a process of its own."""
    ways = [way for way in options.ways if torch.cuda.is_available() or WAYS[way].device == "cpu"]
    measured = []
    for depth, batch, way in itertools.product(options.depths, options.batch_sizes, ways):
        tell(f"{depth} layers, batch {batch}: {way}")
        rows = options.rows if WAYS[way].device != "cpu" else max(4 * batch, options.rows // 16)
        task = Task(depth, options.width, options.attributes, rows // batch * batch, batch, 2, 0)
        measured.append(in_fresh_process(measure, task, way, options.seconds))
        record.write(with_ratios(pd.DataFrame(measured)))
    return with_ratios(pd.DataFrame(measured))


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY")
    parser.add_argument("--depths", type=int, nargs="+", default=[17, 48])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[256, 2048])
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--attributes", type=int, default=145)
    parser.add_argument("--rows", type=int, default=65_536, help="cut to whole batches (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3, help="of a training at the least (%(default)s)")
    options = parser.parse_args()
    table = run(options, Record(options.output, "torch"))
    print(section(table))


if __name__ == "__main__":
    main()
