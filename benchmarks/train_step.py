"""How fast our loop trains beside others: `python benchmarks/train_step.py`.

Rows a second of one thread, for each depth and batch size: `fit` of this package, a bare loop of torch written for
speed, Lightning with a `DataLoader` (torch's ordinary one, and one that indexes a whole batch at once), skorch, and the
loop of Ray's tutorials over Ray Data's batches. Network, optimizer, schedule, rows and number of epochs are the same
for all; see `contestants.py`. Every training lasts so many epochs that those after the first take the bare loop
`--seconds`; only those are counted. `fit` validates each epoch on two rows, the others not at all.

The speed of a shared machine varies by a fifth within seconds. So all but Ray Data, which uses processes and cores
besides, take turns of `--turn` seconds in one process, see `relay.py`; each is compared with the bare loop of that
repetition. "fetch" is the part of the bare loop's time that it takes to gather a batch from the rows in memory.

Lightning and skorch come with `pip install 'irnet-ray[benchmarks]'`; `--programs` leaves out what is not at hand.
In a minute: `--depths 17 --batch-sizes 256 --rows 4096 --seconds 1 --repetitions 1`.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import math
import time
from dataclasses import replace
from functools import partial

import pandas as pd
from contestants import CONTESTANTS, Task, train_bare
from relay import Relay
from running import Record, in_fresh_process, parser_of, tell
from section import Section

from irnet_ray.study.execute import configure_process
from irnet_ray.study.spec import Trainer

PACKAGES = ("torch", "lightning", "skorch", "ray")
STEPS_TO_CALIBRATE = 30
ALONE = ("ray-data",)  # uses other processes, which would go on while it waits for its turn


def measure(task: Task, names: list[str], options: argparse.Namespace) -> list[dict[str, object]]:
    """Lets contestants do a task, in turns if they are several.

    Args:
        task: Its number of epochs does not matter.
        names: Of the contestants.
        options: Seconds of the bare loop in the epochs that count, and of a turn.

    Returns:
        For each contestant its rows a second, and the part of its time that it fetched batches.
    """
    logging.disable(logging.WARNING)
    configure_process(Trainer())
    a_step = seconds_a_step(task)
    task = replace(task, epochs=1 + math.ceil(options.seconds / (task.steps * a_step)))
    trainings = {name: partial(CONTESTANTS[name], task) for name in names}
    if len(trainings) > 1:
        timings = Relay(math.ceil(options.turn / a_step)).run(trainings)
    else:
        timings = {name: training(time.perf_counter) for name, training in trainings.items()}
    return [
        {
            "depth": task.depth,
            "batch": task.batch_size,
            "program": name,
            "epochs": task.epochs,
            "rows/s": task.rows / timing.an_epoch,
            "fetch": timing.fetching / (task.epochs * timing.an_epoch),
        }
        for name, timing in timings.items()
    ]


def seconds_a_step(task: Task) -> float:
    """What a step takes the bare loop, roughly (s)."""
    short = replace(task, rows=STEPS_TO_CALIBRATE * task.batch_size, epochs=2)
    return train_bare(short, time.perf_counter).an_epoch / short.steps


def with_ratios(measured: pd.DataFrame) -> pd.DataFrame:
    """Compares each training with the bare loop of its repetition."""
    keys = ["depth", "batch", "repetition"]
    bare = measured[measured["program"] == "bare"].set_index(keys)["rows/s"]
    return measured.assign(ratio=measured["rows/s"] / bare.reindex(pd.MultiIndex.from_frame(measured[keys])).to_numpy())


def speed_section(measured: pd.DataFrame) -> Section:
    """Medians over the repetitions."""
    columns = {
        "rows/s": ("rows/s", "median"),
        "of bare": ("ratio", "median"),
        "lowest": ("ratio", "min"),
        "highest": ("ratio", "max"),
    }
    measured = measured.assign(program=pd.Categorical(measured["program"], list(CONTESTANTS)))
    table = measured.groupby(["depth", "batch", "program"], observed=True).agg(**columns).reset_index()
    return Section("Training: rows a second, and as a part of the bare loop's of the same repetition", table)


def fetch_section(measured: pd.DataFrame) -> Section:
    """What batches cost."""
    bare = measured[measured["program"] == "bare"]
    table = (100 * bare.groupby(["depth", "batch"])["fetch"].median()).rename("fetch (% of a step)").reset_index()
    return Section("Fetching a batch of inputs and targets from the rows in memory", table)


def run(options: argparse.Namespace, record: Record) -> pd.DataFrame:
    """All repetitions of all tasks."""
    measured: list[dict[str, object]] = []
    together = ["bare", *(name for name in options.programs if name not in ("bare", *ALONE))]
    alone = [[name] for name in options.programs if name in ALONE]
    for repetition, depth, batch in itertools.product(range(options.repetitions), options.depths, options.batch_sizes):
        rows = options.rows // batch * batch
        task = Task(depth, options.width, options.attributes, rows, batch, 2, options.shuffle_buffer)
        turned = together[repetition % len(together) :] + together[: repetition % len(together)]
        tell(f"repetition {repetition + 1} of {options.repetitions}: {depth} layers, batch {batch}")
        for names in (turned, *alone):
            timed = in_fresh_process(measure, task, names, options)
            measured += [{"repetition": repetition, **each} for each in timed]
        record.write(with_ratios(pd.DataFrame(measured)))
    return with_ratios(pd.DataFrame(measured))


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("--programs", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), metavar="NAME")
    parser.add_argument("--depths", type=int, nargs="+", default=[17, 48])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 256])
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--attributes", type=int, default=145)
    parser.add_argument("--rows", type=int, default=10_240, help="cut to whole batches (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of a training at the least (%(default)s)")
    parser.add_argument("--turn", type=float, default=0.2, help="in seconds (%(default)s)")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--shuffle-buffer", type=int, default=2048, help="rows, of Ray Data (%(default)s)")
    options = parser.parse_args()
    measured = run(options, Record(options.output, *PACKAGES))
    print(speed_section(measured), fetch_section(measured), sep="\n\n")


if __name__ == "__main__":
    main()
